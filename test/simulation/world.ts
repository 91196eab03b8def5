import { PARK_MS } from '../../src/client/delivery.ts';
import type { Channel } from './channel.ts';
import { CachingClient } from './client.ts';
import { Core, ROUND_TRIP_MS } from './core.ts';
import { FenceWitness, type Reader } from './fence-witness.ts';
import { Journal } from './journal.ts';
import { SimulatedLane } from './lane.ts';
import { LaneOracle, Violation } from './oracle.ts';
import { FAST, SimulatedOutput } from './output.ts';
import { Upstream } from './redis.ts';
import { HOPS, type Setup, type Step } from './steps.ts';
import type { Teller } from './story.ts';
import { holdAgainstBlindness, holdAgainstTruth } from './truth.ts';
import { TextPipe } from './wire.ts';

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
  readonly upstream: Upstream;
  readonly #core: Core;
  readonly #tell: Teller | undefined;
  readonly #witness: FenceWitness | undefined;
  readonly #readers: Reader[] = [];
  #cutOff: SimulatedLane[] = []; // to be destroyed when the step is over
  #nowMs = 0;

  /** @param story gets a line for all that happens; undefined: nobody listens */
  constructor(setup: Setup, story?: string[]) {
    this.#tell = story && ((line) => story.push(`      ${line()}`));
    this.#core = new Core({
      setup,
      now: () => this.#nowMs,
      tell: this.#tell,
      silentCalls: () => this.upstream.silentCalls,
    });
    const journal = setup.fences === 'never' ? undefined : new Journal();
    this.#witness = journal && new FenceWitness(journal, this.#readers);
    this.upstream = new Upstream({
      now: () => this.#nowMs,
      hasPassword: setup.hasPassword,
      secret: setup.secret,
      journal,
      announce: (db, key, event) => this.channel.announce(db, key, event),
      publish: (name, text) => this.channel.publish(name, text),
      tell: this.#tell,
    });
    this.lanes = this.#newLanes(setup);
    this.channel.subscribe();
    this.#seeAgain();
    for (const lane of this.lanes) {
      lane.move('proxy to Redis', Number.MAX_SAFE_INTEGER);
      lane.move('Redis to proxy', Number.MAX_SAFE_INTEGER);
    }
  }

  get channel(): Channel {
    return this.#core.channel;
  }

  /** Whether an answer to the watch is on its way. */
  get watchIsAnswered(): boolean {
    return this.#core.watch.isAnswered;
  }

  /** Whether somebody waits to be told what users may read. */
  get accessIsAwaited(): boolean {
    return this.#core.accessIsAwaited;
  }

  /** @throws Violation where a promise is broken */
  do(step: Step): void {
    this.#do(step);
    this.#look();
  }

  /** What has to hold between any two steps. */
  #look(): void {
    for (const lane of this.#cutOff.splice(0)) lane.destroy();
    this.#witness?.look();
  }

  #do(step: Step): void {
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
        this.#core.tellAccess(step.fails);
        return;
      case 'look':
        this.#askWatch();
        return;
      case 'see':
        this.#core.watch.read();
        return;
      case 'limit':
        this.#core.maxKeys = step.maxKeys;
        return;
      case 'settle':
        this.settle();
        return;
      default:
        this.#doToChannel(step);
    }
  }

  #doToChannel(
    step: Extract<Step, { kind: 'break' | 'notice' | 'subscribe' | 'prove' | 'answer' }>,
  ): void {
    if (step.kind === 'break') this.channel.break(step.drops);
    else if (step.kind === 'notice') this.channel.notice(step.tellsAskersLate === true);
    else if (step.kind === 'answer') this.channel.answer();
    else if (step.kind === 'subscribe') this.channel.subscribe();
    else this.channel.prove();
  }

  /** Everything arrives and all deadlines pass. @throws Violation P1, P4 */
  settle(): void {
    if (this.channel.isBrokenUnnoticed) this.channel.notice(false);
    this.#calm();
    this.upstream.expireAll();
    for (let looks = 0; looks < LOOKS_TO_NOTICE; looks++) {
      this.#askWatch();
      this.#calm();
    }
    if (this.channel.isUp) holdAgainstTruth(this.lanes, this.upstream);
    else holdAgainstBlindness(this.lanes);
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
      client.passSilence(true);
      if (client.isGone) continue;
      if (!isOpen) throw new Violation('P3', `${client.name} never sees the end`);
      if (client.outstandingCount > 0 || client.midFrame) {
        throw new Violation('P3', `${client.name} waits for ${client.outstandingCount} replies`);
      }
    }
  }

  #askWatch(): void {
    if (this.channel.isUp) this.#core.watch.answer();
  }

  #newLanes(setup: Setup): SimulatedLane[] {
    const lanes: SimulatedLane[] = [];
    for (const [index, { target, output: limits }] of setup.clients.entries()) {
      const { channel } = this.#core.attribution;
      const oracle = new LaneOracle(channel, setup.db, setup.fences === 'on');
      const fromRedis = new TextPipe();
      const client = new CachingClient({
        name: `client ${index}`,
        oracle,
        tell: this.#tell,
        db: setup.db,
        secret: setup.secret,
        target: target === undefined ? undefined : lanes[target]?.client,
      });
      const output = new SimulatedOutput(limits ?? FAST);
      const other = target === undefined ? undefined : this.#readers[target];
      this.#readers.push({
        client,
        outputs: [output, ...(other?.outputs ?? [])],
        isEnding: () => lanes[index]?.isEnding === true || other?.isEnding() === true,
        // In the proxy's view: it may keep the part that it has.
        isMidReply: () =>
          lanes[index]?.session.replies.midReply === true || other?.isMidReply() === true,
      });
      lanes.push(
        new SimulatedLane({
          client,
          fromRedis,
          oracle,
          output,
          witness: this.#witness,
          upstream: this.upstream,
          connection: this.upstream.connect(fromRedis, oracle),
          session: this.#core.sessionParts,
          wake: (lane) => this.#core.wake(lane),
          withheld: (lane) => this.#core.withheld(lane),
          cutOff: (lane) => this.#cutOff.push(lane),
        }),
      );
    }
    return lanes;
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
    this.#core.tick(this.lanes);
    for (const lane of this.lanes) lane.tick(this.#nowMs, PARK_MS + ROUND_TRIP_MS);
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
          this.#look();
          moved = true;
        }
      }
      if (this.channel.isAsked) this.channel.answer();
      if (this.channel.pipe.size > 0 && !this.channel.isDown) {
        this.channel.hear(Number.MAX_SAFE_INTEGER);
        moved = true;
      }
      if (this.accessIsAwaited) {
        this.#core.tellAccess(false);
        moved = true;
      }
      if (this.#core.watch.isAnswered) {
        this.#core.watch.read();
        moved = true;
      }
      if (moved) continue;
      const before = this.lanes.some(({ session }) => session.tracked.hasDues);
      this.#wait(SETTLE_MS);
      this.#look();
      if (!before && this.#isStill()) return;
    }
    throw new Violation('P7', 'it never settles');
  }

  #isStill(): boolean {
    return this.lanes.every((lane) => HOPS.every((hop) => lane.movable(hop) === 0));
  }
}
