interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** What is to be done at some time of the simulated clock. */
export class Timers {
  #timers: readonly Timer[] = [];

  /** @returns what forgets it */
  set(dueMs: number, run: () => void): () => void {
    const timer = { dueMs, run };
    this.#timers = [...this.#timers, timer];
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Does what is due. */
  tick(nowMs: number): void {
    const due = this.#timers.filter(({ dueMs }) => dueMs <= nowMs);
    this.#timers = this.#timers.filter(({ dueMs }) => dueMs > nowMs);
    for (const { run } of due) run();
  }
}
