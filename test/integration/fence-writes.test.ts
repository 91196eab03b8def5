import { describe, expect, vi } from 'vitest';
import { targetOf } from '../helpers/fixtures.ts';
import type { Passage } from '../helpers/hop.ts';
import { test as base, type Own } from '../helpers/own.ts';
import type { ProxyOverrides, RunningProxy } from '../helpers/proxy.ts';
import { encode, type RawClient, type Request } from '../helpers/raw-client.ts';

const INVALIDATE_K = '>["invalidate" *["k"]]';
const INVALIDATE_ALL = '>["invalidate" _]';
const TRACKING: readonly Request[] = ['HELLO 3', 'CLIENT TRACKING ON'];

/** How long what must come may take, in milliseconds. */
const POLL = { timeout: 10_000, interval: 2 } as const;

/** A proxy whose source can be held up, so that it is seen what waits for it. */
interface Scene {
  readonly proxy: RunningProxy;
  /** The link over which notifications come. */
  readonly source: Passage;
  readonly direct: RawClient;
  client(...requests: readonly Request[]): Promise<RawClient>;
  /** Waits until `count` replies in all have been held. */
  held(count: number): Promise<void>;
}

const test = base.extend<{ scene: (overrides?: ProxyOverrides) => Promise<Scene> }>({
  scene: async ({ own }, use) => {
    await use((overrides = { fenceWrites: true }) => start(own, overrides));
  },
});

async function start(own: Own, overrides: ProxyOverrides): Promise<Scene> {
  const redis = await own.redis();
  const hop = await own.hop(redis);
  const proxy = await own.proxy(hop.url, overrides);
  const { counts } = proxy.metrics;
  return {
    proxy,
    source: hop.of('PSUBSCRIBE'),
    direct: await own.client(targetOf(redis)),
    client: (...requests) => own.client(proxy.target, ...requests),
    held: (count) => vi.waitFor(() => expect(counts.fencedWrites).toBe(count), POLL),
  };
}

