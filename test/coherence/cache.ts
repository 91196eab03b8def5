import { idOf, type Read } from './reads.ts';

/** A value that a client believes. */
export interface Entry {
  readonly read: Read;
  readonly value: string;
  /** When its reply arrived, in milliseconds of `performance.now()`. */
  readonly storedMs: number;
}

/** What a caching client keeps: replies by request, each of which depends on one key or more. */
export class Cache {
  readonly #entries = new Map<string, Entry>();
  readonly #idsByKey = new Map<string, Set<string>>();
  readonly #dropsByKey = new Map<string, number>();
  #dropsOfAll = 0;

  get entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  get size(): number {
    return this.#entries.size;
  }

  has(read: Read): boolean {
    return this.#entries.has(idOf(read));
  }

  /** @returns whether this very entry is still kept */
  holds(entry: Entry): boolean {
    return this.#entries.get(idOf(entry.read)) === entry;
  }

  put(read: Read, value: string): Entry {
    const entry = { read, value, storedMs: performance.now() };
    const id = idOf(read);
    this.#entries.set(id, entry);
    for (const key of read.keys) {
      const ids = this.#idsByKey.get(key);
      if (ids === undefined) this.#idsByKey.set(key, new Set([id]));
      else ids.add(id);
    }
    return entry;
  }

  /** @returns whether anything was kept that depends on the key */
  drop(key: string): boolean {
    this.#dropsByKey.set(key, (this.#dropsByKey.get(key) ?? 0) + 1);
    const ids = this.#idsByKey.get(key);
    this.#idsByKey.delete(key);
    let dropped = false;
    for (const id of ids ?? []) dropped = this.#entries.delete(id) || dropped;
    return dropped;
  }

  dropAll(): void {
    this.#dropsOfAll += 1;
    this.#entries.clear();
    this.#idsByKey.clear();
  }

  /** @returns a number that is another one as soon as any of the keys has been dropped */
  mark(keys: readonly string[]): number {
    return keys.reduce((sum, key) => sum + (this.#dropsByKey.get(key) ?? 0), this.#dropsOfAll);
  }
}
