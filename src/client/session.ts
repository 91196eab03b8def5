import type { CommandInfo } from '../commands/table.ts';
import { TYPE } from '../resp/scanner.ts';
import { error } from '../resp/write.ts';
import { Barrier } from './barrier.ts';
import type { RequestHandler, Step } from './handler.ts';
import type { HeldWords } from './held.ts';
import { Introduction } from './introduction.ts';
import { type Owed, PASS, PASS_BLOCKING, PASS_QUEUED } from './ledger.ts';
import type { OpenMulti } from './multi.ts';
import { Noloop } from './noloop.ts';
import { Outlet } from './outlet.ts';
import {
  DEFAULT_USER,
  IN_FLIGHT_MAX_COUNT,
  REST_MAX_BYTES,
  type SessionCounts,
  type SessionParts,
} from './parts.ts';
import { ReplyReader } from './replies.ts';
import { RequestReader } from './requests.ts';
import { handle } from './roles.ts';
import { sendKeyed } from './send-keyed.ts';
import { Tracked } from './tracked.ts';
import { doubtfulRead, unseenRead } from './untracked.ts';

/**
 * All that one client's connection means, without a socket: requests come in, requests and stand-ins
 * go upstream; replies come in, replies and pushes go to the client.
 */
export class Session implements RequestHandler {
  readonly replies: ReplyReader;
  readonly tracked: Tracked;
  readonly counts: SessionCounts;
  readonly parts: SessionParts;
  readonly #requests = new RequestReader(this);
  /** The MULTI that requests are believed to be in. */
  multi: OpenMulti | undefined;
  readonly barrier = new Barrier((bytes, owed) => this.ask(bytes, owed));
  #lastSkip: Owed | undefined;
  readonly #spentSkips = new WeakSet<Owed>();
  #lastWords: Buffer | undefined; // to be said when nothing is owed any more, then the end
  #ending = false;
  #tooLong = false;
  #raw: 'no' | 'asked' | 'yes' = 'no';
  readonly noloop = new Noloop(this);
  #user = DEFAULT_USER;
  readonly #introduction: Introduction;
  /** Upstream has yet to let the client in. */
  isStranger = false;
  #closed = false;

  constructor(parts: SessionParts) {
    this.parts = parts;
    this.counts = parts.counts;
    this.replies = new ReplyReader(parts.sendClient);
    this.tracked = new Tracked({
      tracker: parts.tracker,
      outlet: new Outlet(this.replies, parts.tracker),
      tellOrphans: parts.tellOrphans,
      now: parts.now,
      roundTrip: parts.roundTrip,
      countExtra: () => {
        parts.counts.extraInvalidations += 1;
      },
      wake: parts.wake,
      access: () => parts.access(this.#user),
      loadAccess: () => parts.loadAccess(this.#user),
    });
    this.#introduction = new Introduction({
      ask: (bytes, owed) => this.ask(bytes, owed),
      db: parts.db,
      refused: () => {
        this.isStranger = true;
      },
      named: (clientId) => this.tracked.named(clientId),
    });
  }

  /** The lane may be written to. */
  begin(): void {
    this.#introduction.begin();
  }

  /** Upstream has let the client in. @param user as whom; undefined: as before */
  authenticated(user: string | undefined): void {
    this.isStranger = false;
    this.#introduction.begin();
    if (user === undefined) return;
    this.#user = user;
    this.noloop.forgetUser();
    this.noloop.probeIfNeeded();
  }

  /** Every key has changed, and nobody else says so. */
  flushed(): void {
    this.parts.tracker.changedAll('flush');
  }

  /** Whether no more should be received from the client for now. */
  get isFull(): boolean {
    return (
      this.#requests.restBytes > REST_MAX_BYTES || this.replies.ledger.size > IN_FLIGHT_MAX_COUNT
    );
  }

