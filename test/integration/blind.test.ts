import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { parseListen } from '../../src/address.ts';
import { startAdmin } from '../../src/admin/http.ts';
import { startChildProxy } from '../helpers/child-proxy.ts';
import { Fence } from '../helpers/fence.ts';
import { targetOf } from '../helpers/fixtures.ts';
import {
  connectFor,
  dropsOf,
  type Follower,
  openFollowers,
  sawDrops,
} from '../helpers/followers.ts';
import { Hop } from '../helpers/hop.ts';
import { type ProxyOverrides, type RunningProxy, startProxy } from '../helpers/proxy.ts';
import type { RawClient } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';

/** How long what must come may take, in milliseconds. */
const POLL = { timeout: 10_000, interval: 5 } as const;

/** What a busy machine may add to a bound, in milliseconds. */
const SLACK_MS = 1_000;

/** The weight of a warning in the log. */
const WARN = 40;

/** The proxy's own user, and what it may do at the start. */
const USER = 'sidetrack';
const RIGHTS = ['on', 'resetpass', '>secret', 'allkeys', 'allchannels', '+@all'];

/** An upstream, the network before it, a proxy, and its admin server. */
interface Scene {
  readonly redis: RedisProcess;
  readonly hop: Hop;
  readonly proxy: RunningProxy;
  /** Speaks to the upstream, past hop and proxy. */
  readonly direct: RawClient;
  /** Asks the admin server. */
  readonly ask: (path: '/readyz' | '/metrics') => Promise<string>;
}

/** A way to lose sight of the upstream's changes, and to get it back. */
interface Spell {
  readonly name: string;
  /** More arguments of the upstream. */
  readonly args?: readonly string[];
  /** The proxy reaches the upstream as a user of its own. */
  readonly ownUser?: boolean;
  readonly begin: (scene: Scene) => unknown;
  readonly end: (scene: Scene) => unknown;
  /** What /readyz says in between. */
  readonly reason: RegExp;
  /** As which the metrics count it. */
  readonly counted: 'connection' | 'timeout' | 'notifications';
  /** How long it may take until all are told, in milliseconds. */
  readonly boundMs: number;
}

async function setScene(
  { args = [], ownUser = false }: Partial<Spell> = {},
  overrides?: ProxyOverrides,
): Promise<Scene> {
  const redis = await startRedis({ args });
  onTestFinished(() => redis.stop());
  const direct = await connectFor(targetOf(redis));
  const hop = await Hop.open(targetOf(redis));
  onTestFinished(() => hop.close());
  if (ownUser) await grant(direct, ...RIGHTS);
  const url = ownUser ? hop.url.replace('unix://', `unix://${USER}:secret@`) : hop.url;
  const proxy = await startProxy(url, overrides);
  onTestFinished(() => proxy.stop());
  const parts = { metrics: proxy.metrics, ready: () => proxy.ready };
  const admin = await startAdmin(parseListen('0', 'admin'), parts);
  onTestFinished(() => admin.stop());
  const ask = async (path: string) => await (await fetch(`http://${admin.address}${path}`)).text();
  return { redis, hop, proxy, direct, ask };
}

async function grant(direct: RawClient, ...rules: readonly string[]): Promise<void> {
  expect(await direct.call(['ACL', 'SETUSER', USER, ...rules])).toBe('+OK');
}

/**
 * Reads k and waits until it is told behind the value not to keep it.
 *
 * @param by what tells it: the invalidation of k alone, or that of everything just as well
 * @returns the value
 */
async function readAndHear(one: Follower, by: 'k' | 'anything' = 'k'): Promise<string> {
  const { reader, hears, read, changed, everything } = one;
  const told = by === 'k' ? [changed] : [changed, everything];
  const from = hears.frames.length;
  const value = (await reader.pipeline(read)).at(-1) as string;
  const since = () => hears.frames.slice(from).map(({ text }) => text);
  // A value and an invalidation that is redirected arrive on two connections, in either order.
  const behind = () => since().slice(hears === reader ? since().indexOf(value) + 1 : 0);
  await hears.until(() => behind().some((text) => told.includes(text)), `${one.name}: ${told[0]}`);
  return value;
}

/** @returns the value of a metric, over all its labels */
async function metric({ ask }: Scene, name: string): Promise<number> {
  const text = await ask('/metrics');
  const samples = text.matchAll(new RegExp(`^sidetrack_${name}(?:\\{.*\\})? (\\S+)$`, 'gm'));
  let sum = 0;
  for (const [, value] of samples) sum += Number(value);
  return sum;
}

