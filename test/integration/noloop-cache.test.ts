import { describe, expect, vi } from 'vitest';
import { targetOf } from '../helpers/fixtures.ts';
import { test } from '../helpers/own.ts';
import { encode, type Request } from '../helpers/raw-client.ts';

const INVALIDATE_K = '>["invalidate" *["k"]]';
const NOLOOP: readonly Request[] = ['HELLO 3', 'CLIENT TRACKING ON BCAST NOLOOP'];

/** How long what must come may take, in milliseconds. */
const POLL = { timeout: 10_000, interval: 2 } as const;

describe('a NOLOOP client that watches prefixes caches what it writes', () => {
  test.for<readonly [string, readonly Request[]]>([
    ['a write', ['SET k mine']],
    ['a transaction', ['MULTI', 'SET k mine', 'EXEC']],
    ['a script', ['EVAL "return redis.call(\'set\', KEYS[1], 1)" 1 k']],
  ])(
    'while the source is lost, %s is followed by its invalidation',
    async ([, writes], { own }) => {
      const redis = await own.redis();
      const hop = await own.hop(redis);
      const proxy = await own.proxy(hop.url);
      const client = await own.client(proxy.target, ...NOLOOP);
      hop.refusing = true;
      hop.of('PSUBSCRIBE').cut();
      await client.sawPushes(1);
      await client.pipeline(writes);
      await client.sawPushes(2);
      expect(client.pushes[1]).toBe(INVALIDATE_K);
      expect(client.frames.at(-1)?.kind).toBe('push');
    },
  );

  test.for<readonly [string, readonly Request[]]>([
    ['a write', ['SET k mine']],
    ['a transaction', ['MULTI', 'SET k mine', 'EXEC']],
  ])('%s answered late is followed by what came between', async ([, writes], { own }) => {
    const redis = await own.redis();
    const hop = await own.hop(redis);
    const proxy = await own.proxy(hop.url);
    const direct = await own.client(targetOf(redis));
    const client = await own.client(proxy.target, ...NOLOOP, 'CLIENT SETNAME slow');
    const lane = hop.of('\r\nslow\r\n');
    lane.pause('down');
    for (const write of writes) client.send(encode(write));
    await vi.waitFor(async () => expect(await direct.call('GET k')).toBe('"mine"'), POLL);
    await direct.call('SET k other');
    await client.sawPushes(1); // it was due before the reply came
    lane.resume('down');
    await client.sawPushes(2);
    expect(client.pushes).toEqual([INVALIDATE_K, INVALIDATE_K]);
    expect(client.frames.at(-1)?.kind).toBe('push');
  });
});

test('a source that is lost while it is set up is set up again', async ({ own }) => {
  const redis = await own.redis();
  const hop = await own.hop(redis);
  let links = 0;
  hop.greet = (link) => {
    links += 1;
    if (links <= 2) link.delay('down', 50);
  };
  const proxy = await own.proxy(hop.url, { unready: true });
  await vi.waitFor(() => hop.of('info'), POLL);
  hop.of('PSUBSCRIBE').cut();
  await proxy.becomes('ready');
  expect(links).toBeGreaterThan(2);
});

test('what the proxy asks for itself never stands inside a request', async ({ own }) => {
  const redis = await own.redis();
  const hop = await own.hop(redis);
  const proxy = await own.proxy(hop.url);
  const client = await own.client(proxy.target, 'HELLO 3', 'CLIENT SETNAME cut');
  const lane = hop.of('\r\ncut\r\n');
  lane.pause('down');
  for (const request of ['MULTI', 'CLIENT TRACKING ON NOLOOP', 'EXEC'])
    client.send(encode(request));
  await vi.waitFor(() => expect(lane.sentUp).toContain('EXEC'), POLL);
  // NOLOOP makes the proxy ask what the user may do, when EXEC is answered.
  client.send('*2\r\n$4\r\nECHO\r\n$3\r\n');
  await vi.waitFor(() => expect(lane.sentUp).toContain('ECHO'), POLL);
  lane.resume('down');
  await vi.waitFor(() => expect(client.answers.at(-1)).toBe('*[+OK]'), POLL);
  client.send('abc\r\n');
  await vi.waitFor(() => expect(client.answers.at(-1)).toBe('"abc"'), POLL);
  expect(await client.call('SET k v')).toBe('+OK');
  expect(lane.sentUp).toContain('PUBLISH');
});
