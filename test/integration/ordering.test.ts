import { describe, expect, vi } from 'vitest';
import { test as base, targetOf } from '../helpers/fixtures.ts';
import { Hop } from '../helpers/hop.ts';
import { type RunningProxy, startProxy } from '../helpers/proxy.ts';
import { RawClient, type Request } from '../helpers/raw-client.ts';
import { startRedis } from '../helpers/redis.ts';

const INVALIDATE_K = '>["invalidate" *["k"]]';
const INVALIDATE_ALL = '>["invalidate" _]';

/** A proxy whose every connection to upstream can be held up, each way. */
interface Stalled {
  readonly proxy: RunningProxy;
  readonly hop: Hop;
  readonly writer: RawClient;
  /** A tracking client, and the stretch between the proxy and Redis that belongs to it. */
  reader(
    name: string,
    ...requests: readonly Request[]
  ): Promise<{
    readonly client: RawClient;
    readonly lane: ReturnType<Hop['of']>;
  }>;
  /** Waits until the proxy has heard of `count` more changes than it had when `work` began. */
  heard(count: number, work: () => Promise<unknown>): Promise<void>;
}

const test = base.extend<{ stalled: Stalled }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads a fixture's needs from its pattern
  stalled: async ({}, use) => {
    const redis = await startRedis();
    const hop = await Hop.open(targetOf(redis));
    const proxy = await startProxy(hop.url);
    const clients: RawClient[] = [];
    const connect = async (target: Parameters<typeof RawClient.connect>[0]) => {
      const client = await RawClient.connect(target);
      clients.push(client);
      return client;
    };
    const { counts } = proxy.metrics;
    await use({
      proxy,
      hop,
      writer: await connect(targetOf(redis)),
      reader: async (name, ...requests) => {
        const client = await connect(proxy.target);
        await client.call(['CLIENT', 'SETNAME', name]);
        await client.pipeline(['HELLO 3', 'CLIENT TRACKING ON', ...requests]);
        return { client, lane: hop.of(`\r\n${name}\r\n`) };
      },
      heard: async (count, work) => {
        const before = counts.notifications;
        await work();
        await vi.waitFor(() => expect(counts.notifications).toBe(before + count), { interval: 1 });
      },
    });
    for (const client of clients) client.close();
    await proxy.stop();
    await hop.close();
    await redis.stop();
  },
});

/** Waits until a reply is held back: the request has been executed. */
async function executed(lane: ReturnType<Hop['of']>): Promise<void> {
  await vi.waitFor(() => expect(lane.heldBytes('down')).toBeGreaterThan(0), { interval: 1 });
}

/** Waits until Redis has a client that is blocked. */
async function blocked(writer: RawClient): Promise<void> {
  await vi.waitFor(async () => {
    expect(await writer.call('INFO clients')).toContain('blocked_clients:1');
  });
}

