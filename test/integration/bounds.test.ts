import { readFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Fence } from '../helpers/fence.ts';
import { test as base, targetOf } from '../helpers/fixtures.ts';
import { connectFor, dropsOf, holds, openFollowers, sawDrops } from '../helpers/followers.ts';
import { Hop } from '../helpers/hop.ts';
import { blindSpellsOf, type ProxyOverrides, startProxy } from '../helpers/proxy.ts';
import type { RawClient, Request } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';

/*
 * How long a stale value can live: the rows of the table in docs/consistency.md that have no test
 * elsewhere, and what that page says is not noticed.
 */

/** How long what must come may take, in milliseconds. */
const POLL = { timeout: 10_000, interval: 5 } as const;

/** How often the upstream is looked at, and what a busy machine may add, in milliseconds. */
const INTERVAL_MS = 250;
const SLACK_MS = 1_000;

/** How long the reply to a flush is waited for when its client has left, in milliseconds. */
const DRAIN_MS = 2_000;

/** How late Redis may be to remove a key whose time is over, in milliseconds: ten times a second. */
const EXPIRY_MS = 100;

/** Writes to k, by whom they are sent. */
const WRITES: readonly (readonly [
  name: string,
  by: 'upstream' | 'proxy' | 'other proxy',
  ...Request[],
])[] = [
  ['past the proxy', 'upstream', 'SET k 2'],
  ['through the proxy', 'proxy', 'SET k 2'],
  ['through another proxy', 'other proxy', 'SET k 2'],
  [
    'in a script that does not declare it',
    'upstream',
    ['EVAL', "redis.call('SET', 'k', '2')", '0'],
  ],
  ['in a transaction', 'upstream', 'MULTI', 'SET k 2', 'EXEC'],
  ['under that name in another database', 'upstream', 'SELECT 3', 'SET k 2'],
];

describe('a write is told of without waiting for any clock', () => {
  base.for(WRITES)('%s', async ([, by, ...write], { redis, proxy, annotate }) => {
    await connectFor(targetOf(redis), 'SET k 1');
    const other = by === 'other proxy' ? await proxyFor(redis.url) : proxy;
    const writer = await connectFor(by === 'upstream' ? targetOf(redis) : other.target);
    const followers = await openFollowers(proxy.target);
    const fromMs = performance.now();
    await writer.pipeline(write);
    await Promise.all(followers.map(({ hears }) => hears.sawPushes(1)));
    const tookMs = performance.now() - fromMs;
    await annotate(`told after ${tookMs.toFixed(1)} ms`);
    expect(tookMs).toBeLessThan(SLACK_MS);
    for (const { hears, changed } of followers) expect(hears.pushes[0]).toBe(changed);
  });

  base('by Redis itself, at the end of a time to live', async ({ redis, proxy, annotate }) => {
    const direct = await connectFor(targetOf(redis), 'SET k 1 PX 200');
    const followers = await openFollowers(proxy.target);
    const leftMs = Number((await direct.call('PTTL k')).slice(1));
    const fromMs = performance.now();
    await Promise.all(followers.map(({ hears }) => hears.sawPushes(1)));
    const lateMs = performance.now() - fromMs - leftMs;
    await annotate(`told ${lateMs.toFixed(1)} ms behind its end`);
    expect(lateMs).toBeLessThan(EXPIRY_MS + SLACK_MS);
  });
});

async function redisFor(tcp = false, ...args: readonly string[]): Promise<RedisProcess> {
  const redis = await startRedis({ tcp, args });
  onTestFinished(() => redis.stop());
  return redis;
}

async function proxyFor(upstream: string, overrides?: ProxyOverrides) {
  const proxy = await startProxy(upstream, overrides);
  onTestFinished(() => proxy.stop());
  return proxy;
}

