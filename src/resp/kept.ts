import { ProxyError } from '../errors.ts';

/** The pieces of a frame that must be seen whole, up to a limit. */
export class Kept {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @throws ProxyError FRAME_TOO_LARGE */
  add(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes > this.#maxBytes) {
      throw new ProxyError('FRAME_TOO_LARGE', `more than ${this.#maxBytes} bytes to be seen whole`);
    }
    this.#pieces.push(piece);
  }

  /** Bytes kept so far. */
  get size(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** @returns all pieces as one, and forgets them */
  take(): Buffer {
    const [first] = this.#pieces;
    const whole =
      this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    return whole;
  }
}
