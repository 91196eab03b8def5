import { Fences } from '../../src/client/fences.ts';
import type { SessionParts } from '../../src/client/parts.ts';
import { CommandTable } from '../../src/commands/table.ts';
import { Attribution } from '../../src/invalidation/attribution.ts';
import { Tracker } from '../../src/tracking/tracker.ts';
import type { KeyAccess } from '../../src/upstream/access.ts';
import { SilentLog } from '../../src/upstream/silent.ts';
import { COEFFICIENTS } from '../helpers/coefficients.ts';
import { Channel } from './channel.ts';
import type { SimulatedLane } from './lane.ts';
import type { Setup } from './steps.ts';
import type { Teller } from './story.ts';
import { Timers } from './timers.ts';
import { SimulatedWatch } from './watch.ts';

const TABLE = CommandTable.builtin();
const FACTS = { server: 'redis', version: '7.0.15', mode: 'standalone', role: 'master' } as const;

/** How long replies usually take, in milliseconds, as the proxy believes. */
export const ROUND_TRIP_MS = 1;

/**
 * How long fenced writes wait for one client, in milliseconds: less than in `src/proxy.ts`, for few
 * schedules take so long.
 */
const FENCE_MAX_MS = 60;

/** What the core needs from the world around it. */
export interface CoreParts {
  readonly setup: Setup;
  /** Milliseconds. */
  readonly now: () => number;
  readonly tell: Teller | undefined;
  /** @returns how often Redis has executed each silent command */
  readonly silentCalls: () => ReadonlyMap<string, number>;
}

/** The proxy without its connections, wired as `src/proxy.ts` does. */
export class Core {
  readonly channel: Channel;
  readonly attribution: Attribution;
  readonly watch: SimulatedWatch;
  readonly #parts: CoreParts;
  readonly #tracker: Tracker;
  readonly #fences: Fences;
  readonly #limits = new Timers(); // of waiting for clients
  readonly #waiting = new Set<SimulatedLane>();
  readonly #withheld = new Set<SimulatedLane>(); // some of them no more
  readonly #silentLog = new SilentLog();
  readonly #rules: KeyAccess;
  #access: KeyAccess | undefined; // as the proxy knows it
  #accessAwaited: (() => void)[] = [];
  #words = 0;

  constructor(parts: CoreParts) {
    const { setup, tell } = parts;
    this.#parts = parts;
    this.#tracker = new Tracker(setup.maxKeys, () => {}, COEFFICIENTS);
    this.attribution = new Attribution(() => `word${this.#words++}`);
    this.channel = this.#newChannel();
    this.#fences = new Fences({
      sync: (done) => this.channel.sync(done),
      isBlind: () => this.#tracker.blind,
      listeners: () => this.#takeListeners(),
      flush: () => {}, // what is written is there
      limit: (run) => this.#limits.set(parts.now() + FENCE_MAX_MS, run),
    });
    this.watch = new SimulatedWatch({
      log: this.#silentLog,
      calls: parts.silentCalls,
      silentChange: (reason) => {
        tell?.(() => `the watch finds: ${reason}`);
        this.#tracker.changedAll('silent');
      },
    });
    const { secret } = setup;
    this.#rules = secret === undefined ? 'all' : (key) => key !== secret;
    this.#access = setup.asksForAccess ? undefined : this.#rules;
  }

  /** Whether somebody waits to be told what users may read. */
  get accessIsAwaited(): boolean {
    return this.#accessAwaited.length > 0;
  }

  /** What users may read has been told; or not, if it `fails`; or is not known any more. */
  tellAccess(fails: boolean): void {
    if (!this.#parts.setup.asksForAccess) return;
    const awaited = this.#accessAwaited;
    if (awaited.length === 0) {
      this.#access = undefined;
      return;
    }
    this.#access = fails ? undefined : this.#rules;
    this.#accessAwaited = [];
    for (const done of awaited) done();
  }

  /** How many keys may be remembered. */
  set maxKeys(maxKeys: number) {
    this.#tracker.maxKeys = maxKeys;
  }

  /** Time has gone on. */
  tick(lanes: readonly SimulatedLane[]): void {
    for (const lane of lanes) {
      lane.session.tracked.tick();
      if (!lane.session.tracked.hasDues) this.#waiting.delete(lane);
    }
    this.#limits.tick(this.#parts.now());
  }

  wake(lane: SimulatedLane): void {
    this.#waiting.add(lane);
  }

  withheld(lane: SimulatedLane): void {
    this.#withheld.add(lane);
  }

  /** @returns the lanes that may have something left to be told */
  #takeListeners(): Set<SimulatedLane> {
    for (const lane of this.#withheld) {
      if (!lane.isWithholding || lane.isClosed) this.#withheld.delete(lane);
    }
    for (const lane of this.#waiting) if (lane.isClosed) this.#waiting.delete(lane);
    return new Set([...this.#waiting, ...this.#withheld]);
  }

  #newChannel(): Channel {
    const tell = this.#parts.tell;
    return new Channel({
      attribution: this.attribution.channel,
      isHeard: () => {
        this.attribution.isHeard = true;
      },
      listener: {
        concerns: (chunk, from, to) => this.#tracker.concerns(chunk, from, to),
        changed: (key, removed) => {
          tell?.(() => `the proxy hears that ${key} has changed`);
          const writer = removed ? undefined : this.attribution.writer;
          this.#tracker.changed(key, 'write', writer, this.attribution.declares(key));
        },
        endOfBatch: () => this.#tracker.endOfBatch(),
        heardWord: (word) => this.attribution.heard(word),
        blind: () => {
          tell?.(() => 'the proxy is blind');
          this.attribution.reset();
          this.#tracker.loseSight();
          this.#fences.blinded();
        },
        sighted: () => {
          tell?.(() => 'the proxy sees');
          this.watch.begin();
          this.#tracker.regainSight();
        },
        notRedis: () => {},
      },
    });
  }

  /** What all sessions need. */
  get sessionParts(): SessionParts {
    const { setup, now } = this.#parts;
    return {
      tracker: this.#tracker,
      attribution: this.attribution,
      silentLog: this.#silentLog,
      commands: () => TABLE,
      advertise: (version: string) => version,
      upstreamVersion: () => 700,
      nativeTracking: () => setup.knowsTracking,
      db: setup.db,
      access: () => this.#access,
      // Resolved by a step and at once, not by a later turn of the event loop.
      loadAccess: () => thenable((done) => this.#accessAwaited.push(done)),
      forgetAccess: () => {},
      tellOrphans: true,
      now,
      roundTrip: () => ROUND_TRIP_MS,
      fence: (...told) => this.#fences.raise(...told),
      fenceWrites: setup.fences === 'on',
      refusesTracking: () => false,
      speaksResp3: () => true,
      serverFacts: () => FACTS,
      newClientId: () => {
        throw new Error('Redis has ids of its own');
      },
      counts: {
        forwarded: 0,
        tracked: 0,
        answered: 0,
        extraInvalidations: 0,
        unattributedWrites: 0,
        clientProtocolErrors: 0,
        collapsedInvalidations: 0,
        fencedWrites: 0,
      },
    };
  }
}

function thenable(begin: (done: () => void) => void): Promise<void> {
  const promise = {
    // biome-ignore lint/suspicious/noThenProperty: it stands for a promise, on our own clock.
    then(done: () => void) {
      begin(done);
      return promise;
    },
  };
  return promise as unknown as Promise<void>;
}
