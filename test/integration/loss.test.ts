import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, vi } from 'vitest';
import { targetOf } from '../helpers/fixtures.ts';
import { type Own, test } from '../helpers/own.ts';
import { blindSpellsOf } from '../helpers/proxy.ts';
import type { RawClient, Request } from '../helpers/raw-client.ts';

const INVALIDATE_K = '>["invalidate" *["k"]]';
const INVALIDATE_ALL = '>["invalidate" _]';
const UNREACHABLE = '-ERR the upstream Redis cannot be reached\r\n';

/** How long what must come may take, in milliseconds. */
const POLL = { timeout: 10_000, interval: 2 } as const;

const TRACKING: readonly Request[] = ['HELLO 3', 'CLIENT TRACKING ON'];

describe('a Redis that is killed', () => {
  test('leaves clients what it had sent; they are closed, and a new one is served', async ({
    own,
  }) => {
    const redis = await own.redis();
    const proxy = await own.proxy(redis.url);
    const direct = await own.client(targetOf(redis), 'SET k v');
    const client = await own.client(proxy.target, ...TRACKING);
    client.socket.pause();
    client.send('GET k\r\n'.repeat(1_000));
    await vi.waitFor(async () => expect(await executed(direct)).toBe(1_000), POLL);
    redis.kill();
    await proxy.becomes('unready');
    client.socket.resume();
    await client.expectClose();
    const values = client.answers.filter((answer) => answer === '"v"');
    expect(values.length).toBe(1_000);

    await redis.restart();
    await proxy.becomes('ready');
    const reader = await own.client(proxy.target, ...TRACKING, 'GET k');
    const writer = await own.client(targetOf(redis), 'SET k new');
    expect(await reader.sawPushes(1)).toEqual([INVALIDATE_K]);
    expect(await reader.call('GET k')).toBe('"new"');
    await writer.call('DEL k');
    await reader.sawPushes(2);
    expect(proxy.failures).toEqual([]);
    expect(proxy.log.filter(({ level }) => level >= 50)).toEqual([]);
  });

  test('and one that is asked meanwhile: the client gets an error and is closed', async ({
    own,
  }) => {
    const redis = await own.redis();
    const proxy = await own.proxy(redis.url);
    redis.kill();
    await proxy.becomes('unready');
    const refused = await own.client(proxy.target);
    refused.send('PING\r\n');
    expect(await refused.expectClose()).toBe(UNREACHABLE);
    await redis.restart();
    await proxy.becomes('ready');
    const served = await own.client(proxy.target);
    expect(await served.call('PING')).toBe('+PONG');
  });
});

