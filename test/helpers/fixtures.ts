import { test as base } from 'vitest';
import { Fence } from './fence.ts';
import { type RunningProxy, startProxy } from './proxy.ts';
import { RawClient, type Request, type Target } from './raw-client.ts';
import { type RedisProcess, startRedis } from './redis.ts';

/** Who is spoken to: the proxy, the Redis behind it, or a Redis that tracks by itself. */
export type Via = 'proxy' | 'redis' | 'native';

/**
 * Connects a client, which is closed when the test is over.
 *
 * @param requests what it sends first, each of which must be answered and must not fail
 */
export type Open = (via: Via, ...requests: readonly Request[]) => Promise<RawClient>;

/** @returns where a Redis listens */
export function targetOf(redis: RedisProcess): Target {
  if (redis.path !== undefined) return { path: redis.path };
  return { port: redis.port as number };
}

interface FileFixtures {
  /** The Redis behind `proxy`. */
  readonly redis: RedisProcess;
  readonly proxy: RunningProxy;
  /** A Redis nobody stands in front of. */
  readonly native: RedisProcess;
  /** For clients of `proxy`. */
  readonly fence: Fence;
}

interface TestFixtures {
  readonly open: Open;
}

/**
 * `test` with servers that all tests of a file share, started when first asked for, and with
 * clients that end with the test. Tests that kill or spoil a server start their own.
 */
export const test = base.extend<{ $file: FileFixtures; $test: TestFixtures }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads a fixture's needs from its pattern
  redis: [({}, use) => using(startRedis(), use), { scope: 'file' }],
  // biome-ignore lint/correctness/noEmptyPattern: as above
  native: [({}, use) => using(startRedis(), use), { scope: 'file' }],
  proxy: [({ redis }, use) => using(startProxy(redis.url), use), { scope: 'file' }],
  fence: [
    async ({ redis, proxy }, use) => {
      const fence = await Fence.open(proxy.target, targetOf(redis));
      await use(fence);
      fence.close();
    },
    { scope: 'file' },
  ],
  open: [
    async ({ redis, proxy, native }, use) => {
      const targets = { proxy: proxy.target, redis: targetOf(redis), native: targetOf(native) };
      const clients: RawClient[] = [];
      await use(async (via, ...requests) => {
        const client = await RawClient.connect(targets[via]);
        clients.push(client);
        for (const request of requests) {
          const answer = await client.call(request);
          if (answer.startsWith('-')) throw new Error(`${String(request)}: ${answer}`);
        }
        return client;
      });
      for (const client of clients) client.close();
    },
    { scope: 'test' },
  ],
});

async function using<T extends { stop(): Promise<void> }>(
  starting: Promise<T>,
  use: (started: T) => Promise<void>,
): Promise<void> {
  const started = await starting;
  try {
    await use(started);
  } finally {
    await started.stop();
  }
}
