import type net from 'node:net';
import { Spool } from '../spool.ts';

/**
 * How long a request that changes data silently is waited for after its client has left, and a
 * client for its last bytes after we have ended the connection, in milliseconds. Source: our choice.
 */
export const DRAIN_DEADLINE_MS = 2_000;

/** How much may wait for a client that does not read. 0 is no limit. */
export interface OutputLimit {
  /** Beyond it the client is disconnected at once, in bytes. */
  readonly hardBytes: number;
  /** Beyond it the client is disconnected if that lasts for `softMs`, in bytes. */
  readonly softBytes: number;
  readonly softMs: number;
}

/**
 * How much may be unsent before pushes wait, in bytes. Source: our choice; a burst of some thousand
 * leaves within one turn of the event loop where the client reads.
 */
const BACKED_UP_BYTES = 262_144;

/** What an output tells its connection. */
export interface OutputListener {
  /** The client has taken all that it got. */
  drained(): void;
  /** So much waits that the client is to be disconnected. Told once. */
  overflowed(limit: 'hard' | 'soft'): void;
}

/**
 * What is written to one client. Replies wait upstream when the client does not read, so that little but what comes unasked
 * (messages of pub/sub) can reach the limits.
 */
export class Output {
  readonly #socket: net.Socket;
  readonly #limit: OutputLimit;
  readonly #listener: OutputListener;
  readonly #leastBytes: number; // the lower of the limits
  readonly #spool: Spool;
  #patience: NodeJS.Timeout | undefined; // runs while more than the soft limit waits
  #overflowed = false;

  constructor(socket: net.Socket, limit: OutputLimit, listener: OutputListener) {
    this.#socket = socket;
    this.#spool = new Spool(socket);
    this.#limit = limit;
    this.#listener = listener;
    const limits = [limit.hardBytes, limit.softBytes].filter((bytes) => bytes > 0);
    this.#leastBytes = Math.min(...limits); // Infinity where there is none
    socket.on('drain', () => {
      this.#calm();
      listener.drained();
    });
  }

  /** Whether the client does not take what it gets as fast as it comes: replies are to wait. */
  get isSlow(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** Whether so much is unsent that pushes are to wait, too. */
  get isBackedUp(): boolean {
    return this.#spool.unsentBytes > BACKED_UP_BYTES;
  }

  write(bytes: Buffer): void {
    this.#spool.write(bytes);
    const { unsentBytes } = this.#spool;
    if (unsentBytes > this.#leastBytes) this.#judge(unsentBytes, bytes.length);
  }

  /** A chunk of replies has come: what it leads to is written until `flush`. */
  open(): void {
    this.#spool.open();
  }

  flush(): void {
    this.#spool.flush();
  }

  /** Calls back once when the client has taken what was written. */
  whenDrained(run: () => void): void {
    this.#socket.once('drain', run);
  }

  /** Sends what has been written, then ends the connection, whether or not the client ends too. */
  end(): void {
    this.#spool.flush();
    this.#socket.end();
    this.#socket.resume(); // what it still says is read and dropped: unread, it would cost a reset
    this.#letGo(this.#socket.writableLength);
  }

  /** @param unsentBytes what waited for the client when it was last looked at */
  #letGo(unsentBytes: number): void {
    const timer = setTimeout(() => {
      const nowBytes = this.#socket.writableLength;
      if (nowBytes === 0 || nowBytes === unsentBytes) this.#socket.destroy();
      else this.#letGo(nowBytes);
    }, DRAIN_DEADLINE_MS);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  /** The connection is over. */
  closed(): void {
    this.#calm();
  }

  /** However long the last piece is, alone it is no fault of the client. */
  #judge(unsentBytes: number, lastBytes: number): void {
    const { hardBytes, softBytes, softMs } = this.#limit;
    if (hardBytes > 0 && unsentBytes - lastBytes > hardBytes) this.#overflow('hard');
    else if (softBytes > 0 && unsentBytes > softBytes) {
      this.#patience ??= setTimeout(() => this.#lose(), softMs);
    }
  }

  /** The time is up. */
  #lose(): void {
    this.#patience = undefined;
    if (this.#spool.unsentBytes > this.#limit.softBytes) this.#overflow('soft');
  }

  #overflow(limit: 'hard' | 'soft'): void {
    if (this.#overflowed) return;
    this.#overflowed = true;
    this.#calm();
    this.#listener.overflowed(limit);
  }

  #calm(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
  }
}