describe('with --fence-writes', () => {
  test('ten thousand writes in one pipeline tell their own client of each key a few times', async ({
    scene,
  }) => {
    const { client, proxy } = await scene();
    const writer = await client('HELLO 3', 'CLIENT TRACKING ON BCAST');
    const count = 10_000;
    const before = writer.bytes.length;
    await writer.pipeline(Array.from({ length: count }, (_, n) => `SET many:${n} 1`));
    await vi.waitFor(() => expect(writer.bytes.includes(`many:${count - 1}\r\n`)).toBe(true), POLL);
    // 30 bytes name a key. Said again behind each reply that is let go, they would be gigabytes.
    expect(writer.bytes.length - before).toBeLessThan(10 * 30 * count);
    expect(proxy.metrics.counts.fencedWrites).toBe(count);
  });

  test.for<readonly [string, readonly Request[]]>([
    ['SET', ['SET k 1']],
    ['a write of a tracking client', [...TRACKING, 'SET k 1']],
    ['a write of a NOLOOP client', ['HELLO 3', 'CLIENT TRACKING ON NOLOOP', 'SET k 1']],
    ['a transaction', ['MULTI', 'GET k', 'SET k 1', 'EXEC']],
    ['a script', ['EVAL "return redis.call(\'set\', KEYS[1], 1)" 1 k']],
    ['FLUSHALL', ['FLUSHALL']],
    ['a transaction with a flush in it', ['MULTI', 'FLUSHDB', 'EXEC']],
    ['a pop that might have waited', ['LPUSH list a', 'BLPOP list 0']],
    ['a command that nobody knows', ['NOSUCHCOMMAND k']],
  ])('the reply to %s waits for the source', async ([, requests], { scene }) => {
    const { source, client, held, direct } = await scene();
    const writer = await client();
    const before = requests.slice(0, -1);
    await writer.pipeline(before);
    const answersBefore = writer.answers.length;
    const fencedBefore = requests[0] === 'LPUSH list a' ? 1 : 0;
    await held(fencedBefore);
    source.pause('down');
    writer.send(encode(requests.at(-1) as Request));
    writer.send(encode('PING behind'));
    await held(fencedBefore + 1);
    expect(await direct.call('PING')).toBe('+PONG');
    expect(writer.answers.length).toBe(answersBefore);
    source.resume('down');
    await vi.waitFor(() => expect(writer.answers.length).toBe(answersBefore + 2), POLL);
    expect(writer.answers.at(-1)).toBe('"behind"');
  });

  test.for<readonly Request[]>([
    ['GET k'],
    ['MULTI', 'GET k', 'EXEC'],
    ['EVAL_RO "return 1" 1 k'],
    ['CLIENT REPLY OFF', 'SET k 1', 'CLIENT REPLY ON'],
    ['MULTI', 'SET k 1', 'DISCARD'],
    ['CONFIG GET maxmemory'],
  ])('%j waits for nothing', async (requests, { scene }) => {
    const { source, client, held } = await scene();
    const reader = await client();
    source.pause('down');
    for (const request of requests) reader.send(encode(request));
    reader.send(encode('ECHO end'));
    await vi.waitFor(() => expect(reader.answers.at(-1)).toBe('"end"'), POLL);
    await held(0);
  });

  test('others have been told when a writer hears that it is done', async ({ scene }) => {
    const { source, client } = await scene();
    source.delay('down', 5);
    const readers = await Promise.all([
      client(...TRACKING),
      client('HELLO 3', 'CLIENT TRACKING ON BCAST'),
      client('HELLO 3', 'CLIENT TRACKING ON OPTIN'),
    ]);
    const writer = await client();
    for (let round = 1; round <= 20; round++) {
      for (const reader of readers) await reader.pipeline(['CLIENT CACHING YES', 'GET k']);
      expect(await writer.call(`SET k ${round}`)).toBe('+OK');
      // What was on its way to them before the writer heard has been read by now.
      await Promise.all(readers.map((reader) => reader.call('PING')));
      for (const reader of readers) expect(reader.pushes).toHaveLength(round);
    }
  });

  test('and without it the writer may be first', async ({ scene }) => {
    const { source, client } = await scene({ fenceWrites: false });
    const [reader, writer] = [await client(...TRACKING, 'GET k'), await client()];
    source.pause('down');
    expect(await writer.call('SET k 1')).toBe('+OK');
    await reader.call('PING');
    expect(reader.pushes).toEqual([]);
    source.resume('down');
    expect(await reader.sawPushes(1)).toEqual([INVALIDATE_K]);
  });

  test('two writers that read each other wait for nobody in a circle', async ({ scene }) => {
    const { source, client } = await scene();
    const clients = [await client(...TRACKING, 'GET k'), await client(...TRACKING, 'GET k')];
    source.pause('down');
    for (const one of clients) one.send(encode('SET k 1'));
    await vi.waitFor(() => expect(source.heldBytes('down')).toBeGreaterThan(0), POLL);
    source.resume('down');
    for (const one of clients) {
      await vi.waitFor(() => expect(one.answers.at(-1)).toBe('+OK'), POLL);
      await one.sawPushes(1);
      expect(one.pushes.every((push) => push === INVALIDATE_K)).toBe(true);
    }
  });

  test('a lost source lets go of what is held, behind the news', async ({ scene }) => {
    const { source, client, held, proxy } = await scene();
    const [reader, writer] = [await client(...TRACKING, 'GET k'), await client()];
    source.pause('down');
    writer.send(encode('SET k 1'));
    await held(1);
    source.cut();
    await vi.waitFor(() => expect(writer.answers).toEqual(['+OK']), POLL);
    await reader.call('PING');
    expect(reader.pushes[0]).toBe(INVALIDATE_ALL);
    await proxy.becomes('ready');
    expect(await writer.call('SET k 2')).toBe('+OK');
  });

  test('QUIT behind a write that is held gets both replies', async ({ scene }) => {
    const { source, client, held } = await scene();
    const writer = await client();
    source.pause('down');
    writer.send(encode('SET k 1'));
    writer.send(encode('QUIT'));
    await held(1);
    source.resume('down');
    await writer.expectClose();
    expect(writer.answers).toEqual(['+OK', '+OK']);
  });

  test('replies of any length are held in little memory', async ({ scene }) => {
    const { source, client, held, direct } = await scene();
    const value = 'x'.repeat(8 * 1_048_576);
    await direct.call(['SET', 'long', value]);
    const writer = await client();
    source.pause('down');
    writer.send(encode('GETDEL long'));
    writer.send(encode('PING'));
    await held(1);
    expect(writer.answers).toEqual([]);
    source.resume('down');
    await vi.waitFor(() => expect(writer.answers.at(-1)).toBe('+PONG'), POLL);
    expect(writer.answers[0]?.length).toBe(value.length + 2);
  });

  test('a writer that leaves while its reply is held leaves nothing behind', async ({ scene }) => {
    const { source, client, held, proxy } = await scene();
    const writer = await client();
    source.pause('down');
    writer.send(encode('SET k 1'));
    await held(1);
    writer.close();
    source.resume('down');
    const { metrics } = proxy;
    const clients = async () =>
      /^sidetrack_clients (\d+)$/m.exec((await metrics.expose()).text)?.[1];
    await vi.waitFor(async () => expect(await clients()).toBe('0'), POLL);
  });
});