  /** @param chunk bytes of the client; may be changed in place */
  fromClient(chunk: Buffer): void {
    if (this.#closed) return;
    if (this.#raw === 'yes') this.parts.sendUpstream(chunk);
    else this.#requests.feed(chunk);
  }

  /** @throws ProxyError FRAME_*, LANE_OUT_OF_SYNC */
  fromUpstream(chunk: Buffer): void {
    if (this.#raw === 'asked') this.#leaveRequests(chunk[0] !== TYPE.error);
    if (this.#raw === 'yes') {
      this.parts.sendClient(chunk);
      return;
    }
    this.replies.feed(chunk);
    this.#afterReplies();
  }

  /** The client sends nothing more, but may still read. */
  clientEnded(): void {
    this.#ending = true;
    if (this.#raw === 'no') this.#afterReplies();
    else this.finish();
  }

  /** Whether a request in flight changes data silently: somebody must wait for its reply. */
  get flushing(): boolean {
    return this.replies.ledger.flushing > 0;
  }

  /** The client is gone; replies may still come. */
  leave(): void {
    this.#ending = true;
    this.#requests.stop();
    this.multi?.attributed?.forget();
    this.tracked.close();
  }

  /** Both connections are gone. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.leave();
    this.replies.ledger.abandon();
    this.replies.transaction.cancel();
  }

  find(name: Uint8Array, length: number): CommandInfo | undefined {
    return this.parts.commands().find(name, length);
  }

  holds(info: CommandInfo | undefined): boolean {
    if (info === undefined) return false;
    if (info.role !== 'plain') return true;
    return (this.tracked.wanted.on || this.multi?.tracks === true) && info.keys.kind !== 'none';
  }

  passed(info: CommandInfo | undefined): void {
    this.#lastSkip = undefined;
    this.counts.forwarded += 1;
    const entry = this.entryFor(info);
    this.replies.ledger.push(info?.reads === true ? doubtfulRead(this, entry) : entry);
    if (this.multi === undefined) this.tracked.caching = false;
  }

  held(info: CommandInfo, words: HeldWords): Step {
    const skipBefore = this.#lastSkip;
    const step = info.role === 'plain' ? sendKeyed(this, info, words) : handle(this, info, words);
    if (this.multi === undefined && info.role !== 'client') this.tracked.caching = false;
    if (this.#lastSkip === skipBefore) this.#lastSkip = undefined;
    return step;
  }

  tooLong(info: CommandInfo | undefined): boolean {
    this.#tooLong = true;
    return info?.role === 'plain';
  }

  empty(): void {
    if (this.multi === undefined) this.tracked.caching = false;
    if (this.#lastSkip === undefined) return;
    this.#spentSkips.add(this.#lastSkip);
    this.replies.skipNext = false;
    this.#lastSkip = undefined;
  }

  malformed(text: string): void {
    this.counts.clientProtocolErrors += 1;
    this.#lastWords = error(`ERR Protocol error: ${text}`);
    this.#ending = true;
    this.#afterReplies();
  }

  send(bytes: Buffer): void {
    this.parts.sendUpstream(bytes);
  }

  /** Sends a request of ours, in the place of the client's. */
  ask(bytes: Buffer, owed: Owed): void {
    this.#requests.send(bytes);
    this.replies.ledger.push(owed);
  }

  /** Runs what a request does when it is executed: now, or at EXEC. */
  takeEffect(run: () => void): void {
    if (this.multi === undefined) run();
    else this.multi.queue({ kind: 'local', run });
  }

  /** A CLIENT REPLY SKIP was sent: the next request, even an empty one, uses it up. */
  skipped(owed: Owed): void {
    this.#lastSkip = owed;
  }

  skipIsSpent(owed: Owed): boolean {
    return this.#spentSkips.has(owed);
  }

  /** Waits until nothing is owed, sends the request, and reads no further until its reply. */
  alone(bytes: Buffer, entry: () => Owed): Step {
    this.barrier.alone(bytes, this.replies.ledger.size === 0, entry);
    return 'wait';
  }

  /** Sends the request on as it came. */
  forward(owed: Owed): Step {
    this.counts.forwarded += 1;
    this.replies.ledger.push(owed);
    return 'forward';
  }

  /** @returns the entry for a request that needs no care */
  entryFor(info: CommandInfo | undefined): Owed {
    if (this.#tooLong) {
      this.#tooLong = false;
      return unseenRead(this, info);
    }
    if (this.multi !== undefined) return PASS_QUEUED;
    return info?.blocks === true ? PASS_BLOCKING : PASS;
  }

  /** RESET was executed. */
  reset(): void {
    this.tracked.off();
    this.multi?.attributed?.forget();
    this.multi = undefined;
    this.replies.reset();
    this.#user = DEFAULT_USER;
    this.noloop.reset();
    this.#introduction.reset();
  }

  /** SYNC or PSYNC was sent: unless it is refused, what follows are no replies. */
  expectStream(): void {
    this.#raw = 'asked';
  }

  /** The stream has begun (or was refused): what either side sends goes to the other as it is. */
  #leaveRequests(begun: boolean): void {
    this.#raw = begun ? 'yes' : 'no';
    if (!begun) return;
    this.tracked.off();
    for (const chunk of this.#requests.takeRest()) this.parts.sendUpstream(chunk);
  }

  /** All replies that have come have been dealt with. */
  #afterReplies(): void {
    if (this.#closed) return;
    const { ledger } = this.replies;
    if (ledger.size === 0) this.barrier.idle();
    while (this.barrier.takeOpening()) this.#requests.resume();
    const idle = ledger.size === 0 && !this.barrier.isWaiting && !this.#requests.waiting;
    if (this.#ending && idle) this.finish();
  }

  /** Says the last words, if any, and ends. */
  finish(): void {
    const words = this.#lastWords;
    this.#lastWords = undefined;
    if (words !== undefined && !this.replies.muted) this.replies.write(words);
    this.parts.finished();
  }
}