/** @returns how often a Redis has executed GET */
async function executed(direct: RawClient): Promise<number> {
  const stats = await direct.call('INFO commandstats');
  return Number(/cmdstat_get:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

describe('the connection on which changes are heard', () => {
  test('lost: everything is dropped at once and again when it is back; reads in between are told of', async ({
    own,
  }) => {
    const redis = await own.redis();
    const hop = await own.hop(redis);
    const proxy = await own.proxy(hop.url);
    const direct = await own.client(targetOf(redis));
    const readers = [
      await own.client(proxy.target, ...TRACKING, 'GET k'),
      await own.client(proxy.target, ...TRACKING, 'GET l'),
      await own.client(proxy.target, 'HELLO 3', 'CLIENT TRACKING ON BCAST'),
    ] as const;
    const stranger = await own.client(proxy.target, 'HELLO 3', 'GET k');
    const [reader] = readers;

    hop.refusing = true;
    expect(await direct.call('CLIENT KILL TYPE pubsub')).toBe(':1');
    for (const one of readers) expect(await one.sawPushes(1)).toEqual([INVALIDATE_ALL]);
    expect(proxy.ready.ok).toBe(false);
    expect(proxy.ready.reason).not.toBe('');
    for (const times of [1, 2]) {
      const from = reader.frames.length;
      await reader.call('GET k');
      await reader.sawPushes(1 + times);
      expect(reader.frames.slice(from).map(({ text }) => text)).toEqual(['_', INVALIDATE_K]);
    }
    const from = reader.frames.length;
    const read = await reader.pipeline(['MULTI', 'GET a', 'GET b', 'EXEC', 'GET none']);
    expect(read.at(-1)).toBe('_');
    await reader.sawPushes(6);
    expect(reader.frames.slice(from + 3).map(({ text }) => text)).toEqual([
      '*[_ _]',
      '>["invalidate" *["a"]]',
      '>["invalidate" *["b"]]',
      '_',
      '>["invalidate" *["none"]]',
    ]);

    hop.refusing = false;
    await proxy.becomes('ready');
    await reader.sawPushes(7);
    expect(reader.pushes.at(-1)).toBe(INVALIDATE_ALL);
    const fence = await own.fence(proxy, redis);
    await reader.call('GET k');
    await fence.pass(...readers, stranger);
    expect(reader.pushes.length).toBe(7);
    expect(readers[1].pushes).toEqual([INVALIDATE_ALL, INVALIDATE_ALL]);
    expect(stranger.pushes).toEqual([]);
    expect(blindSpellsOf(proxy)).toBe(1);
    await direct.call('SET k 1');
    await reader.sawPushes(8);
    expect(reader.pushes.at(-1)).toBe(INVALIDATE_K);
  });

  test('lost over and over: each time all is dropped twice, and it comes back', async ({ own }) => {
    const redis = await own.redis();
    const proxy = await own.proxy(redis.url);
    const direct = await own.client(targetOf(redis));
    const reader = await own.client(proxy.target, ...TRACKING);
    for (const round of [1, 2, 3, 4]) {
      expect(await direct.call('CLIENT KILL TYPE pubsub')).toBe(':1');
      await reader.sawPushes(2 * round);
      await proxy.becomes('ready');
      expect(reader.pushes).toEqual(new Array(2 * round).fill(INVALIDATE_ALL));
    }
    expect(blindSpellsOf(proxy)).toBe(4);
  });

  test('gone silent: the deadline of its ping notices', async ({ own }) => {
    const redis = await own.redis();
    const hop = await own.hop(redis);
    const proxy = await own.proxy(hop.url);
    const direct = await own.client(targetOf(redis));
    const reader = await own.client(proxy.target, ...TRACKING, 'GET k');
    hop.of('PSUBSCRIBE').pause('down');
    hop.refusing = true;
    await direct.call('SET k unheard');
    await proxy.becomes('unready');
    // While connecting is refused too, that is the newest reason.
    expect(proxy.log.map(({ reason }) => reason)).toContain('no answer to PING within 2000 ms');
    expect(await reader.sawPushes(1)).toEqual([INVALIDATE_ALL]);
    hop.refusing = false;
    await proxy.becomes('ready');
    expect(await reader.sawPushes(2)).toEqual([INVALIDATE_ALL, INVALIDATE_ALL]);
    expect(await reader.call('GET k')).toBe('"unheard"');
  });
});

describe('an upstream that is not there at the start', () => {
  test('is waited for, with a reason; clients are turned away until it is there', async ({
    own,
  }) => {
    const redis = await own.redis();
    redis.kill();
    const proxy = await own.proxy(redis.url, { unready: true });
    expect(proxy.ready.ok).toBe(false);
    await vi.waitFor(() => expect(proxy.ready.reason).toMatch(/ECONNREFUSED|ENOENT/), POLL);
    const refused = await own.client(proxy.target);
    expect(await refused.expectClose()).toBe(UNREACHABLE);
    expect(proxy.metrics.counts.refusedUpstream).toBe(1);
    await redis.restart();
    await proxy.becomes('ready');
    expect(proxy.ready).toEqual({ ok: true, reason: '' });
    const reader = await own.client(proxy.target, ...TRACKING, 'GET k');
    await own.client(targetOf(redis), 'SET k 1');
    expect(await reader.sawPushes(1)).toEqual([INVALIDATE_K]);
    expect(proxy.failures).toEqual([]);
  });

  test('and one that is no Redis is reported, once', async ({ own }) => {
    const server = await imposter(own);
    const proxy = await own.proxy(server.url, { unready: true });
    await vi.waitFor(() => expect(server.connections).toBeGreaterThan(3), POLL);
    expect(proxy.failures.map(({ code }) => code)).toEqual(['UPSTREAM_NOT_REDIS']);
    expect(proxy.failures[0]?.message).toContain('is no Redis');
    expect(proxy.ready.ok).toBe(false);
  });

  test('but what was a Redis before is waited for, whatever answers in its place', async ({
    own,
  }) => {
    const redis = await own.redis();
    const hop = await own.hop(redis);
    const proxy = await own.proxy(hop.url);
    const before = hop.passages.length;
    for (const passage of hop.passages) passage.inject('down', 'HTTP/1.1 400 Bad Request\r\n\r\n');
    await vi.waitFor(() => expect(hop.passages.length).toBeGreaterThan(before), POLL);
    await proxy.becomes('ready');
    expect(proxy.failures).toEqual([]);
  });
});

/** A server that speaks HTTP, whatever it is asked. */
async function imposter(own: Own) {
  const sockets = new Set<Socket>();
  const found = { url: '', connections: 0 };
  const server = createServer((socket) => {
    found.connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  found.url = `redis://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  own.atEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return found;
}
