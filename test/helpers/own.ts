import { Fence } from './fence.ts';
import { test as base, targetOf } from './fixtures.ts';
import { Hop } from './hop.ts';
import { type ProxyOverrides, type RunningProxy, startProxy } from './proxy.ts';
import { RawClient, type Request, type Target } from './raw-client.ts';
import { type RedisProcess, startRedis } from './redis.ts';

/** What a test makes of its own, each of which ends with it, the last one first. */
export interface Own {
  redis(): Promise<RedisProcess>;
  hop(behind: RedisProcess): Promise<Hop>;
  proxy(upstream: string, overrides?: ProxyOverrides): Promise<RunningProxy>;
  fence(proxy: RunningProxy, redis: RedisProcess): Promise<Fence>;
  client(target: Target, ...requests: readonly Request[]): Promise<RawClient>;
  atEnd(step: () => unknown): void;
}

/** `test` with servers and clients that one test makes and that end with it. */
export const test = base.extend<{ own: Own }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads a fixture's needs from its pattern
  own: async ({}, use) => {
    const steps: (() => unknown)[] = [];
    const kept = <T>(one: T, end: (one: T) => unknown): T => {
      steps.push(() => end(one));
      return one;
    };
    await use({
      redis: async () => kept(await startRedis(), (redis) => redis.stop()),
      hop: async (behind) => kept(await Hop.open(targetOf(behind)), (hop) => hop.close()),
      proxy: async (upstream, overrides) =>
        kept(await startProxy(upstream, overrides), (proxy) => proxy.stop()),
      fence: async (proxy, redis) =>
        kept(await Fence.open(proxy.target, targetOf(redis)), (fence) => fence.close()),
      client: async (target, ...requests) => {
        const client = kept(await RawClient.connect(target), (one) => one.close());
        await client.pipeline(requests);
        return client;
      },
      atEnd: (step) => steps.push(step),
    });
    for (const step of steps.reverse()) await step();
  },
});
