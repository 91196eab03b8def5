/** Upper bounds of the buckets, in seconds. Source: our choice; what is usual lies below 0.01. */
export const LATENCY_BOUNDS_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1,
] as const;

/**
 * A histogram in plain numbers. That of prom-client makes objects at each observation, and can't be
 * told of many that took equally long at once.
 */
export class LatencyHistogram {
  readonly #name: string;
  readonly #help: string;
  readonly #counts = new Float64Array(LATENCY_BOUNDS_SECONDS.length); // each for its bucket alone
  #count = 0;
  #sumSeconds = 0;

  /** @param name of the metric, as Prometheus sees it */
  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  /** @param times how many took that long */
  observe(tookMs: number, times: number): void {
    const seconds = tookMs / 1_000;
    this.#count += times;
    this.#sumSeconds += seconds * times;
    for (let index = 0; index < LATENCY_BOUNDS_SECONDS.length; index++) {
      if (seconds > (LATENCY_BOUNDS_SECONDS[index] as number)) continue;
      this.#counts[index] = (this.#counts[index] as number) + times;
      return;
    }
  }

  /** @returns what Prometheus scrapes: each bucket with all that were faster */
  expose(): string {
    const lines = [`# HELP ${this.#name} ${this.#help}`, `# TYPE ${this.#name} histogram`];
    let upTo = 0;
    for (const [index, bound] of LATENCY_BOUNDS_SECONDS.entries()) {
      upTo += this.#counts[index] as number;
      lines.push(`${this.#name}_bucket{le="${bound}"} ${upTo}`);
    }
    lines.push(
      `${this.#name}_bucket{le="+Inf"} ${this.#count}`,
      `${this.#name}_sum ${this.#sumSeconds}`,
      `${this.#name}_count ${this.#count}`,
    );
    return `${lines.join('\n')}\n`;
  }
}
