import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from '../helpers/raw-client.ts';
import type { Random } from '../simulation/random.ts';
import { HasLeft, Visitor } from './visitor.ts';
import { commonKey, type Party, VISITS, type Visit } from './visits.ts';

/** How likely it is that a visit ends at whatever moment, and how soon at the latest. */
const DEATH = { probability: 0.4, mostMs: 60 } as const;
/** The longest rest between two visits, in milliseconds. */
const REST_MOST_MS = 40;
/** How often those who stay read, and how much, and how often Redis is written to past the proxy. */
const STAY_MS = 20;
const STAY_READS = 5;
const RESIDENTS = ['', ' BCAST PREFIX key:3', ' NOLOOP', ' OPTOUT'] as const;

/** Clients that come, do one thing or another, and die; a few that stay; and a writer past the proxy. */
export class Load {
  readonly #target: Target;
  readonly #direct: Target;
  readonly #random: Random;
  readonly #wrongs: string[] = [];
  readonly #visits = new Map<string, number>();
  #deaths = 0;
  #isOver = false;

  constructor(target: Target, direct: Target, random: Random) {
    this.#target = target;
    this.#direct = direct;
    this.#random = random;
  }

  /** What nobody should have met: no answer, one too many, an end of the connection. */
  get wrongs(): readonly string[] {
    return this.#wrongs;
  }

  /** How many visits there were, and how many of them ended at whatever moment. */
  get counts(): { readonly visits: number; readonly deaths: number; readonly kinds: number } {
    const visits = [...this.#visits.values()].reduce((sum, count) => sum + count, 0);
    return { visits, deaths: this.#deaths, kinds: this.#visits.size };
  }

  /** Plays until `over` resolves; returns when all have left. */
  async play(clients: number, over: Promise<unknown>): Promise<void> {
    this.#isOver = false;
    const ended = over.then(() => {
      this.#isOver = true;
    });
    await Promise.all([
      ended,
      ...Array.from({ length: clients }, () => this.#comeAndGo()),
      ...RESIDENTS.map((options) => this.#stay(this.#target, options)),
      this.#stay(this.#direct, undefined),
    ]);
  }

  async #comeAndGo(): Promise<void> {
    const weights = VISITS.map(({ weight }) => weight);
    while (!this.#isOver) {
      const { name, play } = VISITS[this.#random.weigh(weights, weights.length)] as Visit;
      this.#visits.set(name, (this.#visits.get(name) ?? 0) + 1);
      await this.#visit(name, play);
      await sleep(this.#random.below(REST_MOST_MS));
    }
  }

  async #visit(name: string, play: (party: Party) => Promise<void>): Promise<void> {
    const visitors: Visitor[] = [];
    let isOver = false;
    const comes = async () => {
      if (isOver) throw new HasLeft();
      const visitor = await Visitor.connect(this.#target);
      visitors.push(visitor);
      if (isOver) await visitor.leave(this.#random);
      return visitor;
    };
    const played = this.#told(name, play({ random: this.#random, comes }));
    if (this.#random.chance(DEATH.probability)) {
      this.#deaths += 1;
      await Promise.race([played, sleep(this.#random.below(DEATH.mostMs))]);
    } else await played;
    isOver = true;
    await Promise.all(visitors.map((visitor) => visitor.leave(this.#random)));
    await played;
  }

  /** Reads, where it tracks, and else writes, until the end. */
  async #stay(target: Target, options: string | undefined): Promise<void> {
    const visitor = await Visitor.connect(target);
    const name = options === undefined ? 'SET' : 'GET';
    const words =
      options === undefined ? ['ECHO writer'] : ['HELLO 3', `CLIENT TRACKING ON${options}`];
    const ends = async () => {
      await visitor.ask(...words);
      while (!this.#isOver) {
        const keys = Array.from({ length: STAY_READS }, () => commonKey(this.#random));
        await visitor.ask(...keys.map((key) => [name, key, ...(name === 'SET' ? ['v'] : [])]));
        await sleep(STAY_MS);
      }
    };
    await this.#told(`one who stays${options ?? ', writer'}`, ends());
    await visitor.leave(this.#random);
  }

  async #told(name: string, played: Promise<void>): Promise<void> {
    try {
      await played;
    } catch (error) {
      if (!(error instanceof HasLeft)) this.#wrongs.push(`${name}: ${String(error)}`);
    }
  }
}