/** Says that things are well again: k is read and cached, and the next change is told. */
async function expectSight(scene: Scene, followers: readonly Follower[]): Promise<void> {
  const { direct, proxy, redis } = scene;
  expect(proxy.ready).toEqual({ ok: true, reason: '' });
  expect(await scene.ask('/readyz')).toBe('ready\n');
  expect(await metric(scene, 'source_up')).toBe(1);
  const fence = await Fence.open(proxy.target, targetOf(redis));
  onTestFinished(() => fence.close());
  await fence.pass();
  for (const one of followers) {
    const from = one.hears.pushes.length;
    await one.reader.pipeline(one.read);
    await fence.pass();
    expect(one.hears.pushes.slice(from), `${one.name}: nothing has changed`).toEqual([]);
  }
  const from = followers.map(({ hears }) => hears.pushes.length);
  await direct.call(['SET', 'k', `sighted ${Math.random()}`]);
  for (const [index, { hears, changed }] of followers.entries()) {
    const pushes = await hears.sawPushes((from[index] as number) + 1);
    expect(pushes.slice(from[index])).toEqual([changed]);
  }
}

/** The connection on which notifications come, and the one on which upstream is looked at. */
const SUBSCRIPTION = 'PSUBSCRIBE';
const CONTROL = 'commandstats';

/** New connections fail, so that what is lost stays lost. */
function isolate({ hop }: Scene): void {
  hop.refusing = true;
}

function reconnect({ hop }: Scene): void {
  hop.refusing = false;
}

/** The proxy's own alone: clients that have subscribed keep their connections. */
async function killSubscription({ direct }: Scene): Promise<void> {
  const list = await direct.call('CLIENT LIST TYPE pubsub');
  const [, id = ''] = /id=(\d+)[^\\]* psub=1 /.exec(list) ?? [];
  expect(await direct.call(['CLIENT', 'KILL', 'ID', id])).toBe(':1');
}

/** How long the answer to a PING of the subscription may take, with the pause before it. */
const PING_BOUND_MS = 3_000;
/** How long a look may take, with the pause before it. */
const LOOK_BOUND_MS = 5_250;
const INTERVAL_MS = 250;

/** Of all that can go wrong while the upstream still answers its clients. */
const SPELLS: readonly Spell[] = [
  {
    name: 'the subscription is killed',
    begin: async (scene) => {
      isolate(scene);
      await killSubscription(scene);
    },
    end: reconnect,
    counted: 'connection',
    reason: /closed|ECONNRESET|EPIPE/,
    boundMs: 0,
  },
  {
    name: 'the link of the subscription swallows all bytes',
    begin: (scene) => {
      isolate(scene);
      scene.hop.of(SUBSCRIPTION).swallow();
    },
    end: reconnect,
    counted: 'timeout',
    reason: /no answer to PING within 2000 ms|closed|ECONNRESET|EPIPE/,
    boundMs: PING_BOUND_MS,
  },
  {
    name: 'the link of the looks swallows all bytes',
    begin: (scene) => {
      isolate(scene);
      scene.hop.of(CONTROL).swallow();
    },
    end: reconnect,
    counted: 'timeout',
    reason: /timed out|closed|ECONNRESET|EPIPE/,
    boundMs: LOOK_BOUND_MS,
  },
  {
    name: 'one script changes more than the upstream may hold back for the subscription',
    args: ['--client-output-buffer-limit', 'pubsub', '16kb', '0', '0'],
    begin: async (scene) => {
      isolate(scene);
      const script = "for i = 1, 2000 do redis.call('SET', 'other:' .. i, '1') end";
      expect(await scene.direct.call(['EVAL', script, '0'])).toBe('$-1');
      expect(await scene.direct.call('CLIENT LIST TYPE pubsub')).not.toContain(' psub=1');
    },
    end: reconnect,
    counted: 'connection',
    reason: /closed|ECONNRESET|EPIPE/,
    boundMs: 0,
  },
  ...['', 'K$'].map((flags) => ({
    name: `somebody sets notify-keyspace-events to '${flags}'`,
    begin: async (scene: Scene) => {
      isolate(scene);
      await scene.direct.call(['CONFIG', 'SET', 'notify-keyspace-events', flags]);
    },
    end: reconnect,
    counted: 'notifications' as const,
    reason: /notify-keyspace-events was set to|closed|ECONNRESET|EPIPE/,
    boundMs: INTERVAL_MS,
  })),
  {
    name: "the proxy's user loses its channels",
    ownUser: true,
    begin: ({ direct }) => grant(direct, 'resetchannels'),
    end: ({ direct }) => grant(direct, 'allchannels'),
    counted: 'connection',
    reason: /NOPERM|closed|ECONNRESET/,
    boundMs: 0,
  },
  {
    name: "the proxy's user is deleted",
    ownUser: true,
    begin: async ({ direct }) => expect(await direct.call(`ACL DELUSER ${USER}`)).toBe(':1'),
    end: ({ direct }) => grant(direct, ...RIGHTS),
    counted: 'connection',
    reason: /WRONGPASS|closed|ECONNRESET/,
    boundMs: 0,
  },
  {
    name: 'the subscription is killed when the password is another',
    ownUser: true,
    begin: async (scene) => {
      await grant(scene.direct, 'resetpass', '>other');
      await killSubscription(scene);
    },
    end: ({ direct }) => grant(direct, 'resetpass', '>secret'),
    counted: 'connection',
    reason: /WRONGPASS|closed|ECONNRESET/,
    boundMs: 0,
  },
];

