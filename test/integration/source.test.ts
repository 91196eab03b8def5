import { Redis } from 'ioredis';
import { describe, expect, vi } from 'vitest';
import { test as base, targetOf } from '../helpers/fixtures.ts';
import { Hop } from '../helpers/hop.ts';
import { blindSpellsOf, type RunningProxy, startProxy } from '../helpers/proxy.ts';
import { RawClient, type Request } from '../helpers/raw-client.ts';
import { startRedis } from '../helpers/redis.ts';

const ALL = '>["invalidate" _]';

function invalidates(...keys: readonly string[]): string {
  return `>["invalidate" *[${keys.map((key) => JSON.stringify(key)).join(' ')}]]`;
}

/** A proxy that hears nothing, in front of a Redis that says nothing, and a way to delay both. */
interface Scene {
  readonly proxy: RunningProxy;
  readonly hop: Hop;
  /** A client of Redis itself, of which the proxy sees nothing. */
  readonly direct: Redis;
  client(...requests: readonly Request[]): Promise<RawClient>;
  /** A client that tracks, and has read `keys`. */
  reader(keys: readonly string[], ...options: readonly string[]): Promise<RawClient>;
  /** Proves that everything that was told by now has arrived. @returns what `reader` was told */
  told(reader: RawClient): Promise<readonly string[]>;
}

const test = base.extend<{ scene: Scene }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads a fixture's needs from its pattern
  scene: async ({}, use) => {
    const redis = await startRedis();
    const direct = new Redis({ path: redis.path ?? '' });
    const hop = await Hop.open(targetOf(redis));
    const proxy = await startProxy(hop.url, { source: 'writes' });
    const clients: RawClient[] = [];
    const client = async (...requests: readonly Request[]) => {
      const opened = await RawClient.connect(proxy.target);
      clients.push(opened);
      await opened.pipeline(requests);
      return opened;
    };
    await use({
      proxy,
      hop,
      direct,
      client,
      reader: async (keys, ...options) =>
        await client('HELLO 3', ['CLIENT', 'TRACKING', 'ON', ...options], ['MGET', 'k', ...keys]),
      told: async (reader) => {
        // What was told before this reply, was told before this client had it.
        await reader.call('PING');
        return reader.pushes;
      },
    });
    for (const opened of clients) opened.close();
    await proxy.stop();
    expect(await direct.config('GET', 'notify-keyspace-events')).toEqual([
      'notify-keyspace-events',
      '',
    ]);
    direct.disconnect();
    await hop.close();
    await redis.stop();
  },
});

/** Waits until Redis has a client that is blocked. */
async function blocked(direct: Redis): Promise<void> {
  await vi.waitFor(async () => {
    expect(await direct.info('clients')).toContain('blocked_clients:1');
  });
}

