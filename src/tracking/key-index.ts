import { type Key, keyAt } from '../key.ts';

/** Keys up to this length lie in the arena; longer ones are kept as text, in bytes. */
export const SHORT_MAX_BYTES = 1_024;

/** How many random numbers `KeyIndex` needs. */
export const COEFFICIENT_COUNT = SHORT_MAX_BYTES + 1;

/** Slots of the arena have whole units, so that what leaves makes room for what comes. */
const UNIT_BYTES = 8;
/** More does not go into one array everywhere; further keys are kept as text. */
const ARENA_MAX_BYTES = 0x7fff_fff8;
const FIRST_UNITS = 512;
const FIRST_ENTRIES = 128;
const FIRST_BUCKET_BITS = 7;

const NONE = -1;
/** In place of an offset: the entry is a long key. */
const LONG = -2;
/** In place of an offset: the entry is free. */
const FREE = -3;

// A record holds all that is known of an entry, so that it lies in one line of the processor's cache.
const RECORD_SIZE = 4;
const TAG = 0; // the upper bits of the hash, and the key's length
const NEXT = 1; // the next entry of the chain, or of those that are free
const OFFSET = 2; // where the key's bytes begin, in units
const VALUE = 3; // whatever the table keeps with the key
const LENGTH_MASK = 0x7ff;
const TAG_HASH_BITS = 21;

/**
 * The keys of the tracking table, each under a small number, its entry, and with a number of the
 * table's own. Their bytes lie side by side in one arena: as strings in a map they would cost twice as
 * much memory and more time, and most of those that are looked up are not there.
 *
 * The hash is a sum of bytes times random coefficients, so that nobody can choose keys that collide.
 */
export class KeyIndex {
  readonly #coefficients: Int32Array;
  #bucketBits = FIRST_BUCKET_BITS;
  #buckets = new Int32Array(1 << FIRST_BUCKET_BITS).fill(NONE); // the first entry of each chain
  #records = new Int32Array(FIRST_ENTRIES * RECORD_SIZE);
  #arena = new Uint8Array(FIRST_UNITS * UNIT_BYTES);
  readonly #freeUnits: number[][] = []; // offsets of free slots, by their size in units
  #endUnits = 0;
  #endEntries = 0;
  #freeEntry = NONE;
  #size = 0;
  #lastHash = 0; // of the key that was looked for last
  readonly #long = new Map<Key, number>();
  readonly #longKeys = new Map<number, Key>();

  /** @param coefficients random numbers of 32 bits, `COEFFICIENT_COUNT` of them */
  constructor(coefficients: Int32Array) {
    this.#coefficients = coefficients;
  }

  get size(): number {
    return this.#size;
  }

  /** Entries are below this number. */
  get end(): number {
    return this.#endEntries;
  }

  isUsed(entry: number): boolean {
    return this.#records[entry * RECORD_SIZE + OFFSET] !== FREE;
  }

  valueOf(entry: number): number {
    return this.#records[entry * RECORD_SIZE + VALUE] as number;
  }

  setValue(entry: number, value: number): void {
    this.#records[entry * RECORD_SIZE + VALUE] = value;
  }

