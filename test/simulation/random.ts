/** A stream of numbers that looks like chance and is the same for the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds must not give neighbouring streams.
    this.#state = Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) >>> 0;
  }

  /** @returns a number from 0 to below 1 */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** @returns an integer from 0 to below `count` */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** @returns the place of one of the first `count` weights: the heavier, the more often */
  weigh(weights: readonly number[], count: number): number {
    let sum = 0;
    for (let place = 0; place < count; place++) sum += weights[place] as number;
    let left = this.next() * sum;
    for (let place = 0; place < count; place++) {
      left -= weights[place] as number;
      if (left < 0) return place;
    }
    return count - 1;
  }

  /** @returns one of the choices, by their weights */
  weighted<T>({ weights, values }: Choices<T>): T {
    return values[this.weigh(weights, weights.length)] as T;
  }
}

/** Values and how often they are chosen, side by side. */
export interface Choices<T> {
  readonly weights: readonly number[];
  readonly values: readonly T[];
}

/** @param pairs weights and what they stand for */
export function choices<T>(pairs: readonly (readonly [number, T])[]): Choices<T> {
  return { weights: pairs.map(([weight]) => weight), values: pairs.map(([, value]) => value) };
}
