import type { Key } from '../key.ts';
import { Aloft } from './aloft.ts';
import type { Flight, Parked, What } from './flight.ts';
import { Meter } from './meter.ts';

/** Somebody who waits for the invalidations up to a number to leave. */
interface Clear {
  upTo: number;
  readonly run: () => void;
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
 * ever: when it is due it leaves, and then once more behind each read that was in flight when the
 * change was announced. An invalidation of everything waits for whatever is in flight.
 *
 * Pure: time is handed in, and what leaves is handed to `deliver`.
 */
export class Delivery {
  readonly #deliver: (what: What) => void;
  readonly #countCollapse: () => void;
  readonly #meter: Meter;
  readonly #aloft = new Aloft();
  readonly #holding = new Set<Flight>(); // those with parked invalidations
  #dues: Parked[] = []; // in order of `due`
  #front = 0; // those before this index have left
  #numbered = 0;
  #clears: Clear[] = [];
  #lastDue = 0;
  #last: Flight | undefined;
  #gate: Flight | undefined;
  #departed = 0;
  #parkedCount = 0;

  /**
   * @param deliver       sends an invalidation
   * @param countCollapse told when so many wait that one of everything stands for them
   */
  constructor(deliver: (what: What) => void, countCollapse: () => void, meter = new Meter()) {
    this.#deliver = deliver;
    this.#countCollapse = countCollapse;
    this.#meter = meter;
  }

  /** How many invalidations wait for a reply. */
  get parkedCount(): number {
    return this.#parkedCount;
  }

  /** Whether `tick` has something to wait for. */
  get hasDues(): boolean {
    return this.#dues.length > 0;
  }

  /**
   * A request that names keys is about to be sent. What it reads is to be remembered behind that: a
   * key that has to make room for it in the table is then told behind this request's reply.
   */
  depart(flight: Flight): void {
    flight.order = ++this.#departed;
    this.#last = flight;
    this.#aloft.depart(flight);
  }

