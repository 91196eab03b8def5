/**
 * How often a lane is used at least that must not be idle for too long, in milliseconds, and while
 * upstream's limit is not known yet. Source: our choice. The one bounds what somebody may set
 * `timeout` to without being noticed at once; the other is half of the shortest `timeout` there is.
 */
const BEAT_LONGEST_MS = 10_000;
const BEAT_SHORTEST_MS = 500;

/** How long what is known of the limit counts, in milliseconds: it may be changed at any time. */
const FRESH_MS = 60_000;

/** Asks upstream for its `timeout`. @returns it in seconds; undefined where it does not say */
export type AskTimeout = () => Promise<number | undefined>;

/**
 * After how long upstream ends an idle connection. Asked for when somebody needs to know, and again
 * when the answer has aged.
 */
export class IdleTimeout {
  readonly #ask: AskTimeout;
  readonly #now: () => number;
  #beatMs = BEAT_SHORTEST_MS;
  #askedAt: number | undefined;

  /** @param now milliseconds of a clock that never goes back */
  constructor(ask: AskTimeout, now: () => number) {
    this.#ask = ask;
    this.#now = now;
  }

  /** How often a lane has to be used to be kept, in milliseconds, as far as is known. */
  get beatMs(): number {
    const now = this.#now();
    if (this.#askedAt === undefined || now - this.#askedAt > FRESH_MS) {
      this.#askedAt = now;
      void this.#load();
    }
    return this.#beatMs;
  }

  async #load(): Promise<void> {
    try {
      this.#beatMs = beatMsFor(await this.#ask());
    } catch {
      // Upstream is away: what was known before has to do.
    }
  }
}

/** @param timeoutSeconds 0: upstream has no limit; undefined: it does not say */
function beatMsFor(timeoutSeconds = 0): number {
  if (timeoutSeconds === 0) return BEAT_LONGEST_MS; // somebody may set one
  return Math.max(BEAT_SHORTEST_MS, Math.min(BEAT_LONGEST_MS, timeoutSeconds * 500));
}
