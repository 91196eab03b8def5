import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { blindSpellsOf, type RunningProxy, startProxy } from '../helpers/proxy.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';

/**
 * All classes of notifications but g: what such a server does not announce is what no server before
 * 6.0 does, and more.
 */
const SILENT_FLAGS = 'K$lshzxetd';
const DEADLINE_MS = 10_000;

let redis: RedisProcess;
let direct: Redis;
let proxy: RunningProxy | undefined;

beforeEach(async () => {
  redis = await startRedis({ args: ['--notify-keyspace-events', SILENT_FLAGS] });
  direct = new Redis({ path: redis.path ?? '' });
});

afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
  direct.disconnect();
  await redis.stop();
});

/** A proxy whose own user has these rights. Clients have those of the default user. */
async function startAs(...rights: readonly string[]): Promise<RunningProxy> {
  await direct.call('ACL', 'SETUSER', 'proxy', 'on', '>secret', '~*', '&*', ...rights);
  const url = redis.url.replace('unix://', 'unix://proxy:secret@');
  proxy = await startProxy(url, { notifyConfig: 'skip', watchIntervalMs: 20 });
  return proxy;
}

/** @returns the warnings that changes made elsewhere are not noticed, with their reasons */
function warnings({ log }: RunningProxy): readonly unknown[] {
  return log
    .filter(({ level, msg }) => level === 40 && msg.includes('docs/consistency.md'))
    .map(({ reason }) => reason);
}

/** @returns how often upstream has refused INFO */
async function refusedLooks(): Promise<number> {
  const stats = await direct.info('commandstats');
  return Number(/^cmdstat_info:.*rejected_calls=(\d+)/m.exec(stats)?.[1] ?? 0);
}

async function poll(condition: () => boolean | Promise<boolean>): Promise<void> {
  const until = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > until) throw new Error('it did not come to pass');
    await sleep(5);
  }
}

describe('an upstream that does not tell its version, nor all that changes', () => {
  test('what passes through is told of, key by key', async () => {
    // Before there is a proxy, which might hear of it only behind the reads.
    await direct.mset('a', '1', 'b', '2', 'c', '3');
    await direct.expire('a', 100);
    const running = await startAs('+@all', '-info');
    const [reader, writer] = [
      await RawClient.connect(running.target),
      await RawClient.connect(running.target),
    ];
    await reader.call('HELLO 3');
    await reader.call('CLIENT TRACKING ON');
    await reader.call('MGET a b c d');
    const dump = await direct.dumpBuffer('c');

    await writer.call('PERSIST a');
    expect(await reader.sawPushes(1)).toEqual(['>["invalidate" *["a"]]']);
    await writer.call('MULTI');
    await writer.call('MOVE b 5');
    await writer.call('PERSIST c'); // has no time: nothing changes
    expect(await writer.call('EXEC')).toBe('*[:1 :0]');
    expect((await reader.sawPushes(2)).at(-1)).toBe('>["invalidate" *["b"]]');
    await writer.call(['RESTORE', 'd', '0', dump]);
    expect((await reader.sawPushes(3)).at(-1)).toBe('>["invalidate" *["d"]]');
    await direct.set('c', '4'); // announced: nothing else has come before it
    expect((await reader.sawPushes(4)).at(-1)).toBe('>["invalidate" *["c"]]');
    expect(running.metrics.counts.invalidationsSilent).toBe(0);
    reader.close();
    writer.close();
  });

  test('the operator is told once what that means', async () => {
    const running = await startAs('+@all', '-info');
    expect(warnings(running)).toEqual(['INFO is refused to the proxy']);
    const first = running.log.length;
    const before = await refusedLooks();
    await poll(async () => (await refusedLooks()) >= before + 3);
    expect(running.log.length).toBe(first);
  });

  test('and once more each time that INFO is taken away', async () => {
    const running = await startAs('+@all');
    expect(warnings(running)).toEqual([]);
    await direct.call('ACL', 'SETUSER', 'proxy', '-info');
    await poll(() => warnings(running).length === 1);
    await direct.call('ACL', 'SETUSER', 'proxy', '+info');
    // What happened meanwhile nobody knows: a spell when it was taken, and one when it is back.
    await poll(() => blindSpellsOf(running) === 2 && running.ready.ok);
    await direct.flushall(); // looks see again
    await poll(() => running.log.some(({ reason }) => String(reason).startsWith('FLUSHALL')));
    expect(warnings(running)).toHaveLength(1);
    await direct.call('ACL', 'SETUSER', 'proxy', '-info');
    await poll(() => warnings(running).length === 2);
  });
});
