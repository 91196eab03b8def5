/** How many events are remembered; some twenty seconds of a run. */
const EVENTS_MAX_COUNT = 120_000;

interface Event {
  readonly ms: number;
  /** The keys that it is about; none: all. */
  readonly keys: readonly string[];
  readonly who: string;
  readonly what: string;
}

/** What has happened of late, to be told when something goes wrong. */
export class Chronicle {
  #events: Event[] = [];

  /** @param keys none: it is about all keys */
  note(who: string, what: string, keys: readonly string[] = NO_KEYS): void {
    if (this.#events.length >= 2 * EVENTS_MAX_COUNT) {
      this.#events = this.#events.slice(EVENTS_MAX_COUNT);
    }
    this.#events.push({ ms: performance.now(), keys, who, what });
  }

  /**
   * @param keys    what it was about
   * @param readers others than these have no part in it, unless they write
   * @returns what has happened to `keys` since `fromMs`, one line each, with the time before `toMs`
   */
  tell(keys: readonly string[], isTold: (who: string) => boolean, fromMs: number, toMs: number) {
    return this.#events
      .filter((event) => event.ms >= fromMs && isTold(event.who))
      .filter((event) => event.keys.length === 0 || event.keys.some((key) => keys.includes(key)))
      .map(({ ms, who, what }) => `${(ms - toMs).toFixed(1).padStart(10)} ms  ${who}: ${what}`);
  }
}

const NO_KEYS: readonly string[] = [];
