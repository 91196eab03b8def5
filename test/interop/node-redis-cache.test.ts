import { setImmediate } from 'node:timers/promises';
import {
  BasicClientSideCache,
  BasicPooledClientSideCache,
  createClient,
  createClientPool,
  RESP_TYPES,
} from 'redis';
import { describe, expect } from 'vitest';
import type { NodeRedis } from '../helpers/interop.ts';
import { addressOf, EVERY_BYTE, eventually, numbered, test } from '../helpers/interop.ts';
import type { RunningProxy } from '../helpers/proxy.ts';

type AtEnd = (step: () => void) => void;

/** A client that keeps what it reads, and the cache in which it does. */
async function cachingClient(proxy: RunningProxy, atEnd: AtEnd) {
  const cache = new BasicClientSideCache();
  const client = createClient({ RESP: 3, socket: addressOf(proxy), clientSideCache: cache });
  client.on('error', () => {});
  await client.connect();
  atEnd(() => client.destroy());
  const counted = () => {
    const { hitCount, missCount } = cache.stats();
    return { hits: hitCount, misses: missCount, entries: cache.size() };
  };
  return { client, cache, counted };
}

type CachingClient = Awaited<ReturnType<typeof cachingClient>>['client'];

/** One read that is cached, and a change by somebody else that the cache must hear of. */
interface Read {
  readonly name: string;
  readonly seed: (direct: NodeRedis) => Promise<unknown>;
  readonly read: (client: CachingClient) => Promise<unknown>;
  readonly before: unknown;
  readonly change: (direct: NodeRedis) => Promise<unknown>;
  readonly after: unknown;
}

const READS: readonly Read[] = [
  {
    name: 'GET',
    seed: (direct) => direct.set('k', 'old'),
    read: (client) => client.get('k'),
    before: 'old',
    change: (direct) => direct.set('k', 'new'),
    after: 'new',
  },
  {
    name: 'GET of a key that is not there yet',
    seed: async () => {},
    read: (client) => client.get('k'),
    before: null,
    change: (direct) => direct.set('k', 'new'),
    after: 'new',
  },
  {
    name: 'MGET, of which one key changes',
    seed: (direct) => direct.mSet({ a: '1', b: '2', c: '3' }),
    read: (client) => client.mGet(['a', 'b', 'c']),
    before: ['1', '2', '3'],
    change: (direct) => direct.incr('b'),
    after: ['1', '3', '3'],
  },
  {
    name: 'HGETALL',
    seed: (direct) => direct.hSet('h', { f: '1', g: '2' }),
    read: async (client) => ({ ...(await client.hGetAll('h')) }),
    before: { f: '1', g: '2' },
    change: (direct) => direct.hDel('h', 'f'),
    after: { g: '2' },
  },
  {
    name: 'LRANGE',
    seed: (direct) => direct.rPush('l', ['a', 'b']),
    read: (client) => client.lRange('l', 0, -1),
    before: ['a', 'b'],
    change: (direct) => direct.rPush('l', 'c'),
    after: ['a', 'b', 'c'],
  },
  {
    name: 'ZRANGE, of a key that is deleted',
    seed: (direct) => direct.zAdd('z', { score: 1, value: 'm' }),
    read: (client) => client.zRangeWithScores('z', 0, -1),
    before: [{ score: 1, value: 'm' }],
    change: (direct) => direct.del('z'),
    after: [],
  },
];

