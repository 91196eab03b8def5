/** What the demo has seen so far, ready to be shown. */
export interface Snapshot {
  readonly elapsedMs: number;
  readonly cachedReads: number;
  readonly redisReads: number;
  readonly writes: number;
  readonly invalidations: number;
  /** Invalidations that named everything. */
  readonly dropAlls: number;
  /** From just before a write was sent until its invalidation was there, in milliseconds. */
  readonly delayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Reads that gave an older value than they may have given. */
  readonly staleReads: number;
  /** Invalidations that were owed and never came; right only once the demo has settled. */
  readonly owed: number;
  /** The write that was last seen to drop a key. */
  readonly last: { readonly key: string; readonly delayMs: number } | undefined;
}

/**
 * How long after a write was confirmed the cache may still give the value before it, in
 * milliseconds. A cache is always a moment behind; a second is no moment.
 */
export const STALE_AFTER_MS = 1_000;

/**
 * Keeps the score of one demo. Pure: times come from outside, in milliseconds of one clock.
 *
 * Memory grows by a number for each write, and the demo's rate and length bound these.
 */
export class Tally {
  readonly #startMs: number;
  readonly #delaysMs: number[] = [];
  /** When the write was sent whose invalidation is owed, by key. */
  readonly #owedSince = new Map<string, number>();
  /** The newest value that Redis has confirmed, and when, by key. */
  readonly #confirmed = new Map<string, { readonly version: number; readonly atMs: number }>();
  #cachedReads = 0;
  #redisReads = 0;
  #writes = 0;
  #invalidations = 0;
  #dropAlls = 0;
  #staleReads = 0;
  #last: Snapshot['last'];

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  /** How many invalidations are owed at this moment. */
  get owed(): number {
    return this.#owedSince.size;
  }

  /** @returns the newest confirmed version of the key, 0 if there is none */
  confirmedVersion(key: string): number {
    return this.#confirmed.get(key)?.version ?? 0;
  }

  /** A write is about to be sent. @param cached whether the client holds the key, and so is owed */
  writing(key: string, cached: boolean, nowMs: number): void {
    if (cached && !this.#owedSince.has(key)) this.#owedSince.set(key, nowMs);
  }

  /** Redis has confirmed a write. */
  wrote(key: string, version: number, nowMs: number): void {
    this.#writes += 1;
    this.#confirmed.set(key, { version, atMs: nowMs });
  }

  /** A read was served from the cache. */
  readCached(key: string, version: number, nowMs: number): void {
    this.#cachedReads += 1;
    const confirmed = this.#confirmed.get(key);
    if (confirmed === undefined || version >= confirmed.version) return;
    if (nowMs - confirmed.atMs > STALE_AFTER_MS) this.#staleReads += 1;
  }

  /** A read went to Redis. @param least the version confirmed before the read was sent */
  readRedis(version: number, least: number): void {
    this.#redisReads += 1;
    if (version < least) this.#staleReads += 1;
  }

  /** An invalidation came. @param key undefined when it named everything */
  dropped(key: string | undefined, nowMs: number): void {
    this.#invalidations += 1;
    if (key === undefined) {
      this.#dropAlls += 1;
      this.#owedSince.clear();
      return;
    }
    const sinceMs = this.#owedSince.get(key);
    if (sinceMs === undefined) return;
    this.#owedSince.delete(key);
    const delayMs = nowMs - sinceMs;
    this.#delaysMs.push(delayMs);
    this.#last = { key, delayMs };
  }

  /** Everything has settled: whatever the cache still holds has to be the newest. */
  checkEntry(key: string, version: number): void {
    if (version < this.confirmedVersion(key)) this.#staleReads += 1;
  }

  snapshot(nowMs: number): Snapshot {
    const sorted = this.#delaysMs.toSorted((a, b) => a - b);
    return {
      elapsedMs: nowMs - this.#startMs,
      cachedReads: this.#cachedReads,
      redisReads: this.#redisReads,
      writes: this.#writes,
      invalidations: this.#invalidations,
      dropAlls: this.#dropAlls,
      delayMs: { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: sorted.at(-1) ?? 0 },
      staleReads: this.#staleReads,
      owed: this.#owedSince.size,
      last: this.#last,
    };
  }
}

/** The nearest-rank quantile; 0 of nothing. */
function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? 0;
}
