import { choices, type Random } from './random.ts';
import type { ClientSetup, Setup } from './steps.ts';

/** Few keys, so that requests meet. The last is a list, as a rule. */
const KEYS = ['a1', 'a2', 'b1', 'list'] as const;
const LIST = 'list';

const BCAST_OPTIONS = [
  [2, ['BCAST']],
  [1, ['BCAST', 'PREFIX', 'a']],
  [1, ['BCAST', 'PREFIX', 'b', 'PREFIX', 'a1']],
] as const;
const BCAST = choices<readonly string[]>(BCAST_OPTIONS);

/** Ways to ask for tracking. */
const TRACKING = choices<readonly string[]>([
  [5, []],
  [2, ['OPTIN']],
  [2, ['OPTOUT']],
  ...BCAST_OPTIONS,
]);

/** Makes up what clients ask for. Each value that is written is another. */
export class RequestMaker {
  readonly #random: Random;
  readonly #setup: Setup;
  readonly #inMulti = new Set<number>(); // clients that may be
  readonly #ownKeys: readonly string[];
  #values = 0;

  constructor(random: Random, setup: Setup) {
    this.#random = random;
    this.#setup = setup;
    // Half of those who may not read a key don't try to.
    const tries = setup.secret === undefined || random.chance(0.5);
    this.#ownKeys = tries ? KEYS : KEYS.filter((key) => key !== setup.secret);
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
    if (this.#setup.fences !== 'never' && this.#random.chance(0.5)) {
      requests.push(this.#fenceWrites());
    }
    return requests;
  }

  /** Adds one request, or some that belong together. */
  next(client: number, mode: Marking, requests: (readonly string[])[]): void {
    const random = this.#random;
    if (mode.optin && random.chance(0.6)) requests.push(['CLIENT', 'CACHING', 'YES']);
    if (mode.optout && random.chance(0.2)) requests.push(['CLIENT', 'CACHING', 'NO']);
    if (this.#setup.fences !== 'never' && random.chance(0.05)) requests.push(this.#fenceWrites());
    if (random.chance(0.12)) this.#transaction(client, requests);
    // A flush that waits in MULTI must not be taken for one that others have executed.
    else if (this.#inMulti.has(client) && random.chance(0.1)) requests.push(['FLUSHALL']);
    else requests.push(this.#make(random.weighted(ANY), client));
    const last = requests.at(-1)?.[0];
    if (last === 'MULTI') this.#inMulti.add(client);
    else if (last === 'EXEC' || last === 'DISCARD') this.#inMulti.delete(client);
  }

  /** @returns a write of somebody who talks to Redis directly, and may do everything */
  writeDirectly(): readonly string[] {
    const { secret } = this.#setup;
    if (secret !== undefined && this.#random.chance(0.3)) return ['SET', secret, this.#value()];
    return this.#write();
  }

  #write(): readonly string[] {
    return this.#make(this.#random.weighted(WRITES), 0);
  }

  #clientSetup(client: number): ClientSetup {
    return this.#setup.clients[client] as ClientSetup;
  }

  #make(what: What, client: number): readonly string[] {
    switch (what) {
      case 'read':
        return this.#read();
      case 'write':
        return this.#write();
      case 'script':
        return this.#script();
      case 'blocking pop':
        return ['BLPOP', LIST, this.#random.pick(TIMEOUTS)];
      case 'tracking on':
        return this.#trackingOn(client);
      case 'caching':
        return ['CLIENT', 'CACHING', this.#random.pick(YES_OR_NO)];
      case 'watch':
        return ['WATCH', this.#key()];
      case 'echo':
        return ['ECHO', this.#value()];
      case 'set':
        return ['SET', this.#key(), this.#value()];
      case 'set for a while':
        return ['SET', this.#key(), this.#value(), 'PX', this.#soon()];
      case 'del':
        return ['DEL', this.#key()];
      case 'append':
        return ['APPEND', this.#key(), this.#value()];
      case 'pexpire':
        return ['PEXPIRE', this.#key(), this.#soon()];
      case 'rpush':
        return ['RPUSH', LIST, this.#value()];
      case 'reply':
        return this.#reply(client);
      case 'select':
        // Not the one that the proxy selects by itself, so that it is seen who has done it.
        return ['SELECT', this.#random.pick(DATABASES)];
      default:
        return what;
    }
  }

  /**
   * In MULTI nobody should use it: Redis leaves out elements of EXEC's reply then. Whoever uses it
   * says ON again, sooner or later.
   */
  #reply(client: number): readonly string[] {
    if (this.#inMulti.has(client)) return this.#read();
    return ['CLIENT', 'REPLY', this.#random.pick(REPLY_MODES)];
  }

  #read(): readonly string[] {
    switch (this.#random.weighted(READS)) {
      case 'get':
        return ['GET', this.#key()];
      case 'mget':
        return ['MGET', this.#key(), this.#key()];
      case 'lrange':
        return ['LRANGE', LIST, '0', '-1'];
      default:
        return ['EXISTS', this.#key()];
    }
  }

  #fenceWrites(): readonly string[] {
    return ['CLIENT', 'FENCE-WRITES', this.#random.chance(0.7) ? 'ON' : 'OFF'];
  }

  #transaction(client: number, requests: (readonly string[])[]): void {
    const random = this.#random;
    requests.push(['MULTI']);
    for (let left = 1 + random.below(3); left > 0; left--) {
      requests.push(this.#make(random.weighted(IN_MULTI), client));
    }
    requests.push([random.chance(0.9) ? 'EXEC' : 'DISCARD']);
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

  #trackingOn(client: number): readonly string[] {
    const random = this.#random;
    const { target } = this.#clientSetup(client);
    // What users may read matters to BCAST alone.
    const ways = this.#setup.asksForAccess && random.chance(0.5) ? BCAST : TRACKING;
    const options = [...random.weighted(ways)];
    // Of strangers Redis takes no requests of more than ten words.
    const isShort = options.length < 5 || !this.#setup.hasPassword;
    if (isShort && random.chance(0.3)) options.push('NOLOOP');
    // The id under which Redis knows a client is its place, counted from 1.
    if (target !== undefined && random.chance(0.8)) options.push('REDIRECT', String(target + 1));
    return ['CLIENT', 'TRACKING', 'ON', ...options];
  }

  #key(): string {
    return this.#random.pick(this.#ownKeys);
  }

  /** @returns a time to live, in milliseconds */
  #soon(): string {
    return this.#random.pick(SOON_MS);
  }

  #value(): string {
    this.#values += 1;
    return `v${this.#values}`;
  }
}

/** What the last CLIENT TRACKING said of CLIENT CACHING. */
type Marking = { readonly optin: boolean; readonly optout: boolean };

/** A request that is made up when it is chosen, or a whole one. */
type What =
  | 'read'
  | 'write'
  | 'script'
  | 'blocking pop'
  | 'tracking on'
  | 'caching'
  | 'watch'
  | 'echo'
  | 'set'
  | 'set for a while'
  | 'del'
  | 'append'
  | 'pexpire'
  | 'rpush'
  | 'select'
  | 'reply'
  | readonly string[];

const ANY = choices<What>([
  [10, 'read'],
  [4, 'write'],
  [1.2, 'script'],
  [0.5, 'blocking pop'],
  [0.6, 'tracking on'],
  [0.2, ['CLIENT', 'TRACKING', 'OFF']],
  [0.2, 'caching'],
  [0.3, 'watch'],
  [0.25, 'select'],
  [0.1, ['UNWATCH']],
  [0.5, ['MULTI']],
  [0.5, ['EXEC']],
  [0.1, ['DISCARD']],
  [0.3, ['FLUSHALL']],
  [0.5, 'echo'],
  [0.15, ['HELLO', '3']],
  [0.15, ['HELLO', '2']],
  [0.18, ['RESET']],
  [0.05, ['AUTH', 'secret']],
  [0.05, ['HELLO', '3', 'AUTH', 'default', 'secret']],
  [0.3, 'reply'],
  [0.04, ['QUIT']],
]);

const WRITES = choices<What>([
  [5, 'set'],
  [1, 'set for a while'],
  [1, 'del'],
  [1, 'append'],
  [0.5, 'pexpire'],
  [1.5, 'rpush'],
  [0.5, ['LPOP', LIST]],
]);

const READS = choices([
  [6, 'get'],
  [1.5, 'mget'],
  [1, 'lrange'],
  [0.5, 'exists'],
] as const);

const IN_MULTI = choices<What>([
  [7, 'tracking on'],
  [7, ['CLIENT', 'CACHING', 'YES']],
  [8, 'script'],
  [50, 'read'],
  [28, 'write'],
  [2, 'select'],
  [3, ['FLUSHALL']],
]);

const TIMEOUTS = ['0', '0.02', '0.2'];
const DATABASES = ['0', '2'];
const REPLY_MODES = ['OFF', 'SKIP', 'SKIP', 'ON', 'ON'];
const YES_OR_NO = ['YES', 'NO'];
const SOON_MS = ['1', '5', '30'];
