import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { test as base, targetOf } from '../helpers/fixtures.ts';
import {
  connectFor,
  dropsOf,
  holds,
  openFollowers,
  openRedirected,
  sawDrops,
} from '../helpers/followers.ts';
import { Hop } from '../helpers/hop.ts';
import {
  blindSpellsOf,
  type ProxyOverrides,
  type RunningProxy,
  startProxy,
} from '../helpers/proxy.ts';
import { RawClient, type Request } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';

const FLUSH = '>["invalidate" _]';

/** How long what must come may take, in milliseconds: a replica asks its master once a second. */
const POLL = { timeout: 20_000, interval: 5 } as const;

/** How often the upstream is looked at, and what a busy machine may add, in milliseconds. */
const INTERVAL_MS = 250;
const SLACK_MS = 1_000;

/** Changes that no notification tells, made at the upstream by somebody else. */
const SILENT: readonly (readonly [name: string, ...change: Request[]])[] = [
  ['FLUSHALL', 'FLUSHALL'],
  ['FLUSHDB', 'FLUSHDB'],
  ['FLUSHDB of another database', 'SELECT 3', 'FLUSHDB'],
  ['FLUSHALL in a script', ['EVAL', "return redis.call('flushall')", '0']],
  ['FLUSHDB in a script', ['EVAL', "return redis.call('flushdb')", '0']],
  ['FLUSHALL in a transaction', 'MULTI', 'FLUSHALL', 'EXEC'],
  ['SWAPDB', 'SWAPDB 0 1'],
  ['DEBUG RELOAD', 'DEBUG RELOAD'],
  ['DEBUG POPULATE', 'DEBUG POPULATE 3'],
  ['FLUSHALL, and CONFIG RESETSTAT behind it', 'FLUSHALL', 'CONFIG RESETSTAT'],
];

