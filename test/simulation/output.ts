import type { SessionOutput } from '../../src/client/parts.ts';
import { BytePipe } from './wire.ts';

/** How a client takes what it gets, in bytes. */
export interface OutputLimits {
  /** So much is on its way that the proxy need not wait with. */
  readonly kernelBytes: number;
  /** So much more, and replies have to wait. */
  readonly slowBytes: number;
  /** So much more, and pushes have to wait, too; no less than `slowBytes`. */
  readonly backedUpBytes: number;
}

/** One that takes all that it gets. */
export const FAST: OutputLimits = {
  kernelBytes: Number.POSITIVE_INFINITY,
  slowBytes: 1,
  backedUpBytes: 1,
};

/** What the proxy writes to one client, as `src/client/output.ts` does it with a socket. */
export class SimulatedOutput implements SessionOutput {
  readonly #pipe = new BytePipe();
  readonly #limits: OutputLimits;
  #needsDrain = false;
  #isEnding = false;
  #isOver = false;
  /** How many bytes were written, from the beginning on. */
  written = 0;

  constructor(limits: OutputLimits) {
    this.#limits = limits;
  }

  /** Whether the client has read all that its socket holds, the end of the connection too. */
  get isQuiet(): boolean {
    return this.#isOver || (this.#pipe.size === 0 && !this.#isEnding);
  }

  /** Whether that is so of the first `place` bytes. */
  hasReached(place: number): boolean {
    return this.#isOver || (this.arrived >= place && !this.#isEnding);
  }

  /** How many bytes are on their way. */
  get size(): number {
    return this.#pipe.size;
  }

  /** How many bytes have arrived, from the beginning on. */
  get arrived(): number {
    return this.written - this.#pipe.size;
  }

  /** Whether there is a limit to what it takes unread. */
  get mayBeSlow(): boolean {
    return Number.isFinite(this.#limits.kernelBytes);
  }

  get isSlow(): boolean {
    return this.#needsDrain && !this.#isEnding;
  }

  get isBackedUp(): boolean {
    return this.#unsent > this.#limits.backedUpBytes;
  }

  get #unsent(): number {
    return Math.max(0, this.#pipe.size - this.#limits.kernelBytes);
  }

  write(bytes: Buffer): void {
    this.#pipe.push(bytes);
    this.written += bytes.length;
    if (this.#unsent >= this.#limits.slowBytes) this.#needsDrain = true;
  }

  take(count: number): Buffer {
    return this.#pipe.take(count);
  }

  /** @returns whether the client has now taken what it got, after it had not for a while */
  takeDrain(): boolean {
    if (!this.#needsDrain || this.#unsent > 0 || this.#isEnding) return false;
    this.#needsDrain = false;
    return true;
  }

  /** Nobody calls it where Redis speaks RESP3. */
  whenDrained(run: () => void): void {
    run();
  }

  /** Nothing more will be written. */
  end(): void {
    this.#isEnding = true;
  }

  /** What is on its way is lost. */
  clear(): void {
    this.#isEnding = true;
    this.#isOver = true;
    this.written -= this.#pipe.size;
    this.#pipe.clear();
  }
}
