import { Connection, type ConnectionEvents, type Target } from './connection.ts';
import type { Reply } from './reply-reader.ts';

/** What a caching client tells as it happens. */
export interface CacheEvents {
  /** A key was dropped, or everything (undefined). Called before the next read can happen. */
  dropped(key: string | undefined): void;
  lost: ConnectionEvents['lost'];
}

/**
 * A client that keeps what it read until it is told that it changed: `CLIENT TRACKING ON` and a
 * map, which is all that client-side caching takes.
 *
 * A reply is not kept when its key was dropped while it was under way: then it may be old.
 */
export class CachingClient {
  readonly #cache = new Map<string, string | null>();
  /** Keys being read now; false once an invalidation has come in between. */
  readonly #underWay = new Map<string, { fresh: boolean }>();
  readonly #events: CacheEvents;
  #connection: Connection | undefined;

  private constructor(events: CacheEvents) {
    this.#events = events;
  }

  /** @throws ProxyError as {@link Connection.open}, or UPSTREAM_REFUSED without tracking */
  static async open(target: Target, events: CacheEvents): Promise<CachingClient> {
    const client = new CachingClient(events);
    const connection = await Connection.open(target, {
      push: (value) => client.#pushed(value),
      lost: (error) => events.lost(error),
    });
    client.#connection = connection;
    await connection.demand('CLIENT', 'TRACKING', 'ON');
    return client;
  }

  /** Whether the cache holds the key, and so an invalidation is owed when it changes. */
  has(key: string): boolean {
    return this.#cache.has(key);
  }

  /** What the cache holds, without asking anybody. */
  entries(): IterableIterator<[string, string | null]> {
    return this.#cache.entries();
  }

  /** Whether the key is being read from Redis at this moment. */
  isReading(key: string): boolean {
    return this.#underWay.has(key);
  }

  /** @returns the cached value; undefined when {@link CachingClient.fetch} has to be asked */
  peek(key: string): string | null | undefined {
    return this.#cache.get(key);
  }

  /** Reads the key from Redis and keeps it. @throws ProxyError UPSTREAM_REFUSED */
  async fetch(key: string): Promise<string | null> {
    const reading = { fresh: true };
    this.#underWay.set(key, reading);
    try {
      const reply = await this.#connection?.demand('GET', key);
      const value = typeof reply === 'string' ? reply : null;
      if (reading.fresh) this.#cache.set(key, value);
      return value;
    } finally {
      this.#underWay.delete(key);
    }
  }

  close(): void {
    this.#connection?.close();
  }

  #pushed(value: Reply): void {
    if (!Array.isArray(value) || value[0] !== 'invalidate') return;
    const keys: unknown = value[1];
    if (!Array.isArray(keys)) {
      this.#cache.clear();
      for (const reading of this.#underWay.values()) reading.fresh = false;
      this.#events.dropped(undefined);
      return;
    }
    for (const key of keys) {
      if (typeof key !== 'string') continue;
      this.#cache.delete(key);
      const reading = this.#underWay.get(key);
      if (reading !== undefined) reading.fresh = false;
      this.#events.dropped(key);
    }
  }
}
