import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../simulation/random.ts';
import type { Scene } from './caching-client.ts';
import type { FaultKind, Grounds } from './faults.ts';
import type { Judge } from './judge.ts';
import type { ProxyAtWork } from './proxy-process.ts';
import type { Writer } from './writer.ts';
import { drawSilent } from './writes.ts';

/** What rounds are played with. */
export interface RoundsParts extends Scene {
  readonly proxy: ProxyAtWork;
  readonly grounds: Grounds;
  readonly writers: readonly Writer[];
  readonly judge: Judge;
  readonly kinds: readonly FaultKind[];
  readonly isBrisk: boolean;
}

/** The default of --watch-interval. */
const WATCH_INTERVAL_MS = 250;
/**
 * How long an entry may differ from the truth when no fault is in force, in milliseconds: two looks
 * for what notifications do not tell, and what a busy machine may need on top.
 */
const BOUND_MS = 2 * WATCH_INTERVAL_MS + 2_000;
/** How long all replies may take to come when no fault is in force, in milliseconds. */
const REPLIES_MAX_MS = 15_000;
/** And how long they are waited for while a fault holds them up. */
const HELD_REPLIES_MS = 300;
const POLL_MS = 3;
const RECOVERY_POLL_MS = 20;
/**
 * How long the proxy may take to hear every change again when no fault is in force, in milliseconds:
 * a try that has just begun may end by its deadline, and the pause behind it is 2 s.
 */
const BLIND_MAX_MS = 15_000;

/** How long a round lasts before caches are looked at, in milliseconds. */
const LOAD_MS = { least: 200, most: 2_500, mostBrisk: 900 } as const;
/** By how much a fault may outlast its least in a brisk run, in milliseconds. */
const BRISK_SPREAD_MS = 400;

/** How many faults a round has, one as likely as the other. */
const FAULTS_OF_ROUND = [0, 0, 1, 1, 1, 2] as const;
const FAULTS_OF_BRISK_ROUND = [1, 1, 1, 2] as const;

/** A fault that was begun. */
interface Begun {
  readonly kind: FaultKind;
  /** It lasts until caches have been looked at. */
  readonly stays: boolean;
  readonly end: () => Promise<void>;
}

/**
 * Plays one round after the other: everybody reads and writes while faults begin and end; then all
 * rest, and every cache is held against the truth, at times with a fault still in force.
 */
export class Rounds {
  readonly #parts: RoundsParts;
  readonly #random: Random;
  #deck: FaultKind[] = [];
  #dealt = 0;

  constructor(parts: RoundsParts) {
    this.#parts = parts;
    this.#random = parts.grounds.random;
  }

  /** Whether each kind of fault has come at least once. */
  get hadAllFaults(): boolean {
    return this.#dealt >= this.#parts.kinds.length;
  }

