import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { FrameScanner } from '../../src/resp/scanner.ts';
import { encode, type Request, type Target } from '../helpers/raw-client.ts';
import type { Random } from '../simulation/random.ts';

/** How long an answer may take, in milliseconds. Source: our choice; a busy machine stands still at times. */
const ANSWER_MAX_MS = 60_000;

/** How long a half-closed connection is given to end, in milliseconds. Who is blocked is not answered. */
const HALF_CLOSED_MS = 50;

/** How much of what was received last is kept, in bytes. */
const TAIL_BYTES = 32;

const PUSH = '>'.charCodeAt(0);

/** Thrown at whoever waits for an answer when the visitor itself has left. */
export class HasLeft extends Error {}

/** Waits for something that bytes bring about. */
interface Waiter {
  readonly isMet: () => boolean;
  readonly done: (error?: Error) => void;
}

/** A client that counts what it is sent and keeps none of it, however large. */
export class Visitor {
  readonly #socket: Socket;
  readonly #canReset: boolean; // a Unix socket can't
  readonly #scanner = new FrameScanner();
  readonly #closed: Promise<unknown>;
  #waiters: Waiter[] = [];
  #isOpen = true;
  #hasLeft = false;
  #isAtStart = true; // of a frame
  #isPush = false;
  #asked = 0;
  #answers = 0;
  #frames = 0;
  #tail = '';

  private constructor(socket: Socket, canReset: boolean) {
    this.#socket = socket;
    this.#canReset = canReset;
    this.#closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {}); // 'close' follows
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#isOpen = false; // no more answers come
        this.#look();
      });
    }
  }

  /** Connects, and waits until it is. */
  static async connect(target: Target): Promise<Visitor> {
    const to = 'path' in target ? target : { ...target, host: '127.0.0.1', noDelay: true };
    const socket = connect({ ...to, allowHalfOpen: true });
    const visitor = new Visitor(socket, 'port' in target);
    await once(socket, 'connect');
    return visitor;
  }

  /** Whether as many answers have come as requests were made with `ask`. */
  get isEven(): boolean {
    return this.#answers === this.#asked;
  }

  /** The last bytes received, as latin1. */
  get tail(): string {
    return this.#tail;
  }

  /** Sends bytes (text is latin1) as they are. */
  send(bytes: Buffer | string): void {
    if (this.#isOpen && !this.#hasLeft) this.#socket.write(bytes, 'latin1');
  }

  /** Sends requests in one piece, and waits for as many answers; all requests must have one. */
  async ask(...requests: readonly Request[]): Promise<void> {
    this.#asked += requests.length;
    const wanted = this.#asked;
    this.send(Buffer.concat(requests.map(encode)));
    await this.#until(() => this.#answers >= wanted);
  }

  /** Waits until so many frames of any kind have come since the beginning. */
  async hears(count: number): Promise<void> {
    await this.#until(() => this.#frames >= count);
  }

  /** Waits until the proxy has ended the connection. */
  async isShutOut(): Promise<void> {
    await this.#until(() => !this.#isOpen);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Leaves in some way, at whatever moment, and returns when the connection is gone. */
  async leave(random: Random): Promise<void> {
    this.#hasLeft = true;
    this.#look();
    const way = random.below(3);
    if (way === 0 || (way === 1 && !this.#canReset)) this.#socket.destroy();
    else if (way === 1) this.#socket.resetAndDestroy();
    else {
      this.#socket.end();
      this.#socket.resume();
      const timer = setTimeout(() => this.#socket.destroy(), HALF_CLOSED_MS);
      this.#socket.once('close', () => clearTimeout(timer));
    }
    await this.#closed;
  }

  async #until(isMet: () => boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const late = () => waiter.done(new Error(`no answer in ${ANSWER_MAX_MS} ms`));
      const timer = setTimeout(late, ANSWER_MAX_MS);
      const waiter = {
        isMet,
        done: (error?: Error) => {
          clearTimeout(timer);
          this.#waiters = this.#waiters.filter((other) => other !== waiter);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      this.#waiters.push(waiter);
      this.#look();
    });
  }

  #look(): void {
    for (const { isMet, done } of [...this.#waiters]) {
      if (isMet()) done();
      else if (this.#hasLeft) done(new HasLeft());
      else if (!this.#isOpen) done(new Error('the connection has ended before the answer'));
    }
  }

  #receive(chunk: Buffer): void {
    this.#tail = chunk.toString('latin1', Math.max(0, chunk.length - TAIL_BYTES));
    for (let at = 0; at < chunk.length; ) {
      if (this.#isAtStart) this.#isPush = chunk[at] === PUSH;
      at = this.#scanner.next(chunk, at);
      this.#isAtStart = at !== -1;
      if (!this.#isAtStart) break;
      this.#frames += 1;
      if (!this.#isPush) this.#answers += 1;
    }
    this.#look();
  }
}
