import { setTimeout as sleep } from 'node:timers/promises';
import { Direct } from '../coherence/direct.ts';
import type { ProxyInProcess } from '../coherence/proxy-process.ts';
import type { Target } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';
import { Random } from '../simulation/random.ts';
import { type Gauges, HEADING, mebibytes, readCollected, readGauges, rowOf } from './gauges.ts';
import { Load } from './load.ts';
import { type Errand, storm } from './storm.ts';

/** What to do. */
export interface SoakOptions {
  readonly seed: number;
  /** How long clients use the proxy. */
  readonly seconds: number;
  /** For how many seconds clients come and go as fast as they can; 0: not at all. */
  readonly stormSeconds: number;
  /** How many clients are there at once. */
  readonly clients: number;
  /** By how much memory may have grown in the end. */
  readonly growthMaxBytes: { readonly heap: number; readonly resident: number };
  readonly startProxy: (upstream: string) => Promise<ProxyInProcess>;
  readonly print: (line: string) => void;
}

/** How long it takes to warm up, of the whole and in seconds at most. */
const WARM_UP = { share: 0.25, mostSeconds: 60 } as const;
/** How often a line is printed, in seconds. */
const PROGRESS_SECONDS = 30;
/** How long what clients leave behind may take to be gone, in milliseconds. */
const REST_MAX_MS = 30_000;
const POLL_MS = 100;
/** How often is looked at what there is at first: it varies a little. */
const FIRST_LOOKS = 10;

const ERRANDS: readonly Errand[] = ['leaves', 'is reset', 'reads'];

/**
 * Clients use one real proxy in front of one real Redis and die, then come and go, and nothing may
 * be left of them.
 *
 * @returns what was wrong, told; empty if nothing was
 */
export async function soak(options: SoakOptions): Promise<readonly string[]> {
  const endings: (() => unknown)[] = [];
  try {
    const redis = await startRedis();
    endings.push(() => redis.stop());
    const direct = new Direct(targetOf(redis));
    endings.push(() => direct.close());
    const proxy = await options.startProxy(redis.url);
    endings.push(() => proxy.stop());
    return await new Soak(options, targetOf(redis), direct, proxy).play();
  } finally {
    for (const end of endings.reverse()) await end();
  }
}

/** What is there at one moment. */
interface Look {
  readonly gauges: Gauges;
  /** How many clients Redis has. */
  readonly connected: number;
}

/** What is there when nobody is. */
interface Rest extends Look {
  /** The same, garbage collected. */
  readonly collected: Gauges;
}

class Soak {
  readonly #options: SoakOptions;
  readonly #direct: Direct;
  readonly #proxy: ProxyInProcess;
  readonly #random: Random;
  readonly #load: Load;

  constructor(options: SoakOptions, redis: Target, direct: Direct, proxy: ProxyInProcess) {
    this.#options = options;
    this.#direct = direct;
    this.#proxy = proxy;
    this.#random = new Random(options.seed);
    this.#load = new Load(proxy.target, redis, this.#random);
  }

