import { createClient } from 'redis';
import { test as base, expect, vi } from 'vitest';
import { Fence } from './fence.ts';
import { targetOf } from './fixtures.ts';
import { type RunningProxy, startProxy } from './proxy.ts';
import { type RedisOptions, type RedisProcess, startRedis } from './redis.ts';

/** How long a condition that must come true is polled for, and how often, in milliseconds. */
const POLL = { timeout: 20_000, interval: 2 } as const;

/** A weight of the log from which on a line tells of something that went wrong. */
const WARN = 40;

/** What is no defect: clients are told of it, and some tests bring it about. */
const BLIND = /^changes may be missed|^the source of changes is not up/;

/** The client that the tests of it, and the direct writer of all the others, are about. */
export type NodeRedis = Awaited<ReturnType<typeof directClient>>;

let upstream: RedisOptions = {};

/** The tests of this file, and of those that it imports after this, have such a Redis. */
export function standOn(options: RedisOptions): void {
  upstream = options;
}

/**
 * What a test of a real client stands on: a Redis of its own, a proxy in front of it, and
 * `direct`, a client that bypasses the proxy. All end with the test, whatever it registered with
 * `atEnd` first, in reverse order.
 *
 * A test whose proxy has logged a warning fails: a proxy that has lost its place looks like a
 * broken connection to a client, and good clients mend that unnoticed.
 */
export const test = base
  .extend('redis', async ({ task: _ }, { onCleanup }): Promise<RedisProcess> => {
    const redis = await startRedis(upstream);
    onCleanup(() => redis.stop());
    return redis;
  })
  .extend('proxy', async ({ redis }, { onCleanup }): Promise<RunningProxy> => {
    const proxy = await startProxy(redis.url);
    onCleanup(() => proxy.stop());
    return proxy;
  })
  .extend('atEnd', async ({ proxy }, { onCleanup }): Promise<(step: Step) => void> => {
    const steps: Step[] = [];
    onCleanup(async () => {
      for (const step of steps.reverse()) await step();
      expect(proxy.log.filter(({ level, msg }) => level >= WARN && !BLIND.test(msg))).toEqual([]);
    });
    return (step) => steps.push(step);
  })
  .extend('direct', async ({ redis, atEnd }) => {
    const client = await directClient(redis);
    atEnd(() => client.destroy());
    return client;
  })
  .extend('heard', async ({ proxy, redis, atEnd }): Promise<() => Promise<void>> => {
    const fence = await Fence.open(proxy.target, targetOf(redis));
    atEnd(() => fence.close());
    // Resolves when the proxy has heard of every change made so far. A key that is read after
    // that is invalidated by later changes only.
    return async () => {
      await fence.pass();
    };
  });

type Step = () => void | Promise<void>;

/** @returns the host and port where the proxy listens, as clients take them */
export function addressOf(proxy: RunningProxy): { readonly host: string; readonly port: number } {
  if (!('port' in proxy.target)) throw new Error('the proxy listens on a Unix socket');
  return { host: '127.0.0.1', port: proxy.target.port };
}

/** Polls until `condition` no longer throws. @returns what it returned then */
export function eventually<T>(condition: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(condition, POLL);
}

/** Waits until so many clients are blocked in the Redis that `direct` talks to. */
export async function untilBlocked(direct: NodeRedis, clients: number): Promise<void> {
  await eventually(async () => {
    expect(await direct.info('clients')).toContain(`blocked_clients:${clients}\r`);
  });
}

/** @returns words that differ and are easy to count: `word-0`, `word-1` and so on */
export function numbered(word: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${word}-${n}`);
}

/** Every byte there is, among them what no text has. */
export const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

async function directClient(redis: RedisProcess) {
  const client = createClient({ RESP: 2, socket: { path: redis.path ?? '', tls: false } });
  client.on('error', () => {}); // what waits for an answer is told of it too
  return await client.connect();
}
