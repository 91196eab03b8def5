import { describe, expect, vi } from 'vitest';
import { targetOf } from '../helpers/fixtures.ts';
import { test } from '../helpers/own.ts';

const INVALIDATE_ALL = '>["invalidate" _]';
const REFUSED =
  '-ERR tracking is refused for now: changes of the data may be missed (--blind=refuse)';

/** How long what must come may take, in milliseconds. */
const POLL = { timeout: 10_000, interval: 2 } as const;

describe('--blind=refuse', () => {
  test('disconnects who tracks, and refuses to track until sight is back', async ({ own }) => {
    const redis = await own.redis();
    const hop = await own.hop(redis);
    const proxy = await own.proxy(hop.url, { blind: 'refuse' });
    const tracking = await own.client(proxy.target, 'HELLO 3', 'CLIENT TRACKING ON', 'GET k');
    const bcast = await own.client(proxy.target, 'HELLO 3', 'CLIENT TRACKING ON BCAST');
    const target = await own.client(proxy.target, 'HELLO 3');
    const id = (await target.call('CLIENT ID')).slice(1);
    const redirecting = await own.client(proxy.target, `CLIENT TRACKING ON REDIRECT ${id}`);
    const plain = await own.client(proxy.target, 'PING');
    // Also new connections for notifications are cut, so that the spell lasts.
    hop.refusing = true;
    hop.of('PSUBSCRIBE').cut();
    for (const client of [tracking, bcast, redirecting]) await client.expectClose();
    for (const client of [tracking, bcast]) expect(client.pushes.at(-1)).toBe(INVALIDATE_ALL);
    // Who is only told, stays, and is told.
    expect((await target.sawPushes(1))[0]).toBe(INVALIDATE_ALL);
    expect(await plain.call('SET k v')).toBe('+OK');
    expect(await plain.call('CLIENT TRACKING ON')).toBe(REFUSED);
    expect(await plain.call('CLIENT TRACKING OFF')).toBe('+OK');
    expect(await plain.call('CLIENT TRACKING ON BCAST PREFIX a PREFIX ab')).toMatch(/^-ERR Prefix/);
    expect(await plain.call('CLIENT TRACKINGINFO')).toContain('"off"');
    expect(await plain.call('GET k')).toBe('"v"');

    hop.refusing = false;
    await proxy.becomes('ready');
    expect(await plain.call('CLIENT TRACKING ON')).toBe('+OK');
    const again = await own.client(proxy.target, 'HELLO 3', 'CLIENT TRACKING ON', 'GET k');
    const direct = await own.client(targetOf(redis));
    await direct.call('SET k w');
    expect(await again.sawPushes(1)).toEqual(['>["invalidate" *["k"]]']);
  });

  test('refuses also before the first sight', async ({ own }) => {
    const redis = await own.redis();
    await (await own.client(targetOf(redis))).call('CONFIG SET notify-keyspace-events ""');
    const proxy = await own.proxy(redis.url, {
      blind: 'refuse',
      notifyConfig: 'check',
      unready: true,
    });
    const client = await own.client(proxy.target);
    await vi.waitFor(() => expect(proxy.ready.reason).toContain('notify-keyspace-events'), POLL);
    expect(await client.call('CLIENT TRACKING ON')).toBe(REFUSED);
    expect(await client.call('PING')).toBe('+PONG');
  });
});
