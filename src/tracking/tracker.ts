import type { Key } from '../key.ts';
import type { TrackingState } from './options.ts';
import { OwnWrites } from './own-writes.ts';
import { type Changes, Prefixes } from './prefixes.ts';
import { type ReaderId, TrackingTable } from './table.ts';

/** A client that wants to hear of changes. */
export interface Reader {
  /** A key that it has read has changed, or may have. @param own it wrote the key itself */
  changed(key: Key, own: boolean): void;
  /** Keys under one of its prefixes have changed. */
  changedSome(batch: Batch): void;
  /** Every key may have changed. */
  changedAll(): void;
}

/** A connection to which others' invalidations can be redirected. */
export interface Target {
  /** @param what a key, keys in bytewise order, or undefined: everything */
  receive(what: Key | readonly Key[] | undefined): void;
  /** What its own tracking is, for CLIENT LIST. */
  readonly listed: { readonly state: TrackingState; readonly broken: boolean };
}

/** What has changed under one prefix since the last batch. */
export class Batch {
  readonly #changes: Changes;
  #keys: readonly Key[] | undefined;

  constructor(changes: Changes) {
    this.#changes = changes;
  }

  /** In bytewise order. The same object at each call: whoever encodes it may remember it. */
  get keys(): readonly Key[] {
    this.#keys ??= [...this.#changes.keys()].sort();
    return this.#keys;
  }

  /** @returns the keys that were not written by `reader` alone, in bytewise order */
  keysNotBy(reader: ReaderId): readonly Key[] {
    const others = this.keys.filter((key) => this.#changes.get(key) !== reader);
    return others.length === this.keys.length ? this.keys : others;
  }
}

/** Why keys are invalidated. */
export type Reason = 'write' | 'flush' | 'silent' | 'blind' | 'table_full';

/**
 * All tracking clients, the keys that they have read and the prefixes that they watch. Changes go
 * in, from the source of notifications and from requests seen passing; out come calls to the
 * clients concerned.
 *
 * While the source is blind a change may pass unnoticed, so nobody may go on trusting a cache:
 * everybody is told to drop everything when a spell of blindness begins and when it ends, and in
 * between every tracked read is to be followed by the invalidation of its keys (each client sees
 * to that, by `blind`).
 */
export class Tracker {
  readonly #table: TrackingTable;
  readonly #prefixes = new Prefixes();
  readonly #ownWrites = new OwnWrites();
  readonly #readers = new Map<ReaderId, Reader>();
  readonly #alive = new Set<ReaderId>();
  readonly #targets = new Map<number, Target>();
  readonly #count: (reason: Reason, messages: number) => void;
  #maxKeys: number;
  #nextId = 1;
  #trackingCount = 0;
  #blind = true;
  #sight = 0; // how often that has changed

  /**
   * @param maxKeys how many keys may have readers; 0: no limit
   * @param count   told of every invalidation that concerned somebody
   * @param coefficients random numbers, see `KeyIndex`
   */
  constructor(
    maxKeys: number,
    count: (reason: Reason, messages: number) => void,
    coefficients: Int32Array,
  ) {
    this.#maxKeys = maxKeys;
    this.#count = count;
    this.#table = new TrackingTable(coefficients);
  }

  get keyCount(): number {
    return this.#table.keyCount;
  }

  get itemCount(): number {
    return this.#table.itemCount;
  }

  get prefixCount(): number {
    return this.#prefixes.count;
  }

  /** How many clients have been told that they track. */
  get trackingCount(): number {
    return this.#trackingCount;
  }

  /** @param isOn what a client has just been told; it was told the contrary before, or nothing */
  countTracking(isOn: boolean): void {
    this.#trackingCount += isOn ? 1 : -1;
  }

  /** Whether changes may go unnoticed now. True until the source has been proven. */
  get blind(): boolean {
    return this.#blind;
  }

  /** A number for `wasBlindSince`. */
  get sight(): number {
    return this.#sight;
  }

  /** @param sight as it was then; @returns whether changes may have gone unnoticed since */
  wasBlindSince(sight: number): boolean {
    return this.#blind || this.#sight !== sight;
  }

  /** How many keys may have readers; 0: no limit. Set lower, keys leave at once. */
  get maxKeys(): number {
    return this.#maxKeys;
  }

  set maxKeys(count: number) {
    this.#maxKeys = count;
    this.#makeRoom();
  }

  /** @returns the id under which a reader remembers keys */
  newId(): ReaderId {
    const id = this.#nextId++;
    this.#alive.add(id);
    return id;
  }

  /** From now on `reader` hears of changes. */
  join(id: ReaderId, reader: Reader): void {
    this.#readers.set(id, reader);
  }