describe('a blind spell', () => {
  test.for(SPELLS)('$name', async (spell, { annotate }) => {
    const scene = await setScene(spell);
    const { direct, proxy } = scene;
    await direct.call('SET k first');
    const followers = await openFollowers(proxy.target);
    const fromMs = performance.now();
    await spell.begin(scene);
    await sawDrops(followers, 1);
    const tookMs = performance.now() - fromMs;
    await annotate(`told after ${Math.round(tookMs)} ms; the bound is ${spell.boundMs} ms`);
    expect(tookMs).toBeLessThan(spell.boundMs + SLACK_MS);

    expect(proxy.ready.reason).toMatch(spell.reason);
    expect(await scene.ask('/readyz')).toMatch(/^not ready: ./);
    expect(await metric(scene, 'source_up')).toBe(0);
    const spells = `sidetrack_blind_spells_total{reason="${spell.counted}"} 1\n`;
    expect(await scene.ask('/metrics')).toContain(spells);
    for (const value of ['second', 'third']) {
      await direct.call(['SET', 'k', value]); // nobody need hear of it
      for (const one of followers) expect(await readAndHear(one)).toBe(`"${value}"`);
    }

    const secondsBefore = await metric(scene, 'blind_seconds_total');
    await spell.end(scene);
    await proxy.becomes('ready');
    await sawDrops(followers, 2);
    await expectSight(scene, followers);
    for (const one of followers) expect(dropsOf(one), one.name).toBe(2);
    expect(await metric(scene, 'blind_spells_total')).toBe(1);
    expect(await metric(scene, 'blind_seconds_total')).toBeGreaterThan(secondsBefore);
  });
});

describe('an upstream that does not answer anybody', () => {
  test('stopped and continued: what was asked meanwhile is told of behind its reply', async () => {
    const scene = await setScene();
    const { direct, proxy, redis } = scene;
    await direct.call('SET k first');
    const followers = await openFollowers(proxy.target);
    redis.kill('SIGSTOP');
    const fromMs = performance.now();
    // Under way already when the proxy finds out, and to be cached when it arrives.
    const reads = followers.map((one) => readAndHear(one, 'anything'));
    await sawDrops(followers, 1);
    expect(performance.now() - fromMs).toBeLessThan(PING_BOUND_MS + SLACK_MS);
    expect(await scene.ask('/readyz')).toMatch(/^not ready: no answer to PING within 2000 ms/);
    redis.kill('SIGCONT');
    expect(await Promise.all(reads)).toEqual(['"first"', '"first"', '"first"', '"first"']);
    await proxy.becomes('ready');
    await sawDrops(followers, 2);
    await expectSight(scene, followers);
    expect(await metric(scene, 'blind_spells_total')).toBe(1);
  });

  test('stopped for less than a deadline: nothing is lost, and nobody is told', async () => {
    const scene = await setScene();
    const { proxy, redis } = scene;
    const followers = await openFollowers(proxy.target);
    redis.kill('SIGSTOP');
    const reads = followers.map(({ reader, read }) => reader.pipeline(read));
    redis.kill('SIGCONT');
    await Promise.all(reads);
    await expectSight(scene, followers);
    expect(await metric(scene, 'blind_spells_total')).toBe(0);
  });

  test('behind a link that swallows all bytes: all are told; who connects anew is served', async () => {
    const scene = await setScene();
    const { direct, hop, proxy } = scene;
    await direct.call('SET k first');
    const followers = await openFollowers(proxy.target);
    for (const passage of hop.passages) passage.swallow();
    const fromMs = performance.now();
    await direct.call('SET k unheard');
    await sawDrops(followers, 1);
    expect(performance.now() - fromMs).toBeLessThan(PING_BOUND_MS + SLACK_MS);
    await sawDrops(followers, 2);
    await proxy.becomes('ready');
    await expectSight(scene, await openFollowers(proxy.target));
    expect(await metric(scene, 'blind_spells_total')).toBe(1);
  });

  test('restarted with other data: its clients are closed, new ones read what is there now', async () => {
    const scene = await setScene();
    const { direct, proxy, redis } = scene;
    await direct.call('SET k first');
    const followers = await openFollowers(proxy.target);
    await redis.restart();
    for (const { reader, hears } of followers) {
      await reader.expectClose();
      await hears.expectClose();
    }
    const other = await connectFor(targetOf(redis), 'SET k other');
    await proxy.becomes('ready');
    const anew = await openFollowers(proxy.target);
    for (const { reader } of anew) expect(reader.answers.at(-1)).toBe('"other"');
    await expectSight({ ...scene, direct: other }, anew);
    expect(await metric(scene, 'blind_spells_total')).toBe(1);
  });
});

