import { createClient } from 'redis';
import { describe, expect } from 'vitest';
import {
  addressOf,
  test as base,
  EVERY_BYTE,
  eventually,
  numbered,
  untilBlocked,
} from '../helpers/interop.ts';

describe.each([2, 3] as const)('redis 6 as a plain client, RESP%d', (RESP) => {
  const test = base.extend('open', async ({ proxy, atEnd }) => async () => {
    const client = createClient({ RESP, socket: addressOf(proxy) });
    client.on('error', () => {}); // what waits for an answer is told of it too
    await client.connect();
    atEnd(() => client.destroy());
    return client;
  });

  test('replies of every shape', async ({ open }) => {
    const client = await open();
    const text = EVERY_BYTE.toString('utf8'); // with what is no UTF-8 replaced
    await client.set('k', text);
    expect(await client.get('k')).toBe(text);
    await client.hSet('h', { f: '1', g: '2' });
    await client.zAdd('z', [
      { score: 1.5, value: 'a' },
      { score: Number.POSITIVE_INFINITY, value: 'b' },
    ]);
    expect({ ...(await client.hGetAll('h')) }).toEqual({ f: '1', g: '2' });
    expect(await client.zScore('z', 'a')).toBe(1.5);
    expect(await client.zRangeWithScores('z', 0, -1)).toEqual([
      { score: 1.5, value: 'a' },
      { score: Number.POSITIVE_INFINITY, value: 'b' },
    ]);
    expect(await client.get('nothing')).toBe(null);
    expect((await client.configGet('maxmemory')).maxmemory).toBe('0');
    await expect(client.incr('h')).rejects.toThrow('WRONGTYPE');
    await expect(client.sendCommand(['NOSUCH'])).rejects.toThrow('unknown command');
  });

  test('5,000 commands at once, answered in their order', async ({ open }) => {
    const client = await open();
    const names = numbered('key', 2_500);
    const written = Promise.all(names.map((name, n) => client.set(name, String(n))));
    const read = Promise.all(names.map((name) => client.get(name)));
    expect(new Set(await written)).toEqual(new Set(['OK']));
    expect(await read).toEqual(names.map((_, n) => String(n)));
    const counted = await Promise.all(names.map(() => client.incr('count')));
    expect(counted).toEqual(names.map((_, n) => n + 1));
  });

  test('MULTI: executed, failing in part, refused', async ({ open }) => {
    const client = await open();
    const answers = await client.multi().set('k', '1').incr('k').get('k').exec();
    expect(answers).toEqual(['OK', 2, '2']);
    const failing = client.multi().incr('k').lPush('k', 'x').exec();
    await expect(failing).rejects.toThrow('1 commands failed');
    expect(await client.get('k')).toBe('3');
    const refused = client.multi().incr('k').addCommand(['NOSUCH']).exec();
    await expect(refused).rejects.toThrow('unknown command');
    expect(await client.get('k')).toBe('3');
    expect(await client.multi().ping().get('k').execAsPipeline()).toEqual(['PONG', '3']);
  });

  test('WATCH undoes what somebody else got in before', async ({ open, direct }) => {
    const client = await open();
    await client.watch('k');
    expect(await client.multi().set('k', 'mine').exec()).toEqual(['OK']);
    await client.watch('k');
    await direct.set('k', 'theirs');
    await expect(client.multi().set('k', 'mine').exec()).rejects.toThrow('watched keys');
    expect(await client.get('k')).toBe('theirs');
  });

  test('SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE and their messages', async ({ open }) => {
    const [subscriber, publisher] = [await open(), await open()];
    const messages: string[] = [];
    const listener = (text: string, channel: string) => messages.push(`${channel}: ${text}`);
    await subscriber.subscribe(['news', 'weather'], listener);
    await subscriber.pSubscribe('n*', listener);
    await subscriber.sSubscribe('shard', listener);
    expect(await publisher.publish('news', 'one')).toBe(2);
    expect(await publisher.publish('weather', 'two')).toBe(1);
    expect(await publisher.sPublish('shard', 'three')).toBe(1);
    await eventually(() => expect(messages).toHaveLength(4));
    expect(messages).toEqual(['news: one', 'news: one', 'weather: two', 'shard: three']);
    await subscriber.unsubscribe('news');
    expect(await publisher.publish('news', 'four')).toBe(1);
    await eventually(() => expect(messages.slice(4)).toEqual(['news: four']));
    await subscriber.sUnsubscribe();
    await subscriber.pUnsubscribe();
    await subscriber.unsubscribe();
    expect(await publisher.publish('news', 'five')).toBe(0);
    await subscriber.set('k', 'v');
    expect(String(await subscriber.get('k'))).toBe('v'); // a Buffer on RESP2, as without a proxy
    expect(messages).toHaveLength(5);
  });

  test('iterators of SCAN, HSCAN, SSCAN and ZSCAN', async ({ open }) => {
    const client = await open();
    const names = numbered('item', 1_000);
    await Promise.all([
      ...names.map((name) => client.set(name, 'x')),
      client.hSet('h', Object.fromEntries(names.map((name) => [name, 'x']))),
      client.sAdd('s', names),
      client.zAdd(
        'z',
        names.map((value, score) => ({ score, value })),
      ),
    ]);
    const collect = async <T>(batches: AsyncIterable<T[]>) => {
      const found: T[] = [];
      for await (const batch of batches) found.push(...batch);
      return found;
    };
    const sorted = [...names].sort();
    const keys = await collect(client.scanIterator({ MATCH: 'item-*', COUNT: 100 }));
    expect([...new Set(keys)].sort()).toEqual(sorted);
    const fields = await collect(client.hScanIterator('h'));
    expect(fields.map(({ field }) => field).sort()).toEqual(sorted);
    expect((await collect(client.sScanIterator('s'))).sort()).toEqual(sorted);
    const members = await collect(client.zScanIterator('z'));
    expect(members.map(({ value }) => value).sort()).toEqual(sorted);
  });

  test('a stream with a consumer group', async ({ open, direct }) => {
    const [client, producer] = [await open(), await open()];
    await client.xGroupCreate('jobs', 'workers', '$', { MKSTREAM: true });
    const key = { key: 'jobs', id: '>' };
    const waiting = client.xReadGroup('workers', 'one', key, { BLOCK: 0, COUNT: 10 });
    await untilBlocked(direct, 1);
    const id = await producer.xAdd('jobs', '*', { what: 'first' });
    const served = [{ name: 'jobs', messages: [{ id, message: { what: 'first' } }] }];
    expect(plain(await waiting)).toMatchObject(plain(served));
    expect((await client.xPending('jobs', 'workers')).pending).toBe(1);
    const claimed = await producer.xAutoClaim('jobs', 'workers', 'two', 0, '0');
    expect(plain(claimed.messages)).toMatchObject([{ id, message: { what: 'first' } }]);
    expect(await producer.xAck('jobs', 'workers', id)).toBe(1);
    expect((await client.xPending('jobs', 'workers')).pending).toBe(0);
    expect(await client.xReadGroup('workers', 'one', key, { BLOCK: 20 })).toBe(null);
    const range = await client.xRange('jobs', '-', '+');
    expect(plain(range)).toMatchObject([{ id, message: { what: 'first' } }]);
    expect((await client.xInfoStream('jobs')).groups).toBe(1);
  });

  test('Lua, and a function library', async ({ open }) => {
    const client = await open();
    const script = "return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])}";
    const given = { keys: ['k'], arguments: ['a'] };
    expect(await client.eval(script, given)).toEqual(['k', 'a', 1]);
    expect(await client.evalSha(await client.scriptLoad(script), given)).toEqual(['k', 'a', 2]);
    const library = "redis.register_function('half', function(keys, args) return args[1] / 2 end)";
    await client.functionLoad(`#!lua name=maths\n${library}`);
    expect(await client.fCall('half', { keys: ['k'], arguments: ['84'] })).toBe(42);
  });

  test('MONITOR shows what others do', async ({ open }) => {
    const [monitor, client] = [await open(), await open()];
    const seen: string[] = [];
    await monitor.monitor((line) => seen.push(String(line)));
    await client.set('watched', 'v');
    await eventually(() => expect(seen.join('\n')).toContain('"SET" "watched" "v"'));
  });
});

/** @returns the same without prototypes, which tell nothing here */
function plain(value: unknown): object[] {
  return JSON.parse(JSON.stringify(value));
}
