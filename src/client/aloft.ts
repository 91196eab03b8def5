import type { Key } from '../key.ts';
import type { Flight } from './flight.ts';

/** The requests in flight that name one key. */
export class KeyAloft {
  readonly key: Key;
  last: Flight;
  /** How many of them read it. */
  reads = 0;
  /** One of them has brought the key into the tracking table. */
  added = false;
  /** One of the reads that are in flight together is known to have been executed. */
  executed = false;
  /** The same since the key was first entered: it may be cached. */
  held = false;
  /** Reads up to this order may carry a value whose invalidation has left without them. */
  staleTo = 0;

  constructor(key: Key, last: Flight) {
    this.key = key;
    this.last = last;
  }
}

/**
 * When so many requests are in flight they are entered by key without being asked for, lest all other
 * clients wait while it is made up for. Source: our choice; to enter so many takes some milliseconds.
 */
const UNASKED_MAX_COUNT = 2_048;

/**
 * The keys that a client's requests in flight name, and what is known of their reads. A read that
 * upstream refuses must leave no trace in the tracking table: its client may have no right to know
 * when the key changes. But the key stays if any read of it was executed.
 *
 * While all that is in flight are reads of one key each, none that brought its key into the table is
 * refused, and none of the keys changes, nobody asks for any of that: the requests are just kept, one
 * behind the other. Only when somebody asks are they entered by key, and those that follow as well,
 * until nothing is in flight. Of what has landed by then nothing is known, nor need be: it is executed.
 */
export class Aloft {
  readonly #keys = new Map<Key, KeyAloft>();
  #isByKey = false; // all that is in flight has been entered into it
  #oldest: Flight | undefined;
  #newest: Flight | undefined;
  #count = 0;
  #allStaleTo = 0; // as `staleTo`, of every key

  get isEmpty(): boolean {
    return this.#newest === undefined;
  }

  /** @returns the last request in flight that names `key` */
  last(key: Key): Flight | undefined {
    return this.#byKey().get(key)?.last;
  }

  /** Whether the key came into the table with requests in flight, none of which is known executed. */
  isUnread(key: Key): boolean {
    const aloft = this.#byKey().get(key);
    return aloft?.added === true && !aloft.held;
  }

  depart(flight: Flight): void {
    flight.before = this.#newest;
    if (this.#newest === undefined) this.#oldest = flight;
    else this.#newest.behind = flight;
    this.#newest = flight;
    this.#count += 1;
    const isAsked = flight.isSingle !== true && flight.keys.length > 0;
    if (this.#isByKey) this.#enter(flight);
    else if (isAsked || this.#count > UNASKED_MAX_COUNT) this.#byKey();
  }

  #byKey(): ReadonlyMap<Key, KeyAloft> {
    if (this.#isByKey || this.#oldest === undefined) return this.#keys;
    this.#isByKey = true;
    for (let flight: Flight | undefined = this.#oldest; flight; flight = flight.behind) {
      this.#enter(flight);
      if (flight.isFresh === true) this.added(flight, 0);
    }
    return this.#keys;
  }

  #enter(flight: Flight): void {
    const named: KeyAloft[] = [];
    for (const key of flight.keys) {
      let aloft = this.#keys.get(key);
      if (aloft !== undefined) aloft.last = flight;
      else {
        aloft = new KeyAloft(key, flight);
        this.#keys.set(key, aloft);
      }
      named.push(aloft);
    }
    flight.named = named;
    flight.read = flight.readKeys === flight.keys ? named : this.#allOf(flight.readKeys);
    for (const aloft of flight.read) aloft.reads += 1;
  }

  /** The read of `flight.readKeys[index]` has brought that key into the tracking table. */
  added(flight: Flight, index: number): void {
    const aloft = this.#isByKey ? flight.read[index] : undefined;
    if (aloft !== undefined) aloft.added = true;
    else flight.isFresh = true;
  }

  #allOf(keys: readonly Key[]): readonly KeyAloft[] {
    return keys.length === 0 ? NONE : keys.map((key) => this.#keys.get(key) as KeyAloft);
  }

  /** The invalidation of `key` did not wait: reads up to `order` have to be followed by another. */
  stale(key: Key, order: number): void {
    const aloft = this.#byKey().get(key);
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
    for (const { key, staleTo } of flight.read) {
      if (staleTo < flight.order) continue;
      stale ??= [];
      stale.push(key);
    }
    return stale ?? NO_KEYS;
  }

  /** @returns the keys that must leave the tracking table: all their reads were refused */
  land(flight: Flight, refused: boolean): readonly Key[] {
    if (refused && flight.isFresh === true) this.#byKey();
    const unread = this.#isByKey ? this.#landByKey(flight, refused) : NO_KEYS;
    this.#leave(flight);
    return unread;
  }

  #leave(flight: Flight): void {
    const { before, behind } = flight;
    if (before !== undefined) before.behind = behind;
    else if (this.#oldest === flight) this.#oldest = behind;
    if (behind !== undefined) behind.before = before;
    else if (this.#newest === flight) this.#newest = before;
    flight.before = undefined;
    flight.behind = undefined;
    this.#count -= 1;
    if (this.#oldest === undefined) this.#isByKey = false;
  }

  #landByKey(flight: Flight, refused: boolean): readonly Key[] {
    let unread: Key[] | undefined;
    for (const aloft of flight.read) {
      aloft.reads -= 1;
      if (!refused) {
        aloft.executed = true;
        aloft.held = true;
      }
      if (aloft.reads > 0) continue;
      if (aloft.added && !aloft.executed) {
        unread ??= [];
        unread.push(aloft.key);
      }
      aloft.added = false;
      aloft.executed = false;
    }
    for (const aloft of flight.named) {
      if (aloft.last === flight) this.#keys.delete(aloft.key);
    }
    return unread ?? NO_KEYS;
  }
}

const NO_KEYS: readonly Key[] = [];
const NONE: readonly KeyAloft[] = [];