/** What invalidates everything when it is answered. */
const FLUSHES: readonly (readonly [name: string, ...Request[]])[] = [
  ['FLUSHALL', 'FLUSHALL'],
  ['FLUSHDB', 'FLUSHDB'],
  ['FLUSHDB in a transaction', 'MULTI', 'FLUSHDB', 'EXEC'],
  ['SWAPDB', 'SWAPDB 0 1'],
  ['DEBUG RELOAD', 'DEBUG RELOAD'],
];

/** Looks so seldom that in a test the first one alone is there. */
const SELDOM = { watchIntervalMs: 3_600_000 } as const;

describe('a flush that passes through the proxy', () => {
  test.for(FLUSHES)('is told of with its reply: %s', async ([, ...flush]) => {
    const redis = await redisFor();
    const proxy = await proxyFor(redis.url, SELDOM);
    const followers = await openFollowers(proxy.target);
    const client = await connectFor(proxy.target);
    await client.pipeline(flush);
    await sawDrops(followers, 1, SLACK_MS);
  });

  /** Has a client send FLUSHALL, which is executed and whose reply is held up. */
  async function flushUnanswered() {
    const redis = await redisFor();
    const direct = await connectFor(targetOf(redis), 'SET k 1');
    const hop = await Hop.open(targetOf(redis));
    onTestFinished(() => hop.close());
    const proxy = await proxyFor(hop.url);
    const followers = await openFollowers(proxy.target);
    const client = await connectFor(proxy.target, 'ECHO flusher');
    hop.of('flusher').pause('down');
    client.send('FLUSHALL\r\n');
    await vi.waitFor(async () => expect(await direct.call('DBSIZE')).toBe(':0'), POLL);
    return { client, followers };
  }

  test('and whose client breaks off before the reply: when that has been waited for', async () => {
    const { client, followers } = await flushUnanswered();
    client.socket.resetAndDestroy();
    const fromMs = performance.now();
    await sawDrops(followers, 1);
    expect(performance.now() - fromMs).toBeLessThan(DRAIN_MS + SLACK_MS);
  });

  test('and whose reply does not come is found by a look, the second', async () => {
    const { followers } = await flushUnanswered();
    await sawDrops(followers, 1, 2 * INTERVAL_MS + SLACK_MS);
  });

  test('and whose client has only ended its side, as well', async () => {
    const { client, followers } = await flushUnanswered();
    client.socket.end();
    await sawDrops(followers, 1, 2 * INTERVAL_MS + SLACK_MS);
  });
});

describe('CONFIG SET', () => {
  const off = ['CONFIG', 'SET', 'notify-keyspace-events', ''];
  const on = ['CONFIG', 'SET', 'notify-keyspace-events', 'AKE'];

  test('notifications switched off and on again between two looks are noticed', async () => {
    const redis = await redisFor();
    const proxy = await proxyFor(redis.url);
    const direct = await connectFor(targetOf(redis), 'SET k 1');
    const followers = await openFollowers(proxy.target);
    await direct.pipeline(['MULTI', off, 'SET k 2', on, 'EXEC']);
    await sawDrops(followers, 1, INTERVAL_MS + SLACK_MS);
  });

  test('through the proxy, also in MULTI, raises no alarm', async () => {
    const redis = await redisFor();
    const proxy = await proxyFor(redis.url);
    const direct = await connectFor(targetOf(redis), 'SET k 1');
    const followers = await openFollowers(proxy.target);
    const client = await connectFor(proxy.target);
    const maxKeys = 'CONFIG SET tracking-table-max-keys 5';
    expect(
      await client.pipeline([off, maxKeys, 'CONFIG SET none 1', 'CONFIG SET none', 'MULTI', on]),
    ).toEqual([
      '+OK',
      '+OK',
      expect.stringMatching(/^-ERR/),
      expect.stringMatching(/^-ERR/),
      '+OK',
      '+QUEUED',
    ]);
    await looksAt(direct); // it is not counted before EXEC
    expect(await client.pipeline(['CONFIG SET timeout 0', 'EXEC'])).toEqual([
      '+QUEUED',
      '*[+OK +OK]',
    ]);
    await client.pipeline(['MULTI', on, 'DISCARD']);
    await looksAt(direct);
    await direct.call('FLUSHALL'); // a look finds this, and has found nothing else
    await sawDrops(followers, 1);
    for (const { hears } of followers) expect(hears.pushes.length).toBe(1);
    expect(blindSpellsOf(proxy)).toBe(0);
  });
});