describe('a notification that overtakes a reply', () => {
  test('of a first read waits for it, however long it takes', async ({ stalled }) => {
    const { client, lane } = await stalled.reader('reader');
    lane.pause('down');
    const read = client.call('GET k');
    await executed(lane);
    await stalled.heard(1, () => stalled.writer.call('SET k new'));
    // Another reader is told at its deadline; this one holds nothing of the key yet.
    const other = await stalled.reader('other', 'GET later', 'GET later');
    await stalled.writer.call('SET later 1');
    await other.client.sawPushes(1);
    expect(client.pushes).toEqual([]);
    lane.resume('down');
    expect(await read).toBe('_');
    await client.sawPushes(1);
    expect(client.frames.slice(-2).map(({ text }) => text)).toEqual(['_', INVALIDATE_K]);
  });

  test('of a second read leaves at its deadline, and again behind the reply', async ({
    stalled,
  }) => {
    const { client, lane } = await stalled.reader('reader', 'GET k');
    lane.pause('down');
    const read = client.call('GET k');
    await executed(lane);
    await stalled.writer.call('SET k new');
    expect(await client.sawPushes(1)).toEqual([INVALIDATE_K]);
    lane.resume('down');
    expect(await read).toBe('_');
    await client.sawPushes(2);
    expect(client.frames.slice(-3).map(({ text }) => text)).toEqual([
      INVALIDATE_K,
      '_',
      INVALIDATE_K,
    ]);
  });

  test('of an own write that is late leaves at its deadline, once', async ({ stalled }) => {
    const { client, lane } = await stalled.reader('reader', 'GET k');
    lane.pause('down');
    const write = client.call('SET k new');
    expect(await client.sawPushes(1)).toEqual([INVALIDATE_K]);
    lane.resume('down');
    expect(await write).toBe('+OK');
    const { client: other } = await stalled.reader('other', 'GET fence');
    await stalled.writer.call('SET fence 1');
    await other.sawPushes(1);
    await client.call('PING');
    expect(client.pushes).toEqual([INVALIDATE_K]);
  });

  test('of reads inside EXEC waits for the whole reply', async ({ stalled }) => {
    const { client, lane } = await stalled.reader('reader');
    await client.pipeline(['MULTI', 'GET k', 'GET l']);
    lane.pause('down');
    const exec = client.call('EXEC');
    await executed(lane);
    await stalled.heard(1, () => stalled.writer.call('SET k new'));
    expect(client.pushes).toEqual([]);
    lane.resume('down');
    expect(await exec).toBe('*[_ _]');
    await client.sawPushes(1);
    expect(client.frames.slice(-2).map(({ text }) => text)).toEqual(['*[_ _]', INVALIDATE_K]);
  });

  test('of a flush counts as naming every key', async ({ stalled }) => {
    const { client, lane } = await stalled.reader('reader');
    await stalled.writer.call('SET k old');
    const flusher = await RawClient.connect(stalled.proxy.target);
    lane.pause('down');
    const read = client.call('GET k');
    await executed(lane);
    expect(await flusher.call('FLUSHALL')).toBe('+OK');
    await client.sawPushes(1); // at its deadline: the client may hold other keys
    lane.resume('down');
    expect(await read).toBe('"old"');
    await client.sawPushes(2);
    // Behind the late read only its own key: nothing else can have come with it.
    expect(client.pushes).toEqual([INVALIDATE_ALL, INVALIDATE_K]);
    expect(client.frames.slice(-2).map(({ text }) => text)).toEqual(['"old"', INVALIDATE_K]);
    flusher.close();
  });
});

describe('a reply that overtakes a notification', () => {
  test('is passed on; the invalidation follows when it is known', async ({ stalled }) => {
    const { client } = await stalled.reader('reader', 'GET k');
    const subscriber = stalled.hop.of('PSUBSCRIBE');
    subscriber.pause('down');
    await stalled.writer.call('SET k new');
    expect(await client.call('PING')).toBe('+PONG');
    expect(client.pushes).toEqual([]);
    subscriber.resume('down');
    expect(await client.sawPushes(1)).toEqual([INVALIDATE_K]);
  });

  test('of a read after the change: it is told of all the same', async ({ stalled }) => {
    const { client } = await stalled.reader('reader', 'GET k');
    const subscriber = stalled.hop.of('PSUBSCRIBE');
    subscriber.pause('down');
    await stalled.writer.call('SET k new');
    expect(await client.call('GET k')).toBe('"new"');
    await stalled.heard(1, async () => subscriber.resume('down'));
    expect(await client.sawPushes(1)).toEqual([INVALIDATE_K]);
  });
});

describe('a command that blocks', () => {
  test('holds up the invalidation of its key no longer than the deadline', async ({ stalled }) => {
    const { client } = await stalled.reader('reader', 'GET k');
    const popped = client.call('BLPOP k 0');
    await blocked(stalled.writer);
    // A string does not serve it, and a change that a blocked request cannot answer is a change.
    await stalled.writer.call('SET k text');
    const from = performance.now();
    expect(await client.sawPushes(1)).toEqual([INVALIDATE_K]);
    expect(performance.now() - from).toBeLessThan(1_000);
    await stalled.writer.call('DEL k');
    await stalled.writer.call('RPUSH k x');
    expect(await popped).toBe('*["k" "x"]');
    expect(client.pushes).toEqual([INVALIDATE_K]);
  });

  test('and reads: the invalidation leaves at its deadline and again behind the reply', async ({
    stalled,
  }) => {
    await stalled.writer.call('XADD k 1-1 f v');
    const { client } = await stalled.reader('reader', 'XLEN k');
    const read = client.call('XREAD BLOCK 0 STREAMS k $');
    await blocked(stalled.writer);
    await stalled.writer.call('EXPIRE k 100');
    expect(await client.sawPushes(1)).toEqual([INVALIDATE_K]);
    await stalled.writer.call('XADD k 5-1 f v');
    expect(await read).toBe('%["k" *[*["5-1" *["f" "v"]]]]');
    await client.sawPushes(2);
    expect(client.frames.at(-1)?.text).toBe(INVALIDATE_K);
  });
});
