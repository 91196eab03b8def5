import type { SimulatedLane } from './lane.ts';
import type { OutputLimits } from './output.ts';
import { Random } from './random.ts';
import { RequestMaker } from './requests.ts';
import { type ClientSetup, HOPS, type Hop, type Setup, type Step } from './steps.ts';
import type { World } from './world.ts';

/** How many steps a schedule has, settling at its end not counted. */
const STEPS_MIN_COUNT = 40;
const STEPS_MAX_COUNT = 160;

/** A client has no more requests under way. */
const PIPELINE_MAX_COUNT = 20;

/** Rights that a user may lose while it is connected. */
const COMMANDS = ['GET', 'MGET', 'SET', 'CLIENT', 'PUBLISH', 'MULTI', 'EXEC', 'EVAL'] as const;

/** @returns what is fixed before anything happens */
export function setupOf(seed: number): Setup {
  const random = new Random(seed);
  const later = new Random(seed ^ LATER);
  const fences = later.chance(0.35) ? later.pick(['off', 'on'] as const) : 'never';
  const hasSlow = later.chance(0.3);
  const outputOf = () => (hasSlow && later.chance(0.6) ? slowOutput(later) : undefined);
  const clients: ClientSetup[] = [];
  const hasListener = random.chance(0.3);
  if (hasListener) {
    const protocol = random.chance(0.5) ? 3 : 2;
    clients.push({ target: undefined, isListener: true, protocol, output: outputOf() });
  }
  for (let left = 1 + random.below(3); left > 0; left--) {
    const target = hasListener && random.chance(0.7) ? 0 : undefined;
    const protocol = target !== undefined && random.chance(0.4) ? 2 : 3;
    clients.push({ target, isListener: false, protocol, output: outputOf() });
  }
  const asksForAccess = random.chance(0.3);
  return {
    seed,
    clients,
    hasPassword: random.chance(0.1),
    knowsTracking: random.chance(0.3),
    asksForAccess,
    secret: asksForAccess && random.chance(0.6) ? random.pick(SECRETS) : undefined,
    db: random.chance(0.25) ? 1 : 0,
    maxKeys: random.chance(0.15) ? 1 + random.below(2) : 0,
    fences,
  };
}

/** @returns limits that a few replies reach */
function slowOutput(random: Random): OutputLimits {
  const slowBytes = random.pick([1, 30, 100]);
  return {
    kernelBytes: random.pick([0, 0, 50]),
    slowBytes,
    backedUpBytes: slowBytes + random.pick([0, 40, 200]),
  };
}

type Kind = Step['kind'];

/**
 * Chooses what happens next, by chance and by what can happen at all. Each schedule has a temper
 * of its own: which hops are slow, how often things go wrong.
 */
export class Scheduler {
  readonly #random: Random;
  readonly #later: Random; // for what came later, so that what was before stays as it was
  readonly #maker: RequestMaker;
  readonly #setup: Setup;
  readonly #speeds: readonly (readonly number[])[]; // of each client's hops
  readonly #channelSpeed: number;
  readonly #troubles: number; // how often the channel breaks and users lose rights
  readonly #cuts: number; // how often bytes move in pieces
  readonly #hasSent = new Set<number>();
  readonly stepCount: number;
  // What may be chosen, side by side, for this is done at every step.
  readonly #weights: number[] = [];
  readonly #kinds: Kind[] = [];
  readonly #clients: number[] = [];
  readonly #hops: number[] = []; // as places in HOPS
  #count = 0;

