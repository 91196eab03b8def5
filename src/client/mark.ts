import { refuseCaching, type TrackingState } from '../tracking/options.ts';

/** The mark of CLIENT CACHING, for the requests that are being read: it holds for one of them. */
export class Mark {
  #isSet = false;
  #word: string | undefined; // of a CLIENT CACHING that was judged by what may turn out false

  get isSet(): boolean {
    return this.#isSet;
  }

  set(): void {
    this.#isSet = true;
    this.#word = undefined;
  }

  clear(): void {
    this.#isSet = false;
    this.#word = undefined;
  }

  /** `CLIENT CACHING word` is refused if what is believed now is true. */
  doubt(word: string): void {
    this.#word = word;
  }

  /** It is known what is true. A NO need not be made good: a read is tracked then that need not be. */
  judge(state: TrackingState): void {
    const isGranted = this.#word !== undefined && refuseCaching(this.#word, state) === undefined;
    if (isGranted && state.optin) this.set();
    this.#word = undefined;
  }
}