describe('an upstream without notifications', () => {
  test('is served from the start, and the operator is told the limit once', async ({ scene }) => {
    const { proxy } = scene;
    expect(proxy.ready).toEqual({ ok: true, reason: '' });
    const warnings = proxy.log.filter(({ level }) => level === 40).map(({ msg }) => msg);
    expect(warnings).toEqual([expect.stringContaining('--source=writes: only what is written')]);
  });

  test.for([
    ['a string', ['SET k v'], ['k']],
    ['several', ['MSET k 1 a 2'], ['k', 'a']],
    ['a hash', ['HSET a f v', 'HDEL a f'], ['a']],
    ['a key that is renamed', ['SET a v', 'RENAME a b'], ['a', 'b']],
    ['a script', [['EVAL', "return redis.call('SET', KEYS[1], ARGV[1])", '1', 'a', 'x']], ['a']],
    ['a pop', ['RPUSH a 1 2', 'LMPOP 2 b a LEFT'], ['a']],
  ] as const)('%s is told of, key by key', async ([, writes, keys], { scene }) => {
    const reader = await scene.reader(['a', 'b']);
    const writer = await scene.client(...writes);
    expect(writer.answers.filter((answer) => answer.startsWith('-'))).toEqual([]);
    expect(await scene.told(reader)).toEqual(keys.map((key) => invalidates(key)));
    expect(scene.proxy.metrics.counts.invalidationsWrite).toBe(keys.length);
  });

  test('a transaction is told of by what it has done', async ({ scene }) => {
    const reader = await scene.reader(['a', 'b']);
    const writer = await scene.client('MULTI', 'SET a 1', 'INCR k', 'LPUSH b x', 'SORT b');
    expect(await scene.told(reader)).toEqual([]);
    await writer.call('EXEC');
    expect(await scene.told(reader)).toEqual([
      invalidates('a'),
      invalidates('k'),
      invalidates('b'),
    ]);
  });

  test('deep pipelines are told of whole', async ({ scene }) => {
    const keys = Array.from({ length: 500 }, (_, index) => `key:${index}`);
    const reader = await scene.reader(keys);
    const writer = await scene.client();
    await writer.pipeline(keys.flatMap((key) => [`SET ${key} 1`, `GET ${key}`]));
    expect(new Set(await scene.told(reader))).toEqual(new Set(keys.map((key) => invalidates(key))));
  });

  test('what nobody understands may have changed anything, unless it was refused', async ({
    scene,
  }) => {
    const reader = await scene.reader([]);
    const writer = await scene.client();
    await writer.call('NO.SUCH.MODULE k');
    await writer.call('EVALSHA 0123456789012345678901234567890123456789 0');
    expect(await scene.told(reader)).toEqual([]);
    await writer.call(['EVAL', "return redis.call('SET', 'k', 'undeclared')", '0']);
    expect(await scene.told(reader)).toEqual([ALL]);
  });

  test('a pop that waited is told of by its reply, and so is the push', async ({ scene }) => {
    const reader = await scene.reader(['a', 'b']);
    const waiting = await scene.client();
    const popped = waiting.call('BLMOVE a b LEFT LEFT 0');
    await blocked(scene.direct);
    const writer = await scene.client('RPUSH a v');
    expect(await popped).toBe('"v"');
    expect(writer.answers).toEqual([':1']);
    expect([...(await scene.told(reader))].sort()).toEqual([invalidates('a'), invalidates('b')]);
  });

  test('prefixes, NOLOOP and REDIRECT work as they do with notifications', async ({ scene }) => {
    const target = await scene.client('HELLO 3');
    const id = (await target.call('CLIENT ID')).slice(1);
    await scene.reader(['a'], 'REDIRECT', id);
    const bcast = await scene.reader([], 'BCAST', 'PREFIX', 'a');
    const own = await scene.reader(['a'], 'NOLOOP');
    await own.call('SET a 1');
    expect(await scene.told(target)).toEqual([invalidates('a')]);
    expect(await scene.told(bcast)).toEqual([invalidates('a')]);
    expect(await scene.told(own)).toEqual([]);
    await (await scene.client()).call('SET k 1');
    expect(await scene.told(own)).toEqual([invalidates('k')]);
    expect(await scene.told(bcast)).toEqual([invalidates('a')]);
    expect(scene.proxy.metrics.counts.unattributedWrites).toBe(0);
  });

  test('a reply that a write has overtaken is followed by the invalidation', async ({ scene }) => {
    const reader = await scene.client('CLIENT SETNAME late', 'HELLO 3', 'CLIENT TRACKING ON');
    const lane = scene.hop.of('\r\nlate\r\n');
    lane.pause('down');
    const read = reader.call('GET fresh');
    await vi.waitFor(() => expect(lane.heldBytes('down')).toBeGreaterThan(0), { interval: 1 });
    const writer = await scene.client('SET fresh new');
    expect(writer.answers).toEqual(['+OK']);
    lane.resume('down');
    expect(await read).toBe('_');
    await reader.sawPushes(1);
    const last = reader.frames.slice(-2).map(({ text }) => text);
    expect(last).toEqual(['_', invalidates('fresh')]);
  });

  test('a write whose client breaks off is told of, also when it is executed late', async ({
    scene,
  }) => {
    const reader = await scene.reader([]);
    const writer = await scene.client('CLIENT SETNAME leaver');
    const lane = scene.hop.of('\r\nleaver\r\n');
    lane.pause('up');
    writer.send('SET k new\r\n');
    await vi.waitFor(() => expect(lane.heldBytes('up')).toBeGreaterThan(0), { interval: 1 });
    writer.close();
    lane.resume('up');
    expect(await reader.sawPushes(1)).toEqual([invalidates('k')]);
    expect(await reader.call('GET k')).toBe('"new"');
  });

  test('FLUSHALL past the proxy is found in INFO', async ({ scene }) => {
    const reader = await scene.reader([]);
    await scene.direct.flushall();
    expect(await reader.sawPushes(1)).toEqual([ALL]);
    expect(scene.proxy.metrics.counts.invalidationsSilent).toBe(1);
  });

  test('that is lost makes a blind spell, as ever', async ({ scene }) => {
    const { proxy, hop } = scene;
    const before = blindSpellsOf(proxy);
    hop.refusing = true;
    for (const passage of hop.passages) passage.cut();
    await proxy.becomes('unready');
    hop.refusing = false;
    await proxy.becomes('ready');
    expect(blindSpellsOf(proxy)).toBe(before + 1);
    const reader = await scene.reader([]);
    await (await scene.client()).call('SET k 1');
    expect(await scene.told(reader)).toEqual([invalidates('k')]);
  });

  test('fenced writes have their replies when all has been told', async ({ scene }) => {
    const reader = await scene.reader(['a']);
    const writer = await scene.client('CLIENT FENCE-WRITES ON', 'SET k 1', 'MULTI', 'SET a 1');
    expect(await scene.told(reader)).toEqual([invalidates('k')]);
    expect(await writer.call('EXEC')).toBe('*[+OK]');
    expect(await scene.told(reader)).toEqual([invalidates('k'), invalidates('a')]);
  });
});

