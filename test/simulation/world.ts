import { PARK_MS } from '../../src/client/delivery.ts';
import type { SessionParts } from '../../src/client/parts.ts';
import { CommandTable } from '../../src/commands/table.ts';
import { Attribution } from '../../src/invalidation/attribution.ts';
import { Tracker } from '../../src/tracking/tracker.ts';
import type { KeyAccess } from '../../src/upstream/access.ts';
import { SilentLog } from '../../src/upstream/silent.ts';
import { COEFFICIENTS } from '../helpers/coefficients.ts';
import { Channel } from './channel.ts';
import { CachingClient } from './client.ts';
import { type LaneEnds, SimulatedLane } from './lane.ts';
import { LaneOracle, Violation } from './oracle.ts';
import { Upstream } from './redis.ts';
import { HOPS, type Setup, type Step } from './steps.ts';
import type { Teller } from './story.ts';
import { SimulatedWatch } from './watch.ts';
import { show, TextPipe } from './wire.ts';

const TABLE = CommandTable.builtin();
const FACTS = { server: 'redis', version: '7.0.15', mode: 'standalone', role: 'master' } as const;

/** How long replies usually take, in milliseconds, as the proxy believes. */
const ROUND_TRIP_MS = 1;

/** So much time passes while everything settles that no deadline remains, in milliseconds. */
const SETTLE_MS = 1_000;

/** More rounds than this mean that something goes on for ever. */
const SETTLE_MAX_ROUNDS = 1_000;

/**
 * So many looks notice any silent change: the first of two may take it for one of ours that is in
 * flight, see `SilentLog`.
 */
const LOOKS_TO_NOTICE = 3;

/**
 * Redis, the proxy's core wired as `src/proxy.ts` does, and its clients: one world, in which
 * nothing happens but the steps that it is told to do.
 */
export class World {
  readonly lanes: readonly SimulatedLane[];
  readonly channel: Channel;
  readonly upstream: Upstream;
  readonly #tracker: Tracker;
  readonly #attribution: Attribution;
  readonly #tell: Teller | undefined;
  readonly #silentLog = new SilentLog();
  readonly #watch: SimulatedWatch;
  readonly #asksForAccess: boolean;
  readonly #rules: KeyAccess;
  #access: KeyAccess | undefined; // as the proxy knows it
  #accessAwaited: (() => void)[] = [];
  #nowMs = 0;
  #words = 0;

