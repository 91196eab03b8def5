import type { Words } from '../commands/keys.ts';
import type { RequestScanner } from '../resp/request.ts';

/** The words of a held request, but for word 0, its name. Valid until the next one. */
export class HeldWords implements Words {
  count = 0;
  #buffer: Buffer = NOTHING;
  #origin = 0;
  #scanner: RequestScanner;

  constructor(scanner: RequestScanner) {
    this.#scanner = scanner;
  }

  /** @param origin where the request's first byte is in `buffer`; @param end where it ends */
  hold(scanner: RequestScanner, buffer: Buffer, origin: number, end: number): void {
    this.#scanner = scanner;
    this.#buffer = buffer.subarray(0, end);
    this.#origin = origin;
    this.count = scanner.wordCount;
  }

  text(index: number): string {
    const from = this.#origin + this.#scanner.wordStart(index);
    return this.#buffer.toString('latin1', from, this.#origin + this.#scanner.wordEnd(index));
  }

  /** @returns the bytes of the whole request */
  bytes(): Buffer {
    return this.#buffer.subarray(this.#origin);
  }
}

const NOTHING = Buffer.alloc(0);
