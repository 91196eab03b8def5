import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CachingClient } from './caching-client.ts';
import { Connection, type Target } from './connection.ts';
import { STALE_AFTER_MS, type Tally } from './tally.ts';

/** How many keys are read and written. */
const KEY_COUNT = 50;

/** Reads each tick and the length of a tick in milliseconds: 5,000 reads a second. */
const READS_PER_TICK = 50;
const TICK_MS = 10;

/** Pause between writes, in milliseconds: 40 writes a second, each key every 1.25 s. */
const WRITE_EVERY_MS = 25;

/** Seconds after which Redis drops the keys by itself, should the demo be killed. */
const KEYS_LIVE_FOR_SECONDS = 60;

/**
 * One caching client behind the proxy, which reads, and one writer that goes straight to Redis.
 * Values are counters, so that an older one is known when it is seen. The load is bounded: one
 * write and one read a key are under way at most.
 */
export class Workload {
  readonly #keys: readonly string[];
  readonly #tally: Tally;
  readonly #ended = new AbortController();
  readonly #reader: CachingClient;
  readonly #writer: Connection;
  #tick: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(parts: {
    readonly reader: CachingClient;
    readonly writer: Connection;
    readonly tally: Tally;
  }) {
    const run = randomBytes(4).toString('hex');
    const name = (n: number) => `sidetrack:demo:${run}:${String(n).padStart(2, '0')}`;
    this.#keys = Array.from({ length: KEY_COUNT }, (_, n) => name(n));
    this.#reader = parts.reader;
    this.#writer = parts.writer;
    this.#tally = parts.tally;
  }

  /**
   * Connects both.
   *
   * @param parts.lost called when one of the two connections breaks
   * @throws ProxyError UPSTREAM_UNREACHABLE, UPSTREAM_REFUSED
   */
  static async open(parts: {
    readonly proxy: Target;
    readonly redis: Target;
    readonly tally: Tally;
    lost(error: Error): void;
  }): Promise<Workload> {
    const { proxy, redis, tally, lost } = parts;
    const reader = await CachingClient.open(proxy, {
      dropped: (key) => tally.dropped(key, performance.now()),
      lost,
    });
    try {
      const writer = await Connection.open(redis, { push: () => {}, lost });
      return new Workload({ reader, writer, tally });
    } catch (error) {
      reader.close();
      throw error;
    }
  }

  /** Creates the keys, then reads and writes until {@link Workload.settle}. */
  async start(seconds: number): Promise<void> {
    const lifetime = String(seconds + KEYS_LIVE_FOR_SECONDS);
    for (const key of this.#keys) await this.#writer.demand('SET', key, '0', 'EX', lifetime);
    this.#tick = setInterval(() => this.#readSome(), TICK_MS);
    this.#writing = this.#write();
  }

  /** Stops reading and writing, waits for what is owed, and checks what the cache holds. */
  async settle(): Promise<void> {
    clearInterval(this.#tick);
    this.#ended.abort();
    await this.#writing;
    const deadlineMs = performance.now() + STALE_AFTER_MS;
    while (this.#tally.owed > 0 && performance.now() < deadlineMs) await sleep(5);
    for (const [key, value] of this.#reader.entries()) this.#tally.checkEntry(key, Number(value));
  }

  /** Removes the keys and closes both connections. Never throws: the end is near anyway. */
  async close(): Promise<void> {
    clearInterval(this.#tick);
    this.#ended.abort();
    await this.#writing.catch(() => {});
    await this.#writer.call('DEL', ...this.#keys).catch(() => {});
    this.#writer.close();
    this.#reader.close();
  }

  #readSome(): void {
    for (let n = 0; n < READS_PER_TICK; n++) {
      // Squared, so that some keys are hotter than others, as everywhere.
      const key = this.#keys[Math.floor(KEY_COUNT * Math.random() ** 2)];
      if (key === undefined || this.#reader.isReading(key)) continue;
      const value = this.#reader.peek(key);
      if (value === undefined) void this.#fetch(key);
      else this.#tally.readCached(key, Number(value), performance.now());
    }
  }

  async #fetch(key: string): Promise<void> {
    const least = this.#tally.confirmedVersion(key);
    try {
      this.#tally.readRedis(Number(await this.#reader.fetch(key)), least);
    } catch {
      // The connection broke, and `lost` has said so.
    }
  }

  async #write(): Promise<void> {
    const { signal } = this.#ended;
    try {
      while (!signal.aborted) {
        for (const key of shuffled(this.#keys)) {
          await sleep(WRITE_EVERY_MS, undefined, { signal });
          this.#tally.writing(key, this.#reader.has(key), performance.now());
          const version = Number(await this.#writer.demand('INCR', key));
          this.#tally.wrote(key, version, performance.now());
        }
      }
    } catch {
      // Ended while it slept, or the connection broke, and `lost` has said so.
    }
  }
}

function shuffled(keys: readonly string[]): string[] {
  return keys
    .map((key) => ({ key, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ key }) => key);
}
