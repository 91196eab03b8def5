import type { Words } from '../commands/keys.ts';
import type { RequestScanner } from '../resp/request.ts';

/** The words of a held request, but for word 0, its name. Valid until the next one. */
export class HeldWords implements Words {
  count = 0;
  #buffer: Buffer = NOTHING;
  #origin = 0;
  #end = 0;
  #scanner: RequestScanner;

  constructor(scanner: RequestScanner) {
    this.#scanner = scanner;
  }

  /** @param origin where the request's first byte is in `buffer`; @param end where it ends */
  hold(scanner: RequestScanner, buffer: Buffer, origin: number, end: number): void {
    this.#scanner = scanner;
    this.#buffer = buffer;
    this.#origin = origin;
    this.#end = end;
    this.count = scanner.wordCount;
  }

  text(index: number): string {
    return this.#buffer.toString('latin1', this.start(index), this.end(index));
  }

  /** Where the words are. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  /** @returns where word `index` begins in `buffer` */
  start(index: number): number {
    return this.#origin + this.#scanner.bounds.start(index);
  }

  /** @returns where word `index` ends (exclusive) in `buffer` */
  end(index: number): number {
    return this.#origin + this.#scanner.bounds.end(index);
  }

  /** @returns the bytes of the whole request */
  bytes(): Buffer {
    return this.#buffer.subarray(this.#origin, this.#end);
  }
}

const NOTHING = Buffer.alloc(0);
