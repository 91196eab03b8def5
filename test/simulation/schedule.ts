import { Random } from './random.ts';
import { RequestMaker } from './requests.ts';
import type { ClientSetup, Setup, Step } from './steps.ts';
import { HOPS, type World } from './world.ts';

/** How many steps a schedule has, settling at its end not counted. */
const STEPS_MIN_COUNT = 40;
const STEPS_MAX_COUNT = 160;

/** A client has no more requests under way. */
const PIPELINE_MAX_COUNT = 20;

/** Rights that a user may lose while it is connected. */
const COMMANDS = ['get', 'mget', 'set', 'client', 'publish', 'multi', 'exec', 'eval'] as const;

/** @returns what is fixed before anything happens */
export function setupOf(seed: number): Setup {
  const random = new Random(seed);
  const clients: ClientSetup[] = [];
  const hasListener = random.chance(0.3);
  if (hasListener) {
    clients.push({ target: undefined, isListener: true, protocol: random.chance(0.5) ? 3 : 2 });
  }
  for (let left = 1 + random.below(3); left > 0; left--) {
    const target = hasListener && random.chance(0.7) ? 0 : undefined;
    const protocol = target !== undefined && random.chance(0.4) ? 2 : 3;
    clients.push({ target, isListener: false, protocol });
  }
  return {
    seed,
    clients,
    hasPassword: random.chance(0.1),
    knowsTracking: random.chance(0.3),
    asksForAccess: random.chance(0.2),
    maxKeys: random.chance(0.15) ? 1 + random.below(2) : 0,
  };
}

/**
 * Chooses what happens next, by chance and by what can happen at all. Each schedule has a temper
 * of its own: which hops are slow, how often things go wrong.
 */
export class Scheduler {
  readonly #random: Random;
  readonly #maker: RequestMaker;
  readonly #setup: Setup;
  readonly #speeds: readonly (readonly number[])[]; // of each client's hops
  readonly #channelSpeed: number;
  readonly #troubles: number; // how often the channel breaks and users lose rights
  readonly #cuts: number; // how often bytes move in pieces
  readonly #hasSent = new Set<number>();
  readonly stepCount: number;

  constructor(setup: Setup) {
    const random = new Random(setup.seed ^ 0x2545f491);
    this.#random = random;
    this.#setup = setup;
    this.#maker = new RequestMaker(random, setup);
    this.#speeds = setup.clients.map(() => HOPS.map(() => random.pick([0.3, 1, 3, 6])));
    this.#channelSpeed = random.pick([0.3, 1, 3]);
    this.#troubles = random.pick([0, 0, 0.5, 1, 3]);
    this.#cuts = random.pick([0, 0.1, 0.4]);
    this.stepCount = STEPS_MIN_COUNT + random.below(STEPS_MAX_COUNT - STEPS_MIN_COUNT);
  }

  next(world: World): Step {
    const choices: [number, () => Step][] = [];
    for (const [client, lane] of world.lanes.entries()) {
      if (!lane.isOpen) continue;
      const { isListener } = this.#setup.clients[client] as ClientSetup;
      const maySend = !isListener || !this.#hasSent.has(client);
      if (maySend && lane.client.outstandingCount < PIPELINE_MAX_COUNT) {
        choices.push([2, () => this.#send(world, client)]);
      }
      this.#addMoves(choices, world, client);
    }
    if (world.channel.pipe.size > 0 && !world.channel.isDown) {
      // What proves the channel is short, and hurried: reads must get the chance to outlast it.
      const speed = world.channel.isUp ? this.#channelSpeed : 4;
      choices.push([speed, () => ({ kind: 'hear', count: this.#cut() })]);
    }
    choices.push([0.5, () => ({ kind: 'wait', ms: this.#random.pick([1, 5, 12, 40]) })]);
    choices.push([0.8, () => ({ kind: 'direct', words: this.#maker.write() })]);
    choices.push([0.1, () => ({ kind: 'expire' })]);
    choices.push([0.15, () => ({ kind: 'settle' })]);
    if (this.#setup.asksForAccess) choices.push([0.4, () => ({ kind: 'access' })]);
    this.#addTroubles(choices, world);
    return this.#random.weighted(choices)();
  }

  #addMoves(choices: [number, () => Step][], world: World, client: number): void {
    const speeds = this.#speeds[client] as readonly number[];
    for (const [index, hop] of HOPS.entries()) {
      if ((world.lanes[client]?.movable(hop) ?? 0) === 0) continue;
      const move = (): Step => ({ kind: 'move', client, hop, count: this.#cut() });
      choices.push([speeds[index] as number, move]);
    }
  }

  #addTroubles(choices: [number, () => Step][], world: World): void {
    const { channel } = world;
    const client = this.#random.below(this.#setup.clients.length);
    const troubles = this.#troubles;
    if (channel.isDown) choices.push([2, () => ({ kind: 'subscribe' })]);
    else if (channel.isBrokenUnnoticed) choices.push([2, () => ({ kind: 'notice' })]);
    else {
      const drops = this.#random.chance(0.5);
      choices.push([0.3 * troubles, () => ({ kind: 'break', drops })]);
    }
    if (channel.isAsking) choices.push([4, () => ({ kind: 'prove' })]);
    const command = this.#random.pick(COMMANDS);
    choices.push([0.15 * troubles, () => ({ kind: 'forbid', client, command })]);
    choices.push([0.2 * troubles, () => ({ kind: 'allow', client })]);
    const drops = this.#random.chance(0.5);
    choices.push([0.04 * troubles, () => ({ kind: 'leave', client, drops })]);
    choices.push([0.02 * troubles, () => ({ kind: 'lose lane', client })]);
  }

  #send(world: World, client: number): Step {
    if (!this.#hasSent.has(client)) {
      this.#hasSent.add(client);
      return { kind: 'send', client, requests: this.#maker.first(client) };
    }
    const mode = world.lanes[client]?.client.mode ?? { optin: false, optout: false };
    const requests: (readonly string[])[] = [];
    for (let left = this.#random.pick([1, 1, 1, 2, 4]); left > 0; left--) {
      requests.push(...this.#maker.next(client, mode));
    }
    return { kind: 'send', client, requests };
  }

  #cut(): number {
    return this.#random.chance(this.#cuts) ? 1 + this.#random.below(40) : 0;
  }
}
