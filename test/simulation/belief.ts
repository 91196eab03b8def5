import { type ClientMode, modeAfter, OFF } from './mode.ts';
import { operationsOf, writtenBy } from './script.ts';
import { nullOf, type Protocol, type ReadKind } from './store.ts';
import type { Teller } from './story.ts';
import { type Node, show } from './wire.ts';

/** A request on its way, and what its client will need to know about it when its reply comes. */
export interface Outstanding {
  readonly words: readonly string[];
  /** Keys that an invalidation on the app's other connection has named since it was sent. */
  dropped: Set<string> | undefined;
  /** Everything was named. */
  droppedAll: boolean;
  /** The app's other connection could hear of invalidations when it was sent. */
  readonly couldHear: boolean;
}

/** What a client holds. */
interface Cached {
  readonly db: number;
  readonly kind: ReadKind;
  /** The reply's bytes, nulls as in RESP3. */
  readonly raw: string;
}

/** What a belief is given. */
export interface BeliefParts {
  readonly name: string;
  /** The database in which its client begins. */
  readonly db: number;
  readonly tell: Teller | undefined;
  /** @returns whether invalidations reach the app by its other connection; false: there is none */
  readonly canTargetHear: () => boolean;
}

/**
 * What a client believes: what it may cache, what it has cached, and how its connection is set. It
 * knows only what it has been told.
 */
export class Belief {
  /** What is cached of each key, one value for each kind of read in each database. */
  readonly cache = new Map<string, Map<string, Cached>>();
  readonly #parts: BeliefParts;
  #queued: Outstanding[] | undefined; // in MULTI
  #mode: ClientMode = OFF;
  #db: number; // selected
  #marked = false; // by CLIENT CACHING
  #isMarkUnsure = false;
  #isSpeechUnsure = false; // HELLO got no reply: who knows where in what is received it took effect
  #everTracked = false;
  #everRedirected = false;
  #isDeaf = false; // what is dealt with is no reply that it has got
  #hearsChannel = false; // subscribed, in RESP2
  #quitIsOver = false;
  #protocol: Protocol = 2;

  constructor(parts: BeliefParts) {
    this.#parts = parts;
    this.#db = parts.db;
  }

  get mode(): ClientMode {
    return this.#mode;
  }

  /** Whether it was ever let to track, or may have been. */
  get everTracked(): boolean {
    return this.#everTracked;
  }

  /** Whether what it has cached may be named on the app's other connection. */
  get everRedirected(): boolean {
    return this.#everRedirected;
  }

  /** Whether it has subscribed, in RESP2. */
  get hearsChannel(): boolean {
    return this.#hearsChannel;
  }

  /** Whether invalidations of others can reach the app by this connection. */
  get canHear(): boolean {
    return this.#protocol === 3 || this.#hearsChannel;
  }

  /** Whether a push may come by this connection. */
  get mayBeTold(): boolean {
    return this.canHear || this.#isSpeechUnsure;
  }

  /** Whether QUIT was executed: what it has sent behind that is ignored. */
  get quitIsOver(): boolean {
    return this.#quitIsOver;
  }

  /** Requests that wait for EXEC. */
  get queued(): readonly Outstanding[] {
    return this.#queued ?? [];
  }

  /** @param keys undefined: all */
  drop(keys: readonly string[] | undefined): void {
    if (keys === undefined) this.cache.clear();
    else for (const key of keys) this.cache.delete(key);
  }

  /** @param isHeard false: the client does not get this reply, by CLIENT REPLY */
  takes(request: Outstanding, frame: Node, isHeard: boolean): void {
    this.#isDeaf = !isHeard;
    const [command = ''] = request.words;
    if (frame.raw === '+QUEUED\r\n' && this.#queued !== undefined) this.#queued.push(request);
    else if (command === 'EXEC') this.#executed(frame);
    else this.#carriedOut(request, frame);
    // The mark is for the next request, and for a whole transaction if that is the next.
    if (this.#queued === undefined && command !== 'CLIENT') this.#unmark();
    this.#isDeaf = false;
  }

  #executed(frame: Node): void {
    const queued = this.#queued ?? [];
    const isAborted = frame.type !== '*' || frame.raw === '*-1\r\n';
    this.#queued = undefined;
    if (isAborted) return;
    for (const [index, request] of queued.entries()) {
      const element = frame.items[index];
      if (element !== undefined) this.#carriedOut(request, element);
    }
  }

  /** A request was executed, or refused. */
  #carriedOut(request: Outstanding, frame: Node): void {
    const { words } = request;
    const isOk = frame.type !== '-';
    switch (words[0]) {
      case 'HELLO':
        if (isOk) this.#speaks(words[1] === '3' ? 3 : 2);
        break;
      case 'SELECT':
        if (isOk) this.#db = Number(words[1]);
        break;
      case 'SUBSCRIBE':
        this.#hearsChannel = isOk;
        break;
      case 'MULTI':
        if (isOk) this.#queued = [];
        break;
      case 'DISCARD':
        if (isOk) this.#queued = undefined;
        break;
      case 'QUIT':
        this.#quitIsOver = true;
        break;
      case 'RESET':
        if (isOk) this.#begunAnew();
        break;
      case 'CLIENT':
        if (this.#isDeaf) this.#untold(words);
        else if (frame.raw === '+OK\r\n') this.#told(request);
        break;
      default:
        this.#readOrWrote(request, frame);
    }
  }

  /** In RESP2 nobody tells it of changes, but by another connection. */
  #speaks(protocol: Protocol): void {
    this.#protocol = protocol;
    this.#isSpeechUnsure = this.#isDeaf;
    if (protocol === 2 && this.#mode.redirect === 0) this.drop(undefined);
  }

  #unmark(): void {
    this.#marked = false;
    this.#isMarkUnsure = false;
  }

