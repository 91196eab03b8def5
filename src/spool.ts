import type net from 'node:net';

/** Pieces that are shorter together are joined, in bytes: to copy them costs less than to send them. */
const JOIN_MAX_BYTES = 65_536;

/**
 * What is written to one socket. All that is written within one turn of the event loop leaves in one
 * piece; and what is all that a received chunk leads to (as a rule, for most chunks just go on)
 * leaves without a detour: to wait for the end of the turn costs more than the rest of the writing.
 */
export class Spool {
  readonly #socket: net.Socket;
  #first: Buffer | undefined;
  #others: Buffer[] | undefined; // behind the first
  #bytes = 0;
  #isOpen = false;
  #isDue = false;
  static #due: Spool[] = []; // those that are flushed at the end of the turn

  constructor(socket: net.Socket) {
    this.#socket = socket;
  }

  /** Sends at once what would leave at the end of the turn, on all sockets. */
  static flushAll(): void {
    const due = Spool.#due;
    Spool.#due = [];
    for (const spool of due) {
      spool.#isDue = false;
      spool.flush();
    }
  }

  /** How much has been written and not sent, in bytes. */
  get unsentBytes(): number {
    return this.#bytes + this.#socket.writableLength;
  }

  write(bytes: Buffer): void {
    this.#bytes += bytes.length;
    if (this.#first === undefined) this.#first = bytes;
    else if (this.#others === undefined) this.#others = [bytes];
    else this.#others.push(bytes);
    if (this.#isOpen || this.#isDue) return;
    this.#isDue = true;
    if (Spool.#due.push(this) === 1) process.nextTick(Spool.flushAll);
  }

  /** A chunk has been received: what it leads to is sent by `flush`. */
  open(): void {
    this.#isOpen = true;
  }

  /** Sends all that has been written. */
  flush(): void {
    this.#isOpen = false;
    const first = this.#first;
    if (first === undefined) return;
    const others = this.#others;
    const bytes = this.#bytes;
    this.#first = undefined;
    this.#others = undefined;
    this.#bytes = 0;
    const socket = this.#socket;
    if (others === undefined) socket.write(first);
    else if (bytes <= JOIN_MAX_BYTES) socket.write(Buffer.concat([first, ...others], bytes));
    else {
      socket.cork();
      socket.write(first);
      for (const other of others) socket.write(other);
      socket.uncork();
    }
  }
}
