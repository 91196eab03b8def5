import { Belief, type Outstanding } from './belief.ts';
import { isExpected } from './expected.ts';
import type { ClientMode } from './mode.ts';
import { type LaneOracle, Violation } from './oracle.ts';
import { mayWrite } from './script.ts';
import type { Teller } from './story.ts';
import { decode, FrameReader, type Node, show } from './wire.ts';

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
  readonly name: string;
  readonly #parts: ClientParts;
  readonly #belief: Belief;
  readonly #reader = new FrameReader();
  readonly #outstanding: Outstanding[] = [];
  readonly #redirectors: CachingClient[] = [];
  #hasNamedSecret = false;
  #hasQuit = false;
  isGone = false;

  constructor(parts: ClientParts) {
    this.name = parts.name;
    this.#parts = parts;
    this.#belief = new Belief({
      name: parts.name,
      db: parts.db,
      tell: parts.tell,
      canTargetHear: () => parts.target?.canHear === true,
    });
    if (parts.target !== undefined) parts.target.#redirectors.push(this);
  }

  /** What is cached of each key. */
  get cache(): Belief['cache'] {
    return this.#belief.cache;
  }

  /** How many requests wait for their replies. */
  get outstandingCount(): number {
    return this.#outstanding.length;
  }

  /** Whether the last that it got is a frame in part. */
  get midFrame(): boolean {
    return this.#reader.midFrame;
  }

  get mode(): ClientMode {
    return this.#belief.mode;
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
    this.passSilence(true);
    this.isGone = true;
    if (isAnswered && this.#outstanding.length > 0 && !this.#belief.quitIsOver) {
      throw new Violation('P3', `${this.name} never gets ${this.#outstanding.length} replies`);
    }
    // An app that has not heard what the last of these did can't know who is told.
    const isUnsure = [...this.#outstanding, ...this.#belief.queued].some(
      ({ words }) => words[1] === 'TRACKING' || words[0] === 'RESET',
    );
    if (this.mode.redirect === 0 || isUnsure) this.#belief.drop(undefined);
    for (const other of this.#redirectors) other.#targetEnded();
  }

  /**
   * Whether it has asked, and not heard yet, for something by which nobody need tell it of `key` any
   * more: the end of tracking, or with NOLOOP a write of its own. What it has cached it keeps at its
   * own risk from then on.
   */
  keepsAtOwnRisk(key: string): boolean {
    if (this.#hasQuit) return true;
    const { noloop } = this.mode;
    return [...this.#outstanding, ...this.#belief.queued].some(
      ({ words }) => endsTracking(words) || (noloop && mayWrite(words, key)),
    );
  }

  /** Whether invalidations of others reach the app by this connection. */
  get canHear(): boolean {
    return !this.isGone && this.#belief.canHear;
  }

  /** Invalidations that were on their way there are lost, whatever has been set since. */
  #targetEnded(): void {
    if (this.#belief.everRedirected) this.#belief.drop(undefined);
  }

  /**
   * Requests that get no reply, by CLIENT REPLY, are done with as far as Redis has executed them.
   *
   * @param isCalm nothing is on its way to Redis
   */
  passSilence(isCalm: boolean): void {
    for (;;) {
      const text = this.#parts.oracle.takeSilence(isCalm);
      if (text === undefined) return;
      const request = this.#outstanding.shift();
      if (request === undefined) throw new Violation('P3', `${this.name} asked for nothing`);
      this.#parts.tell?.(() => `${this.name} gets nothing for ${request.words.join(' ')}`);
      this.#belief.takes(request, decode(text), false);
    }
  }

  #take(frame: Node): void {
    this.passSilence(false);
    const { hearsChannel } = this.#belief;
    if (frame.type === '>') this.#takePush(frame.items);
    else if (hearsChannel && frame.type === '*' && frame.items[0]?.text === 'message') {
      this.#takePush([{ ...frame.items[0], text: 'invalidate' }, frame.items[2] as Node]);
    } else this.#takeReply(frame);
  }

  #takePush([kind, what]: readonly Node[]): void {
    if (!this.#belief.mayBeTold) {
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
    if (!this.#belief.everTracked && this.#redirectors.length === 0) {
      throw new Violation('P6', `${this.name} is told of keys and was never let to track any`);
    }
    if (kind?.text !== 'invalidate') return;
    const { secret } = this.#parts;
    // What others redirect here is theirs to know, and what it names itself is no news to it.
    const mayKnow = this.#hasNamedSecret || this.#redirectors.length > 0;
    if (secret !== undefined && named?.includes(secret) && !mayKnow) {
      throw new Violation('P6', `${this.name} is told of ${secret}, which it may not read`);
    }
    this.#belief.drop(named);
    if (this.#parts.target !== undefined) this.#parts.target.#belief.drop(named);
    for (const other of this.#redirectors) {
      other.#belief.drop(named);
      other.#poison(named);
    }
  }

  /** What is being read may be older than this invalidation, which took another way. */
  #poison(keys: readonly string[] | undefined): void {
    for (const request of [...this.#outstanding, ...this.#belief.queued]) {
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
    this.#belief.takes(request, frame, true);
  }
}

function endsTracking([command, subcommand]: readonly string[]): boolean {
  // CLIENT TRACKING ON as well: it may say that another connection is to be told, or none.
  if (command === 'CLIENT') return subcommand === 'TRACKING';
  return command === 'RESET' || (command === 'HELLO' && subcommand === '2');
}
