/** How often the same is logged at most, in milliseconds. Source: our choice. */
const LOG_EVERY_MS = 10_000;

/** Says something that happens over and over, but not each time. */
export class Seldom {
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #unsaid: number | undefined; // times since it was said; undefined: it never was

  /** @param say called, if that was not done a moment ago, with how often it was not said since */
  tell(say: (unsaid: { readonly unsaid?: number }) => void): void {
    const nowMs = performance.now();
    if (nowMs - this.#saidAtMs < LOG_EVERY_MS) {
      this.#unsaid = (this.#unsaid ?? 0) + 1;
      return;
    }
    const unsaid = this.#unsaid;
    this.#saidAtMs = nowMs;
    this.#unsaid = 0;
    say(unsaid === undefined ? {} : { unsaid });
  }
}
