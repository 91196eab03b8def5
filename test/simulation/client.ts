import { type ClientMode, modeAfter, OFF } from './mode.ts';
import { type Expected, type LaneOracle, type SentRequest, Violation } from './oracle.ts';
import { operationsOf } from './script.ts';
import { nullOf, type Protocol, type ReadKind } from './store.ts';
import type { Teller } from './story.ts';
import { decode, FrameReader, type Node, show } from './wire.ts';

/** A request on its way, and what its client will need to know about it when its reply comes. */
interface Outstanding extends SentRequest {
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

/** What a client is given. */
export interface ClientParts {
  /** A key that it may not read, nor hear of. */
  readonly secret: string | undefined;
  /** The database in which it begins. */
  readonly db: number;
  readonly name: string;
  readonly oracle: LaneOracle;
  readonly tell: Teller | undefined;
  /** The connection of the same app to which it may redirect. */
  readonly target: CachingClient | undefined;
}

/**
 * A client that caches as Redis's documentation says: the value of a tracked read is stored when
 * its reply comes, and dropped when an invalidation names it. It believes only what it has been
 * told: replies and pushes, in their order. And it looks at each byte: every request gets one
 * reply, the right one, in order, and no push stands inside a reply.
 */
export class CachingClient {
  /** What is cached of each key, one value for each kind of read in each database. */
  readonly cache = new Map<string, Map<string, Cached>>();
  readonly name: string;
  readonly #parts: ClientParts;
  readonly #reader = new FrameReader();
  readonly #outstanding: Outstanding[] = [];
  readonly #redirectors: CachingClient[] = [];
  #queued: Outstanding[] | undefined; // in MULTI
  #mode: ClientMode = OFF;
  #db: number; // selected
  #marked = false; // by CLIENT CACHING
  #isMarkUnsure = false;
  #isSpeechUnsure = false; // HELLO got no reply: who knows where in what is received it took effect
  #everTracked = false;
  #isDeaf = false; // what is dealt with is no reply that it has got
  #hasNamedSecret = false;
  #hasQuit = false;
  #quitIsOver = false; // what it has sent behind that, is ignored
  #hearsChannel = false; // subscribed, in RESP2
  protocol: Protocol = 2;
  isGone = false;

  constructor(parts: ClientParts) {
    this.name = parts.name;
    this.#db = parts.db;
    this.#parts = parts;
    if (parts.target !== undefined) parts.target.#redirectors.push(this);
  }

  /** How many requests wait for their replies. */
  get outstandingCount(): number {
    return this.#outstanding.length;
  }

  get midFrame(): boolean {
    return this.#reader.midFrame;
  }

  get mode(): ClientMode {
    return this.#mode;
  }

  /** A request is being sent. */
  sends(words: readonly string[]): void {
    const couldHear = this.#parts.target?.canHear === true;
    const request = { words, dropped: undefined, droppedAll: false, couldHear };
    this.#outstanding.push(request);
    if (words[0] === 'QUIT') this.#hasQuit = true;
    const { secret } = this.#parts;
    if (secret !== undefined) this.#hasNamedSecret ||= words.some((word) => word.includes(secret));
    this.#parts.oracle.sent(request);
  }

  /** @throws Violation P2, P3, P6 */
  receives(bytes: Buffer): void {
    try {
      this.#reader.feed(bytes, (frame) => this.#take(frame));
    } catch (cause) {
      if (cause instanceof Violation) throw cause;
      throw new Violation('P2', `${this.name} received ${String(cause)}`);
    }
  }

  /** Whether it has asked for its connection to be ended. */
  get hasQuit(): boolean {
    return this.#hasQuit;
  }

