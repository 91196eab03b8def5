import { type Key, spelt } from '../key.ts';
import { KeyIndex } from './key-index.ts';
import { ReaderLists } from './reader-lists.ts';

/** Number of a tracking client, given by the tracker; never used twice. */
export type ReaderId = number;

const NOBODY: readonly ReaderId[] = [];
const NONE = -1;

/**
 * Who has read which key. Entries are taken once: whoever takes a key must tell its readers, for
 * the table has forgotten them.
 *
 * All is kept in arrays of numbers: a key with one reader takes some 50 bytes, with ten some 120.
 * Readers have small numbers here, slots, which are used again only when no key remembers them.
 * Readers that are gone stay until the key changes or makes room; and each new key looks at two
 * others, which go if nobody is left who wants to hear of them.
 */
export class TrackingTable {
  readonly #coefficients: Int32Array;
  #keys: KeyIndex;
  #lists = new ReaderLists();
  readonly #slots = new Map<ReaderId, number>();
  readonly #ids: ReaderId[] = []; // by slot
  readonly #uses: number[] = []; // by slot: how many keys remember it
  readonly #gone: boolean[] = []; // by slot: nobody there wants to hear any more
  readonly #freeSlots: number[] = [];
  #items = 0;
  #liveSlots = 0; // whose reader is still there
  #broom = 0; // the entry that is looked at next, whether its readers are gone
  #hand = 0; // the entry that is to make room next

  /** @param coefficients random numbers, see `KeyIndex` */
  constructor(coefficients: Int32Array) {
    this.#coefficients = coefficients;
    this.#keys = new KeyIndex(coefficients);
  }

  /** How many keys have readers. */
  get keyCount(): number {
    return this.#keys.size;
  }

  /** How many readers all keys together have. */
  get itemCount(): number {
    return this.#items;
  }

  /** @returns whether the key that lies in `chunk` from `from` to `to` has readers */
  has(chunk: Buffer, from: number, to: number): boolean {
    return this.#keys.size > 0 && this.#keys.find(chunk, from, to) !== NONE;
  }

  /** Notes that `reader` has read `key`. @returns whether that was not known before */
  remember(key: Key, reader: ReaderId): boolean {
    return this.rememberAt(spelt(key), 0, key.length, reader);
  }

  /** As `remember`, of the key that lies in `chunk` from `from` to `to`. */
  rememberAt(chunk: Buffer, from: number, to: number, reader: ReaderId): boolean {
    const slot = this.#slotOf(reader);
    const entry = this.#keys.find(chunk, from, to);
    if (entry === NONE) {
      this.#sweep();
      this.#sweep(); // twice, or it would never overtake those that come
      this.#keys.add(chunk, from, to, slot);
      this.#use(slot);
      return true;
    }
    const known = this.#keys.valueOf(entry);
    if (known === slot) return false;
    if (known >= 0) {
      this.#keys.setValue(entry, listed(this.#lists.create(known, slot)));
      this.#use(slot);
      return true;
    }
    return this.#addTo(entry, listed(known), slot);
  }

  #addTo(entry: number, list: number, slot: number): boolean {
    const before = this.#lists.lengthOf(list);
    const now = this.#lists.add(list, slot);
    this.#keys.setValue(entry, listed(now));
    if (this.#lists.lengthOf(now) === before) return false;
    this.#use(slot);
    if (isPruneSize(before)) this.#prune(now);
    return true;
  }

  /** Drops readers that are gone: a key that never changes would else gather them for ever. */
  #prune(list: number): void {
    for (const slot of this.#lists.valuesOf(list)) {
      if (this.#gone[slot] === false) continue;
      this.#lists.delete(list, slot);
      this.#unuse(slot);
    }
  }

  /** Takes back that `reader` has read `key`: the read was refused. */
  forget(key: Key, reader: ReaderId): void {
    const slot = this.#slots.get(reader);
    const entry = slot === undefined ? NONE : this.#find(key);
    if (slot === undefined || entry === NONE) return;
    const known = this.#keys.valueOf(entry);
    if (known === slot) {
      this.#keys.remove(entry);
      this.#unuse(slot);
    } else if (known < 0 && this.#lists.delete(listed(known), slot)) {
      this.#unuse(slot);
      if (this.#lists.lengthOf(listed(known)) > 0) return;
      this.#lists.free(listed(known));
      this.#keys.remove(entry);
    }
  }

  /** Forgets the key. @returns its readers; ids of clients that are gone may be among them */
  take(key: Key): Iterable<ReaderId> {
    const entry = this.#find(key);
    return entry === NONE ? NOBODY : this.#takeEntry(entry);
  }

  #find(key: Key): number {
    return this.#keys.find(spelt(key), 0, key.length);
  }

