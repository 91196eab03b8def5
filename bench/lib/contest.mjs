/** The servers of `npm run bench` and `npm run bench:check`, loaded in turn. */
import { benchmark, FIXED_KEY, keyName } from './benchmark.mjs';
import { Client } from './client.mjs';
import { KEY_COUNT } from './loads.mjs';
import { startHaproxy, startPipe, startProxy, startRedis, startTwemproxy } from './servers.mjs';
import { median } from './statistics.mjs';

/** How many keys a script writes: a longer one would keep Redis from answering. */
const FILL_COUNT = 50_000;
const FILL = `for index = ARGV[1], ARGV[2] do
  redis.call('SET', string.format('key:%012d', index), ARGV[3])
end`;

/** A database that is always empty: to flush it empties no other, but every tracking table. */
const EMPTY_DATABASE = 15;

/**
 * @typedef {object} Contestant
 * @property {number} port
 * @property {number} [pid] of the server between the client and Redis
 * @property {number} redisPid
 * @property {number} redisPort
 * @property {boolean} [tracking] its clients track
 */

/**
 * Each proxy has a Redis of its own, because it switches on notifications, which cost Redis something
 * for each write; so the others are measured without them. Who is not loaded is idle.
 */
export class Contest {
  #stage;
  #prepared;
  /** @type {Map<string, Contestant>} */
  #contestants = new Map();
  /** Those that are not installed here. */
  missing = [];

  /**
   * @param {import('./stage.mjs').Stage} stage
   * @param {import('./prepare.mjs').Prepared} prepared
   */
  constructor(stage, prepared) {
    this.#stage = stage;
    this.#prepared = prepared;
  }

  /** Redis itself, the pipe and the proxy: enough for the budgets. */
  async startFew() {
    const { redisServer, dist } = this.#prepared;
    const stage = this.#stage;
    const plain = await startRedis(stage, { redisServer });
    const behind = await startRedis(stage, { redisServer });
    for (const { port } of [plain, behind]) await fill(port); // before anybody hears of it
    const pipe = await startPipe(stage, plain.port);
    const proxy = await startProxy(stage, behind.port, { dist });
    this.#add('direct', undefined, plain);
    this.#add('native tracking', undefined, plain, true);
    this.#add('pipe', pipe, plain);
    this.#add('sidetrack', proxy, behind);
    this.#add('sidetrack tracking', proxy, behind, true);
    return plain;
  }

  async startAll() {
    const { redisServer, dist } = this.#prepared;
    const stage = this.#stage;
    const plain = await this.startFew();
    this.#add('haproxy', await startHaproxy(stage, plain.port), plain);
    this.#add('twemproxy', await startTwemproxy(stage, plain.port), plain);
    const fenced = await startRedis(stage, { redisServer });
    const fencing = await startProxy(stage, fenced.port, { dist, flags: ['--fence-writes', 'on'] });
    this.#add('sidetrack fenced', fencing, fenced);
    for (const name of ['haproxy', 'twemproxy']) {
      if (!this.#contestants.has(name)) this.missing.push(name);
    }
  }

  #add(name, between, redis, tracking = false) {
    if (between === undefined && name !== 'direct' && !tracking) return; // not installed
    const port = between?.port ?? redis.port;
    const target = { port, pid: between?.pid, redisPid: redis.pid, redisPort: redis.port };
    this.#contestants.set(name, { ...target, tracking });
  }

  /**
   * Loads the contestants of a job, one after the other.
   * @param {import('./loads.mjs').Job} job
   * @returns {Promise<Record<string, import('./benchmark.mjs').Sample>>} by contestant
   */
  async round({ load, contestants }) {
    await this.#writeFixedKey(load.bytes);
    const samples = {};
    for (const name of contestants) {
      const contestant = this.#contestants.get(name);
      if (contestant === undefined) continue;
      const { tracking } = contestant;
      if (tracking) await forgetTracked(contestant.port);
      const { redisBenchmark } = this.#prepared;
      samples[name] = await benchmark(this.#stage, redisBenchmark, contestant, {
        ...load,
        tracking,
      });
    }
    return samples;
  }

  async #writeFixedKey(bytes) {
    for (const port of this.#redisPorts(...this.#contestants.keys())) {
      const client = await Client.open(port);
      await client.call('SET', FIXED_KEY, 'v'.repeat(bytes));
      client.close();
    }
  }

  #redisPorts(...names) {
    return new Set(names.map((name) => this.#contestants.get(name).redisPort));
  }
}

/** Writes the keys that loads with random keys read. */
async function fill(port) {
  const client = await Client.open(port);
  for (let first = 0; first < KEY_COUNT; first += FILL_COUNT) {
    const last = Math.min(first + FILL_COUNT, KEY_COUNT) - 1;
    await client.call('EVAL', FILL, 0, first, last, 'v'.repeat(64));
  }
  if ((await client.call('EXISTS', keyName(KEY_COUNT - 1))) !== 1) throw new Error('not filled');
  client.close();
}

/** Every run begins with an empty tracking table. */
async function forgetTracked(port) {
  const client = await Client.open(port);
  await client.call('SELECT', EMPTY_DATABASE);
  await client.call('FLUSHDB', 'SYNC');
  client.close();
}

/**
 * @param {readonly Record<string, import('./benchmark.mjs').Sample>[]} rounds
 * @param {string} name
 * @returns {import('./benchmark.mjs').Sample | undefined} of each figure the median
 */
export function medianSample(rounds, name) {
  const samples = rounds.map((round) => round[name]).filter((sample) => sample !== undefined);
  const [first] = samples;
  if (first === undefined) return undefined;
  const figures = Object.keys(first).map((figure) => {
    const isThere = first[figure] !== undefined;
    return [figure, isThere ? median(samples.map((sample) => sample[figure])) : undefined];
  });
  return Object.fromEntries(figures);
}

/**
 * @param {readonly Record<string, import('./benchmark.mjs').Sample>[]} rounds
 * @param {'cpu' | 'requestsPerSecond'} figure
 * @param {string} name
 * @param {string} other
 * @returns {number | undefined} the median of the ratios, each of one round, so that the speed of the
 *   machine may drift
 */
export function ratio(rounds, figure, name, other) {
  const ratios = rounds
    .map((round) => round[name]?.[figure] / round[other]?.[figure])
    .filter((one) => !Number.isNaN(one));
  return ratios.length === 0 ? undefined : median(ratios);
}