  /**
   * Its connection has ended. What it has cached is the app's, if the app can still be told.
   *
   * @param isAnswered all replies have come before, the proxy says
   * @throws Violation P3
   */
  ended(isAnswered: boolean): void {
    this.passSilence();
    this.isGone = true;
    if (isAnswered && this.#outstanding.length > 0 && !this.#quitIsOver) {
      throw new Violation('P3', `${this.name} never gets ${this.#outstanding.length} replies`);
    }
    // An app that has not heard what the last of these did can't know who is told.
    const isUnsure = [...this.#outstanding, ...(this.#queued ?? [])].some(
      ({ words }) => words[1] === 'TRACKING' || words[0] === 'RESET',
    );
    if (this.#mode.redirect === 0 || isUnsure) this.#dropAll();
    for (const other of this.#redirectors) other.#targetEnded();
  }

  /** Whether invalidations of others reach the app by this connection. */
  get canHear(): boolean {
    return !this.isGone && (this.protocol === 3 || this.#hearsChannel);
  }

  #targetEnded(): void {
    if (this.#mode.redirect !== 0) this.#dropAll();
  }

  /** Requests that get no reply, by CLIENT REPLY, are done with as far as Redis has executed them. */
  passSilence(): void {
    for (;;) {
      const text = this.#parts.oracle.takeSilence();
      if (text === undefined) return;
      const request = this.#outstanding.shift();
      if (request === undefined) throw new Violation('P3', `${this.name} asked for nothing`);
      this.#parts.tell?.(() => `${this.name} gets nothing for ${request.words.join(' ')}`);
      this.#isDeaf = true;
      this.#believe(request, decode(text));
      this.#isDeaf = false;
    }
  }

  #take(frame: Node): void {
    this.passSilence();
    if (frame.type === '>') this.#takePush(frame.items);
    else if (this.#hearsChannel && frame.type === '*' && frame.items[0]?.text === 'message') {
      this.#takePush([{ ...frame.items[0], text: 'invalidate' }, frame.items[2] as Node]);
    } else this.#takeReply(frame);
  }

  #takePush([kind, what]: readonly Node[]): void {
    if (this.protocol === 2 && !this.#hearsChannel && !this.#isSpeechUnsure) {
      throw new Violation('P5', `${this.name} got a push, and speaks RESP2`);
    }
    if (kind?.text === 'subscribe') {
      this.#takeReply(undefined);
      return;
    }
    const keys = what?.type === '*' && what.raw !== '*-1\r\n' ? what.items : undefined;
    const named = keys?.map(({ text }) => text);
    this.#parts.tell?.(() => `${this.name} is told: ${kind?.text} ${named?.join(' ') ?? 'all'}`);
    // Whoever redirects here may not have heard yet that it may.
    if (!this.#everTracked && this.#redirectors.length === 0) {
      throw new Violation('P6', `${this.name} is told of keys and was never let to track any`);
    }
    if (kind?.text !== 'invalidate') return;
    const { secret } = this.#parts;
    // What others redirect here is theirs to know, and what it names itself is no news to it.
    const mayKnow = this.#hasNamedSecret || this.#redirectors.length > 0;
    if (secret !== undefined && named?.includes(secret) && !mayKnow) {
      throw new Violation('P6', `${this.name} is told of ${secret}, which it may not read`);
    }
    this.#drop(named);
    if (this.#parts.target !== undefined) this.#parts.target.#drop(named);
    for (const other of this.#redirectors) {
      other.#drop(named);
      other.#poison(named);
    }
  }

  #drop(keys: readonly string[] | undefined): void {
    if (keys === undefined) this.#dropAll();
    else for (const key of keys) this.cache.delete(key);
  }

  #dropAll(): void {
    this.cache.clear();
  }

  /** What is being read may be older than this invalidation, which took another way. */
  #poison(keys: readonly string[] | undefined): void {
    for (const request of [...this.#outstanding, ...(this.#queued ?? [])]) {
      if (keys === undefined) request.droppedAll = true;
      request.dropped ??= new Set();
      for (const key of keys ?? []) request.dropped.add(key);
    }
  }

  /** @param frame undefined: a confirmation that is a push in RESP3 */
  #takeReply(frame: Node | undefined): void {
    const request = this.#outstanding.shift();
    const expected = this.#parts.oracle.take();
    const got = () => (frame === undefined ? 'a confirmation' : show(frame.raw));
    if (request === undefined || expected === undefined) {
      throw new Violation('P3', `${this.name} got ${got()} before any reply was due`);
    }
    this.#parts.tell?.(() => `${this.name} gets ${got()} for ${request.words.join(' ')}`);
    if (frame === undefined) return;
    if (!isExpected(frame, expected)) {
      const due = expected.kind === 'bytes' ? show(expected.text) : 'something else';
      const what = `${this.name} got ${got()} for ${request.words.join(' ')}, not ${due}`;
      throw new Violation('P3', what);
    }
    this.#believe(request, frame);
  }

