import type { Key } from '../key.ts';

/** What an invalidation names: a key, keys in bytewise order, or everything (undefined). */
export type What = Key | readonly Key[] | undefined;

/** A request in flight that names keys, as far as delivery needs to know it. */
export interface Flight {
  readonly keys: readonly Key[];
  /** A tracked read: its reply may carry a value older than a change that is announced meanwhile. */
  readonly reads: boolean;
  /** Its place among the requests in flight; set by `depart`. */
  order: number;
  /** The keys that came into the tracking table with this request, so that they can leave again. */
  fresh: Key[];
  /** It, or a request for the same key that it overtook in our books, is a tracked read. */
  again: boolean;
  /** Invalidations that wait for its reply. */
  parked: Parked[] | undefined;
}

/** An invalidation that waits. */
export interface Parked {
  readonly what: What;
  readonly flight: Flight;
  /** When it leaves without the reply, in milliseconds of the clock. */
  readonly due: number;
  left: boolean;
  /** It was merged into an invalidation of everything. */
  void: boolean;
}

/** How many invalidations may wait for one client's replies before they become one of everything. */
export const PARKED_MAX_COUNT = 100_000;

/** How long an invalidation waits for a reply beyond the usual round trip. Source: the design. */
export const PARK_MS = 10;

/**
 * Decides when an invalidation leaves: now, or behind a reply.
 *
 * Replies and notifications travel on different sockets and arrive in either order. So the
 * invalidation of a key that a request in flight names waits for that request's reply (the last
 * one, where several name it): if the reply carries the old value, the client drops it right after;
 * if the request was the writing one, the client sees reply and push in the order that Redis has.
 * A reply that is late (a blocking command, a slow script) does not hold up the invalidation for
 * ever: it leaves when it is due, and once more behind the reply if a tracked read is concerned.
 * An invalidation of everything waits for whatever is in flight.
 *
 * Pure: time is handed in, and what leaves is handed to `deliver`.
 */
export class Delivery {
  readonly #deliver: (what: What) => void;
  readonly #flying = new Map<Key, Flight>();
  readonly #dues: Parked[] = []; // in order of `due`
  #last: Flight | undefined;
  #gate: Flight | undefined;
  #departed = 0;
  #readsFlying = 0;
  #parkedCount = 0;
  #leftCount = 0; // of the parked: left early, and waiting to leave once more

  /** @param deliver sends an invalidation */
  constructor(deliver: (what: What) => void) {
    this.#deliver = deliver;
  }

  /** How many invalidations wait for a reply. */
  get parkedCount(): number {
    return this.#parkedCount;
  }

  /** Whether `tick` has something to wait for. */
  get hasDues(): boolean {
    return this.#dues.length > 0;
  }

  /** A request that names keys is about to be sent. */
  depart(flight: Flight): void {
    flight.order = ++this.#departed;
    for (const key of flight.keys) {
      const older = this.#flying.get(key);
      if (older?.again) flight.again = true;
      this.#flying.set(key, flight);
    }
    if (flight.reads) this.#readsFlying += 1;
    this.#last = flight;
  }

  /** Until `flight` lands nothing leaves: it has yet to be seen whether tracking is allowed. */
  closeGate(flight: Flight): void {
    this.#gate = flight;
    this.depart(flight);
  }

  /**
   * The reply to `flight` has been sent to the client.
   *
   * @param refused the request was not executed: what became known only through it is unsaid
   * @returns keys to take out of the tracking table, because no read of them was executed
   */
  land(flight: Flight, refused: boolean): readonly Key[] {
    for (const key of flight.keys) {
      if (this.#flying.get(key) === flight) this.#flying.delete(key);
    }
    if (this.#last === flight) this.#last = undefined;
    if (this.#gate === flight) this.#gate = undefined;
    if (flight.reads) this.#readsFlying -= 1;
    this.#unpark(flight, refused);
    return refused ? this.#unsay(flight) : NO_KEYS;
  }

  /** @param now the clock, in milliseconds; @param wait how long replies usually take */
  changed(key: Key, now: number, wait: number): void {
    const flight = this.#flying.get(key) ?? this.#gate;
    if (flight === undefined) this.#deliver(key);
    else this.#park(key, flight, now + wait + PARK_MS);
  }

  /** Keys of one batch leave together, behind the last request in flight that names one. */
  changedSome(keys: readonly Key[], now: number, wait: number): void {
    let last = this.#gate;
    let again = false;
    for (const key of this.#flying.size === 0 ? NO_KEYS : keys) {
      const flight = this.#flying.get(key);
      if (flight === undefined) continue;
      if (last === undefined || flight.order > last.order) last = flight;
      again ||= flight.again;
    }
    if (last === undefined) {
      this.#deliver(keys);
      return;
    }
    last.again ||= again;
    this.#park(keys, last, now + wait + PARK_MS);
  }

  changedAll(now: number, wait: number): void {
    const flight = this.#last ?? this.#gate;
    if (flight === undefined) {
      this.#deliver(undefined);
      return;
    }
    if (this.#readsFlying > 0) flight.again = true;
    this.#park(undefined, flight, now + wait + PARK_MS);
  }

  /** Lets go what is due. */
  tick(now: number): void {
    let index = 0;
    for (; index < this.#dues.length; index++) {
      const parked = this.#dues[index] as Parked;
      if (parked.due > now) break;
      this.#leaveEarly(parked);
    }
    if (index > 0) this.#dues.splice(0, index);
  }

  #leaveEarly(parked: Parked): void {
    const { what, flight } = parked;
    if (parked.void || flight.parked === undefined || flight === this.#gate) return;
    // A key that only this request has named is in no cache yet: there is nothing to hurry for.
    if (typeof what === 'string' && flight.fresh.includes(what)) return;
    parked.left = true;
    this.#leftCount += 1;
    this.#deliver(what);
  }

  #park(what: What, flight: Flight, due: number): void {
    if (what !== undefined && this.#parkedCount >= PARKED_MAX_COUNT) {
      this.#collapse(due);
      return;
    }
    const parked = { what, flight, due, left: false, void: false };
    flight.parked ??= [];
    flight.parked.push(parked);
    this.#dues.push(parked);
    this.#parkedCount += 1;
  }

  /** Too many wait: they become one invalidation of everything, behind all that is in flight. */
  #collapse(due: number): void {
    for (const parked of this.#dues) parked.void = !parked.left;
    this.#dues.length = 0;
    this.#parkedCount = this.#leftCount;
    const flight = this.#last ?? this.#gate;
    if (flight === undefined) this.#deliver(undefined);
    else this.#park(undefined, flight, due);
  }

  #unpark(flight: Flight, refused: boolean): void {
    const { parked } = flight;
    if (parked === undefined) return;
    flight.parked = undefined;
    for (const one of parked) {
      if (one.void) continue;
      this.#parkedCount -= 1;
      if (one.left) this.#leftCount -= 1;
      const { what } = one;
      if (refused && typeof what === 'string' && flight.fresh.includes(what)) continue;
      if (!one.left || flight.again) this.#deliver(what);
    }
    // What has left with its reply need not stay in the queue of dues.
    if (this.#parkedCount === 0) this.#dues.length = 0;
  }

  /** A later request in flight for the same key takes over; else the key leaves the table. */
  #unsay(flight: Flight): readonly Key[] {
    const gone: Key[] = [];
    for (const key of flight.fresh) {
      const later = this.#flying.get(key);
      if (later?.reads) later.fresh.push(key);
      else gone.push(key);
    }
    return gone;
  }
}

const NO_KEYS: readonly Key[] = [];
