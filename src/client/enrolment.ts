import type { TrackingState } from '../tracking/options.ts';
import type { ReaderId } from '../tracking/table.ts';
import type { Reader, Tracker } from '../tracking/tracker.ts';

/** What the tracker is asked to tell one client: all that is wanted of it or confirmed to it. */
export class Enrolment {
  readonly #tracker: Tracker;
  readonly #id: ReaderId;
  #watched: ReadonlySet<string> | undefined; // undefined: nothing
  #pending: Set<TrackingState> | undefined; // wanted by what upstream has yet to judge
  #isBcast = false;
  #isNoloop = false;

  constructor(tracker: Tracker, id: ReaderId) {
    this.#tracker = tracker;
    this.#id = id;
  }

  /** The client may soon be in this state: upstream is asked. */
  expect(state: TrackingState): void {
    this.#pending ??= new Set();
    this.#pending.add(state);
  }

  /** Upstream has said whether it is. */
  judged(state: TrackingState): void {
    this.#pending?.delete(state);
  }

  /** Whether it is in BCAST mode in every state in which it may be and track. */
  get isBcast(): boolean {
    return this.#isBcast;
  }

  /** As `isBcast`, of NOLOOP. */
  get isNoloop(): boolean {
    return this.#isNoloop;
  }

  /** @param believed states in which the client may be, besides those that are expected */
  update(reader: Reader, believed: readonly TrackingState[]): void {
    const states = [...(this.#pending ?? []), ...believed].filter(({ on }) => on);
    this.#isBcast = states.every(({ bcast }) => bcast);
    this.#isNoloop = states.every(({ noloop }) => noloop);
    if (states.length > 0) this.#tracker.join(this.#id, reader);
    else this.#tracker.leave(this.#id);
    const prefixes = new Set(states.flatMap((state) => [...state.prefixes]));
    for (const prefix of this.#watched ?? []) {
      if (!prefixes.has(prefix)) this.#tracker.unwatch(prefix, this.#id);
    }
    for (const prefix of prefixes) {
      if (this.#watched?.has(prefix) !== true) this.#tracker.watch(prefix, this.#id);
    }
    this.#watched = prefixes.size === 0 ? undefined : prefixes;
  }
}
