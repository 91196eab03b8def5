/** How often invalidations that wait for a late reply are looked at, in milliseconds. */
const TICK_MS = 2;

/** Somebody for whom something may be due. */
interface Ticked {
  /** Does what is due. @returns whether more is waiting */
  tick(): boolean;
}

/** Asks those who wait for their time, now and then, whether it has come. */
export class Ticker<T extends Ticked> {
  readonly #waiting = new Set<T>();
  #timer: NodeJS.Timeout | undefined;

  /** Those who wait. */
  get waiting(): Iterable<T> {
    return this.#waiting;
  }

  /** From now on `one` is asked, until nothing waits there. */
  wake(one: T): void {
    this.#waiting.add(one);
    this.#start();
  }

  delete(one: T): void {
    this.#waiting.delete(one);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  #start(): void {
    // What has arrived meanwhile is read before: a reply that is there is not late.
    this.#timer ??= setTimeout(() => setImmediate(() => this.#tick()), TICK_MS);
  }

  #tick(): void {
    this.#timer = undefined;
    for (const one of this.#waiting) {
      if (!one.tick()) this.#waiting.delete(one);
    }
    if (this.#waiting.size > 0) this.#start();
  }
}