  /** `id` hears no more; what it has read is forgotten key by key, as the keys change. */
  leave(id: ReaderId): void {
    this.#readers.delete(id);
  }

  watch(prefix: string, id: ReaderId): void {
    this.#prefixes.add(prefix, id);
  }

  unwatch(prefix: string, id: ReaderId): void {
    this.#prefixes.remove(prefix, id);
  }

  /** The connection that upstream calls `clientId` can be redirected to. */
  name(clientId: number, target: Target): void {
    this.#targets.set(clientId, target);
  }

  unname(clientId: number): void {
    this.#targets.delete(clientId);
  }

  target(clientId: number): Target | undefined {
    return this.#targets.get(clientId);
  }

  /** To be called before the read is sent. @returns whether this was not known before */
  remember(key: Key, id: ReaderId): boolean {
    const fresh = this.#table.remember(key, id);
    if (fresh) this.#makeRoom();
    return fresh;
  }

  /** As `remember`, of the key that lies in `chunk` from `from` to `to`. */
  rememberAt(chunk: Buffer, from: number, to: number, id: ReaderId): boolean {
    const fresh = this.#table.rememberAt(chunk, from, to, id);
    if (fresh) this.#makeRoom();
    return fresh;
  }

  /** `id` is about to write `keys`. */
  wrote(keys: readonly Key[], id: ReaderId): void {
    this.#ownWrites.wrote(keys, id);
  }

  /** `id` is about to write `keys`, attributed. @returns what to call when that is over */
  writing(keys: readonly Key[], id: ReaderId): () => void {
    this.#ownWrites.open(keys, id);
    return () => this.#ownWrites.close(keys, id);
  }

  /** Whether `read` has to be told of reads. */
  get expectsReads(): boolean {
    return !this.#ownWrites.isEmpty;
  }

  /** `id` is about to read `keys`; to be told in the order in which it reads and writes. */
  read(keys: readonly Key[], id: ReaderId): void {
    this.#ownWrites.read(keys, id);
  }

  /** `id`'s client is gone for good. */
  retire(id: ReaderId): void {
    if (this.#alive.delete(id)) this.#table.retire(id);
  }

  forget(key: Key, id: ReaderId): void {
    this.#table.forget(key, id);
  }

  /** @returns whether anybody need hear that a key has changed, which lies in `chunk` */
  concerns(chunk: Buffer, from: number, to: number): boolean {
    if (this.#prefixes.count > 0 || !this.#ownWrites.isEmpty) return true;
    return this.#table.has(chunk, from, to);
  }

  /**
   * @param writer   whose write it was, where that is known
   * @param declared whether that write names the key
   */
  changed(key: Key, reason: Reason, writer?: ReaderId, declared = true): void {
    let messages = 0;
    for (const id of this.#table.take(key)) {
      const reader = this.#readers.get(id);
      if (reader === undefined) continue;
      reader.changed(key, id === writer);
      messages += 1;
      // A script has written a key that it did not declare: who knows what it has read since.
      const isKnown = declared && this.#ownWrites.isOpen(key, id);
      if (id === writer && !isKnown) this.#table.remember(key, id);
    }
    if (messages > 0) this.#count(reason, messages);
    if (reason !== 'write') return;
    for (const id of this.#ownWrites.heard(key)) {
      if (this.#readers.has(id)) this.#table.remember(key, id);
    }
    this.#prefixes.changed(key, writer);
  }

  /** All changes that came together have been told: those under prefixes leave now. */
  endOfBatch(): void {
    if (!this.#prefixes.hasChanges) return;
    for (const { readers, changes } of this.#prefixes.takeBatch()) {
      const batch = new Batch(changes);
      for (const id of readers) this.#readers.get(id)?.changedSome(batch);
      this.#count('write', readers.size);
    }
  }

  changedAll(reason: Reason): void {
    this.#table.clear();
    for (const reader of this.#readers.values()) reader.changedAll();
    if (this.#readers.size > 0) this.#count(reason, this.#readers.size);
  }

  /** The source may miss changes from now on. */
  loseSight(): void {
    if (this.#blind) return;
    this.#blind = true;
    this.#sight += 1;
    this.#ownWrites.clear();
    this.changedAll('blind');
  }

  /** The source misses nothing from now on. */
  regainSight(): void {
    if (!this.#blind) return;
    this.#blind = false;
    this.#sight += 1;
    this.changedAll('blind');
  }

  #makeRoom(): void {
    if (this.#maxKeys === 0) return;
    while (this.#table.keyCount > this.#maxKeys) {
      const key = this.#table.oldest();
      if (key === undefined) return;
      this.changed(key, 'table_full');
    }
  }
}
