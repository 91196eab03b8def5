import { existsSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { Hop } from '../helpers/hop.ts';
import type { Target } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';
import { Random } from '../simulation/random.ts';
import { CachingClient, type Scene } from './caching-client.ts';
import { Chronicle } from './chronicle.ts';
import type { Wrong } from './connection.ts';
import { Direct } from './direct.ts';
import { FAULTS, type FaultKind } from './faults.ts';
import { Judge } from './judge.ts';
import { MODES } from './modes.ts';
import type { ProxyAtWork } from './proxy-process.ts';
import { Rounds } from './rounds.ts';
import { Tally } from './tally.ts';
import { Writer } from './writer.ts';

/** What to do. */
export interface RunOptions {
  readonly seed: number;
  /** How long; a round that has begun is ended. */
  readonly seconds: number;
  /** Short faults and short rounds, and on until each kind of fault has come. */
  readonly isBrisk: boolean;
  /** Names of the kinds of faults that may come; undefined: all. */
  readonly faults?: readonly string[];
  readonly startProxy: (upstream: string) => Promise<ProxyAtWork>;
  readonly print: (line: string) => void;
}

/** What came of it. */
export interface RunResult {
  readonly tally: Tally;
  /** What went wrong, told; empty if nothing did. */
  readonly failure: readonly string[];
}

/** How many clients cache in each mode. */
const CLIENTS_OF_MODE = 2;
/** How much of what a lane sends is kept to know it by, in bytes. */
const LANE_SEEN_BYTES = 4_096;
/** How often a line on the progress is printed, in milliseconds. */
const PROGRESS_MS = 5_000;

/**
 * Caching clients, writers and faults around one real proxy and one real Redis, and caches held
 * against the truth in between, until the time is over or something is wrong.
 */
export async function runCoherence(options: RunOptions): Promise<RunResult> {
  const endings: (() => unknown)[] = [];
  nameRedisInFull();
  try {
    const redis = await startRedis();
    endings.push(() => redis.stop());
    const hop = await Hop.open(targetOf(redis), { seenMaxBytes: LANE_SEEN_BYTES });
    endings.push(() => hop.close());
    const proxy = await options.startProxy(hop.url);
    endings.push(() => proxy.stop());
    const run = new Run(options, redis, hop, proxy);
    endings.push(() => run.stop());
    return await run.play();
  } finally {
    for (const end of endings.reverse()) await end();
  }
}

/** A server that was started by a bare name does not find itself when it is told to restart. */
function nameRedisInFull(): void {
  const name = process.env.REDIS_SERVER || 'redis-server';
  if (isAbsolute(name)) return;
  const places = (process.env.PATH ?? '').split(delimiter).map((place) => join(place, name));
  process.env.REDIS_SERVER = places.find((place) => existsSync(place)) ?? name;
}

class Run {
  readonly #options: RunOptions;
  readonly #proxy: ProxyAtWork;
  readonly #tally = new Tally();
  readonly #chronicle = new Chronicle();
  readonly #clients: readonly CachingClient[];
  readonly #writers: readonly Writer[];
  readonly #direct: Direct;
  readonly #rounds: Rounds;
  readonly #wrongs: string[] = [];
  #toldMs = performance.now();

  constructor(options: RunOptions, redis: RedisProcess, hop: Hop, proxy: ProxyAtWork) {
    this.#options = options;
    this.#proxy = proxy;
    const direct = targetOf(redis);
    const scene: Scene = {
      target: proxy.target,
      tally: this.#tally,
      chronicle: this.#chronicle,
      wronged: (who, wrong, detail) => this.#wronged(who, wrong, detail),
    };
    this.#clients = clientsOf(scene, options.seed);
    this.#writers = writersOf(scene, direct, options.seed);
    this.#direct = new Direct(direct);
    const grounds = {
      redis,
      hop,
      direct: this.#direct,
      clients: this.#clients,
      random: new Random(options.seed),
    };
    this.#rounds = new Rounds({
      ...scene,
      proxy,
      grounds,
      writers: this.#writers,
      judge: new Judge(scene, this.#direct),
      kinds: kindsOf(options.faults),
      isBrisk: options.isBrisk,
    });
  }

  async play(): Promise<RunResult> {
    for (const one of [...this.#clients, ...this.#writers]) one.start();
    const endMs = performance.now() + this.#options.seconds * 1_000;
    let failure: readonly string[] = [];
    const isOver = () =>
      performance.now() > endMs && (!this.#options.isBrisk || this.#rounds.hadAllFaults);
    while (failure.length === 0 && !isOver()) {
      this.#tally.rounds += 1;
      const told = await this.#rounds.play();
      failure = [...this.#deaths, ...this.#wrongs, ...told];
      this.#report();
    }
    if (failure.length === 0) failure = await this.#rounds.recover();
    if (failure.length === 0 && (await this.#proxy.outOfSync()) > 0) {
      failure = ['the proxy had replies that nothing had asked for'];
    }
    const log = ['', 'the end of the log of the proxy:', ...this.#proxy.log];
    return { tally: this.#tally, failure: failure.length > 0 ? [...failure, ...log] : [] };
  }

  stop(): void {
    for (const one of [...this.#clients, ...this.#writers]) one.stop();
    this.#direct.close();
  }

  get #deaths(): readonly string[] {
    return this.#proxy.death === undefined ? [] : [this.#proxy.death];
  }

  #report(): void {
    if (performance.now() < this.#toldMs + PROGRESS_MS) return;
    this.#toldMs = performance.now();
    this.#options.print(this.#tally.progress);
  }

  #wronged(who: string, wrong: Wrong, detail: string): void {
    if (wrong === 'push inside a reply') this.#tally.pushesInsideReplies += 1;
    else if (wrong === 'lost or doubled reply') this.#tally.lostReplies += 1;
    else this.#tally.otherWrongs += 1;
    this.#chronicle.note(who, `${wrong}: ${detail}`);
    this.#wrongs.push(`${who}: ${wrong}: ${detail}`);
  }
}

function clientsOf(scene: Scene, seed: number): readonly CachingClient[] {
  return MODES.flatMap((mode, index) =>
    Array.from({ length: CLIENTS_OF_MODE }, (_, twin) => {
      const number = index * CLIENTS_OF_MODE + twin + 1;
      const random = new Random(seed * 1_000 + number);
      return new CachingClient(`client ${number} (${mode.name})`, mode, scene, random);
    }),
  );
}

function writersOf(scene: Scene, direct: Target, seed: number): readonly Writer[] {
  const places = [
    { name: 'writer 1 (proxy)', place: { target: scene.target, db: 0, resp: 2 } },
    { name: 'writer 2 (proxy)', place: { target: scene.target, db: 0, resp: 3 } },
    { name: 'writer 3 (proxy, db 1)', place: { target: scene.target, db: 1, resp: 2 } },
    { name: 'writer 4 (direct)', place: { target: direct, db: 0, resp: 2 } },
    { name: 'writer 5 (direct)', place: { target: direct, db: 0, resp: 2 } },
    { name: 'writer 6 (direct, db 1)', place: { target: direct, db: 1, resp: 2 } },
  ] as const;
  return places.map(
    ({ name, place }, index) =>
      new Writer(name, place, scene, new Random(seed * 1_000 + 500 + index)),
  );
}

/** @throws Error for a name that no kind has */
function kindsOf(names: readonly string[] | undefined): readonly FaultKind[] {
  const unknown = names?.find((name) => !FAULTS.some((kind) => kind.name === name));
  if (unknown !== undefined) {
    throw new Error(
      `no fault '${unknown}'; there are: ${FAULTS.map(({ name }) => name).join(', ')}`,
    );
  }
  return names === undefined ? FAULTS : FAULTS.filter(({ name }) => names.includes(name));
}

function targetOf(redis: RedisProcess): Target {
  return redis.path === undefined ? { port: redis.port ?? 0 } : { path: redis.path };
}
