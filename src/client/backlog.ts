import type { Key } from '../key.ts';
import type { What } from './flight.ts';

/** How many keys may wait for one client before they become one invalidation of everything. */
export const BACKLOG_MAX_COUNT = 10_000;

/** How long these keys may be together, in bytes. Source: our choice. */
export const BACKLOG_MAX_BYTES = 1_048_576;

/** So many are sent one by one, as they would have been; more of them share a message. */
const SINGLE_MAX_COUNT = 16;

/**
 * Invalidations that can't leave now, because their client is in the middle of a reply or does not
 * read what it gets. A key that changes again meanwhile is named once.
 */
export class Backlog {
  readonly #keys = new Set<Key>();
  #bytes = 0;
  #hasAll = false;

  get isEmpty(): boolean {
    return this.#keys.size === 0 && !this.#hasAll;
  }

  /** How much memory is taken, about, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns whether the keys have now become too many, and everything stands for them */
  add(what: What): boolean {
    if (this.#hasAll) return false; // it is sent later than this change, and says as much
    if (what === undefined) {
      this.#becomeAll();
      return false;
    }
    for (const key of typeof what === 'string' ? [what] : what) {
      if (!this.#keys.has(key)) this.#bytes += key.length;
      this.#keys.add(key);
    }
    if (this.#keys.size <= BACKLOG_MAX_COUNT && this.#bytes <= BACKLOG_MAX_BYTES) return false;
    this.#becomeAll();
    return true;
  }

  /** Empties it. @returns what is to be sent, in order */
  take(): readonly What[] {
    const keys = [...this.#keys];
    const all = this.#hasAll;
    this.#keys.clear();
    this.#bytes = 0;
    this.#hasAll = false;
    if (all) return [undefined];
    return keys.length > SINGLE_MAX_COUNT ? [keys.sort()] : keys;
  }

  #becomeAll(): void {
    this.#keys.clear();
    this.#bytes = 0;
    this.#hasAll = true;
  }
}