  /** The read of `flight.readKeys[index]` has brought that key into the tracking table. */
  added(flight: Flight, index: number): void {
    this.#aloft.added(flight, index);
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
    const stale = refused ? NO_KEYS : this.#aloft.staleIn(flight);
    const unread = this.#aloft.land(flight, refused);
    if (this.#last === flight) this.#last = undefined;
    if (this.#gate === flight) this.#gate = undefined;
    if (flight.parked !== undefined) this.#unpark(flight, unread);
    for (const key of stale) this.#deliver(key);
    if (this.#clears.length > 0) this.#runClears();
    return unread;
  }

  /** @param now the clock, in milliseconds; @param wait how long replies usually take */
  changed(key: Key, now: number, wait: number): void {
    const flight = this.#aloft.last(key) ?? this.#gate;
    if (flight === undefined) this.#deliver(key);
    else this.#park(key, flight, now + wait + PARK_MS);
  }

  /** Keys of one batch leave together, behind the last request in flight that names one. */
  changedSome(keys: readonly Key[], now: number, wait: number): void {
    let last = this.#gate;
    for (const key of this.#aloft.isEmpty ? NO_KEYS : keys) {
      const flight = this.#aloft.last(key);
      if (flight !== undefined && (last === undefined || flight.order > last.order)) last = flight;
    }
    if (last === undefined) this.#deliver(keys);
    else this.#park(keys, last, now + wait + PARK_MS);
  }

  changedAll(now: number, wait: number): void {
    const flight = this.#last ?? this.#gate;
    if (flight === undefined) this.#deliver(undefined);
    // What waits already says as much, and at the same time or sooner.
    else if (!flight.parked?.some(({ what, gone }) => what === undefined && !gone)) {
      this.#park(undefined, flight, now + wait + PARK_MS);
    }
  }

  /** Lets go what is due. */
  tick(now: number): void {
    let index = 0;
    for (; index < this.#dues.length; index++) {
      const parked = this.#dues[index] as Parked;
      if (parked.due > now) break;
      if (!parked.gone && parked.flight !== this.#gate) this.#leaveEarly(parked);
    }
    if (index > 0) this.#forgetDues(index);
    if (this.#clears.length > 0) this.#runClears();
  }

  /**
   * Runs `run` when all that waits now has left. What waits for tracking to be allowed is not meant:
   * nobody has been told yet that it is on.
   */
  whenClear(run: () => void): void {
    this.#clears.push({ upTo: this.#numbered, run });
    this.#runClears();
  }

  /** Nobody is told anything any more. */
  stop(): void {
    for (const flight of this.#holding) flight.parked = undefined;
    this.#holding.clear();
    this.#forgetDues(this.#dues.length);
    this.#countParked(-this.#parkedCount);
    this.#runClears();
  }

  #runClears(): void {
    const oldest = this.#oldestWaiting();
    while (this.#clears[0] !== undefined && this.#clears[0].upTo < oldest)
      this.#clears.shift()?.run();
  }

  /** @returns the number of the invalidation that has waited longest, Infinity if none waits */
  #oldestWaiting(): number {
    while (this.#dues[this.#front]?.gone === true) this.#front += 1;
    for (let index = this.#front; index < this.#dues.length; index++) {
      const { gone, flight, number } = this.#dues[index] as Parked;
      if (!gone && flight !== this.#gate) return number;
    }
    return Number.POSITIVE_INFINITY;
  }

  #forgetDues(count: number): void {
    this.#dues.splice(0, count);
    this.#front = Math.max(0, this.#front - count);
  }

  /** The reply is late: whatever read is in flight has to be followed by another invalidation. */
  #leaveEarly(parked: Parked): void {
    const { what, order } = parked;
    parked.gone = true;
    this.#countParked(-1);
    if (what === undefined) this.#aloft.allStale(order);
    else for (const key of typeof what === 'string' ? [what] : what) this.#aloft.stale(key, order);
    // A key that nobody but requests in flight has read is in no cache: it need not leave now.
    const isHeld = parked.isKnown || typeof what !== 'string' || !this.#aloft.isUnread(what);
    if (isHeld) this.#meter.late(parked.heardAtMs, this.#deliver, what);
  }

  #park(what: What, flight: Flight, due: number): void {
    if (what !== undefined && this.#parkedCount >= PARKED_MAX_COUNT) {
      this.#collapse(due);
      return;
    }
    const isKnown = typeof what !== 'string' || !this.#aloft.isUnread(what);
    // In order also where the round trip has become shorter.
    this.#lastDue = Math.max(this.#lastDue, due);
    const parked = {
      what,
      flight,
      order: this.#departed,
      due: this.#lastDue,
      number: ++this.#numbered,
      isKnown,
      heardAtMs: this.#meter.heardAtMs,
      gone: false,
    };
    flight.parked ??= [];
    flight.parked.push(parked);
    this.#holding.add(flight);
    this.#dues.push(parked);
    this.#countParked(1);
  }

  #countParked(more: number): void {
    this.#parkedCount += more;
    this.#meter.parkedCount += more;
  }

  /** Too many wait: they become one invalidation of everything, behind all that is in flight. */
  #collapse(due: number): void {
    for (const flight of this.#holding) {
      for (const parked of flight.parked ?? []) parked.gone = true;
      flight.parked = undefined;
    }
    this.#holding.clear();
    this.#forgetDues(this.#dues.length);
    this.#countParked(-this.#parkedCount);
    // Whoever waits for some of them now waits for what stands for all.
    for (const clear of this.#clears) clear.upTo = this.#numbered + 1;
    this.#countCollapse();
    const flight = this.#last ?? this.#gate;
    if (flight === undefined) this.#deliver(undefined);
    else this.#park(undefined, flight, due);
  }

  /** @param unread keys that the client has not read after all */
  #unpark(flight: Flight, unread: readonly Key[]): void {
    const parked = flight.parked ?? [];
    const unsaid = new Set<What>(unread);
    flight.parked = undefined;
    this.#holding.delete(flight);
    for (const one of parked) {
      if (one.gone) continue;
      one.gone = true;
      this.#countParked(-1);
      const isUnsaid = !one.isKnown && unsaid.has(one.what);
      if (!isUnsaid) this.#meter.late(one.heardAtMs, this.#deliver, one.what);
    }
    // What has left with its reply need not stay in the queue of dues.
    if (this.#parkedCount === 0) this.#forgetDues(this.#dues.length);
  }
}

const NO_KEYS: readonly Key[] = [];