  async play(): Promise<readonly string[]> {
    const { seconds, stormSeconds, clients, print } = this.#options;
    print(HEADING);
    const warmUpSeconds = Math.min(WARM_UP.mostSeconds, seconds * WARM_UP.share);
    await this.#load.play(clients, sleep(warmUpSeconds * 1_000));
    await storm(this.#proxy.target, stormSeconds * WARM_UP.share, ERRANDS, this.#random);
    const start = await this.#rest('warm', undefined);
    await this.#load.play(clients, this.#watch(seconds));
    const end = await this.#rest('all have left', start);
    const { visits, deaths, kinds } = this.#load.counts;
    print(`${visits} visits of ${kinds} kinds, of which ${deaths} were cut short`);
    const wrong = [...this.#load.wrongs, ...this.#left('after the load', start, end)];
    if (stormSeconds === 0) return wrong;
    return [...wrong, ...(await this.#storm(start))];
  }

  /** Prints what the proxy says of itself from time to time. */
  async #watch(seconds: number): Promise<void> {
    const step = Math.min(PROGRESS_SECONDS, seconds);
    for (let at = step; at <= seconds; at += step) {
      await sleep(step * 1_000);
      this.#options.print(rowOf(`${at} s`, await readGauges(this.#proxy)));
    }
  }

  async #storm(start: Rest): Promise<readonly string[]> {
    const { print, stormSeconds } = this.#options;
    const before = { gauges: await readGauges(this.#proxy), own: process.cpuUsage() };
    const result = await storm(this.#proxy.target, stormSeconds, ERRANDS, this.#random);
    const own = process.cpuUsage(before.own);
    const after = await readGauges(this.#proxy);
    print(rowOf('right behind the storm', after));
    const end = await this.#rest('all have left', start);
    const share = (cpuSeconds: number) => `${Math.round((cpuSeconds / result.seconds) * 100)} %`;
    print(
      `${result.count} came and went in ${result.seconds.toFixed(1)} s: ` +
        `${Math.round(result.count / result.seconds)} a second; ` +
        `the proxy took ${share(after.cpuSeconds - before.gauges.cpuSeconds)} of a core, ` +
        `they took ${share((own.user + own.system) / 1e6)}`,
    );
    const unmet = result.failed > 0 ? [`${result.failed} clients were not let in or answered`] : [];
    return [...unmet, ...this.#left('after the storm', start, end)];
  }

  /** Forgets all keys, and waits until nothing is left of anybody, or long enough. */
  async #rest(title: string, start: Rest | undefined): Promise<Rest> {
    this.#options.print(rowOf('before FLUSHALL', await readGauges(this.#proxy)));
    await this.#direct.ask([['FLUSHALL']]);
    const untilMs = performance.now() + REST_MAX_MS;
    let now = await this.#look();
    while (isAnybodyLeft(now, start) && performance.now() < untilMs) {
      await sleep(POLL_MS);
      now = await this.#look();
    }
    for (let left = start === undefined ? FIRST_LOOKS : 0; left > 0; left--) {
      now = mostOf(now, await this.#look());
    }
    const collected = await readCollected(this.#proxy);
    this.#options.print(rowOf(title, collected));
    return { ...now, collected };
  }

  async #look(): Promise<Look> {
    const [info] = await this.#direct.ask([['INFO', 'clients']]);
    const connected = Number(/connected_clients:(\d+)/.exec(info?.text ?? '')?.[1]);
    return { gauges: await readGauges(this.#proxy), connected };
  }

  /** @returns what there is more of than there should be, told */
  #left(when: string, start: Rest, end: Rest): readonly string[] {
    const { growthMaxBytes } = this.#options;
    const told: string[] = countsOf(end)
      .filter(({ count, at }) => count > (at === 'none' ? 0 : at(start)))
      .map(({ what, count, at }) => `${count} ${what}, at first ${at === 'none' ? 0 : at(start)}`);
    const memory = [
      ['heap', 'heapBytes', growthMaxBytes.heap],
      ['resident memory', 'residentBytes', growthMaxBytes.resident],
    ] as const;
    for (const [what, gauge, mostBytes] of memory) {
      const bytes = end.collected[gauge] - start.collected[gauge];
      this.#options.print(`${what}: ${mebibytes(bytes)} MiB more ${when} than at first`);
      if (bytes > mostBytes) told.push(`${what} has grown by ${mebibytes(bytes)} MiB`);
    }
    if (end.gauges.outOfSync > 0) told.push('the proxy had replies that nothing had asked for');
    return told.map((one) => `${when}: ${one}`);
  }
}

interface Count {
  readonly what: string;
  readonly count: number;
  /** How many there were at first; none: there may be none. */
  readonly at: 'none' | ((start: Look) => number);
}

/** @returns what must be gone, or no more than it was */
function countsOf({ gauges, connected }: Look): readonly Count[] {
  return [
    { what: 'clients', count: gauges.clients, at: 'none' },
    { what: 'tracking clients', count: gauges.trackingClients, at: 'none' },
    { what: 'lanes', count: gauges.lanes, at: 'none' },
    { what: 'keys', count: gauges.keys, at: 'none' },
    { what: 'readers', count: gauges.readers, at: 'none' },
    { what: 'prefixes', count: gauges.prefixes, at: 'none' },
    { what: 'parked invalidations', count: gauges.parked, at: 'none' },
    { what: 'files', count: gauges.descriptors, at: (start) => start.gauges.descriptors },
    { what: 'handles', count: gauges.handles, at: (start) => start.gauges.handles },
    { what: 'timers', count: gauges.timers, at: (start) => start.gauges.timers },
    { what: 'connections to Redis', count: connected, at: (start) => start.connected },
  ];
}

function isAnybodyLeft(now: Look, start: Look | undefined): boolean {
  return countsOf(now).some(({ count, at }) => {
    if (at === 'none') return count > 0;
    return start !== undefined && count > at(start);
  });
}

/** @returns of each count the larger one */
function mostOf(one: Look, other: Look): Look {
  const gauges = Object.entries(one.gauges).map(([gauge, value]) => {
    return [gauge, Math.max(value, other.gauges[gauge as keyof Gauges])];
  });
  const connected = Math.max(one.connected, other.connected);
  return { gauges: Object.fromEntries(gauges) as Gauges, connected };
}

function targetOf(redis: RedisProcess): Target {
  return redis.path === undefined ? { port: redis.port ?? 0 } : { path: redis.path };
}