  constructor(setup: Setup) {
    const random = new Random(setup.seed ^ 0x2545f491);
    this.#random = random;
    this.#later = new Random(setup.seed ^ ~LATER);
    this.#setup = setup;
    this.#maker = new RequestMaker(random, setup);
    this.#speeds = setup.clients.map(({ output }) => {
      const speeds = HOPS.map(() => random.pick([0.3, 1, 3, 6]));
      return output === undefined ? speeds : speeds.with(-1, this.#later.pick([0.05, 0.2, 0.6]));
    });
    this.#channelSpeed = random.pick([0.3, 1, 3]);
    this.#troubles = random.pick([0, 0, 0.5, 1, 3]);
    this.#cuts = random.pick([0, 0.1, 0.4]);
    this.stepCount = STEPS_MIN_COUNT + random.below(STEPS_MAX_COUNT - STEPS_MIN_COUNT);
  }

  next(world: World): Step {
    this.#count = 0;
    for (let client = 0; client < world.lanes.length; client++) this.#weighLane(world, client);
    if (world.channel.pipe.size > 0 && !world.channel.isDown) {
      // What proves the channel is short, and hurried: reads must get the chance to outlast it.
      this.#weigh(world.channel.isUp ? this.#channelSpeed : 4, 'hear');
    }
    this.#weigh(0.5, 'wait');
    this.#weigh(0.8, 'direct');
    this.#weigh(0.1, 'expire');
    this.#weigh(0.15, 'settle');
    if (world.channel.isUp) this.#weigh(0.3, 'look');
    if (world.watchIsAnswered) this.#weigh(1, 'see');
    if (this.#setup.maxKeys > 0) this.#weigh(0.15, 'limit');
    if (this.#setup.asksForAccess) this.#weigh(0.4, 'access');
    this.#weighTroubles(world);
    const chosen = this.#random.weigh(this.#weights, this.#count);
    const client = this.#clients[chosen] as number;
    return this.#make(world, this.#kinds[chosen] as Kind, client, this.#hops[chosen] as number);
  }

  #weigh(weight: number, kind: Kind, client = 0, hop = 0): void {
    const place = this.#count++;
    this.#weights[place] = weight;
    this.#kinds[place] = kind;
    this.#clients[place] = client;
    this.#hops[place] = hop;
  }

  #weighLane(world: World, client: number): void {
    const lane = world.lanes[client] as SimulatedLane;
    const { isListener } = this.#setup.clients[client] as ClientSetup;
    const maySend = lane.clientSends && (!isListener || !this.#hasSent.has(client));
    if (maySend && lane.client.outstandingCount < PIPELINE_MAX_COUNT)
      this.#weigh(2, 'send', client);
    const speeds = this.#speeds[client] as readonly number[];
    for (let hop = 0; hop < HOPS.length; hop++) {
      if (lane.movable(HOPS[hop] as Hop) === 0) continue;
      // What a fence waits for is often the end of a reply: it is late where there are any.
      const isLate = this.#setup.fences !== 'never' && HOPS[hop] === 'Redis to proxy';
      const speed = (speeds[hop] as number) * (isLate && lane.session.replies.midReply ? 0.1 : 1);
      this.#weigh(speed, 'move', client, hop);
    }
  }

  #weighTroubles({ channel }: World): void {
    const troubles = this.#troubles;
    if (channel.isDown) this.#weigh(2, 'subscribe');
    else if (channel.isBrokenUnnoticed) this.#weigh(2, 'notice');
    else if (troubles > 0) this.#weigh(0.5 * troubles, 'break');
    if (channel.isAsking) this.#weigh(4, 'prove');
    if (channel.isAsked) this.#weigh(1.5, 'answer');
    if (troubles === 0) return;
    this.#weigh(0.15 * troubles, 'forbid');
    this.#weigh(0.2 * troubles, 'allow');
    this.#weigh(0.04 * troubles, 'leave');
    this.#weigh(0.03 * troubles, 'lose lane');
    this.#weigh(0.03 * troubles, 'end');
  }

  #make(world: World, kind: Kind, client: number, hop: number): Step {
    const random = this.#random;
    switch (kind) {
      case 'send':
        return this.#send(world, client);
      case 'move':
        return { kind, client, hop: HOPS[hop] as Hop, count: this.#cutOn(HOPS[hop] as Hop) };
      case 'hear':
        return { kind, count: this.#cut() };
      case 'wait':
        return { kind, ms: random.pick(WAITS_MS) };
      case 'direct':
        return {
          kind,
          words: random.chance(FLUSHES) ? FLUSHALL : this.#maker.writeDirectly(),
          db: this.#database(),
        };
      case 'access':
        return { kind, fails: random.chance(0.35) };
      case 'limit':
        return { kind, maxKeys: random.below(4) };
      case 'break':
        return { kind, drops: random.chance(0.5) };
      case 'notice':
        return { kind, tellsAskersLate: this.#later.chance(0.5) };
      case 'forbid':
        return { kind, client: this.#anybody(), command: random.pick(COMMANDS) };
      case 'allow':
      case 'end':
        return { kind, client: this.#anybody() };
      case 'leave':
      case 'lose lane':
        return { kind, client: this.#anybody(), drops: random.chance(0.5) };
      default:
        return { kind };
    }
  }

  /** @returns one that is in use, as a rule the one in which clients begin */
  #database(): number {
    return this.#random.chance(0.15) ? this.#random.pick(DATABASES) : this.#setup.db;
  }

  #anybody(): number {
    return this.#random.below(this.#setup.clients.length);
  }

  #send(world: World, client: number): Step {
    if (!this.#hasSent.has(client)) {
      this.#hasSent.add(client);
      return { kind: 'send', client, requests: this.#maker.first(client) };
    }
    const { mode } = (world.lanes[client] as SimulatedLane).client;
    const requests: (readonly string[])[] = [];
    for (let left = this.#random.pick(PIPELINED_COUNTS); left > 0; left--) {
      this.#maker.next(client, mode, requests);
    }
    return { kind: 'send', client, requests };
  }

  /** Where there are fences, replies stop short more often: see `#weighLane`. */
  #cutOn(hop: Hop): number {
    const isShort = hop === 'Redis to proxy' && this.#setup.fences !== 'never';
    return isShort && this.#later.chance(0.4) ? 1 + this.#later.below(10) : this.#cut();
  }

  #cut(): number {
    return this.#random.chance(this.#cuts) ? 1 + this.#random.below(40) : 0;
  }
}

/** Tells two streams of chance apart. */
const LATER = 0x3c6ef372;
/** How many of the writes of others are flushes, as a part of 1. */
const FLUSHES = 0.1;
const FLUSHALL = ['FLUSHALL'];
const DATABASES = [0, 1, 2];
/** Keys that may be secret: only one is under a prefix of every kind of BCAST. */
const SECRETS = ['a1', 'b1'];
const WAITS_MS = [1, 5, 12, 40];
const PIPELINED_COUNTS = [1, 1, 1, 2, 4];
