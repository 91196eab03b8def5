import type { Key } from '../key.ts';
import { INVALIDATE_ALL_PUSH, invalidatePush, type TrackingInfo } from '../resp/write.ts';
import type { Reader, Tracker } from '../tracking/tracker.ts';
import { Delivery, type Flight, type Parked } from './delivery.ts';
import { KEEP, type Owed, type Reply, type Verdict } from './ledger.ts';
import { refuses } from './owed.ts';
import type { ReplyReader } from './replies.ts';

/** How many pushes may wait for the end of one long reply before they become one of everything. */
export const WITHHELD_MAX_COUNT = 10_000;

/** What a client's tracking needs from around it. */
export interface TrackedParts {
  readonly tracker: Tracker;
  readonly replies: ReplyReader;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** How long upstream usually takes to reply, in milliseconds. */
  readonly roundTrip: () => number;
  /** Told of every invalidation that Redis itself would not have sent. */
  readonly countExtra: () => void;
  /** Told when invalidations begin to wait, so that `tick` is called. */
  readonly wake: () => void;
}

/**
 * One client's tracking: whether it is on, which requests in flight name keys, and which
 * invalidations reach the client when.
 *
 * Two truths are kept. `wanted` holds for the requests that are being read: it changes when CLIENT
 * TRACKING is read, so that the reads pipelined behind it are tracked. `confirmed` holds for what
 * the client has been told: it changes when upstream has let the stand-in through, and pushes leave
 * only while it is set.
 */
export class Tracked implements Reader {
  readonly #parts: TrackedParts;
  readonly #delivery: Delivery;
  readonly #id: number;
  #wanted = false;
  #confirmed = false;
  #unconcluded = 0; // stand-ins of CLIENT TRACKING in flight

  constructor(parts: TrackedParts) {
    this.#parts = parts;
    this.#id = parts.tracker.newId();
    this.#delivery = new Delivery((key) => this.#deliver(key));
  }

  /** Whether the requests that are being read now are tracked. */
  get wanted(): boolean {
    return this.#wanted;
  }

  get hasDues(): boolean {
    return this.#delivery.hasDues;
  }

  /** @returns what CLIENT TRACKINGINFO tells at this point of the requests */
  info(): TrackingInfo {
    return this.#wanted
      ? { flags: ['on'], redirect: 0, prefixes: [] }
      : { flags: ['off'], redirect: -1, prefixes: [] };
  }

  /**
   * CLIENT TRACKING was read, and its stand-in is about to be sent.
   *
   * @returns what to call with upstream's word when it has come
   */
  want(on: boolean): (refused: boolean) => void {
    this.#wanted = on;
    if (on) this.#parts.tracker.join(this.#id, this);
    this.#unconcluded += 1;
    const gate = on && !this.#confirmed ? new Keyed(this, NO_KEYS, false, false) : undefined;
    if (gate !== undefined) this.#delivery.closeGate(gate);
    return (refused) => {
      this.#unconcluded -= 1;
      if (!refused) this.#confirmed = on;
      else if (this.#unconcluded === 0) this.#wanted = this.#confirmed;
      if (gate !== undefined) this.land(gate, refused);
      if (!this.#wanted && !this.#confirmed) this.#leave();
    };
  }

  /** RESET was executed, or the client is gone. */
  off(): void {
    this.#wanted = false;
    this.#confirmed = false;
    this.#leave();
  }

  /**
   * A request that names keys is about to be sent.
   *
   * @param reads   its keys are tracked
   * @param blocks  it may wait for other clients
   * @returns the entry for its reply
   */
  depart(keys: readonly Key[], reads: boolean, blocks: boolean): Keyed {
    const flight = new Keyed(this, keys, reads, blocks);
    this.embark(flight);
    return flight;
  }

  /** As `depart`, for an entry that exists. */
  embark(flight: Flight): void {
    if (flight.reads) {
      for (const key of flight.keys) {
        if (this.#parts.tracker.remember(key, this.#id)) flight.fresh.push(key);
      }
    }
    this.#delivery.depart(flight);
  }

  /** The reply to `flight` has been sent to the client. */
  land(flight: Flight, refused: boolean): void {
    const gone = this.#delivery.land(flight, refused);
    for (const key of gone) this.#parts.tracker.forget(key, this.#id);
    if (!refused && flight.reads && this.#parts.tracker.blind) this.distrust(flight.keys);
  }

  /** Has the client drop keys that it has just read: changes of them may pass unnoticed. */
  distrust(keys: readonly Key[] | 'all'): void {
    if (keys === 'all') {
      this.#parts.countExtra();
      this.#deliver(undefined);
      return;
    }
    for (const key of keys) {
      this.#parts.countExtra();
      this.#deliver(key);
    }
  }

  changed(key: Key): void {
    this.#delivery.changed(key, this.#parts.now(), this.#parts.roundTrip());
    if (this.#delivery.hasDues) this.#parts.wake();
  }

  changedAll(): void {
    this.#delivery.changedAll(this.#parts.now(), this.#parts.roundTrip());
    if (this.#delivery.hasDues) this.#parts.wake();
  }

  /** Lets go the invalidations that have waited long enough. */
  tick(): void {
    this.#delivery.tick(this.#parts.now());
  }

  #leave(): void {
    this.#parts.tracker.leave(this.#id);
  }

  /** A client that speaks RESP2 has no way to be told: natively, too, the key is just forgotten. */
  #deliver(key: Key | undefined): void {
    const { replies } = this.#parts;
    if (!this.#confirmed || replies.protocol !== 3) return;
    if (replies.withheldCount >= WITHHELD_MAX_COUNT) {
      replies.collapseWithheld(INVALIDATE_ALL_PUSH);
      return;
    }
    replies.push(key === undefined ? INVALIDATE_ALL_PUSH : invalidatePush(key));
  }
}

const NO_KEYS: readonly Key[] = [];

/** The entry for a request of a tracking client that names keys. */
export class Keyed implements Owed, Flight {
  readonly keep = KEEP.errors;
  readonly drop = false;
  readonly flushes = false;
  readonly blocks: boolean;
  readonly keys: readonly Key[];
  readonly reads: boolean;
  fresh: Key[] = [];
  again: boolean;
  parked: Parked[] | undefined;
  protected readonly tracked: Tracked;
  #refused = false;

  constructor(tracked: Tracked, keys: readonly Key[], reads: boolean, blocks: boolean) {
    this.tracked = tracked;
    this.keys = keys;
    this.reads = reads;
    this.again = reads;
    this.blocks = blocks;
  }

  settle(reply: Reply): Verdict {
    this.#refused = refuses(reply);
    return 'pass';
  }

  after(): void {
    this.tracked.land(this, this.#refused);
  }
}
