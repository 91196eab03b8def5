import type { Key } from '../key.ts';

/** Number of a tracking client, given by the tracker; never used twice. */
export type ReaderId = number;

const NOBODY: readonly ReaderId[] = [];

/**
 * Who has read which key. Entries are taken once: whoever takes a key must tell its readers, for
 * the table has forgotten them.
 *
 * A key with one reader, by far the commonest, costs its text and one map entry; further readers
 * make it a set. Readers that are gone stay until the key changes or makes room, or
 * until there are many; looking for them at once would cost more than skipping them then.
 */
export class TrackingTable {
  #readers = new Map<Key, ReaderId | Set<ReaderId>>();
  readonly #isThere: (reader: ReaderId) => boolean;
  #items = 0;

  /** @param isThere whether a reader may still want to hear of changes */
  constructor(isThere: (reader: ReaderId) => boolean) {
    this.#isThere = isThere;
  }

  /** How many keys have readers. */
  get keyCount(): number {
    return this.#readers.size;
  }

  /** How many readers all keys together have. */
  get itemCount(): number {
    return this.#items;
  }

  /** Notes that `reader` has read `key`. @returns whether that was not known before */
  remember(key: Key, reader: ReaderId): boolean {
    const readers = this.#readers.get(key);
    if (readers === undefined) {
      this.#readers.set(key, reader);
    } else if (typeof readers === 'number') {
      if (readers === reader) return false;
      this.#readers.set(key, new Set([readers, reader]));
    } else {
      if (readers.has(reader)) return false;
      if (isPruneSize(readers.size)) this.#prune(readers);
      readers.add(reader);
    }
    this.#items += 1;
    return true;
  }

  /** Drops readers that are gone: a key that never changes would else gather them for ever. */
  #prune(readers: Set<ReaderId>): void {
    for (const reader of readers) {
      if (this.#isThere(reader)) continue;
      readers.delete(reader);
      this.#items -= 1;
    }
  }

  /** Takes back that `reader` has read `key`: the read was refused. */
  forget(key: Key, reader: ReaderId): void {
    const readers = this.#readers.get(key);
    if (readers === reader) {
      this.#readers.delete(key);
      this.#items -= 1;
    } else if (readers instanceof Set && readers.delete(reader)) {
      this.#items -= 1;
      if (readers.size === 0) this.#readers.delete(key);
    }
  }

  /** Forgets the key. @returns its readers; ids of clients that are gone may be among them */
  take(key: Key): Iterable<ReaderId> {
    const readers = this.#readers.get(key);
    if (readers === undefined) return NOBODY;
    this.#readers.delete(key);
    if (typeof readers === 'number') {
      this.#items -= 1;
      return [readers];
    }
    this.#items -= readers.size;
    return readers;
  }

  /** @returns a key that may make room for others: the one that came into the table first */
  oldest(): Key | undefined {
    return this.#readers.keys().next().value;
  }

  /** Forgets everything. */
  clear(): void {
    this.#readers.clear();
    this.#items = 0;
  }
}

/** The readers of a key are looked through whenever their number has doubled. */
function isPruneSize(size: number): boolean {
  return size >= 64 && (size & (size - 1)) === 0;
}
