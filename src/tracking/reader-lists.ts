const NONE = -1;
/** Lists hold 4, 8, 16 ... slots. */
const FIRST_BITS = 2;
/** A longer list is searched too slowly, and becomes a set. */
const LAST_BITS = 6;
const FIRST_NUMBERS = 64;
/** Larger ones are kept in a set. So many clients that track at once are rare. */
const NUMBER_MAX = 0xffff;

/**
 * Lists of small numbers, each list under a number of its own. They lie side by side in one array:
 * a thousand keys with ten readers each would else be a thousand objects.
 *
 * A list lies in a block, which begins with its length; blocks that are free are chained by size.
 */
export class ReaderLists {
  #numbers = new Uint16Array(FIRST_NUMBERS);
  #end = 0;
  readonly #free = new Int32Array(LAST_BITS + 1).fill(NONE); // by size, the first free block
  readonly #sets: (Set<number> | undefined)[] = [];
  #freeSets: number[] = [];

  /** @returns a list of two different numbers */
  create(first: number, second: number): number {
    if (first > NUMBER_MAX || second > NUMBER_MAX) return this.#newSet([first, second]);
    const block = this.#take(FIRST_BITS);
    this.#numbers[block] = 2;
    this.#numbers[block + 1] = first;
    this.#numbers[block + 2] = second;
    return codeOf(block, FIRST_BITS);
  }

  /** @returns the list with the number in it; the same list where it was there already */
  add(list: number, value: number): number {
    const set = this.#setOf(list);
    if (set !== undefined) {
      set.add(value);
      return list;
    }
    if (value > NUMBER_MAX) return this.#becomeSet(list, value);
    const bits = bitsOf(list);
    const block = blockOf(list);
    const numbers = this.#numbers;
    const length = numbers[block] as number;
    for (let at = 1; at <= length; at++) if (numbers[block + at] === value) return list;
    if (length < capacityOf(bits)) {
      numbers[block] = length + 1;
      numbers[block + 1 + length] = value;
      return list;
    }
    return bits === LAST_BITS ? this.#becomeSet(list, value) : this.#enlarge(list, value);
  }

  /** Takes `value` out, if it is there. @returns whether it was */
  delete(list: number, value: number): boolean {
    const set = this.#setOf(list);
    if (set !== undefined) return set.delete(value);
    const block = blockOf(list);
    const numbers = this.#numbers;
    const length = numbers[block] as number;
    for (let at = 1; at <= length; at++) {
      if (numbers[block + at] !== value) continue;
      numbers[block + at] = numbers[block + length] as number;
      numbers[block] = length - 1;
      return true;
    }
    return false;
  }

  lengthOf(list: number): number {
    return this.#setOf(list)?.size ?? (this.#numbers[blockOf(list)] as number);
  }

  /** @returns all numbers of the list, which may be changed meanwhile */
  valuesOf(list: number): Iterable<number> {
    const set = this.#setOf(list);
    if (set !== undefined) return [...set];
    const block = blockOf(list);
    return this.#numbers.slice(block + 1, block + 1 + (this.#numbers[block] as number));
  }

  /** The list is not used any more. */
  free(list: number): void {
    if (isSet(list)) {
      const index = list >> KIND_BITS;
      this.#sets[index] = undefined;
      this.#freeSets.push(index);
      return;
    }
    const block = blockOf(list);
    const bits = bitsOf(list);
    const next = this.#free[bits] as number;
    this.#numbers[block] = next;
    this.#numbers[block + 1] = next >> 16;
    this.#free[bits] = block;
  }

  #setOf(list: number): Set<number> | undefined {
    return isSet(list) ? this.#sets[list >> KIND_BITS] : undefined;
  }

  #enlarge(list: number, value: number): number {
    const bits = bitsOf(list) + 1;
    const length = capacityOf(bits - 1);
    const block = this.#take(bits);
    const from = blockOf(list);
    this.#numbers.copyWithin(block, from, from + 1 + length);
    this.#numbers[block] = length + 1;
    this.#numbers[block + 1 + length] = value;
    this.free(list);
    return codeOf(block, bits);
  }

  #becomeSet(list: number, value: number): number {
    const values = [...this.valuesOf(list), value];
    this.free(list);
    return this.#newSet(values);
  }

  #newSet(values: readonly number[]): number {
    const set = new Set(values);
    const index = this.#freeSets.pop() ?? this.#sets.length;
    this.#sets[index] = set;
    return (index << KIND_BITS) | SET;
  }

  #take(bits: number): number {
    const free = this.#free[bits] as number;
    if (free !== NONE) {
      const low = this.#numbers[free] as number;
      this.#free[bits] = low | ((this.#numbers[free + 1] as number) << 16);
      return free;
    }
    const block = this.#end;
    this.#end += 1 << bits;
    if (this.#end > this.#numbers.length) {
      const half = this.#numbers.length >> 1;
      const larger = new Uint16Array(Math.max(this.#end, this.#numbers.length + half));
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    return block;
  }
}

/** Of a list's number the lowest bits say how large its block is, or that it is a set. */
const KIND_BITS = 3;
const SET = 7;

function isSet(list: number): boolean {
  return (list & SET) === SET;
}

/** Blocks begin at multiples of the smallest size, so that few bits tell where. */
function codeOf(block: number, bits: number): number {
  return ((block >> FIRST_BITS) << KIND_BITS) | bits;
}

function blockOf(list: number): number {
  return (list >> KIND_BITS) << FIRST_BITS;
}

function bitsOf(list: number): number {
  return list & SET;
}

/** One place is for the length. */
function capacityOf(bits: number): number {
  return (1 << bits) - 1;
}
