import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { Redis as Valkey } from 'iovalkey';
import { describe, expect } from 'vitest';
import {
  addressOf,
  test as base,
  EVERY_BYTE,
  eventually,
  numbered,
  untilBlocked,
} from '../helpers/interop.ts';

/** The settings that a test here wants of its client. */
interface Settings {
  readonly enableAutoPipelining?: boolean;
}

interface Library {
  readonly name: string;
  readonly connect: (
    settings: Settings & { readonly host: string; readonly port: number },
  ) => Redis;
}

// The three differ in the types of a few commands that nothing here uses, so one type will do.
const LIBRARIES: readonly Library[] = [
  { name: 'ioredis 6', connect: (to) => new Redis(to) },
  { name: 'ioredis 6 with RESP2', connect: (to) => new Redis({ ...to, protocol: 2 }) },
  { name: 'ioredis 5', connect: (to) => new Redis5(to) as unknown as Redis },
  { name: 'iovalkey', connect: (to) => new Valkey(to) as unknown as Redis },
];

describe.each(LIBRARIES)('$name as a plain client', ({ connect }) => {
  const test = base.extend('open', async ({ proxy, atEnd }) => (settings: Settings = {}) => {
    const client = connect({ ...addressOf(proxy), ...settings });
    atEnd(() => client.disconnect());
    return client;
  });

  test('values of any bytes and size', async ({ open }) => {
    const client = open();
    await client.set(EVERY_BYTE, EVERY_BYTE);
    expect(await client.getBuffer(EVERY_BYTE)).toEqual(EVERY_BYTE);
    const large = Buffer.alloc(8 * 2 ** 20, EVERY_BYTE);
    await client.set('large', large);
    expect((await client.getBuffer('large'))?.equals(large)).toBe(true);
  });

  test('replies of every shape', async ({ open }) => {
    const client = open();
    await client.hset('h', { f: '1', g: '2' });
    await client.zadd('z', 1.5, 'a', 2, 'b');
    await client.sadd('s', 'm');
    expect(await client.hgetall('h')).toEqual({ f: '1', g: '2' });
    expect(await client.zscore('z', 'a')).toBe('1.5');
    expect(await client.zrange('z', 0, '-1', 'WITHSCORES')).toEqual(['a', '1.5', 'b', '2']);
    expect(await client.smembers('s')).toEqual(['m']);
    expect(await client.get('nothing')).toBe(null);
    expect(await client.sismember('s', 'm')).toBe(1);
    expect(await client.call('ECHO', 'said')).toBe('said');
    await expect(client.incr('s')).rejects.toThrow('WRONGTYPE');
    await expect(client.call('NOSUCH')).rejects.toThrow('unknown command');
  });

  test('a pipeline of a thousand, errors among the answers', async ({ open }) => {
    const pipeline = open().pipeline().set('text', 'x');
    for (let n = 1; n <= 1_000; n++) pipeline.incr(n % 100 === 0 ? 'text' : 'count');
    const answers = (await pipeline.exec()) ?? [];
    expect(answers).toHaveLength(1_001);
    const failed = answers.filter(([error]) => error !== null);
    expect(failed).toHaveLength(10);
    for (const [error] of failed) expect(error?.message).toContain('not an integer');
    const counts = answers.slice(1).flatMap(([error, count]) => (error === null ? [count] : []));
    expect(counts).toEqual(counts.map((_, index) => index + 1));
    expect(counts).toHaveLength(990);
  });

  test('5,000 commands at once, pipelined by itself', async ({ open }) => {
    const client = open({ enableAutoPipelining: true });
    const names = numbered('key', 2_500);
    const written = Promise.all(names.map((name, n) => client.set(name, n)));
    const read = Promise.all(names.map((name) => client.get(name)));
    expect(new Set(await written)).toEqual(new Set(['OK']));
    expect(await read).toEqual(names.map((_, n) => String(n)));
  });

  test('MULTI and EXEC, in one piece and step by step', async ({ open }) => {
    const client = open();
    const whole = await client.multi().set('k', '1').incr('k').lpush('k', 'x').get('k').exec();
    expect(whole?.map(([, answer]) => answer)).toEqual(['OK', 2, undefined, '2']);
    expect(whole?.[2]?.[0]?.message).toContain('WRONGTYPE');
    await client.multi({ pipeline: false });
    expect(await client.incr('k')).toBe('QUEUED');
    expect(await client.get('k')).toBe('QUEUED');
    expect(await client.exec()).toEqual([
      [null, 3],
      [null, '3'],
    ]);
  });

  test('a transaction that is discarded, and one that is refused', async ({ open }) => {
    const client = open();
    await client.multi({ pipeline: false });
    await client.set('k', 'never');
    expect(await client.discard()).toBe('OK');
    expect(await client.get('k')).toBe(null);
    await client.multi({ pipeline: false });
    await expect(client.call('NOSUCH')).rejects.toThrow('unknown command');
    await expect(client.exec()).rejects.toThrow('EXECABORT');
    expect(await client.ping()).toBe('PONG');
  });

  test('WATCH undoes what somebody else got in before', async ({ open, direct }) => {
    const client = open();
    await client.watch('k');
    expect(await client.multi().set('k', 'mine').exec()).toEqual([[null, 'OK']]);
    await client.watch('k');
    await direct.set('k', 'theirs');
    expect(await client.multi().set('k', 'mine').exec()).toBe(null);
    expect(await client.get('k')).toBe('theirs');
    await client.watch('k');
    await client.unwatch();
    await direct.set('k', 'again');
    expect(await client.multi().get('k').exec()).toEqual([[null, 'again']]);
  });

  test('Lua: a command of our own, EVAL, EVALSHA and their errors', async ({ open, direct }) => {
    const client = open();
    client.defineCommand('setAndGet', {
      numberOfKeys: 1,
      lua: "redis.call('SET', KEYS[1], ARGV[1]); return {redis.call('GET', KEYS[1]), 7}",
    });
    const own = client as Redis & {
      setAndGet(key: string, value: string): Promise<[string, number]>;
    };
    expect(await own.setAndGet('k', 'v')).toEqual(['v', 7]);
    await direct.scriptFlush(); // the client thinks that Redis still has it
    expect(await own.setAndGet('k', 'w')).toEqual(['w', 7]);
    const sha = String(await client.script('LOAD', "return redis.call('GET', KEYS[1])"));
    expect(await client.evalsha(sha, 1, 'k')).toBe('w');
    expect(await client.eval('return ARGV[1] .. ARGV[2]', 0, 'a', 'b')).toBe('ab');
    await expect(client.evalsha('0'.repeat(40), 0)).rejects.toThrow('NOSCRIPT');
    await expect(client.eval("return redis.error_reply('MINE no')", 0)).rejects.toThrow('MINE no');
  });

  test('SUBSCRIBE, PSUBSCRIBE and their messages', async ({ open }) => {
    const [subscriber, publisher] = [open(), open()];
    const messages: string[] = [];
    subscriber.on('message', (channel, text) => messages.push(`${channel}: ${text}`));
    subscriber.on('pmessage', (pattern, channel, text) => {
      messages.push(`${pattern} ${channel}: ${text}`);
    });
    expect(await subscriber.subscribe('news', 'weather')).toBe(2);
    expect(await subscriber.psubscribe('n*')).toBe(3);
    expect(await publisher.publish('news', 'one')).toBe(2);
    expect(await publisher.publish('weather', 'two')).toBe(1);
    await eventually(() => expect(messages).toHaveLength(3));
    expect(messages).toEqual(['news: one', 'n* news: one', 'weather: two']);
    expect(await subscriber.unsubscribe('news')).toBe(2);
    expect(await publisher.publish('news', 'three')).toBe(1);
    await eventually(() => expect(messages.slice(3)).toEqual(['n* news: three']));
    // Named, since these clients wait for ever for a PUNSUBSCRIBE that leaves channels behind.
    expect(await subscriber.punsubscribe('n*')).toBe(1);
    expect(await subscriber.unsubscribe('weather')).toBe(0);
    expect(await subscriber.set('k', 'v')).toBe('OK');
    expect(await subscriber.get('k')).toBe('v');
  });

  test('ten thousand messages arrive, in their order', async ({ open }) => {
    const [subscriber, publisher] = [open(), open()];
    const messages: string[] = [];
    subscriber.on('message', (_channel, text) => messages.push(text));
    await subscriber.subscribe('news');
    const sent = numbered('message', 10_000);
    const pipeline = publisher.pipeline();
    for (const text of sent) pipeline.publish('news', text);
    await pipeline.exec();
    await eventually(() => expect(messages).toHaveLength(sent.length));
    expect(messages).toEqual(sent);
  });

  test('blocking pops, served at once, later, and not at all', async ({ open, direct }) => {
    const [client, other] = [open(), open()];
    await direct.rPush('full', ['a', 'b']);
    expect(await client.blpop('empty', 'full', 5)).toEqual(['full', 'a']);
    expect(await client.brpop('full', 5)).toEqual(['full', 'b']);
    const popped = client.blpop('queue', 0);
    const behind = client.set('k', 'behind it'); // waits for the pop
    await untilBlocked(direct, 1);
    await other.rpush('queue', 'job');
    expect(await popped).toEqual(['queue', 'job']);
    expect(await behind).toBe('OK');
    const moved = client.blmove('from', 'to', 'LEFT', 'RIGHT', 0);
    await untilBlocked(direct, 1);
    await direct.rPush('from', 'x');
    expect(await moved).toBe('x');
    const lowest = client.bzpopmin('z', 0);
    await untilBlocked(direct, 1);
    await other.zadd('z', 1, 'm');
    expect(await lowest).toEqual(['z', 'm', '1']);
    expect(await client.blpop('never', 0.05)).toBe(null);
  });

  test('streams of SCAN, HSCAN, SSCAN and ZSCAN', async ({ open }) => {
    const client = open();
    const names = numbered('item', 1_000);
    const pipeline = client.pipeline();
    for (const [n, name] of names.entries()) {
      pipeline.set(name, n).hset('h', name, n).sadd('s', name).zadd('z', n, name);
    }
    await pipeline.exec();
    const collect = async (stream: AsyncIterable<string[]>) => {
      const found: string[] = [];
      for await (const batch of stream) found.push(...batch);
      return found;
    };
    const pairs = names.flatMap((name, n) => [name, String(n)]).sort();
    const found = await collect(client.scanStream({ match: 'item-*', count: 100 }));
    expect([...new Set(found)].sort()).toEqual([...names].sort());
    expect((await collect(client.sscanStream('s'))).sort()).toEqual([...names].sort());
    expect((await collect(client.hscanStream('h'))).sort()).toEqual(pairs);
    expect((await collect(client.zscanStream('z'))).sort()).toEqual(pairs);
  });

  test('a connection that Redis ends is made again', async ({ open, direct }) => {
    const client = open();
    const id = String(await client.client('ID'));
    await direct.sendCommand(['CLIENT', 'KILL', 'ID', id]);
    await eventually(async () => expect(String(await client.client('ID'))).not.toBe(id));
    expect(await client.set('k', 'v')).toBe('OK');
    expect(await client.quit()).toBe('OK');
  });
});
