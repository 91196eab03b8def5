/** How often silent clients are looked for, in milliseconds. Source: Redis does once a second. */
const SWEEP_MS = 1_000;

/** Somebody who may be silent for too long. */
export interface Idler {
  /** Changes whenever bytes come from it or leave to it. */
  readonly progress: number;
  /** Whether it has nothing to say, for it waits for a reply or for what comes unasked. */
  readonly isWaiting: boolean;
  /** It has been silent for too long. */
  expire(): void;
}

/**
 * Finds those who have been silent for too long. One timer serves all, and traffic costs nothing: what
 * each has sent and got is compared with a second ago.
 */
export class IdleSweep {
  readonly #timeoutSeconds: number;
  readonly #idlers: Iterable<Idler>;
  readonly #seen = new WeakMap<Idler, { progress: number; quietSweeps: number }>();
  #timer: NodeJS.Timeout | undefined;

  /** @param timeoutSeconds 0: never */
  constructor(timeoutSeconds: number, idlers: Iterable<Idler>) {
    this.#timeoutSeconds = timeoutSeconds;
    this.#idlers = idlers;
  }

  start(): void {
    if (this.#timeoutSeconds === 0) return;
    // What has arrived meanwhile is read before: nobody is silent because we were busy.
    this.#timer = setInterval(() => setImmediate(() => this.#sweep()), SWEEP_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sweep(): void {
    for (const idler of this.#idlers) {
      const seen = this.#seen.get(idler);
      const { progress } = idler;
      if (seen === undefined || seen.progress !== progress) {
        this.#seen.set(idler, { progress, quietSweeps: 0 });
        continue;
      }
      seen.quietSweeps += 1;
      if (seen.quietSweeps >= this.#timeoutSeconds && !idler.isWaiting) idler.expire();
    }
  }
}