  #begunAnew(): void {
    this.#queued = undefined;
    this.#mode = OFF;
    this.#unmark();
    this.#db = this.#parts.db;
    this.#protocol = 2;
    this.#isSpeechUnsure = this.#isDeaf;
    this.drop(undefined);
  }

  /** What became of it, the client can't know: it trusts in nothing until it is told again. */
  #untold(words: readonly string[]): void {
    if (words[1] === 'CACHING') this.#isMarkUnsure = true;
    if (words[1] !== 'TRACKING') return;
    this.#mode = OFF;
    this.#everTracked = true;
    this.drop(undefined);
  }

  #told(request: Outstanding): void {
    const { words } = request;
    if (words[1] === 'CACHING') this.#marked = true;
    if (words[1] !== 'TRACKING') return;
    this.#mode = modeAfter(this.#mode, words);
    if (this.#mode.redirect !== 0) this.#everRedirected = true;
    if (this.#mode.on) this.#everTracked = true;
    else this.#unmark();
    const isTold = this.#mode.redirect === 0 ? this.#protocol === 3 : this.#isHeard(request);
    if (!this.#mode.on || !isTold) this.drop(undefined);
  }

  #readOrWrote(request: Outstanding, frame: Node): void {
    const { words } = request;
    const [command, key = ''] = words;
    const isOk = frame.type !== '-';
    if (command === 'GET' && isOk) this.#store(request, 'get', key, frame.raw);
    else if (command === 'EXISTS' && isOk) this.#store(request, 'exists', key, frame.raw);
    else if (command === 'LRANGE' && isOk) this.#store(request, 'lrange', key, frame.raw);
    else if (command === 'MGET' && isOk) {
      for (const [index, item] of frame.items.entries()) {
        this.#store(request, 'get', words[index + 1] ?? '', item.raw);
      }
    } else if (command === 'EVAL') this.#ran(request, frame);
    else if (this.#mode.noloop) for (const written of writtenBy(words)) this.drop([written]);
  }

  /** A script was executed: what it has read and written, in that order. */
  #ran(request: Outstanding, frame: Node): void {
    let index = 0;
    for (const operation of operationsOf(request.words)) {
      if (operation.kind === 'write' && this.#mode.noloop) this.drop([operation.key]);
      if (operation.kind !== 'read') continue;
      const value = frame.items[index++]?.raw;
      if (value !== undefined) this.#store(request, 'get', operation.key, value);
    }
  }

  #store(request: Outstanding, kind: ReadKind, key: string, raw: string): void {
    if (this.#isDeaf || this.#isMarkUnsure || !this.#isTracked(request, key)) return;
    let values = this.cache.get(key);
    if (values === undefined) {
      values = new Map();
      this.cache.set(key, values);
    }
    const db = this.#db;
    values.set(kind + db, { db, kind, raw: raw === '$-1\r\n' ? nullOf(3) : raw });
    this.#parts.tell?.(() => `${this.#parts.name} caches ${key} = ${show(raw)}`);
  }

  /** Whether the app's other connection has been able to hear since `request` was sent. */
  #isHeard({ couldHear }: Outstanding): boolean {
    return couldHear && this.#parts.canTargetHear();
  }

  /** Whether the client will be told when `key`, which it has just read, changes. */
  #isTracked(request: Outstanding, key: string): boolean {
    const { on, optin, optout, bcast, prefixes, redirect } = this.#mode;
    if (!on) return false;
    if (redirect === 0 && this.#protocol === 2) return false;
    if (redirect !== 0 && !this.#isHeard(request)) return false;
    if (request.droppedAll || request.dropped?.has(key)) return false;
    if (bcast) return prefixes.some((prefix) => key.startsWith(prefix));
    return optin ? this.#marked : !(optout && this.#marked);
  }
}