  /** @param story gets a line for all that happens; undefined: nobody listens */
  constructor(setup: Setup, story?: string[]) {
    this.#tell = story && ((line) => story.push(`      ${line()}`));
    this.#tracker = new Tracker(setup.maxKeys, () => {}, COEFFICIENTS);
    this.#attribution = new Attribution(() => `word${this.#words++}`);
    this.channel = this.#newChannel();
    this.upstream = new Upstream({
      now: () => this.#nowMs,
      hasPassword: setup.hasPassword,
      secret: setup.secret,
      announce: (db, key, event) => this.channel.announce(db, key, event),
      publish: (name, text) => this.channel.publish(name, text),
      tell: this.#tell,
    });
    this.#watch = new SimulatedWatch({
      log: this.#silentLog,
      calls: () => this.upstream.silentCalls,
      silentChange: (reason) => {
        this.#tell?.(() => `the watch finds: ${reason}`);
        this.#tracker.changedAll('silent');
      },
    });
    this.#asksForAccess = setup.asksForAccess;
    const { secret } = setup;
    this.#rules = secret === undefined ? 'all' : (key) => key !== secret;
    this.#access = setup.asksForAccess ? undefined : this.#rules;
    this.lanes = this.#newLanes(setup);
    this.channel.subscribe();
    this.#seeAgain();
    for (const lane of this.lanes) {
      lane.move('proxy to Redis', Number.MAX_SAFE_INTEGER);
      lane.move('Redis to proxy', Number.MAX_SAFE_INTEGER);
    }
  }

  /** Whether an answer to the watch is on its way. */
  get watchIsAnswered(): boolean {
    return this.#watch.isAnswered;
  }

  /** Whether somebody waits to be told what users may read. */
  get accessIsAwaited(): boolean {
    return this.#accessAwaited.length > 0;
  }

  /** @throws Violation where a promise is broken */
  do(step: Step): void {
    switch (step.kind) {
      case 'send':
        this.#send(this.lanes[step.client], step.requests);
        return;
      case 'move':
        this.lanes[step.client]?.move(step.hop, step.count || Number.MAX_SAFE_INTEGER);
        return;
      case 'hear':
        this.channel.hear(step.count || Number.MAX_SAFE_INTEGER);
        return;
      case 'wait':
        this.#wait(step.ms);
        return;
      case 'direct':
        this.upstream.direct(step.words, step.db);
        return;
      case 'expire':
        this.upstream.expireAll();
        return;
      case 'forbid':
        this.lanes[step.client]?.connection.forbidden.add(step.command);
        return;
      case 'allow':
        this.lanes[step.client]?.connection.forbidden.clear();
        return;
      case 'leave':
        this.lanes[step.client]?.leave(step.drops);
        return;
      case 'lose lane':
        this.lanes[step.client]?.loseLane(step.drops);
        return;
      case 'end':
        this.lanes[step.client]?.endSending();
        return;
      case 'access':
        this.#tellAccess(step.fails);
        return;
      case 'look':
        this.#look();
        return;
      case 'see':
        this.#watch.read();
        return;
      case 'limit':
        this.#tracker.maxKeys = step.maxKeys;
        return;
      case 'settle':
        this.settle();
        return;
      default:
        this.#doToChannel(step);
    }
  }

  #doToChannel(step: Extract<Step, { kind: 'break' | 'notice' | 'subscribe' | 'prove' }>): void {
    if (step.kind === 'break') this.channel.break(step.drops);
    else if (step.kind === 'notice') this.channel.notice();
    else if (step.kind === 'subscribe') this.channel.subscribe();
    else this.channel.prove();
  }

  /** Everything arrives and all deadlines pass. @throws Violation P1, P4 */
  settle(): void {
    if (this.channel.isBrokenUnnoticed) this.channel.notice();
    this.#calm();
    this.upstream.expireAll();
    for (let looks = 0; looks < LOOKS_TO_NOTICE; looks++) {
      this.#look();
      this.#calm();
    }
    if (this.channel.isUp) this.#holdAgainstTruth();
    else this.#holdAgainstBlindness();
  }

  /** As `settle`, and whatever is waited for comes: in the end every request has its reply. */
  finish(): void {
    this.settle();
    this.#seeAgain();
    this.settle();
    for (;;) {
      const awaited = this.upstream.awaited();
      if (awaited === undefined) break;
      this.upstream.direct(['DEL', awaited.key], awaited.db);
      this.upstream.direct(['RPUSH', awaited.key, 'last'], awaited.db);
      this.settle();
    }
    for (const { client, isOpen } of this.lanes) {
      client.passSilence();
      if (client.isGone) continue;
      if (!isOpen) throw new Violation('P3', `${client.name} never sees the end`);
      if (client.outstandingCount > 0 || client.midFrame) {
        throw new Violation('P3', `${client.name} waits for ${client.outstandingCount} replies`);
      }
    }
  }

  #look(): void {
    if (this.channel.isUp) this.#watch.answer();
  }

  #newChannel(): Channel {
    return new Channel({
      attribution: this.#attribution.channel,
      isHeard: () => {
        this.#attribution.isHeard = true;
      },
      listener: {
        concerns: (chunk, from, to) => this.#tracker.concerns(chunk, from, to),
        changed: (key, removed) => {
          this.#tell?.(() => `the proxy hears that ${key} has changed`);
          const writer = removed ? undefined : this.#attribution.writer;
          this.#tracker.changed(key, 'write', writer, this.#attribution.declares(key));
        },
        endOfBatch: () => this.#tracker.endOfBatch(),
        heardWord: (word) => this.#attribution.heard(word),
        blind: () => {
          this.#tell?.(() => 'the proxy is blind');
          this.#attribution.reset();
          this.#tracker.loseSight();
        },
        sighted: () => {
          this.#tell?.(() => 'the proxy sees');
          this.#watch.begin();
          this.#tracker.regainSight();
        },
        notRedis: () => {},
      },
    });
  }

  #newLanes(setup: Setup): SimulatedLane[] {
    const lanes: SimulatedLane[] = [];
    for (const [index, { target }] of setup.clients.entries()) {
      const oracle = new LaneOracle(this.#attribution.channel, setup.db);
      const fromRedis = new TextPipe();
      const client = new CachingClient({
        name: `client ${index}`,
        oracle,
        tell: this.#tell,
        db: setup.db,
        secret: setup.secret,
        target: target === undefined ? undefined : lanes[target]?.client,
      });
      lanes.push(
        new SimulatedLane({
          client,
          fromRedis,
          upstream: this.upstream,
          connection: this.upstream.connect(fromRedis, oracle),
          session: (ends) => this.#sessionParts(setup, ends),
        }),
      );
    }
    return lanes;
  }

  #sessionParts(setup: Setup, ends: LaneEnds): SessionParts {
    return {
      tracker: this.#tracker,
      attribution: this.#attribution,
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
      now: () => this.#nowMs,
      roundTrip: () => ROUND_TRIP_MS,
      sendUpstream: ends.sendUpstream,
      sendClient: ends.sendClient,
      finished: ends.finished,
      wake: () => {},
      isSlow: () => false,
      isBackedUp: () => false,
      withheld: () => {},
      fence: (passed) => passed(),
      fenceWrites: false,
      refusesTracking: () => false,
      speaksResp3: () => true,
      serverFacts: () => FACTS,
      newClientId: () => {
        throw new Error('Redis has ids of its own');
      },
      openEar: () => {
        throw new Error('Redis speaks RESP3');
      },
      whenTaken: (run) => run(),
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

  #send(lane: SimulatedLane | undefined, requests: readonly (readonly string[])[]): void {
    if (lane?.clientSends !== true) return;
    for (const words of requests) {
      lane.send(words);
    }
  }

  #wait(ms: number): void {
    this.#nowMs += ms;
    this.upstream.tick();
    for (const lane of this.lanes) {
      lane.session.tracked.tick();
      lane.tick(this.#nowMs, PARK_MS + ROUND_TRIP_MS);
    }
  }

  #tellAccess(fails: boolean): void {
    if (!this.#asksForAccess) return;
    const awaited = this.#accessAwaited;
    if (awaited.length === 0) {
      this.#access = undefined;
      return;
    }
    this.#access = fails ? undefined : this.#rules;
    this.#accessAwaited = [];
    for (const done of awaited) done();
  }

  /** The channel is set up again, if it is not up. */
  #seeAgain(): void {
    if (this.channel.isDown) this.channel.subscribe();
    this.channel.hear(Number.MAX_SAFE_INTEGER);
    this.channel.prove();
    this.channel.hear(Number.MAX_SAFE_INTEGER);
  }

  #calm(): void {
    for (let round = 0; round < SETTLE_MAX_ROUNDS; round++) {
      let moved = false;
      for (const lane of this.lanes) {
        for (const hop of HOPS) {
          if (lane.movable(hop) === 0) continue;
          lane.move(hop, Number.MAX_SAFE_INTEGER);
          moved = true;
        }
      }
      if (this.channel.pipe.size > 0 && !this.channel.isDown) {
        this.channel.hear(Number.MAX_SAFE_INTEGER);
        moved = true;
      }
      if (this.accessIsAwaited) {
        this.#tellAccess(false);
        moved = true;
      }
      if (this.#watch.isAnswered) {
        this.#watch.read();
        moved = true;
      }
      if (moved) continue;
      const before = this.lanes.some(({ session }) => session.tracked.hasDues);
      this.#wait(SETTLE_MS);
      if (!before && this.#isStill()) return;
    }
    throw new Violation('P7', 'it never settles');
  }

  #isStill(): boolean {
    return this.lanes.every((lane) => HOPS.every((hop) => lane.movable(hop) === 0));
  }

  #holdAgainstTruth(): void {
    for (const { client } of this.lanes) {
      client.passSilence();
      for (const [key, values] of client.cache) {
        for (const { db, kind, raw } of values.values()) {
          const truth = this.upstream.store(db).answer(kind, key, 3);
          if (raw === truth) continue;
          const place = db === 0 ? key : `${key} of database ${db}`;
          const message = `${client.name} holds ${place} = ${show(raw)}, Redis ${show(truth)}`;
          throw new Violation('P1', message);
        }
      }
    }
  }

  #holdAgainstBlindness(): void {
    for (const { client } of this.lanes) {
      client.passSilence();
      const [key] = client.cache.keys();
      if (key === undefined) continue;
      throw new Violation(
        'P4',
        `${client.name} trusts its cache of ${key} while the proxy is blind`,
      );
    }
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