  /** @returns what was wrong, told; empty if nothing was */
  async play(): Promise<readonly string[]> {
    const { isBrisk } = this.#parts;
    const most = isBrisk ? LOAD_MS.mostBrisk : LOAD_MS.most;
    const loadMs = LOAD_MS.least + this.#random.below(most - LOAD_MS.least);
    const count = this.#random.pick(isBrisk ? FAULTS_OF_BRISK_ROUND : FAULTS_OF_ROUND);
    this.#rest(false);
    const kinds = Array.from({ length: count }, () => this.#deal());
    const faults = kinds.map((kind) => this.#inflict(kind, loadMs));
    const silence = this.#changeSilently(loadMs, count === 0 ? 0.6 : 0.15);
    await sleep(loadMs);
    this.#rest(true);
    await silence;
    const begun = await Promise.all(faults);
    const wrong = await this.#look(begun);
    // Not each time: the next fault may strike while it is recovering.
    return wrong.length > 0 || this.#random.chance(0.5) ? wrong : await this.recover();
  }

  /** Waits until the proxy hears every change again. @returns that it does not, told */
  async recover(): Promise<readonly string[]> {
    const { proxy } = this.#parts;
    const untilMs = performance.now() + BLIND_MAX_MS;
    while (!(await proxy.hearsAll())) {
      const isLate = performance.now() > untilMs;
      if (isLate) return [`the proxy is still blind after ${BLIND_MAX_MS} ms without a fault`];
      await sleep(RECOVERY_POLL_MS);
    }
    return [];
  }

  async #look(begun: readonly Begun[]): Promise<readonly string[]> {
    const { judge, grounds } = this.#parts;
    await Promise.all(begun.map(async ({ stays, end }) => stays || end()));
    const staying = begun.filter(({ stays }) => stays);
    const boundMs = begun.reduce((sum, { kind }) => sum + kind.noticedMs, BOUND_MS);
    const areHeld = staying.some(({ kind }) => kind.holdsReplies);
    const lost = await this.#drain(areHeld);
    const stale = await judge.judge(grounds.clients, boundMs, !areHeld);
    for (const { end } of staying) await end();
    if (lost.length + stale.length > 0 || staying.length === 0) return [...lost, ...stale];
    const lostLater = await this.#drain(false);
    return [...lostLater, ...(await judge.judge(grounds.clients, boundMs, true))];
  }

  #rest(resting: boolean): void {
    const { grounds, writers } = this.#parts;
    for (const one of [...grounds.clients, ...writers]) one.isResting = resting;
  }

  /** Kinds come in any order, and none again before all have come. */
  #deal(): FaultKind {
    if (this.#deck.length === 0) this.#deck = [...this.#parts.kinds];
    this.#dealt += 1;
    return this.#deck.splice(this.#random.below(this.#deck.length), 1)[0] as FaultKind;
  }

  async #inflict(kind: FaultKind, loadMs: number): Promise<Begun> {
    const { grounds, chronicle, tally, isBrisk } = this.#parts;
    const [least, most] = kind.lastsMs;
    const spreadMs = isBrisk ? Math.min(BRISK_SPREAD_MS, most - least) : most - least;
    const lastsMs = least + this.#random.below(spreadMs + 1);
    const stays = kind.mayStay && this.#random.chance(0.6);
    await sleep(this.#random.below(loadMs));
    chronicle.note('fault', `${kind.name} begins`);
    const fault = await kind.begin(grounds, lastsMs);
    tally.countFault(kind.name);
    chronicle.note('fault', `${kind.name}: ${fault.detail ?? 'in force'}, for ${lastsMs} ms`);
    const over = sleep(lastsMs);
    const end = async () => {
      await over;
      await fault.end?.();
      chronicle.note('fault', `${kind.name} is over`);
    };
    // One that does not stay ends in its own time, be the round over or not.
    const ended = stays ? undefined : end();
    return { kind, stays, end: () => ended ?? end() };
  }

  /** Not often: caches are empty behind it, and in a round with faults it could not be told apart. */
  async #changeSilently(loadMs: number, probability: number): Promise<void> {
    if (!this.#random.chance(probability)) return;
    // Often late, so that what was changed is not written over.
    const atMs = this.#random.chance(0.5) ? loadMs - 20 : this.#random.below(loadMs);
    await sleep(Math.max(0, atMs));
    for (let left = 1 + this.#random.below(2); left > 0; left--) {
      this.#random.pick(this.#parts.writers).run(drawSilent(this.#random));
    }
  }

  /** Waits until every reply has come. @returns what did not come, told */
  async #drain(areHeld: boolean): Promise<readonly string[]> {
    const { grounds, writers, tally } = this.#parts;
    const waiting = () => [...grounds.clients, ...writers].filter(({ owed }) => owed > 0);
    const untilMs = performance.now() + (areHeld ? HELD_REPLIES_MS : REPLIES_MAX_MS);
    while (waiting().length > 0 && performance.now() < untilMs) await sleep(POLL_MS);
    if (areHeld || waiting().length === 0) return [];
    tally.lostReplies += waiting().reduce((sum, { owed }) => sum + owed, 0);
    return waiting().map(({ name, owed }) => `${name} still waits for ${owed} replies`);
  }
}
