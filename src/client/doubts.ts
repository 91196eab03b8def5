import { refuseCaching, type TrackingState } from '../tracking/options.ts';
import type { Mark } from './mark.ts';

/** Something that is believed when a request is read, and false if upstream refuses it. */
export interface Doubt {
  readonly refused: boolean;
}

interface OpenDoubt {
  refused: boolean;
}

/**
 * What is believed of a client's tracking and not confirmed. A read that is not tracked because of
 * it must not be cached if it turns out false, for then the client counts on its being tracked.
 */
export class Doubts {
  #state: OpenDoubt | undefined; // one for all CLIENT TRACKING whose outcome is open
  #mark: OpenDoubt | undefined; // of the last CLIENT CACHING
  #openCount = 0;

  /** Whether the outcome of any CLIENT TRACKING is open. */
  get isOpen(): boolean {
    return this.#openCount > 0;
  }

  /** A CLIENT TRACKING is believed in. */
  open(): void {
    this.#openCount += 1;
    this.#state ??= { refused: false };
  }

  /** The outcome of one of them is known. */
  conclude(refused: boolean): void {
    if (refused && this.#state !== undefined) this.#state.refused = true;
    this.#openCount -= 1;
    if (this.#openCount === 0) this.#state = undefined;
  }

  /**
   * `CLIENT CACHING word` was read.
   *
   * @param wanted what is believed of the tracking that it is for
   * @returns to be told if upstream refuses what is believed: that the mark is set
   */
  caching(word: string, wanted: TrackingState, mark: Mark): OpenDoubt | undefined {
    if (refuseCaching(word, wanted) === undefined) {
      mark.set();
      this.#mark = { refused: false };
      return this.#mark;
    }
    if (this.isOpen) mark.doubt(word);
    return undefined;
  }

  /** @param isMarked whether a mark keeps reads from being tracked now */
  current(isMarked: boolean): Doubt | undefined {
    const state = this.#state;
    const mark = isMarked ? this.#mark : undefined;
    if (state === undefined || mark === undefined) return state ?? mark;
    return {
      get refused() {
        return state.refused || mark.refused;
      },
    };
  }
}
