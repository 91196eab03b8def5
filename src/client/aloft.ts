import type { Key } from '../key.ts';
import type { Flight } from './delivery.ts';

/** The requests in flight that name one key. */
interface KeyAloft {
  last: Flight;
  /** How many of them read it. */
  reads: number;
  /** One of them has brought the key into the tracking table. */
  added: boolean;
  /** One of the reads that are in flight together has been executed. */
  executed: boolean;
  /** A read has been executed since requests for the key were first in flight: it may be cached. */
  held: boolean;
  /** Reads up to this order may carry a value whose invalidation has left without them. */
  staleTo: number;
}

/**
 * The keys that a client's requests in flight name, and what is known of their reads. A read that
 * upstream refuses must leave no trace in the tracking table: its client may have no right to know
 * when the key changes. But the key stays if any read of it was executed.
 */
export class Aloft {
  readonly #keys = new Map<Key, KeyAloft>();
  #allStaleTo = 0; // as `staleTo`, of every key

  get isEmpty(): boolean {
    return this.#keys.size === 0;
  }

  /** @returns the last request in flight that names `key` */
  last(key: Key): Flight | undefined {
    return this.#keys.get(key)?.last;
  }

  /** Whether the key came into the table with requests in flight, none of which is known executed. */
  isUnread(key: Key): boolean {
    const aloft = this.#keys.get(key);
    return aloft?.added === true && !aloft.held;
  }

  depart(flight: Flight): void {
    for (const key of flight.keys) {
      const aloft = this.#keys.get(key);
      if (aloft !== undefined) aloft.last = flight;
      else this.#keys.set(key, { last: flight, ...NOTHING_KNOWN });
    }
    for (const key of flight.readKeys) {
      const aloft = this.#keys.get(key);
      if (aloft !== undefined) aloft.reads += 1;
    }
  }

  /** A read in flight has brought `key` into the tracking table. */
  added(key: Key): void {
    const aloft = this.#keys.get(key);
    if (aloft !== undefined) aloft.added = true;
  }

  /** The invalidation of `key` did not wait: reads up to `order` have to be followed by another. */
  stale(key: Key, order: number): void {
    const aloft = this.#keys.get(key);
    if (aloft !== undefined) aloft.staleTo = Math.max(aloft.staleTo, order);
  }

  /** As `stale`, of every key. */
  allStale(order: number): void {
    this.#allStaleTo = Math.max(this.#allStaleTo, order);
  }

  /** @returns the keys of `flight` whose values may be older than an invalidation that has left */
  staleIn(flight: Flight): readonly Key[] {
    if (flight.order <= this.#allStaleTo) return flight.readKeys;
    let stale: Key[] | undefined;
    for (const key of flight.readKeys) {
      if ((this.#keys.get(key)?.staleTo ?? 0) < flight.order) continue;
      stale ??= [];
      stale.push(key);
    }
    return stale ?? NO_KEYS;
  }

  /** @returns the keys that must leave the tracking table: all their reads were refused */
  land(flight: Flight, refused: boolean): readonly Key[] {
    let unread: Key[] | undefined;
    for (const key of flight.readKeys) {
      const aloft = this.#keys.get(key);
      if (aloft === undefined) continue;
      aloft.reads -= 1;
      if (!refused) {
        aloft.executed = true;
        aloft.held = true;
      }
      if (aloft.reads > 0) continue;
      if (aloft.added && !aloft.executed) {
        unread ??= [];
        unread.push(key);
      }
      aloft.added = false;
      aloft.executed = false;
    }
    for (const key of flight.keys) {
      if (this.#keys.get(key)?.last === flight) this.#keys.delete(key);
    }
    return unread ?? NO_KEYS;
  }
}

const NOTHING_KNOWN = { reads: 0, added: false, executed: false, held: false, staleTo: 0 } as const;
const NO_KEYS: readonly Key[] = [];