describe('redis 6 with clientSideCache', () => {
  test.for(READS)('$name', async (row, { proxy, direct, heard, atEnd }) => {
    const { client, cache, counted } = await cachingClient(proxy, atEnd);
    await row.seed(direct);
    await heard();
    expect(await row.read(client)).toEqual(row.before);
    expect(await row.read(client)).toEqual(row.before);
    expect(counted()).toEqual({ hits: 1, misses: 1, entries: 1 });
    await row.change(direct);
    await eventually(() => expect(cache.size()).toBe(0));
    expect(await row.read(client)).toEqual(row.after);
    expect(await row.read(client)).toEqual(row.after);
    expect(counted()).toEqual({ hits: 2, misses: 2, entries: 1 });
  });

  test('a change drops all that was read from its key and nothing else', async ({
    proxy,
    direct,
    heard,
    atEnd,
  }) => {
    const { client, counted } = await cachingClient(proxy, atEnd);
    await direct.mSet({ k: 'text', other: 'stays' });
    await heard();
    await Promise.all([client.get('k'), client.strLen('k'), client.get('other')]);
    expect(counted()).toEqual({ hits: 0, misses: 3, entries: 3 });
    await direct.append('k', 's');
    await eventually(() => expect(counted().entries).toBe(1));
    expect(await client.get('other')).toBe('stays');
    expect(counted()).toEqual({ hits: 1, misses: 3, entries: 1 });
    expect(await Promise.all([client.get('k'), client.strLen('k')])).toEqual(['texts', 5]);
  });

  test('its own write drops the entry too', async ({ proxy, atEnd }) => {
    const { client, counted } = await cachingClient(proxy, atEnd);
    expect(await client.get('k')).toBe(null);
    await client.set('k', 'mine');
    await eventually(() => expect(counted().entries).toBe(0));
    expect(await client.get('k')).toBe('mine');
  });

  test.for(['flushAll', 'flushDb'] as const)(
    '%s clears all',
    async (flush, { proxy, direct, heard, atEnd }) => {
      const { client, counted } = await cachingClient(proxy, atEnd);
      const another = await createClient({ RESP: 3, socket: addressOf(proxy) }).connect();
      atEnd(() => another.destroy());
      const keys = numbered('key', 20);
      for (const flusher of [another, client]) {
        for (const key of keys) await direct.set(key, 'value');
        await heard();
        await Promise.all(keys.map((key) => client.get(key)));
        expect(counted().entries).toBe(20);
        await flusher[flush]();
        await eventually(() => expect(counted().entries).toBe(0));
        expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys.map(() => null));
      }
    },
  );

  test('nothing stale survives reads and writes that race', async ({ proxy, direct, atEnd }) => {
    const { client, counted } = await cachingClient(proxy, atEnd);
    const keys = numbered('key', 20);
    let writing = true;
    const readAll = () => Promise.all(keys.map((key) => client.get(key)));
    const reading = (async () => {
      while (writing) {
        await readAll();
        await setImmediate(); // reads from the cache alone would let nothing else happen
      }
    })();
    for (let round = 0; round < 50; round++) {
      await Promise.all(keys.map((key) => direct.incr(key)));
    }
    writing = false;
    await reading;
    await eventually(async () => {
      expect(await readAll()).toEqual(keys.map(() => '50'));
      expect(counted().hits).toBeGreaterThan(0);
    });
  });

  test('every client that has read the key drops it', async ({ proxy, direct, heard, atEnd }) => {
    const clients = await Promise.all([1, 2, 3].map(() => cachingClient(proxy, atEnd)));
    await direct.set('k', 'old');
    await heard();
    for (const { client } of clients) expect(await client.get('k')).toBe('old');
    await direct.set('k', 'new');
    for (const { client, cache } of clients) {
      await eventually(() => expect(cache.size()).toBe(0));
      expect(await client.get('k')).toBe('new');
    }
  });

  test('a pool shares one cache', async ({ proxy, direct, heard, atEnd }) => {
    const cache = new BasicPooledClientSideCache();
    const pool = createClientPool(
      { RESP: 3, socket: addressOf(proxy) },
      { minimum: 3, maximum: 3, clientSideCache: cache },
    );
    pool.on('error', () => {});
    await pool.connect();
    atEnd(() => pool.destroy());
    const keys = numbered('key', 30);
    for (const key of keys) await direct.set(key, 'old');
    await heard();
    await Promise.all(keys.map((key) => pool.get(key)));
    expect(await Promise.all(keys.map((key) => pool.get(key)))).toEqual(keys.map(() => 'old'));
    expect(cache.stats()).toMatchObject({ hitCount: 30, missCount: 30 });
    for (const key of keys) await direct.set(key, 'new');
    await eventually(() => expect(cache.size()).toBe(0));
    expect(await Promise.all(keys.map((key) => pool.get(key)))).toEqual(keys.map(() => 'new'));
  });

  test('a lost source of changes empties the cache, which then works again', async ({
    proxy,
    direct,
    heard,
    atEnd,
  }) => {
    await heard();
    const { client, counted } = await cachingClient(proxy, atEnd);
    await client.get('k');
    await direct.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
    await eventually(() => expect(counted().entries).toBe(0));
    await proxy.becomes('ready');
    await eventually(async () => {
      await client.get('k');
      expect(counted().entries).toBe(1);
    });
    await direct.set('k', 'new');
    await eventually(() => expect(counted().entries).toBe(0));
    expect(await client.get('k')).toBe('new');
  });
});

describe('redis 6 with emitInvalidate', () => {
  async function listeningClient(proxy: RunningProxy, atEnd: AtEnd) {
    const client = createClient({ RESP: 3, socket: addressOf(proxy), emitInvalidate: true });
    const invalidated: unknown[] = [];
    client.on('error', () => {});
    client.on('invalidate', (key: unknown) => invalidated.push(key));
    await client.connect();
    atEnd(() => client.destroy());
    return { client, invalidated };
  }

  test('names a key that was read, once', async ({ proxy, direct, heard, atEnd }) => {
    const { client, invalidated } = await listeningClient(proxy, atEnd);
    await direct.mSet({ k: '1', last: '1' });
    await heard();
    await Promise.all([client.get('k'), client.get('last')]);
    await direct.set('never-read', '2');
    await direct.set('k', '2');
    await direct.set('k', '3');
    await direct.set('last', '2'); // when this one has come, all before it have
    await eventually(() => expect(invalidated.map(String)).toContain('last'));
    expect(invalidated.map(String)).toEqual(['k', 'last']);
  });

  test('a flush through the proxy names everything', async ({ proxy, atEnd }) => {
    const { client, invalidated } = await listeningClient(proxy, atEnd);
    await client.get('k');
    await client.flushAll();
    await eventually(() => expect(invalidated).toEqual([null]));
  });

  test('a key of any bytes comes back as it was', async ({ proxy, direct, heard, atEnd }) => {
    const { client, invalidated } = await listeningClient(proxy, atEnd);
    const reader = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    await direct.set(EVERY_BYTE, EVERY_BYTE);
    await heard();
    expect(await reader.get(EVERY_BYTE)).toEqual(EVERY_BYTE);
    await direct.del(EVERY_BYTE);
    await eventually(() => expect(invalidated).toEqual([EVERY_BYTE]));
  });
});