describe('a change that no notification tells, made past the proxy', () => {
  base.for(SILENT)('%s', async ([, ...change], { redis, proxy, annotate }) => {
    const direct = await connectFor(targetOf(redis), 'SET k 1');
    const followers = await openFollowers(proxy.target);
    const fromMs = performance.now();
    await direct.pipeline(change);
    await sawDrops(followers, 1);
    const tookMs = performance.now() - fromMs;
    await annotate(`told after ${Math.round(tookMs)} ms; the bound is ${INTERVAL_MS} ms`);
    expect(tookMs).toBeLessThan(INTERVAL_MS + SLACK_MS);
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

/** Waits until the upstream has been looked at `count` times more. */
async function looksAt(direct: RawClient, count: number): Promise<void> {
  const looks = async () => {
    const stats = await direct.call('INFO commandstats');
    return Number(/cmdstat_config(?:\|get)?:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  };
  const from = await looks();
  const isEnough = async () => expect((await looks()) - from).toBeGreaterThan(count);
  await vi.waitFor(isEnough, { ...POLL, interval: 50 });
}

base('what is no silent change is not taken for one', async ({ redis, proxy }) => {
  const direct = await connectFor(targetOf(redis));
  const followers = await openFollowers(proxy.target);
  const client = await connectFor(proxy.target);
  await client.pipeline(['FLUSHALL', 'DEBUG SLEEP 0', 'MULTI', 'FLUSHDB', 'EXEC', 'SWAPDB 0 1']);
  await sawDrops(followers, 3);
  await direct.pipeline(['SET k 1', 'DEL k', 'SCRIPT FLUSH', 'CONFIG GET *', 'INFO all', 'SAVE']);
  await looksAt(direct, 3);
  for (const one of followers) expect(dropsOf(one), one.name).toBe(3);
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
      expect(blindSpellsOf(proxy)).toBe(1);
    } finally {
      reader.close();
      direct.disconnect();
      await proxy.stop();
      await redis.stop();
    }
  });
});

async function startFor(...args: readonly string[]): Promise<RedisProcess> {
  const redis = await startRedis({ tcp: true, args });
  onTestFinished(() => redis.stop());
  return redis;
}

async function proxyFor(upstream: string, overrides?: ProxyOverrides): Promise<RunningProxy> {
  const proxy = await startProxy(upstream, overrides);
  onTestFinished(() => proxy.stop());
  return proxy;
}

/** What a master is told that syncs at once and keeps little of what it has sent. */
const MASTER = [
  ...['--repl-diskless-sync-delay', '0', '--repl-backlog-size', '16384'],
  ...['--requirepass', 'secret'],
];

/** A replica behind a proxy, in step with its master, where k is `first`. */
async function setReplica() {
  const master = await startFor(...MASTER);
  const atMaster = await connectFor(targetOf(master), 'AUTH secret', 'SET k first');
  const port = String(master.port);
  const replica = await startFor('--replicaof', '127.0.0.1', port, '--masterauth', 'secret');
  const direct = await connectFor(targetOf(replica));
  await becomes(direct, 'first');
  const proxy = await proxyFor(replica.url);
  return { master, atMaster, direct, proxy };
}

/** Waits until k has `value`. */
async function becomes(direct: RawClient, value: string): Promise<void> {
  await vi.waitFor(async () => expect(await direct.call('GET k')).toBe(`"${value}"`), POLL);
}

describe('an upstream that is a replica', () => {
  test('is given another master', async () => {
    const { direct, proxy } = await setReplica();
    const other = await startFor(...MASTER);
    await connectFor(targetOf(other), 'AUTH secret', 'SET k second');
    const followers = await openFollowers(proxy.target);
    const held = followers.map((one) => holds(one, '"second"'));
    await direct.call(`REPLICAOF 127.0.0.1 ${other.port}`);
    await becomes(direct, 'second');
    const fromMs = performance.now();
    await Promise.all(held);
    expect(performance.now() - fromMs).toBeLessThan(INTERVAL_MS + SLACK_MS);
  });

  test('has a master that is restarted with other data', async () => {
    const { direct, master, proxy } = await setReplica();
    const followers = await openFollowers(proxy.target);
    const held = followers.map((one) => holds(one, '"second"'));
    // Until the data are there the replica is not let in: it would be told of them one by one.
    await direct.call('CONFIG SET masterauth wrong');
    await master.restart();
    await connectFor(targetOf(master), 'AUTH secret', 'SET k second');
    await direct.call('CONFIG SET masterauth secret');
    await becomes(direct, 'second');
    const fromMs = performance.now();
    await Promise.all(held);
    expect(performance.now() - fromMs).toBeLessThan(INTERVAL_MS + SLACK_MS);
  });

  test('is promoted', async () => {
    const { direct, proxy } = await setReplica();
    const followers = await openFollowers(proxy.target);
    await direct.call('REPLICAOF NO ONE');
    await sawDrops(followers, 1);
  });

  test('has a master that is flushed', async () => {
    const { atMaster, direct, proxy } = await setReplica();
    const followers = await openFollowers(proxy.target);
    await atMaster.call('FLUSHALL');
    await vi.waitFor(async () => expect(await direct.call('GET k')).toBe('$-1'), POLL);
    const fromMs = performance.now();
    await sawDrops(followers, 1);
    expect(performance.now() - fromMs).toBeLessThan(INTERVAL_MS + SLACK_MS);
  });

  test('syncs in full with its master, between two looks', async () => {
    const { atMaster, direct, proxy } = await setReplica();
    const followers = await openFollowers(proxy.target);
    const more = 'x'.repeat(100_000); // than the master keeps to send again
    await atMaster.pipeline(['MULTI', 'CLIENT KILL TYPE replica', ['SET', 'other', more]]);
    await atMaster.pipeline(['SET k second', 'EXEC']);
    await becomes(direct, 'second');
    await sawDrops(followers, 1, INTERVAL_MS + SLACK_MS);
  });
});

describe('an address behind which another Redis answers', () => {
  test('since a failover that has cut all connections', async () => {
    const [one, other] = [await startFor(), await startFor()];
    const behind = { port: one.port as number };
    const hop = await Hop.open(behind);
    onTestFinished(() => hop.close());
    await connectFor(targetOf(one), 'SET k first');
    const atOther = await connectFor(targetOf(other), 'SET k second');
    const proxy = await proxyFor(hop.url);
    const followers = await openFollowers(proxy.target);
    behind.port = other.port as number;
    for (const passage of hop.passages) passage.cut();
    for (const { reader } of followers) await reader.expectClose();
    await proxy.becomes('unready');
    await proxy.becomes('ready');
    const anew = await openFollowers(proxy.target);
    for (const { reader } of anew) expect(reader.answers.at(-1)).toBe('"second"');
    await atOther.call('SET k third');
    await Promise.all(anew.map((follower) => holds(follower, '"third"')));
    expect(blindSpellsOf(proxy)).toBe(1);
  });
});

/** @returns the path of a socket behind which `redis` says that it is a 5.0 */
async function asOlder(redis: RedisProcess): Promise<string> {
  const path = `${redis.path}.older`;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(redis.path as string);
    near.pipe(far);
    far.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1').replace(/(redis_version:)\d/, '$15');
      near.write(Buffer.from(text, 'latin1'));
    });
    for (const socket of [near, far]) {
      sockets.add(socket.on('error', () => {}));
      socket.on('close', () => near.destroy() && far.destroy());
    }
  });
  server.listen(path);
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return path;
}

const RESTORE = "redis.call('restore', KEYS[1], 0, redis.call('dump', KEYS[1]), 'replace')";

/** What a Redis before 6.0 does not announce. */
const SILENT_BEFORE_6: readonly (readonly [name: string, ...change: Request[]])[] = [
  ['RESTORE REPLACE', ['EVAL', RESTORE, '1', 'other']],
  ['MOVE', 'MOVE other 3'],
  ['PERSIST', 'PERSIST other'],
  ['SINTERSTORE', 'SINTERSTORE other none none'],
];

describe('a Redis before 6.0, which a newer one plays', () => {
  // It counts as one for the looks. What it announces all the same is no key that is read here.
  test.for(SILENT_BEFORE_6)('%s, made past the proxy', async ([, ...change]) => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const proxy = await proxyFor(`unix://${await asOlder(redis)}`);
    const direct = await connectFor(targetOf(redis), 'SET k 1', 'SET other 1 EX 60');
    const follower = await openRedirected(proxy.target);
    const fromMs = performance.now();
    await direct.pipeline(change);
    await sawDrops([follower], 1);
    expect(performance.now() - fromMs).toBeLessThan(INTERVAL_MS + SLACK_MS);
  });

  test('and none of them is looked for at one that announces it', async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const proxy = await proxyFor(redis.url);
    const direct = await connectFor(targetOf(redis), 'SET k 1', 'SET other 1 EX 60');
    const follower = await openRedirected(proxy.target);
    await direct.pipeline(SILENT_BEFORE_6.flatMap(([, ...change]) => change));
    await looksAt(direct, 3);
    expect(follower.hears.pushes).toEqual([]);
  });
});