  /** @returns the entry of the key that lies in `chunk` from `from` to `to`, -1 if it has none */
  find(chunk: Buffer, from: number, to: number): number {
    const length = to - from;
    if (length > SHORT_MAX_BYTES) return this.#long.get(keyAt(chunk, from, to)) ?? NONE;
    const hash = this.#hashOf(chunk, from, length);
    this.#lastHash = hash;
    const tag = (hash & ~LENGTH_MASK) | length;
    const records = this.#records;
    for (let entry = this.#first(hash); entry !== NONE; ) {
      const at = entry * RECORD_SIZE;
      if (records[at + TAG] === tag) {
        const base = (records[at + OFFSET] as number) * UNIT_BYTES;
        let same = 0;
        while (same < length && this.#arena[base + same] === chunk[from + same]) same += 1;
        if (same === length) return entry;
      }
      entry = records[at + NEXT] as number;
    }
    // There are such keys only where the arena is full.
    if (this.#long.size === 0) return NONE;
    return this.#long.get(keyAt(chunk, from, to)) ?? NONE;
  }

  /** For a key of which `find` has just found none. @returns the entry that it gets */
  add(chunk: Buffer, from: number, to: number, value: number): number {
    const entry = this.#takeEntry();
    const length = to - from;
    this.#size += 1;
    const offset = length > SHORT_MAX_BYTES ? NONE : this.#takeUnits(unitsFor(length));
    const at = entry * RECORD_SIZE;
    this.#records[at + VALUE] = value;
    if (offset === NONE) {
      const key = keyAt(chunk, from, to);
      this.#records[at + OFFSET] = LONG;
      this.#long.set(key, entry);
      this.#longKeys.set(entry, key);
      return entry;
    }
    if (this.#size > this.#buckets.length) this.#growBuckets();
    const base = offset * UNIT_BYTES;
    for (let index = 0; index < length; index++) {
      this.#arena[base + index] = chunk[from + index] as number;
    }
    this.#records[at + TAG] = (this.#lastHash & ~LENGTH_MASK) | length;
    this.#records[at + OFFSET] = offset;
    this.#chain(entry, this.#lastHash);
    return entry;
  }

  remove(entry: number): void {
    const at = entry * RECORD_SIZE;
    const offset = this.#records[at + OFFSET] as number;
    if (offset === LONG) {
      this.#long.delete(this.textOf(entry));
      this.#longKeys.delete(entry);
    } else {
      this.#unchain(entry);
      this.#giveUnits(offset, unitsFor((this.#records[at + TAG] as number) & LENGTH_MASK));
    }
    this.#size -= 1;
    this.#records[at + OFFSET] = FREE;
    this.#records[at + NEXT] = this.#freeEntry;
    this.#freeEntry = entry;
  }

  /** @returns the key of an entry that is used */
  textOf(entry: number): Key {
    const at = entry * RECORD_SIZE;
    const offset = this.#records[at + OFFSET] as number;
    if (offset === LONG) return this.#longKeys.get(entry) as Key;
    const length = (this.#records[at + TAG] as number) & LENGTH_MASK;
    return keyAt(Buffer.from(this.#arena.buffer, offset * UNIT_BYTES, length), 0, length);
  }

  #hashOf(bytes: Uint8Array, from: number, length: number): number {
    const coefficients = this.#coefficients;
    let hash = coefficients[SHORT_MAX_BYTES] as number;
    for (let at = 0; at < length; at++) {
      // Plus one, so that a NUL at the end counts.
      hash = (hash + Math.imul(coefficients[at] as number, (bytes[from + at] as number) + 1)) | 0;
    }
    return hash;
  }

  /** The upper bits are the good ones. */
  #first(hash: number): number {
    return this.#buckets[hash >>> (32 - this.#bucketBits)] as number;
  }

  #chain(entry: number, hash: number): void {
    const bucket = hash >>> (32 - this.#bucketBits);
    this.#records[entry * RECORD_SIZE + NEXT] = this.#buckets[bucket] as number;
    this.#buckets[bucket] = entry;
  }

  #unchain(entry: number): void {
    const records = this.#records;
    const bucket = this.#hashAt(entry) >>> (32 - this.#bucketBits);
    const next = records[entry * RECORD_SIZE + NEXT] as number;
    let before = this.#buckets[bucket] as number;
    if (before === entry) {
      this.#buckets[bucket] = next;
      return;
    }
    while (records[before * RECORD_SIZE + NEXT] !== entry) {
      before = records[before * RECORD_SIZE + NEXT] as number;
    }
    records[before * RECORD_SIZE + NEXT] = next;
  }

  /** @returns as many bits of an entry's hash as its bucket takes */
  #hashAt(entry: number): number {
    const tag = this.#records[entry * RECORD_SIZE + TAG] as number;
    if (this.#bucketBits <= TAG_HASH_BITS) return tag;
    const offset = this.#records[entry * RECORD_SIZE + OFFSET] as number;
    return this.#hashOf(this.#arena, offset * UNIT_BYTES, tag & LENGTH_MASK);
  }

  #growBuckets(): void {
    this.#bucketBits += 1;
    this.#buckets = new Int32Array(1 << this.#bucketBits).fill(NONE);
    for (let entry = 0; entry < this.#endEntries; entry++) {
      // Long ones are not in it, nor free ones, nor the one that is being added.
      if ((this.#records[entry * RECORD_SIZE + OFFSET] as number) < 0) continue;
      this.#chain(entry, this.#hashAt(entry));
    }
  }

  #takeEntry(): number {
    const free = this.#freeEntry;
    if (free !== NONE) {
      this.#freeEntry = this.#records[free * RECORD_SIZE + NEXT] as number;
      return free;
    }
    const entry = this.#endEntries++;
    const { length } = this.#records;
    if (this.#endEntries * RECORD_SIZE > length) {
      this.#records = grown(this.#records, new Int32Array(length * 2));
    }
    this.#records[entry * RECORD_SIZE + OFFSET] = FREE;
    return entry;
  }

  /** @returns -1 where there is no more room */
  #takeUnits(units: number): number {
    const free = this.#freeUnits[units]?.pop();
    if (free !== undefined) return free;
    const offset = this.#endUnits;
    const bytes = (offset + units) * UNIT_BYTES;
    if (bytes > ARENA_MAX_BYTES) return NONE;
    this.#endUnits += units;
    if (bytes > this.#arena.length) {
      const count = Math.min(Math.max(bytes, this.#arena.length * 2), ARENA_MAX_BYTES);
      this.#arena = grown(this.#arena, new Uint8Array(count));
    }
    return offset;
  }

  #giveUnits(offset: number, units: number): void {
    const free = this.#freeUnits[units];
    if (free === undefined) this.#freeUnits[units] = [offset];
    else free.push(offset);
  }
}

/** An empty key has its bytes somewhere, too. */
function unitsFor(length: number): number {
  return Math.max(1, Math.ceil(length / UNIT_BYTES));
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}
