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
/** In place of a key's length: it is a long one. */
const LONG = 0xffff;

/**
 * The keys of the tracking table, each under a small number, its entry. Their bytes lie side by side
 * in one arena: as strings in a map they would cost twice as much memory and more time, and most of
 * those that are looked up are not there.
 *
 * The hash is a sum of bytes times random coefficients, so that nobody can choose keys that collide.
 */
export class KeyIndex {
  readonly #coefficients: Int32Array;
  #bucketBits = FIRST_BUCKET_BITS;
  #buckets = new Int32Array(1 << FIRST_BUCKET_BITS).fill(NONE); // the first entry of each chain
  #hashes = new Int32Array(FIRST_ENTRIES);
  #nexts = new Int32Array(FIRST_ENTRIES); // the next entry of a chain, or of those that are free
  #offsets = new Int32Array(FIRST_ENTRIES); // where its bytes begin, in units
  #lengths = new Uint16Array(FIRST_ENTRIES); // in bytes; of one that is free 0, and `#used` is not set
  #used = new Uint8Array(FIRST_ENTRIES);
  #arena = new Uint8Array(FIRST_UNITS * UNIT_BYTES);
  #freeUnits: number[][] = []; // offsets of free slots, by their size in units
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
    return this.#used[entry] === 1;
  }

  /** @returns the entry of `key`, -1 if it has none */
  find(key: Key): number {
    if (key.length > SHORT_MAX_BYTES) return this.#long.get(key) ?? NONE;
    const hash = this.#hash(key);
    this.#lastHash = hash;
    for (let entry = this.#first(hash); entry !== NONE; entry = this.#nexts[entry] as number) {
      if (this.#hashes[entry] === hash && this.#isAt(entry, key)) return entry;
    }
    // There are such keys only where the arena is full.
    return this.#long.size === 0 ? NONE : (this.#long.get(key) ?? NONE);
  }

  /** As `find`, for a key whose bytes lie in `chunk` from `from` to `to`. */
  findBytes(chunk: Uint8Array, from: number, to: number): number {
    const length = to - from;
    if (length > SHORT_MAX_BYTES) return this.#long.get(keyAt(chunk as Buffer, from, to)) ?? NONE;
    const coefficients = this.#coefficients;
    let hash = coefficients[SHORT_MAX_BYTES] as number;
    for (let at = 0; at < length; at++) {
      hash = (hash + Math.imul(coefficients[at] as number, (chunk[from + at] as number) + 1)) | 0;
    }
    for (let entry = this.#first(hash); entry !== NONE; entry = this.#nexts[entry] as number) {
      if (this.#hashes[entry] !== hash || this.#lengths[entry] !== length) continue;
      const base = (this.#offsets[entry] as number) * UNIT_BYTES;
      let at = 0;
      while (at < length && this.#arena[base + at] === chunk[from + at]) at += 1;
      if (at === length) return entry;
    }
    if (this.#long.size === 0) return NONE;
    return this.#long.get(keyAt(chunk as Buffer, from, to)) ?? NONE;
  }

  /** @param key for which `find` has just found none; @returns the entry that it gets */
  add(key: Key): number {
    const entry = this.#takeEntry();
    this.#used[entry] = 1;
    this.#size += 1;
    const offset = key.length > SHORT_MAX_BYTES ? NONE : this.#takeUnits(unitsFor(key.length));
    if (offset === NONE) {
      this.#lengths[entry] = LONG;
      this.#long.set(key, entry);
      this.#longKeys.set(entry, key);
      return entry;
    }
    if (this.#size > this.#buckets.length) this.#growBuckets();
    const base = offset * UNIT_BYTES;
    for (let at = 0; at < key.length; at++) this.#arena[base + at] = key.charCodeAt(at);
    const hash = this.#lastHash;
    this.#lengths[entry] = key.length;
    this.#offsets[entry] = offset;
    this.#hashes[entry] = hash;
    this.#chain(entry, hash);
    return entry;
  }

  remove(entry: number): void {
    if (this.#lengths[entry] === LONG) {
      this.#long.delete(this.textOf(entry));
      this.#longKeys.delete(entry);
    } else {
      this.#unchain(entry);
      this.#giveUnits(this.#offsets[entry] as number, unitsFor(this.#lengths[entry] as number));
    }
    this.#used[entry] = 0;
    this.#size -= 1;
    this.#nexts[entry] = this.#freeEntry;
    this.#freeEntry = entry;
  }

  /** @returns the key of an entry that is used */
  textOf(entry: number): Key {
    const length = this.#lengths[entry] as number;
    if (length === LONG) return this.#longKeys.get(entry) as Key;
    const base = (this.#offsets[entry] as number) * UNIT_BYTES;
    const { buffer } = this.#arena;
    return keyAt(Buffer.from(buffer, base, length), 0, length);
  }

  #hash(key: Key): number {
    const coefficients = this.#coefficients;
    let hash = coefficients[SHORT_MAX_BYTES] as number;
    for (let at = 0; at < key.length; at++) {
      // Plus one, so that a NUL at the end counts.
      hash = (hash + Math.imul(coefficients[at] as number, key.charCodeAt(at) + 1)) | 0;
    }
    return hash;
  }

  #isAt(entry: number, key: Key): boolean {
    if (this.#lengths[entry] !== key.length) return false;
    const base = (this.#offsets[entry] as number) * UNIT_BYTES;
    for (let at = 0; at < key.length; at++) {
      if (this.#arena[base + at] !== key.charCodeAt(at)) return false;
    }
    return true;
  }

  /** The upper bits are the good ones. */
  #first(hash: number): number {
    return this.#buckets[hash >>> (32 - this.#bucketBits)] as number;
  }

  #chain(entry: number, hash: number): void {
    const bucket = hash >>> (32 - this.#bucketBits);
    this.#nexts[entry] = this.#buckets[bucket] as number;
    this.#buckets[bucket] = entry;
  }

  #unchain(entry: number): void {
    const bucket = (this.#hashes[entry] as number) >>> (32 - this.#bucketBits);
    const next = this.#nexts[entry] as number;
    let before = this.#buckets[bucket] as number;
    if (before === entry) {
      this.#buckets[bucket] = next;
      return;
    }
    while (this.#nexts[before] !== entry) before = this.#nexts[before] as number;
    this.#nexts[before] = next;
  }

  #growBuckets(): void {
    this.#bucketBits += 1;
    this.#buckets = new Int32Array(1 << this.#bucketBits).fill(NONE);
    for (let entry = 0; entry < this.#endEntries; entry++) {
      const isShort = this.#lengths[entry] !== LONG;
      // The entry that is being added is not chained yet.
      if (this.#used[entry] === 1 && isShort && this.#offsets[entry] !== NONE) {
        this.#chain(entry, this.#hashes[entry] as number);
      }
    }
  }

  #takeEntry(): number {
    let entry = this.#freeEntry;
    if (entry !== NONE) this.#freeEntry = this.#nexts[entry] as number;
    else {
      entry = this.#endEntries++;
      if (entry === this.#hashes.length) this.#growEntries();
    }
    this.#lengths[entry] = 0;
    this.#offsets[entry] = NONE;
    return entry;
  }

  #growEntries(): void {
    const count = this.#hashes.length * 2;
    this.#hashes = grown(this.#hashes, new Int32Array(count));
    this.#nexts = grown(this.#nexts, new Int32Array(count));
    this.#offsets = grown(this.#offsets, new Int32Array(count));
    this.#lengths = grown(this.#lengths, new Uint16Array(count));
    this.#used = grown(this.#used, new Uint8Array(count));
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
