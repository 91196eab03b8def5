import type { Key } from '../key.ts';
import { type ReaderId, TrackingTable } from './table.ts';

/** A client that wants to hear of changes. */
export interface Reader {
  /** A key that it has read has changed, or may have. */
  changed(key: Key): void;
  /** Every key may have changed. */
  changedAll(): void;
}

/** Why keys are invalidated. */
export type Reason = 'write' | 'flush' | 'blind' | 'table_full';

/**
 * All tracking clients and the keys that they have read. Changes go in, from the source of
 * notifications and from requests seen passing; out come calls to the clients concerned.
 *
 * While the source is blind a change may pass unnoticed, so nobody may go on trusting a cache:
 * everybody is told to drop everything when a spell of blindness begins and when it ends, and in
 * between every tracked read is to be followed by the invalidation of its keys (each client sees
 * to that, by `blind`).
 */
export class Tracker {
  readonly #table = new TrackingTable();
  readonly #readers = new Map<ReaderId, Reader>();
  readonly #maxKeys: number;
  readonly #count: (reason: Reason, messages: number) => void;
  #nextId = 1;
  #blind = true;

  /**
   * @param maxKeys how many keys may have readers; 0: no limit
   * @param count   told of every invalidation that concerned somebody
   */
  constructor(maxKeys: number, count: (reason: Reason, messages: number) => void) {
    this.#maxKeys = maxKeys;
    this.#count = count;
  }

  get keyCount(): number {
    return this.#table.keyCount;
  }

  get itemCount(): number {
    return this.#table.itemCount;
  }

  get readerCount(): number {
    return this.#readers.size;
  }

  /** Whether changes may go unnoticed now. True until the source has been proven. */
  get blind(): boolean {
    return this.#blind;
  }

  /** @returns the id under which `reader` remembers keys */
  newId(): ReaderId {
    return this.#nextId++;
  }

  /** From now on `reader` hears of changes. */
  join(id: ReaderId, reader: Reader): void {
    this.#readers.set(id, reader);
  }

  /** `id` hears no more; what it has read is forgotten key by key, as the keys change. */
  leave(id: ReaderId): void {
    this.#readers.delete(id);
  }

  /** To be called before the read is sent. @returns whether this was not known before */
  remember(key: Key, id: ReaderId): boolean {
    const fresh = this.#table.remember(key, id);
    if (this.#maxKeys > 0) this.#makeRoom(key);
    return fresh;
  }

  forget(key: Key, id: ReaderId): void {
    this.#table.forget(key, id);
  }

  changed(key: Key, reason: Reason): void {
    let messages = 0;
    for (const id of this.#table.take(key)) {
      const reader = this.#readers.get(id);
      if (reader === undefined) continue;
      reader.changed(key);
      messages += 1;
    }
    if (messages > 0) this.#count(reason, messages);
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
    this.changedAll('blind');
  }

  /** The source misses nothing from now on. */
  regainSight(): void {
    if (!this.#blind) return;
    this.#blind = false;
    this.changedAll('blind');
  }

  #makeRoom(newest: Key): void {
    while (this.#table.keyCount > this.#maxKeys) {
      const key = this.#table.oldest();
      if (key === undefined || key === newest) return;
      this.changed(key, 'table_full');
    }
  }
}
