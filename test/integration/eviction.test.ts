import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningProxy, startProxy } from '../helpers/proxy.ts';
import { RawClient, type Request } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';

/** One round of writes that fill the memory: so many values of so many bytes. */
const ROUND_COUNT = 40;
const VALUE_BYTES = 20_000;
/** After so many rounds, some 40 MB for a server of 6, whatever was not used must be gone. */
const ROUNDS_MAX_COUNT = 50;

const ends: (() => unknown)[] = [];
let redis: RedisProcess;
let direct: RawClient;

async function open(args: readonly string[]): Promise<void> {
  redis = await startRedis({ args });
  ends.push(() => redis.stop());
  direct = await RawClient.connect({ path: redis.path as string });
  ends.push(() => direct.close());
}

async function proxyWith(trackingTableMaxKeys: number): Promise<RunningProxy> {
  const proxy = await startProxy(redis.url, { trackingTableMaxKeys });
  ends.push(() => proxy.stop());
  return proxy;
}

async function connect(proxy: RunningProxy, ...requests: readonly Request[]): Promise<RawClient> {
  const client = await RawClient.connect(proxy.target);
  ends.push(() => client.close());
  await client.pipeline(['HELLO 3', ...requests]);
  return client;
}

const invalidated = (key: string) => `>["invalidate" *["${key}"]]`;
const frames = (client: RawClient, from: number) =>
  client.frames.slice(from).map(({ text }) => text);

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

describe('a key that upstream evicts', () => {
  beforeEach(() => open(['--maxmemory', '6mb', '--maxmemory-policy', 'allkeys-lru']));

  /** Has `writer` write until k is gone. */
  async function fill(writer: RawClient): Promise<void> {
    const value = 'x'.repeat(VALUE_BYTES);
    for (let round = 0; round < ROUNDS_MAX_COUNT; round++) {
      const writes = Array.from({ length: ROUND_COUNT }, (_, index) => [
        'SET',
        `fill:${round}:${index}`,
        value,
      ]);
      await writer.pipeline(writes);
      if ((await direct.call('EXISTS k')) === ':0') return;
    }
    throw new Error('k was never evicted');
  }

  test('is invalidated for whoever has read it, with NOLOOP too', async () => {
    const proxy = await proxyWith(1_000_000);
    await direct.call('SET k v');
    const readers = [
      await connect(proxy, 'CLIENT TRACKING ON', 'GET k'),
      await connect(proxy, 'CLIENT TRACKING ON NOLOOP', 'GET k'),
      await connect(proxy, 'CLIENT TRACKING ON BCAST PREFIX k'),
      await connect(proxy, 'CLIENT TRACKING ON BCAST NOLOOP PREFIX k'),
    ];
    await fill(direct);
    for (const reader of readers) expect(await reader.sawPushes(1)).toEqual([invalidated('k')]);
  });

  test('by the writes of a NOLOOP client is no write of its own', async () => {
    const proxy = await proxyWith(1_000_000);
    await direct.call('SET k v');
    const [reader, watcher] = [
      await connect(proxy, 'CLIENT TRACKING ON NOLOOP', 'GET k'),
      await connect(proxy, 'CLIENT TRACKING ON BCAST NOLOOP PREFIX k'),
    ];
    await fill(reader);
    expect(await reader.sawPushes(1)).toEqual([invalidated('k')]);
    expect(await watcher.sawPushes(1)).toEqual([invalidated('k')]);
  });
});

describe('a tracking table that is full', () => {
  beforeEach(() => open([]));

  test('gives up the oldest key when a read needs the room', async () => {
    const proxy = await proxyWith(2);
    const reader = await connect(proxy, 'CLIENT TRACKING ON', 'GET a', 'GET b', 'GET a');
    await reader.call('GET c');
    expect(await reader.sawPushes(1)).toEqual([invalidated('a')]);
    await reader.call('GET d');
    expect(await reader.sawPushes(2)).toEqual([invalidated('a'), invalidated('b')]);
    expect(proxy.metrics.counts.invalidationsTableFull).toBe(2);
    await direct.pipeline(['SET a 1', 'SET b 1', 'SET d 1']);
    expect((await reader.sawPushes(3)).slice(2)).toEqual([invalidated('d')]);
  });

  test.for([
    { name: 'one read of three keys', reads: ['MGET a b c'] },
    { name: 'three reads in one piece', reads: ['GET a', 'GET b', 'GET c'] },
  ])('never tells of a key ahead of the value that is on its way: $name', async ({ reads }) => {
    const proxy = await proxyWith(2);
    const reader = await connect(proxy, 'CLIENT TRACKING ON');
    const from = reader.frames.length;
    await reader.pipeline(reads);
    expect(await reader.sawPushes(1)).toEqual([invalidated('a')]);
    expect(frames(reader, from)[1]).toBe(invalidated('a'));
  });

  test('tells the readers of the key, whoever needs the room', async () => {
    const proxy = await proxyWith(2);
    const [first, second, other] = [
      await connect(proxy, 'CLIENT TRACKING ON', 'GET a'),
      await connect(proxy, 'CLIENT TRACKING ON', 'GET a'),
      await connect(proxy, 'CLIENT TRACKING ON NOLOOP', 'GET b', 'GET c'),
    ];
    for (const reader of [first, second]) {
      expect(await reader.sawPushes(1)).toEqual([invalidated('a')]);
    }
    expect(await other.call('PING')).toBe('+PONG');
    expect(other.pushes).toEqual([]);
  });

  test('that is made smaller with CONFIG SET gives up keys at once', async () => {
    const proxy = await proxyWith(0);
    const reader = await connect(proxy, 'CLIENT TRACKING ON', 'GET a', 'GET b', 'GET c');
    const admin = await connect(proxy);
    expect(await admin.call('CONFIG SET tracking-table-max-keys 1')).toBe('+OK');
    expect(await reader.sawPushes(2)).toEqual([invalidated('a'), invalidated('b')]);
    expect(await admin.call('INFO stats')).toContain('tracking_total_keys:1\\x0d');
    expect(await admin.call('CONFIG GET tracking-table-max-keys')).toBe(
      '%["tracking-table-max-keys" "1"]',
    );
    expect(await admin.call('CONFIG SET tracking-table-max-keys -1')).toMatch(/^-ERR/);
    await direct.pipeline(['SET a 1', 'SET c 1']);
    expect((await reader.sawPushes(3)).slice(2)).toEqual([invalidated('c')]);
  });
});