  #believe(request: Outstanding, frame: Node): void {
    const [command = ''] = request.words;
    if (frame.raw === '+QUEUED\r\n' && this.#queued !== undefined) this.#queued.push(request);
    else if (command === 'EXEC') this.#executed(frame);
    else this.#carriedOut(request, frame);
    // The mark is for the next request, and for a whole transaction if that is the next.
    if (this.#queued === undefined && command !== 'CLIENT') this.#unmark();
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
    this.protocol = protocol;
    this.#isSpeechUnsure = this.#isDeaf;
    if (protocol === 2 && this.#mode.redirect === 0) this.#dropAll();
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
    this.protocol = 2;
    this.#isSpeechUnsure = this.#isDeaf;
    this.#dropAll();
  }

  /** What became of it, the client can't know: it trusts in nothing until it is told again. */
  #untold(words: readonly string[]): void {
    if (words[1] === 'CACHING') this.#isMarkUnsure = true;
    if (words[1] !== 'TRACKING') return;
    this.#mode = OFF;
    this.#everTracked = true;
    this.#dropAll();
  }

  #told(request: Outstanding): void {
    const { words } = request;
    if (words[1] === 'CACHING') this.#marked = true;
    if (words[1] !== 'TRACKING') return;
    this.#mode = modeAfter(this.#mode, words);
    if (this.#mode.on) this.#everTracked = true;
    else this.#unmark();
    const isTold = this.#mode.redirect === 0 ? this.protocol === 3 : this.#isHeard(request);
    if (!this.#mode.on || !isTold) this.#dropAll();
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
    else if (this.#mode.noloop) for (const written of writtenBy(words)) this.#drop([written]);
  }

  /** A script was executed: what it has read and written, in that order. */
  #ran(request: Outstanding, frame: Node): void {
    let index = 0;
    for (const operation of operationsOf(request.words)) {
      if (operation.kind === 'write' && this.#mode.noloop) this.#drop([operation.key]);
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
    this.#parts.tell?.(() => `${this.name} caches ${key} = ${show(raw)}`);
  }

  /** Whether the app's other connection has been able to hear since `request` was sent. */
  #isHeard({ couldHear }: Outstanding): boolean {
    return couldHear && this.#parts.target?.canHear === true;
  }

  /** Whether the client will be told when `key`, which it has just read, changes. */
  #isTracked(request: Outstanding, key: string): boolean {
    const { on, optin, optout, bcast, prefixes, redirect } = this.#mode;
    if (!on) return false;
    if (redirect === 0 && this.protocol === 2) return false;
    if (redirect !== 0 && !this.#isHeard(request)) return false;
    if (request.droppedAll || request.dropped?.has(key)) return false;
    if (bcast) return prefixes.some((prefix) => key.startsWith(prefix));
    return optin ? this.#marked : !(optout && this.#marked);
  }
}

/** A NOLOOP client sees to its own writes itself. */
function writtenBy(words: readonly string[]): readonly string[] {
  switch (words[0]) {
    case 'DEL':
      return words.slice(1);
    case 'SET':
    case 'APPEND':
    case 'PEXPIRE':
    case 'RPUSH':
    case 'LPOP':
    case 'BLPOP':
      return words.slice(1, 2);
    default:
      return [];
  }
}

function isExpected(frame: Node, expected: Expected): boolean {
  switch (expected.kind) {
    case 'bytes':
      return frame.raw === expected.text;
    case 'answer':
      return isAnswer(frame.raw);
    case 'silence':
      return false;
    case 'elements': {
      const { elements } = expected;
      if (frame.type !== '*' || frame.items.length !== elements.length) return false;
      return frame.items.every(({ raw }, index) => {
        const element = elements[index];
        return element === undefined ? isAnswer(raw) : raw === element;
      });
    }
  }
}

/** What the proxy itself may answer. */
function isAnswer(raw: string): boolean {
  return raw === '+OK\r\n' || raw.startsWith('-ERR ');
}