describe('CLIENT FENCE-WRITES', () => {
  test('switches it for one client, from the next request on', async ({ scene }) => {
    const { source, client, held } = await scene({ fenceWrites: false });
    const [fenced, other] = [await client('CLIENT FENCE-WRITES ON'), await client()];
    source.pause('down');
    fenced.send(encode('SET k 1'));
    await held(1);
    expect(await other.call('SET k 2')).toBe('+OK');
    expect(fenced.answers).toEqual(['+OK']);
    source.resume('down');
    await vi.waitFor(() => expect(fenced.answers).toHaveLength(2), POLL);
    expect(await fenced.call('client fence-writes off')).toBe('+OK');
    source.pause('down');
    expect(await fenced.call('SET k 3')).toBe('+OK');
  });

  test('off works against --fence-writes, and RESET ends it', async ({ scene }) => {
    const { source, client, held } = await scene();
    const writer = await client('CLIENT FENCE-WRITES OFF');
    source.pause('down');
    expect(await writer.call('SET k 1')).toBe('+OK');
    expect(await writer.call('RESET')).toBe('+RESET');
    writer.send(encode('SET k 2'));
    await held(1);
    source.resume('down');
    await vi.waitFor(() => expect(writer.answers).toHaveLength(4), POLL);
  });

  test('in MULTI holds from EXEC on', async ({ scene }) => {
    const { source, client, held } = await scene({ fenceWrites: false });
    const writer = await client();
    await writer.pipeline(['MULTI', 'CLIENT FENCE-WRITES ON', 'EXEC']);
    expect(writer.answers.at(-1)).toBe('*[+OK]');
    source.pause('down');
    writer.send(encode('SET k 1'));
    await held(1);
    source.resume('down');
    await vi.waitFor(() => expect(writer.answers).toHaveLength(4), POLL);
  });

  test('has its errors', async ({ scene }) => {
    const { client, direct } = await scene({ fenceWrites: false });
    const writer = await client();
    expect(await writer.call('CLIENT FENCE-WRITES MAYBE')).toBe('-ERR syntax error');
    expect(await writer.call('CLIENT FENCE-WRITES')).toBe(
      "-ERR wrong number of arguments for 'client|fence-writes' command",
    );
    await direct.call('CONFIG SET requirepass secret');
    const stranger = await client();
    expect(await stranger.call('CLIENT FENCE-WRITES ON')).toMatch(/^-NOAUTH/);
  });
});
