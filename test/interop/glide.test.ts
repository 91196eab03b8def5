import {
  Batch,
  ClientSideCache,
  GlideClient,
  GlideClientConfiguration,
  ProtocolVersion,
  type PubSubMsg,
  Script,
} from '@valkey/valkey-glide';
import { describe, expect } from 'vitest';
import {
  addressOf,
  test as base,
  EVERY_BYTE,
  eventually,
  numbered,
  untilBlocked,
} from '../helpers/interop.ts';

/** How long a request may take, in milliseconds; its own default is short for a busy machine. */
const REQUEST_DEADLINE_MS = 10_000;

const test = base.extend('glide', async ({ proxy, atEnd }) => {
  return async (settings: Partial<GlideClientConfiguration>) => {
    const client = await GlideClient.createClient({
      addresses: [addressOf(proxy)],
      requestTimeout: REQUEST_DEADLINE_MS,
      ...settings,
    });
    atEnd(() => client.close());
    return client;
  };
});

describe.each([
  { name: 'RESP2', protocol: ProtocolVersion.RESP2 },
  { name: 'RESP3', protocol: ProtocolVersion.RESP3 },
])('valkey-glide as a plain client, $name', ({ protocol }) => {
  test('values, pipelines, transactions and scripts', async ({ glide, direct }) => {
    const client = await glide({ protocol });
    await client.set(EVERY_BYTE, EVERY_BYTE);
    await client.hset('h', { f: '1' });
    expect(await client.hgetall('h')).toEqual([{ field: 'f', value: '1' }]);
    expect(await client.get('nothing')).toBe(null);
    const counting = new Batch(false);
    for (let n = 0; n < 2_000; n++) counting.incr('count');
    const counted = await client.exec(counting, true);
    expect(counted).toEqual(Array.from({ length: 2_000 }, (_, n) => n + 1));
    await client.watch(['k']);
    await direct.set('k', 'theirs');
    expect(await client.exec(new Batch(true).set('k', 'mine'), true)).toBe(null);
    expect(await client.exec(new Batch(true).set('k', 'mine').get('k'), true)).toEqual([
      'OK',
      'mine',
    ]);
    const script = new Script("return {KEYS[1], redis.call('GET', KEYS[1])}");
    expect(await client.invokeScript(script, { keys: ['k'] })).toEqual(['k', 'mine']);
    script.release();
  });

  test('a blocking pop, and a thousand commands at once', async ({ glide, direct }) => {
    const client = await glide({ protocol });
    const popped = client.blpop(['queue'], 0);
    await untilBlocked(direct, 1);
    await direct.rPush('queue', 'job');
    expect(await popped).toEqual(['queue', 'job']);
    const names = numbered('key', 1_000);
    await Promise.all(names.map((name, n) => client.set(name, String(n))));
    const read = await Promise.all(names.map((name) => client.get(name)));
    expect(read).toEqual(names.map((_, n) => String(n)));
  });
});

test('valkey-glide, published messages', async ({ glide }) => {
  const messages: string[] = [];
  const modes = GlideClientConfiguration.PubSubChannelModes;
  await glide({
    protocol: ProtocolVersion.RESP3,
    pubsubSubscriptions: {
      channelsAndPatterns: { [modes.Exact]: new Set(['news']), [modes.Pattern]: new Set(['n*']) },
      callback: ({ pattern, channel, message }: PubSubMsg) => {
        messages.push(`${pattern ?? ''} ${channel}: ${message}`);
      },
    },
  });
  const publisher = await glide({ protocol: ProtocolVersion.RESP3 });
  expect(await publisher.publish('one', 'news')).toBe(2);
  await eventually(() => expect(messages.sort()).toEqual([' news: one', 'n* news: one']));
});

describe('valkey-glide with a server-assisted cache (BCAST)', () => {
  test('a change drops the entry, and only a change', async ({ glide, direct, heard }) => {
    const client = await glide({
      protocol: ProtocolVersion.RESP3,
      clientSideCache: ClientSideCache.create(1_024, 0, {
        enableMetrics: true,
        serverAssisted: true,
      }),
    });
    await direct.set('k', 'old');
    await heard();
    await eventually(async () => {
      expect(await client.get('k')).toBe('old');
      expect(await client.getCacheEntryCount()).toBe(1);
    });
    expect(await client.get('k')).toBe('old');
    expect(await client.getCacheHitRate()).toBeGreaterThan(0);
    await direct.set('k', 'new');
    await eventually(async () => expect(await client.getCacheEntryCount()).toBe(0));
    expect(await client.get('k')).toBe('new');
  });
});
