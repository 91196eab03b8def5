import type { TrackingState } from '../tracking/options.ts';
import type { ReaderId } from '../tracking/table.ts';
import type { Reader, Tracker } from '../tracking/tracker.ts';

/** What the tracker is asked to tell one client: all that is wanted of it or confirmed to it. */
export class Enrolment {
  readonly #tracker: Tracker;
  readonly #id: ReaderId;
  readonly #watched = new Set<string>();

  constructor(tracker: Tracker, id: ReaderId) {
    this.#tracker = tracker;
    this.#id = id;
  }

  /** @param states in which the client may be */
  update(reader: Reader, states: readonly TrackingState[]): void {
    if (states.some(({ on }) => on)) this.#tracker.join(this.#id, reader);
    else this.#tracker.leave(this.#id);
    const prefixes = new Set(states.flatMap((state) => [...state.prefixes]));
    for (const prefix of this.#watched) {
      if (prefixes.has(prefix)) continue;
      this.#tracker.unwatch(prefix, this.#id);
      this.#watched.delete(prefix);
    }
    for (const prefix of prefixes) {
      if (this.#watched.has(prefix)) continue;
      this.#tracker.watch(prefix, this.#id);
      this.#watched.add(prefix);
    }
  }
}
