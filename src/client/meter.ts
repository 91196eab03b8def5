import type { TrackingState } from '../tracking/options.ts';

/** Numbers of invalidations that only grow, by the way that they take. */
export interface DeliveryCounts {
  deliveriesPush: number;
  deliveriesRedirect: number;
  deliveriesBcast: number;
}

/** What a meter needs from around it. */
export interface MeterParts {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly counts: DeliveryCounts;
  /** Told how long it took from a notification to a push. @param times how many took that long */
  readonly observe: (tookMs: number, times: number) => void;
}

/**
 * What is measured of invalidations on their way: one meter for all clients.
 *
 * Notifications come as fast as writes, so none is timed by itself. The clock is read when the first
 * of a chunk is heard and, if any push has left meanwhile, when the last has been dealt with: all
 * pushes of the chunk count as that late. What is put off takes the time of its chunk with it.
 */
export class Meter {
  readonly #parts: MeterParts;
  #heardAtMs = 0; // 0: what happens now was told by no notification
  #pushes = 0; // since then
  /** How many invalidations wait for the reply to a request in flight. */
  parkedCount = 0;

  /** @param parts default: nobody reads it */
  constructor(parts: MeterParts = UNREAD) {
    this.#parts = parts;
  }

  /** When the chunk came that is being dealt with, in milliseconds of the clock; 0: there is none. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** A notification was heard. */
  heard(): void {
    if (this.#heardAtMs === 0) this.#heardAtMs = this.#parts.now();
  }

  /** The chunk of notifications has been dealt with. */
  endOfChunk(): void {
    this.#turnTo(0);
  }

  /** An invalidation leaves, for a client whose tracking is like that. */
  sent({ redirect, bcast }: TrackingState): void {
    if (redirect !== 0) this.#parts.counts.deliveriesRedirect += 1;
    else if (bcast) this.#parts.counts.deliveriesBcast += 1;
    else this.#parts.counts.deliveriesPush += 1;
  }

  /** A push was handed to a socket. */
  pushed(): void {
    if (this.#heardAtMs !== 0) this.#pushes += 1;
  }

  /** Has `deliver` send `what`, which was put off. @param heardAtMs as it was then */
  late<T>(heardAtMs: number, deliver: (what: T) => void, what: T): void {
    const before = this.#heardAtMs;
    this.#turnTo(heardAtMs);
    try {
      deliver(what);
    } finally {
      this.#turnTo(before);
    }
  }

  #turnTo(heardAtMs: number): void {
    if (this.#pushes > 0) {
      this.#parts.observe(this.#parts.now() - this.#heardAtMs, this.#pushes);
      this.#pushes = 0;
    }
    this.#heardAtMs = heardAtMs;
  }
}

const UNREAD: MeterParts = {
  now: () => 0,
  counts: { deliveriesPush: 0, deliveriesRedirect: 0, deliveriesBcast: 0 },
  observe: () => {},
};
