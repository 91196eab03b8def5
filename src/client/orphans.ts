import type { Key } from '../key.ts';
import type { TrackingState } from '../tracking/options.ts';
import type { Flight } from './flight.ts';
import type { TrackedParts } from './tracked-parts.ts';

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

  #add(keys: readonly Key[]): void {
    if (this.#tooMany) return;
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
   * Notes what a request reads that is about to be sent.
   *
   * @param flight       names keys
   * @param isRedirected whether their invalidations go to the other client
   */
  departed(flight: Flight, isRedirected: boolean): void {
    if (isRedirected) this.#add(flight.readKeys);
    else if (flight.isSingle === true || flight.readKeys.length > 0) this.#hasReadForItself = true;
  }

  /** The reader goes; `state` is how it tracked. */
  abandon(parts: TrackedParts, { redirect, bcast }: TrackingState): void {
    const isToldItself = redirect === 0 || redirect === parts.outlet.clientId;
    const isTold = !isToldItself && parts.tellOrphans;
    for (const what of isTold ? this.#left(bcast) : []) {
      parts.countExtra();
      parts.tracker.target(redirect)?.receive(what);
    }
    this.clear();
  }

  /** @param everything the reader could have read any key */
  #left(everything: boolean): readonly (Key | undefined)[] {
    return this.#tooMany || everything ? [undefined] : [...(this.#keys ?? [])];
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
