import { expect, vi } from 'vitest';
import { targetOf } from './fixtures.ts';
import type { Hop } from './hop.ts';
import { WITHOUT_HELLO } from './old-upstream.ts';
import { test as base, type Own } from './own.ts';
import type { ProxyOverrides, RunningProxy } from './proxy.ts';
import type { RawClient, Request } from './raw-client.ts';
import { type RedisProcess, startRedis } from './redis.ts';

/** How long what must come may take, in milliseconds. */
const POLL = { timeout: 10_000, interval: 2 } as const;

/** A proxy in front of a Redis that speaks RESP2 only. */
export interface Scene {
  readonly redis: RedisProcess;
  readonly hop: Hop;
  readonly proxy: RunningProxy;
  /** Speaks to Redis. */
  readonly direct: RawClient;
  /** Speaks to the proxy; what it sends first must be answered. */
  client(...requests: readonly Request[]): Promise<RawClient>;
  /** Waits until upstream has so many connections of clients that listen. */
  listening(count: number): Promise<void>;
}

/** How it differs from a usual one. */
export interface Setting {
  readonly args?: readonly string[];
  readonly proxy?: ProxyOverrides;
}

/** `test` with such a scene, which ends with it. */
export const test = base.extend<{ scene: (setting?: Setting) => Promise<Scene> }>({
  scene: async ({ own }, use) => {
    await use((setting = {}) => start(own, setting));
  },
});

async function start(own: Own, { args = [], proxy: overrides }: Setting): Promise<Scene> {
  const redis = await oldRedis(own, args);
  const hop = await own.hop(redis);
  const proxy = await own.proxy(hop.url, overrides);
  const direct = await own.client(targetOf(redis));
  const before = await listeners(direct); // the proxy itself
  const listening = (count: number) =>
    vi.waitFor(async () => expect(await listeners(direct)).toBe(before + count), POLL);
  return {
    redis,
    hop,
    proxy,
    direct,
    client: (...requests) => own.client(proxy.target, ...requests),
    listening,
  };
}

/** @param args for redis-server, beside those that take HELLO from it */
export async function oldRedis(own: Own, args: readonly string[] = []): Promise<RedisProcess> {
  const redis = await startRedis({ args: [...(WITHOUT_HELLO.args ?? []), ...args] });
  own.atEnd(() => redis.stop());
  return redis;
}

/** @returns how many connections listen at `direct` */
async function listeners(direct: RawClient): Promise<number> {
  const list = await direct.call('CLIENT LIST TYPE pubsub');
  return list.split('id=').length - 1;
}
