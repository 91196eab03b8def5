/** Room for positions that is kept between requests; a request may need far more. */
const KEPT = 1_024;

/** Room for positions that is made at first. */
const FIRST = 16;

/** Where the words of a request begin and end, counted from its first byte. */
export class WordBounds {
  #bounds: Float64Array = NONE; // most requests need none

  start(word: number): number {
    return this.#bounds[word * 2] as number;
  }

  /** Exclusive. */
  end(word: number): number {
    return this.#bounds[word * 2 + 1] as number;
  }

  /** A new request begins. */
  clear(): void {
    if (this.#bounds.length > KEPT) this.#bounds = NONE;
  }

  keep(word: number, start: number, end: number): void {
    const index = word * 2;
    if (index >= this.#bounds.length) {
      const grown = new Float64Array(Math.max(FIRST, this.#bounds.length * 2));
      grown.set(this.#bounds);
      this.#bounds = grown;
    }
    this.#bounds[index] = start;
    this.#bounds[index + 1] = end;
  }
}

const NONE = new Float64Array(0);
