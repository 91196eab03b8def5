import type { Random } from './random.ts';
import type { ClientSetup, Setup } from './steps.ts';

/** Few keys, so that requests meet. The last is a list, as a rule. */
const KEYS = ['a1', 'a2', 'b1', 'list'] as const;
const LIST = 'list';

/** Ways to ask for tracking. */
const TRACKING: readonly (readonly [number, readonly string[]])[] = [
  [5, []],
  [2, ['OPTIN']],
  [2, ['OPTOUT']],
  [2, ['BCAST']],
  [1, ['BCAST', 'PREFIX', 'a']],
  [1, ['BCAST', 'PREFIX', 'b', 'PREFIX', 'a1']],
];

/** Makes up what clients ask for. Each value that is written is another. */
export class RequestMaker {
  readonly #random: Random;
  readonly #setup: Setup;
  #values = 0;

  constructor(random: Random, setup: Setup) {
    this.#random = random;
    this.#setup = setup;
  }

  /** @returns what a client asks for first */
  first(client: number): readonly (readonly string[])[] {
    const setup = this.#clientSetup(client);
    const requests: (readonly string[])[] = [];
    if (this.#setup.hasPassword && this.#random.chance(0.9)) {
      requests.push(['AUTH', 'secret']);
    }
    if (setup.protocol === 3) requests.push(['HELLO', '3']);
    if (setup.isListener) {
      if (setup.protocol === 2) requests.push(['SUBSCRIBE', '__redis__:invalidate']);
      return requests;
    }
    if (this.#random.chance(0.8)) requests.push(this.#trackingOn(client));
    return requests;
  }

  /** @returns one request, or some that belong together */
  next(client: number, mode: { readonly optin: boolean; readonly optout: boolean }) {
    const random = this.#random;
    const requests: (readonly string[])[] = [];
    if (mode.optin && random.chance(0.6)) requests.push(['CLIENT', 'CACHING', 'YES']);
    if (mode.optout && random.chance(0.2)) requests.push(['CLIENT', 'CACHING', 'NO']);
    if (random.chance(0.12)) requests.push(...this.#transaction(client));
    else requests.push(this.#any(client));
    return requests;
  }

  /** @returns a write of somebody who talks to Redis directly */
  write(): readonly string[] {
    const random = this.#random;
    const key = this.#key();
    return random.weighted<() => readonly string[]>([
      [5, () => ['SET', key, this.#value()]],
      [1, () => ['SET', key, this.#value(), 'PX', String(this.#soon())]],
      [1, () => ['DEL', key]],
      [1, () => ['APPEND', key, this.#value()]],
      [0.5, () => ['PEXPIRE', key, String(this.#soon())]],
      [1.5, () => ['RPUSH', LIST, this.#value()]],
      [0.5, () => ['LPOP', LIST]],
    ])();
  }

  #clientSetup(client: number): ClientSetup {
    return this.#setup.clients[client] as ClientSetup;
  }

  #any(client: number): readonly string[] {
    return this.#random.weighted<() => readonly string[]>([
      [10, () => this.#read()],
      [4, () => this.write()],
      [1.2, () => this.#script()],
      [0.5, () => this.#blockingPop()],
      [0.6, () => this.#trackingOn(client)],
      [0.2, () => ['CLIENT', 'TRACKING', 'OFF']],
      [0.2, () => ['CLIENT', 'CACHING', this.#random.pick(['YES', 'NO'])]],
      [0.3, () => ['WATCH', this.#key()]],
      [0.1, () => ['UNWATCH']],
      [0.5, () => ['MULTI']],
      [0.5, () => ['EXEC']],
      [0.1, () => ['DISCARD']],
      [0.3, () => ['FLUSHALL']],
      [0.5, () => ['ECHO', this.#value()]],
      [0.1, () => ['HELLO', '3']],
      [0.05, () => ['RESET']],
      [0.05, () => ['AUTH', 'secret']],
    ])();
  }

  #read(): readonly string[] {
    return this.#random.weighted<() => readonly string[]>([
      [6, () => ['GET', this.#key()]],
      [1.5, () => ['MGET', this.#key(), this.#key()]],
      [1, () => ['LRANGE', LIST, '0', '-1']],
      [0.5, () => ['EXISTS', this.#key()]],
    ])();
  }

  #transaction(client: number): readonly (readonly string[])[] {
    const random = this.#random;
    const requests: (readonly string[])[] = [['MULTI']];
    for (let left = 1 + random.below(3); left > 0; left--) {
      const make = random.weighted<() => readonly string[]>([
        [7, () => this.#trackingOn(client)],
        [7, () => ['CLIENT', 'CACHING', 'YES']],
        [8, () => this.#script()],
        [50, () => this.#read()],
        [28, () => this.write()],
      ]);
      requests.push(make());
    }
    requests.push([random.chance(0.9) ? 'EXEC' : 'DISCARD']);
    return requests;
  }

  #script(): readonly string[] {
    const random = this.#random;
    const keys = random.chance(0.5) ? [this.#key()] : [this.#key(), this.#key()];
    const operations: string[] = [];
    for (let left = 1 + random.below(3); left > 0; left--) {
      const place = random.below(keys.length);
      if (random.chance(0.55)) operations.push(`r${place}`);
      else if (random.chance(0.8)) operations.push(`w${place}=${this.#value()}`);
      else operations.push(`u:${this.#key()}=${this.#value()}`);
    }
    if (random.chance(0.05)) operations.push('fail');
    return ['EVAL', operations.join(' '), String(keys.length), ...keys];
  }

  #blockingPop(): readonly string[] {
    return ['BLPOP', LIST, this.#random.pick(['0', '0.02', '0.2'])];
  }

  #trackingOn(client: number): readonly string[] {
    const random = this.#random;
    const { target } = this.#clientSetup(client);
    const options = [...random.weighted(TRACKING)];
    if (random.chance(0.3)) options.push('NOLOOP');
    // The id under which Redis knows a client is its place, counted from 1.
    if (target !== undefined && random.chance(0.8)) options.push('REDIRECT', String(target + 1));
    return ['CLIENT', 'TRACKING', 'ON', ...options];
  }

  #key(): string {
    return this.#random.pick(KEYS);
  }

  #soon(): number {
    return this.#random.pick([1, 5, 30]);
  }

  #value(): string {
    this.#values += 1;
    return `v${this.#values}`;
  }
}
