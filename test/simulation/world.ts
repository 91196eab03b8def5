import { CommandTable } from '../../src/commands/table.ts';
import { Attribution } from '../../src/invalidation/attribution.ts';
import { Tracker } from '../../src/tracking/tracker.ts';
import type { KeyAccess } from '../../src/upstream/access.ts';
import { SilentLog } from '../../src/upstream/silent.ts';
import { Channel } from './channel.ts';
import { CachingClient } from './client.ts';
import { SimulatedLane } from './lane.ts';
import { LaneOracle, Violation } from './oracle.ts';
import { Upstream } from './redis.ts';
import type { Hop, Setup, Step } from './steps.ts';
import { Pipe, show } from './wire.ts';

const TABLE = CommandTable.builtin();

/** How long replies usually take, in milliseconds, as the proxy believes. */
const ROUND_TRIP_MS = 1;

/** So much time passes while everything settles that no deadline remains, in milliseconds. */
const SETTLE_MS = 1_000;

/** More rounds than this mean that something goes on for ever. */
const SETTLE_MAX_ROUNDS = 1_000;

export const HOPS = [
  'client to proxy',
  'proxy to Redis',
  'Redis to proxy',
  'proxy to client',
] as const satisfies readonly Hop[];

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
  readonly #tell: (line: () => string) => void;
  readonly #asksForAccess: boolean;
  #access: KeyAccess | undefined;
  #accessAwaited: (() => void)[] = [];
  #nowMs = 0;
  #words = 0;

  /** @param story gets a line for all that happens; undefined: nobody listens */
  constructor(setup: Setup, story?: string[]) {
    this.#tell = story === undefined ? () => {} : (line) => story.push(`      ${line()}`);
    this.#tracker = new Tracker(setup.maxKeys, () => {});
    this.#attribution = new Attribution(() => `word${this.#words++}`);
    this.channel = this.#newChannel();
    this.upstream = new Upstream({
      now: () => this.#nowMs,
      hasPassword: setup.hasPassword,
      announce: (key, event) => this.channel.announce(key, event),
      publish: (name, text) => this.channel.publish(name, text),
      tell: this.#tell,
    });
    this.#asksForAccess = setup.asksForAccess;
    this.#access = setup.asksForAccess ? undefined : 'all';
    this.lanes = this.#newLanes(setup);
    this.channel.subscribe();
    this.#seeAgain();
    for (const lane of this.lanes) {
      lane.move('proxy to Redis', Number.MAX_SAFE_INTEGER);
      lane.move('Redis to proxy', Number.MAX_SAFE_INTEGER);
    }
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
        this.upstream.direct(step.words);
        return;
      case 'expire':
        this.upstream.store.expireAll();
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
        this.lanes[step.client]?.loseLane();
        return;
      case 'access':
        this.#tellAccess();
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
    this.upstream.store.expireAll();
    this.#calm();
    if (this.channel.isUp) this.#holdAgainstTruth();
    else this.#holdAgainstBlindness();
  }

  /** As `settle`, and whatever is waited for comes: in the end every request has its reply. */
  finish(): void {
    this.settle();
    this.#seeAgain();
    this.settle();
    for (;;) {
      const key = this.upstream.awaitedKey();
      if (key === undefined) break;
      this.upstream.direct(['DEL', key]);
      this.upstream.direct(['RPUSH', key, 'last']);
      this.settle();
    }
    for (const { client, isOpen } of this.lanes) {
      if (isOpen && (client.outstandingCount > 0 || client.midFrame)) {
        throw new Violation('P3', `${client.name} waits for ${client.outstandingCount} replies`);
      }
    }
  }

  #newChannel(): Channel {
    return new Channel({
      attribution: this.#attribution.channel,
      isHeard: () => {
        this.#attribution.isHeard = true;
      },
      listener: {
        changed: (key, removed) => {
          this.#tell(() => `the proxy hears that ${key} has changed`);
          this.#tracker.changed(key, 'write', removed ? undefined : this.#attribution.writer);
        },
        endOfBatch: () => this.#tracker.endOfBatch(),
        heardWord: (word) => this.#attribution.heard(word),
        blind: () => {
          this.#tell(() => 'the proxy is blind');
          this.#attribution.reset();
          this.#tracker.loseSight();
        },
        sighted: () => {
          this.#tell(() => 'the proxy sees');
          this.#tracker.regainSight();
        },
        notRedis: () => {},
      },
    });
  }

  #newLanes(setup: Setup): SimulatedLane[] {
    const lanes: SimulatedLane[] = [];
    for (const [index, { target }] of setup.clients.entries()) {
      const oracle = new LaneOracle(this.#attribution.channel);
      const fromRedis = new Pipe();
      const client = new CachingClient({
        name: `client ${index}`,
        oracle,
        tell: this.#tell,
        target: target === undefined ? undefined : lanes[target]?.client,
      });
      lanes.push(
        new SimulatedLane({
          client,
          fromRedis,
          upstream: this.upstream,
          connection: this.upstream.connect(fromRedis, oracle),
          session: this.#sessionParts(setup),
        }),
      );
    }
    return lanes;
  }

  #sessionParts(setup: Setup) {
    return {
      tracker: this.#tracker,
      attribution: this.#attribution,
      silentLog: new SilentLog(),
      commands: () => TABLE,
      advertise: (version: string) => version,
      upstreamVersion: () => 700,
      nativeTracking: () => setup.knowsTracking,
      db: 0,
      access: () => this.#access,
      // Resolved by a step and at once, not by a later turn of the event loop.
      loadAccess: () => thenable((done) => this.#accessAwaited.push(done)),
      forgetAccess: () => {},
      tellOrphans: true,
      now: () => this.#nowMs,
      roundTrip: () => ROUND_TRIP_MS,
      counts: {
        forwarded: 0,
        tracked: 0,
        answered: 0,
        extraInvalidations: 0,
        unattributedWrites: 0,
        clientProtocolErrors: 0,
      },
    };
  }

  #send(lane: SimulatedLane | undefined, requests: readonly (readonly string[])[]): void {
    if (lane?.isOpen !== true) return;
    for (const words of requests) {
      lane.client.sends(words);
      lane.pipes['client to proxy'].push(encode(words));
    }
  }

  #wait(ms: number): void {
    this.#nowMs += ms;
    this.upstream.tick();
    for (const { session } of this.lanes) session.tracked.tick();
  }

  #tellAccess(): void {
    if (!this.#asksForAccess) return;
    const awaited = this.#accessAwaited;
    if (awaited.length === 0) {
      this.#access = undefined;
      return;
    }
    this.#access = 'all';
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
        this.#tellAccess();
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
      for (const [key, kinds] of client.cache) {
        for (const [kind, raw] of kinds) {
          const truth = this.upstream.store.answer(kind, key, 3);
          if (raw === truth) continue;
          const message = `${client.name} holds ${key} = ${show(raw)}, Redis ${show(truth)}`;
          throw new Violation('P1', message);
        }
      }
    }
  }

  #holdAgainstBlindness(): void {
    for (const { client } of this.lanes) {
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

function encode(words: readonly string[]): Buffer {
  const text = words.map((word) => `$${word.length}\r\n${word}\r\n`).join('');
  return Buffer.from(`*${words.length}\r\n${text}`, 'latin1');
}
