import { Redis } from 'ioredis';
import { describe, expect } from 'vitest';
import { test as base } from '../helpers/fixtures.ts';
import { startProxy } from '../helpers/proxy.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { startRedis } from '../helpers/redis.ts';

const FLUSH = '>["invalidate" _]';

/** Changes that no notification tells, made at the upstream by somebody else. */
const SILENT = [
  ['FLUSHALL', (redis: Redis) => redis.flushall()],
  ['FLUSHDB of another database', (redis: Redis) => redis.pipeline().select(3).flushdb().exec()],
  ['FLUSHALL in a script', (redis: Redis) => redis.eval("return redis.call('flushall')", 0)],
  ['FLUSHALL in a transaction', (redis: Redis) => redis.multi().flushall().exec()],
  ['SWAPDB', (redis: Redis) => redis.swapdb(0, 1)],
  ['DEBUG RELOAD', (redis: Redis) => redis.call('DEBUG', 'RELOAD')],
] as const;

describe('a change that no notification tells, made past the proxy', () => {
  base.for(SILENT)('%s', async ([, change], { redis, proxy }) => {
    const direct = new Redis({ path: redis.path ?? '' });
    const reader = await RawClient.connect(proxy.target);
    try {
      await direct.set('k', '1');
      await reader.call('HELLO 3');
      await reader.call('CLIENT TRACKING ON');
      await reader.call('GET k');
      await change(direct);
      expect((await reader.sawPushes(1)).at(-1)).toBe(FLUSH);
    } finally {
      reader.close();
      direct.disconnect();
    }
  });

  base('a script that flushes, sent through the proxy', async ({ proxy }) => {
    const reader = await RawClient.connect(proxy.target);
    await reader.call('HELLO 3');
    await reader.call('CLIENT TRACKING ON');
    await reader.call('GET k');
    await reader.call('EVAL "return redis.call(\'flushall\')" 0');
    expect((await reader.sawPushes(1)).at(-1)).toBe(FLUSH);
    reader.close();
  });
});

describe('notifications that somebody switches off', () => {
  base.for([[''], ['KEx'], ['E$']] as const)('with CONFIG SET: %s', async ([flags]) => {
    const redis = await startRedis();
    const proxy = await startProxy(redis.url);
    const direct = new Redis({ path: redis.path ?? '' });
    const reader = await RawClient.connect(proxy.target);
    try {
      await reader.call('HELLO 3');
      await reader.call('CLIENT TRACKING ON');
      await reader.call('GET k');
      await direct.config('SET', 'notify-keyspace-events', flags);
      // At the start of the blind spell, and at its end.
      expect((await reader.sawPushes(2)).slice(0, 2)).toEqual([FLUSH, FLUSH]);
      await reader.call('GET k');
      await direct.set('k', '2');
      expect((await reader.sawPushes(3)).at(-1)).toBe('>["invalidate" *["k"]]');
      expect(proxy.metrics.counts.blindSpells).toBe(1);
    } finally {
      reader.close();
      direct.disconnect();
      await proxy.stop();
      await redis.stop();
    }
  });
});