  #takeEntry(entry: number): readonly ReaderId[] {
    const known = this.#keys.valueOf(entry);
    this.#keys.remove(entry);
    if (known >= 0) {
      const id = this.#ids[known] as ReaderId;
      this.#unuse(known);
      return [id];
    }
    const ids: ReaderId[] = [];
    for (const slot of this.#lists.valuesOf(listed(known))) {
      ids.push(this.#ids[slot] as ReaderId);
      this.#unuse(slot);
    }
    this.#lists.free(listed(known));
    return ids;
  }

  /** @returns a key that may make room for others: as a rule one of those that came first */
  oldest(): Key | undefined {
    if (this.#keys.size === 0) return undefined;
    while (!this.#keys.isUsed(this.#hand)) this.#hand = this.#behind(this.#hand);
    const key = this.#keys.textOf(this.#hand);
    this.#hand = this.#behind(this.#hand); // who comes into its place is the newest
    return key;
  }

  /** `reader` is gone; to be told once. When the last one goes, so does all that it has read. */
  retire(reader: ReaderId): void {
    const slot = this.#slots.get(reader);
    if (slot === undefined) return;
    this.#gone[slot] = true;
    this.#liveSlots -= 1;
    if (this.#liveSlots === 0) this.clear();
    else if (this.#uses[slot] === 0) this.#freeSlot(slot);
  }

  /** Forgets everything, and gives the memory back. */
  clear(): void {
    if (this.#keys.end === 0) return;
    this.#keys = new KeyIndex(this.#coefficients);
    this.#lists = new ReaderLists();
    this.#slots.clear();
    this.#ids.length = 0;
    this.#uses.length = 0;
    this.#gone.length = 0;
    this.#freeSlots.length = 0;
    this.#liveSlots = 0;
    this.#items = 0;
    this.#broom = 0;
    this.#hand = 0;
  }

  /** Looks at one key, and drops it where all its readers are gone. */
  #sweep(): void {
    if (this.#keys.end === 0) return;
    this.#broom = this.#behind(this.#broom);
    if (!this.#keys.isUsed(this.#broom)) return;
    const known = this.#keys.valueOf(this.#broom);
    if (known >= 0 ? this.#gone[known] === false : this.#hasLive(listed(known))) return;
    this.#takeEntry(this.#broom);
  }

  #hasLive(list: number): boolean {
    for (const slot of this.#lists.valuesOf(list)) if (this.#gone[slot] === false) return true;
    return false;
  }

  #behind(entry: number): number {
    return entry + 1 < this.#keys.end ? entry + 1 : 0;
  }

  #slotOf(reader: ReaderId): number {
    const known = this.#slots.get(reader);
    if (known !== undefined) return known;
    const slot = this.#freeSlots.pop() ?? this.#ids.length;
    this.#slots.set(reader, slot);
    this.#liveSlots += 1;
    this.#ids[slot] = reader;
    this.#uses[slot] = 0;
    this.#gone[slot] = false;
    return slot;
  }

  #use(slot: number): void {
    this.#uses[slot] = (this.#uses[slot] as number) + 1;
    this.#items += 1;
  }

  #unuse(slot: number): void {
    const left = (this.#uses[slot] as number) - 1;
    this.#uses[slot] = left;
    this.#items -= 1;
    if (left === 0 && this.#gone[slot] === true) this.#freeSlot(slot);
  }

  #freeSlot(slot: number): void {
    this.#slots.delete(this.#ids[slot] as ReaderId);
    this.#freeSlots.push(slot);
  }
}

/** A list as it stands among the readers, and back: below the slots. */
function listed(list: number): number {
  return -1 - list;
}

/** The readers of a key are looked through whenever their number has doubled. */
function isPruneSize(size: number): boolean {
  return size >= 64 && (size & (size - 1)) === 0;
}