test('a proxy that was stopped while upstream gave up its subscription finds out', async () => {
  const args = ['--client-output-buffer-limit', 'pubsub', '16kb', '0', '0'];
  const redis = await startRedis({ args });
  onTestFinished(() => redis.stop());
  const proxy = await startChildProxy(redis.url);
  onTestFinished(() => proxy.stop());
  const direct = await connectFor(targetOf(redis), 'SET k first');
  const followers = await openFollowers(proxy.target);
  process.kill(proxy.pid, 'SIGSTOP');
  const isHeard = async () => (await direct.call('CLIENT LIST TYPE pubsub')).includes(' psub=1 ');
  const writes = Array.from({ length: 1_000 }, (_, index) => `SET other:${index} 1`);
  await vi.waitFor(async () => {
    await direct.pipeline(writes);
    expect(await isHeard()).toBe(false);
  }, POLL);
  await direct.call('SET k unheard');
  process.kill(proxy.pid, 'SIGCONT');
  await sawDrops(followers, 2);
  for (const { reader, read } of followers) {
    expect((await reader.pipeline(read)).at(-1)).toBe('"unheard"');
  }
});

test('--blind=refuse: who tracks is disconnected, and nobody tracks until sight is back', async () => {
  const scene = await setScene({}, { blind: 'refuse' });
  const { direct, proxy } = scene;
  await direct.call('SET k first');
  const followers = await openFollowers(proxy.target);
  const stranger = await connectFor(proxy.target, 'HELLO 3', 'GET k');
  isolate(scene);
  await killSubscription(scene);
  for (const { reader } of followers) await reader.expectClose();
  await sawDrops(
    followers.filter(({ reader, hears }) => reader !== hears),
    1,
  );
  expect(await stranger.pipeline(['CLIENT TRACKING ON', 'CLIENT TRACKING OFF', 'GET k'])).toEqual([
    '-ERR tracking is refused for now: changes of the data may be missed (--blind=refuse)',
    '+OK',
    '"first"',
  ]);
  reconnect(scene);
  await proxy.becomes('ready');
  await expectSight(scene, await openFollowers(proxy.target));
  expect(stranger.pushes).toEqual([]);
});

/** Rights that only the looks need. */
const LOOKS_NEED = ['info', 'config'] as const;

describe('a right that is taken from the proxy while it runs', () => {
  for (const command of LOOKS_NEED) {
    test(`${command}: all are told, and again when it is given back`, async () => {
      const scene = await setScene({ ownUser: true });
      const { direct, proxy } = scene;
      const followers = await openFollowers(proxy.target);
      await grant(direct, `-${command}`);
      await sawDrops(followers, 1, INTERVAL_MS + SLACK_MS);
      await sawDrops(followers, 2);
      expect(proxy.ready).toEqual({ ok: true, reason: '' });
      const reasons = proxy.log.filter(({ level }) => level === WARN).map(({ reason }) => reason);
      const lacks = expect.stringContaining(`${command.toUpperCase()}`);
      expect(reasons).toEqual([lacks, lacks]); // why a spell begins, and what looks will lack
      await grant(direct, `+${command}`);
      await sawDrops(followers, 3, INTERVAL_MS + SLACK_MS);
      await sawDrops(followers, 4);
      await expectSight(scene, followers);
      for (const one of followers) expect(dropsOf(one), one.name).toBe(4);
      expect(proxy.metrics.counts.blindSpellsRefused).toBe(2);
    });
  }

  test('its password: what is open stays open', async () => {
    const scene = await setScene({ ownUser: true });
    const followers = await openFollowers(scene.proxy.target);
    await grant(scene.direct, 'resetpass', '>other');
    await expectSight(scene, followers);
    expect(await metric(scene, 'blind_spells_total')).toBe(0);
  });
});
