import { pastPlainWords } from './header.ts';

const STAR = 0x2a;

/**
 * Pipelines tend to repeat one command. What has been read of a request's head, its first byte to
 * behind its name, need not be read again where the next request of the chunk begins with the same
 * bytes.
 */
export class SameHead {
  #from = 0;
  #length = 0; // 0: there is none

  /** The head that was read last lies in the chunk from `from` to `to`. */
  keep(from: number, to: number): void {
    this.#from = from;
    this.#length = from < 0 ? 0 : to - from;
  }

  forget(): void {
    this.#length = 0;
  }

  /** @returns how long the head at `at` is, in bytes, if it is the one that was read last; else 0 */
  lengthAt(chunk: Buffer, at: number): number {
    const from = this.#from;
    const length = this.#length;
    if (at + length > chunk.length || chunk[at] !== STAR) return 0;
    for (let index = 1; index < length; index++) {
      if (chunk[at + index] !== chunk[from + index]) return 0;
    }
    return length;
  }

  /**
   * @param wordCount of the request that was read last
   * @returns the index behind the request at `at` if it has the same head and lies whole in the chunk;
   *          else -1
   */
  pastSame(chunk: Buffer, at: number, wordCount: number): number {
    const length = this.lengthAt(chunk, at);
    return length === 0 ? -1 : pastPlainWords(chunk, at + length, wordCount - 1);
  }
}
