import type { Key } from '../key.ts';
import type { KeyAccess } from '../upstream/access.ts';

/** How many keys may wait until it is known what the client may read. Beyond it: everything. */
const WAITING_MAX_COUNT = 10_000;

/**
 * Keeps from a client the names of keys that it may not read: natively, a client that watches a
 * prefix hears of every key under it. What it may read is asked for when the first key changes.
 */
export class Nameable {
  readonly #access: () => KeyAccess | undefined;
  readonly #load: () => Promise<void>;
  #waiting: Key[] | undefined;

  constructor(access: () => KeyAccess | undefined, load: () => Promise<void>) {
    this.#access = access;
    this.#load = load;
  }

  /**
   * @param keys in bytewise order
   * @param tell given those of them that may be named; undefined: everything, as nobody can say
   */
  judge(keys: readonly Key[], tell: (keys: readonly Key[] | undefined) => void): void {
    const access = this.#waiting === undefined ? this.#access() : undefined;
    if (access === 'all') tell(keys);
    else if (access !== undefined) tell(keys.filter(access));
    else this.#wait(keys, tell);
  }

  #wait(keys: readonly Key[], tell: (keys: readonly Key[] | undefined) => void): void {
    if (this.#waiting !== undefined) {
      for (const key of keys) this.#waiting.push(key);
      return;
    }
    this.#waiting = [...keys];
    void this.#load().then(() => {
      const waiting = [...new Set(this.#waiting)].sort();
      this.#waiting = undefined;
      const access = this.#access();
      if (access === undefined || waiting.length > WAITING_MAX_COUNT) tell(undefined);
      else tell(access === 'all' ? waiting : waiting.filter(access));
    });
  }
}