/** Waits until the upstream has been looked at twice more. */
async function looksAt(direct: RawClient): Promise<void> {
  const looks = async () => {
    const stats = await direct.call('INFO commandstats');
    return Number(/cmdstat_config(?:\|get)?:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  };
  const from = await looks();
  const isEnough = async () => expect((await looks()) - from).toBeGreaterThan(2);
  await vi.waitFor(isEnough, { ...POLL, interval: 50 });
}

/** @returns the URL of `redis` for a user of the proxy's own, without a right */
async function without(right: string, redis: RedisProcess): Promise<string> {
  const rules = ['on', '>secret', 'allkeys', 'allchannels', '+@all', `-${right}`];
  await connectFor(targetOf(redis), ['ACL', 'SETUSER', 'sidetrack', ...rules]);
  return redis.url.replace('unix://', 'unix://sidetrack:secret@');
}

/** More arguments of an upstream that knows no CONFIG. */
const WITHOUT_CONFIG = ['--rename-command', 'CONFIG', ''];

const K_CHANGED = '>["invalidate" *["k"]]';

describe('what is not noticed', () => {
  test('a flush made elsewhere, with --watch-interval=0', async () => {
    const redis = await redisFor();
    const proxy = await proxyFor(redis.url, { watchIntervalMs: 0 });
    const direct = await connectFor(targetOf(redis), 'SET k 1');
    const followers = await openFollowers(proxy.target);
    await direct.pipeline(['FLUSHALL', 'SET k 2']);
    for (const { hears, changed } of followers) expect(await hears.sawPushes(1)).toEqual([changed]);
  });

  test('a flush made elsewhere, where INFO is refused', async () => {
    const redis = await redisFor();
    const proxy = await proxyFor(await without('info', redis));
    const direct = await connectFor(targetOf(redis), 'SET k 1');
    const followers = await openFollowers(proxy.target);
    await direct.call('FLUSHALL');
    await looksAt(direct);
    for (const one of followers) expect(dropsOf(one)).toBe(0);
    expect(proxy.log.map(({ reason }) => reason)).toContain('INFO is refused to the proxy');
  });

  test.for([
    ['where CONFIG is refused', 'auto'],
    ['with --notify-config=skip', 'skip'],
  ] as const)('notifications that are switched off, %s', async ([, notifyConfig]) => {
    const redis = await redisFor();
    const direct = await connectFor(targetOf(redis), 'CONFIG SET notify-keyspace-events KA');
    const url = notifyConfig === 'auto' ? await without('config', redis) : redis.url;
    const proxy = await proxyFor(url, { notifyConfig });
    const followers = await openFollowers(proxy.target);
    await direct.call(['CONFIG', 'SET', 'notify-keyspace-events', '']);
    // That somebody has used CONFIG SET is noticed, but not what for.
    await sawDrops(followers, 1, INTERVAL_MS + SLACK_MS);
    await direct.call('SET k 2');
    // The look that finds the flush has found nothing else, and nobody was told of the write.
    await direct.call('FLUSHALL');
    await sawDrops(followers, 2);
    for (const { hears } of followers) expect(hears.pushes.length).toBe(2);
    expect(blindSpellsOf(proxy)).toBe(0);
  });

  test('a read-only replica without CONFIG is taken on trust', async () => {
    const master = await redisFor(true);
    const atMaster = await connectFor(targetOf(master), 'SET k 1');
    const follow = ['--replicaof', '127.0.0.1', String(master.port)];
    const redis = await redisFor(true, ...follow, ...WITHOUT_CONFIG);
    const proxy = await proxyFor(redis.url);
    const direct = await connectFor(targetOf(redis));
    await vi.waitFor(async () => expect(await direct.call('GET k')).toBe('"1"'), POLL);
    expect(proxy.log.map(({ reason }) => reason)).toContain(
      'no change can be tried: the upstream is a read-only replica',
    );
    const followers = await openFollowers(proxy.target);
    await atMaster.call('SET k 2');
    await vi.waitFor(async () => expect(await direct.call('GET k')).toBe('"2"'), POLL);
    await direct.call('CLIENT KILL TYPE master'); // a look finds that, and nobody was told of the write
    await atMaster.call('FLUSHALL');
    await sawDrops(followers, 1);
    for (const { hears, changed } of followers) expect(hears.pushes).not.toContain(changed);
  });

  base('what PFCOUNT keeps inside its key', async ({ redis, proxy }) => {
    const direct = await connectFor(targetOf(redis), 'DEL k', 'PFADD k a b c');
    const fence = await Fence.open(proxy.target, targetOf(redis));
    onTestFinished(() => fence.close());
    await fence.pass();
    const reader = await connectFor(proxy.target, 'HELLO 3', 'CLIENT TRACKING ON', 'GET k');
    expect(await direct.call('PFCOUNT k')).toBe(':3');
    await fence.pass(reader);
    expect(reader.pushes).toEqual([]);
    expect(await direct.call('GET k')).not.toBe(reader.answers.at(2));
    await direct.call('PFADD k d');
    expect(await reader.sawPushes(1)).toEqual([K_CHANGED]);
  });
});

describe('where CONFIG is refused, notifications are proven', () => {
  const notifying = (flags: string) => ['--notify-keyspace-events', flags, ...WITHOUT_CONFIG];

  test.for([
    ['K$', 'of strings, expiry, lists, sets, hashes, sorted sets, streams not every change'],
    ['Kg$lszxe', 'of hashes, streams not every change'],
    ['Kg$lshzte', 'of expiry not every change'],
    ['', 'a key that was changed was not announced'],
  ] as const)('by every type: %s is not enough', async ([flags, reason]) => {
    const redis = await redisFor(false, ...notifying(flags));
    const proxy = await proxyFor(redis.url, { unready: true });
    await vi.waitFor(() => expect(proxy.ready.reason).toContain(reason), POLL);
    expect(proxy.ready.ok).toBe(false);
  });

  test('by keys that are gone at once, under the prefix that was asked for', async ({
    annotate,
  }) => {
    const redis = await redisFor(false, ...notifying('KA'));
    const fromMs = performance.now();
    const proxy = await proxyFor(redis.url, { probeKeyPrefix: 'öurs:' });
    await annotate(`ready after ${Math.round(performance.now() - fromMs)} ms`);
    const direct = await connectFor(targetOf(redis));
    expect(await direct.call('KEYS *')).toBe('*[]');
    expect(proxy.log.filter(({ level }) => level > 30).map(({ reason }) => reason)).toEqual([
      'CONFIG GET is refused to the proxy',
    ]);
  });

  test('as far as its user may write', async () => {
    const redis = await redisFor(false, '--notify-keyspace-events', 'KA');
    const direct = await connectFor(targetOf(redis));
    const rules = 'reset on >secret &* +ping +info +psubscribe +subscribe +command +set %W~ours:*';
    await direct.call(['ACL', 'SETUSER', 'sidetrack', ...rules.split(' ')]);
    const url = redis.url.replace('unix://', 'unix://sidetrack:secret@');
    const proxy = await proxyFor(url, { probeKeyPrefix: 'ours:' });
    expect(proxy.log.map(({ reason }) => reason)).toContain(
      'no change could be tried of lists, sets, hashes, sorted sets, streams',
    );
  });
});

/** How long it takes until it is looked where new connections lead, and to ask, in milliseconds. */
const NODE_CHECK_MS = 1_300;

describe('another Redis behind the address, while what is connected stays with the first', () => {
  /** A proxy before one of two, and where else its address may lead. */
  async function twoNodes() {
    const [one, other] = [await redisFor(true), await redisFor(true)];
    const behind = { port: one.port as number };
    const hop = await Hop.open(behind);
    onTestFinished(() => hop.close());
    const atOne = await connectFor(targetOf(one), 'SET k one');
    const atOther = await connectFor(targetOf(other), 'SET k other');
    const proxy = await proxyFor(hop.url);
    const move = () => {
      behind.port = other.port as number;
    };
    return { atOne, atOther, proxy, move };
  }

  test('is noticed when somebody has connected to it', async ({ annotate }) => {
    const { atOther, proxy, move } = await twoNodes();
    const old = await openFollowers(proxy.target);
    move();
    const fromMs = performance.now();
    const followers = await openFollowers(proxy.target);
    await atOther.call('SET k unheard');
    await sawDrops([...old, ...followers], 1);
    const tookMs = performance.now() - fromMs;
    await annotate(`told after ${Math.round(tookMs)} ms; the bound is ${NODE_CHECK_MS} ms`);
    expect(tookMs).toBeLessThan(NODE_CHECK_MS + SLACK_MS);
    for (const { reader } of [...old, ...followers]) await reader.expectClose();
    await proxy.becomes('ready');
    const anew = await openFollowers(proxy.target);
    for (const { reader } of anew) expect(reader.answers.at(-1)).toBe('"unheard"');
    await atOther.call('SET k heard');
    await Promise.all(anew.map((follower) => holds(follower, '"heard"')));
    expect(proxy.metrics.counts.blindSpellsMoved).toBe(1);
    expect(blindSpellsOf(proxy)).toBe(1);
    expect(proxy.log.filter(({ msg }) => msg.includes('is another node'))).toHaveLength(1);
  });

  test('is no concern of those who stay where the changes are heard', async () => {
    const { atOne, proxy, move } = await twoNodes();
    const followers = await openFollowers(proxy.target);
    move();
    await atOne.call('SET k heard');
    await Promise.all(followers.map((follower) => holds(follower, '"heard"')));
    expect(blindSpellsOf(proxy)).toBe(0);
  });

  test('is noticed though the source was lost in between', async () => {
    const { atOne, atOther, proxy, move } = await twoNodes();
    const old = await openFollowers(proxy.target);
    move();
    const followers = await openFollowers(proxy.target);
    await atOne.call('CLIENT KILL TYPE pubsub'); // the redirected follower's target as well
    for (const { reader } of [...old, ...followers]) await reader.expectClose();
    await proxy.becomes('ready');
    const anew = await openFollowers(proxy.target);
    await atOther.call('SET k heard');
    await Promise.all(anew.map((follower) => holds(follower, '"heard"')));
    expect(blindSpellsOf(proxy)).toBe(1);
  });
});

test('every test that docs/consistency.md names is there', () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const missing: string[] = [];
  let named = 0;
  // `file`: title; title
  for (const [, file = '', titles = ''] of read('docs/consistency.md').matchAll(
    /`([a-z-]+|test\/[\w./-]+)`: ([^|`)]+)/g,
  )) {
    const path = file.includes('/') ? file : `test/integration/${file}.test.ts`;
    const source = read(path).replaceAll("\\'", "'");
    for (const title of titles.split(';')) {
      const text = title.replace(/\s+/g, ' ').trim().replace(/\.$/, '');
      named += 1;
      if (!source.includes(text)) missing.push(`${path}: ${text}`);
    }
  }
  expect(missing).toEqual([]);
  expect(named).toBeGreaterThan(40);
});
