import type { Key } from '../key.ts';

/** How many keys are named one by one when their reader goes. Beyond it: everything. */
const ORPHANS_MAX_COUNT = 1_000;

/**
 * The keys that a client has read and whose invalidations go to another client. When the reader
 * goes, its entries in the tracking table lead nowhere, and the other must drop what it holds for
 * it: Redis does not say so, and leaves it with values that nobody will ever invalidate.
 */
export class Orphans {
  #keys: Set<Key> | undefined; // undefined: none
  #tooMany = false;
  #hasReadForItself = false;

  /** @param isRedirected whether the keys' invalidations go to the other client */
  add(keys: readonly Key[], isRedirected: boolean): void {
    if (!isRedirected) this.#hasReadForItself ||= keys.length > 0;
    if (this.#tooMany || !isRedirected) return;
    this.#keys ??= new Set();
    for (const key of keys) this.#keys.add(key);
    if (this.#keys.size <= ORPHANS_MAX_COUNT) return;
    this.#tooMany = true;
    this.#keys = undefined;
  }

  /** The other client was told to drop `key`. */
  told(key: Key): void {
    this.#keys?.delete(key);
  }

  /**
   * @param everything the reader could have read any key
   * @returns what the other client is to drop: keys, or undefined for everything
   */
  take(everything: boolean): (Key | undefined)[] {
    const keys: (Key | undefined)[] =
      this.#tooMany || everything ? [undefined] : [...(this.#keys ?? [])];
    this.clear();
    return keys;
  }

  /** From now on invalidations go to the other client: also those of what was read before. */
  redirect(): void {
    if (this.#hasReadForItself) this.#tooMany = true;
  }

  clear(): void {
    this.#keys = undefined;
    this.#tooMany = false;
  }
}