describe('both', () => {
  const both = base.extend<{ open: (...requests: Request[]) => Promise<RawClient> }>({
    // biome-ignore lint/correctness/noEmptyPattern: as above
    open: async ({}, use) => {
      const redis = await startRedis();
      const hop = await Hop.open(targetOf(redis));
      const proxy = await startProxy(hop.url, { source: 'both' });
      const clients: RawClient[] = [];
      // Notifications come too late to be what tells.
      hop.of('PSUBSCRIBE').delay('down', 300);
      await use(async (...requests) => {
        const client = await RawClient.connect(proxy.target);
        clients.push(client);
        await client.pipeline(requests);
        return client;
      });
      for (const client of clients) client.close();
      await proxy.stop();
      await hop.close();
      await redis.stop();
    },
  });

  both('a write that passes is told before its notification, once', async ({ open }) => {
    const reader = await open('HELLO 3', 'CLIENT TRACKING ON', 'MGET k fence');
    const writer = await open('SET k 1');
    expect(await reader.call('PING')).toBe('+PONG');
    expect(reader.pushes).toEqual([invalidates('k')]);
    // The notification of the fence comes behind that of the write.
    await writer.call(['EVAL', "return redis.call('SET', 'fence', '1')", '0']);
    expect(await reader.sawPushes(2)).toEqual([invalidates('k'), invalidates('fence')]);
  });
});

test('nobody waits for a writer that does not read what it gets', async ({ scene }) => {
  await scene.direct.set('large', 'x'.repeat(1_048_576));
  const reader = await scene.reader(['k']);
  const writer = await scene.client('PING');
  writer.socket.pause();
  for (let count = 0; count < 20; count++) writer.send('GET large\r\n');
  writer.send('SET k 1\r\n');
  expect(await reader.sawPushes(1)).toEqual([invalidates('k')]);
});

test('CONFIG SET of a client is left alone', async ({ scene }) => {
  const client = await scene.client('CONFIG SET notify-keyspace-events Ex');
  expect(await client.call('CONFIG GET notify-keyspace-events')).toContain('"xE"');
  await client.call('CONFIG SET notify-keyspace-events ""');
});
