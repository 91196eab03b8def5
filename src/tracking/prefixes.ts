import type { Key } from '../key.ts';
import type { ReaderId } from './table.ts';

/** Changed keys, and who wrote each last (undefined: nobody that is known). */
export type Changes = Map<Key, ReaderId | undefined>;

interface Subscribed {
  readonly readers: Set<ReaderId>;
  /** What has changed since the last batch was taken. */
  changes: Changes;
}

/**
 * Who wants to hear of which beginnings of keys (BCAST), and what has changed there since the last
 * batch. Prefixes are found by their length, so that a change costs one lookup for each length in
 * use, however many prefixes there are.
 */
export class Prefixes {
  readonly #byLength = new Map<number, Map<string, Subscribed>>();
  #lengths: number[] = [];
  #dirty = new Map<string, Subscribed>();
  #count = 0;

  /** How many different prefixes are in use. */
  get count(): number {
    return this.#count;
  }

  add(prefix: string, reader: ReaderId): void {
    let same = this.#byLength.get(prefix.length);
    if (same === undefined) {
      same = new Map();
      this.#byLength.set(prefix.length, same);
      this.#lengths = [...this.#byLength.keys()];
    }
    let subscribed = same.get(prefix);
    if (subscribed === undefined) {
      subscribed = { readers: new Set(), changes: new Map() };
      same.set(prefix, subscribed);
      this.#count += 1;
    }
    subscribed.readers.add(reader);
  }

  remove(prefix: string, reader: ReaderId): void {
    const same = this.#byLength.get(prefix.length);
    const subscribed = same?.get(prefix);
    if (same === undefined || subscribed === undefined) return;
    subscribed.readers.delete(reader);
    if (subscribed.readers.size > 0) return;
    same.delete(prefix);
    this.#dirty.delete(prefix);
    this.#count -= 1;
    if (same.size > 0) return;
    this.#byLength.delete(prefix.length);
    this.#lengths = [...this.#byLength.keys()];
  }

  /** `key` was changed by `writer`. */
  changed(key: Key, writer: ReaderId | undefined): void {
    for (const length of this.#lengths) {
      if (length > key.length) continue;
      const prefix = length === 0 ? '' : key.slice(0, length);
      const subscribed = this.#byLength.get(length)?.get(prefix);
      if (subscribed === undefined) continue;
      const { changes } = subscribed;
      // Written by two, it is nobody's own.
      changes.set(key, changes.has(key) && changes.get(key) !== writer ? undefined : writer);
      this.#dirty.set(prefix, subscribed);
    }
  }

  /** Whether anything has changed since the last batch. */
  get hasChanges(): boolean {
    return this.#dirty.size > 0;
  }

  /** @returns prefix by prefix, in bytewise order: who is to be told, and of what */
  takeBatch(): { readonly readers: ReadonlySet<ReaderId>; readonly changes: Changes }[] {
    const dirty = [...this.#dirty].sort(([a], [b]) => (a < b ? -1 : 1));
    this.#dirty = new Map();
    return dirty.map(([, subscribed]) => {
      const { changes, readers } = subscribed;
      subscribed.changes = new Map();
      return { readers, changes };
    });
  }
}
