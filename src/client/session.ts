import type { CommandInfo } from '../commands/table.ts';
import { TYPE } from '../resp/scanner.ts';
import { error } from '../resp/write.ts';
import { hasRule, translationFor } from '../translate/rules.ts';
import { Barrier } from './barrier.ts';
import { Emulation } from './emulation.ts';
import { FenceChoice } from './fence-choice.ts';
import type { RequestHandler, Step } from './handler.ts';
import type { HeldWords } from './held.ts';
import { Hold } from './hold.ts';
import { Introduction } from './introduction.ts';
import type { Owed } from './ledger.ts';
import type { OpenMulti } from './multi.ts';
import { Noloop } from './noloop.ts';
import { Outlet } from './outlet.ts';
import {
  DEFAULT_USER,
  IN_FLIGHT_MAX_COUNT,
  REST_MAX_BYTES,
  type SessionEnds,
  type SessionParts,
} from './parts.ts';
import { PlainEntries } from './plain-entries.ts';
import { ReplyReader } from './replies.ts';
import { RequestReader } from './requests.ts';
import { handle } from './roles.ts';
import { looksAtKeys, sendKeyed } from './send-keyed.ts';
import { Skips } from './skips.ts';
import { Tracked } from './tracked.ts';
import { TrackingParts } from './tracking-parts.ts';
import { doubtfulRead } from './untracked.ts';

/**
 * All that one client's connection means, without a socket: requests come in, requests and stand-ins
 * go upstream; replies come in, replies and pushes go to the client.
 */
export class Session implements RequestHandler {
  readonly replies: ReplyReader;
  readonly hold: Hold;
  readonly outlet: Outlet;
  readonly tracked: Tracked;
  readonly counts: SessionParts['counts'];
  readonly parts: SessionParts;
  readonly ends: SessionEnds;
  readonly requests = new RequestReader(this);
  /** The MULTI that requests are believed to be in. */
  multi: OpenMulti | undefined;
  readonly barrier = new Barrier(this);
  readonly skips = new Skips();
  readonly emulation = new Emulation(this);
  /** The id that we have given it, where upstream has none to give. */
  ownId: number | undefined;
  #lastWords: Buffer | undefined; // to be said when nothing is owed any more
  #ending = false;
  readonly #plain = new PlainEntries(this);
  #raw: 'no' | 'asked' | 'yes' = 'no';
  readonly noloop = new Noloop(this);
  #user = DEFAULT_USER;
  readonly introduction: Introduction;
  /** Upstream has yet to let the client in. */
  isStranger = false;
  readonly fences: FenceChoice;
  #closed = false;

  constructor(parts: SessionParts, ends: SessionEnds) {
    this.parts = parts;
    this.ends = ends;
    this.counts = parts.counts;
    this.fences = new FenceChoice(parts.fenceWrites);
    this.hold = new Hold(ends, parts);
    this.replies = new ReplyReader(this.hold);
    const trackingParts = new TrackingParts(this);
    this.outlet = new Outlet(trackingParts);
    this.tracked = new Tracked(trackingParts);
    this.introduction = new Introduction(this);
  }

  /** As whom upstream has let the client in. */
  get user(): string {
    return this.#user;
  }

  /** The lane may be written to. */
  begin(): void {
    this.introduction.begin();
  }

  /** Upstream has let the client in. @param user as whom; undefined: as before */
  authenticated(user: string | undefined): void {
    this.isStranger = false;
    this.introduction.begin();
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
    const { ledger } = this.replies;
    return this.requests.restBytes > REST_MAX_BYTES || ledger.size > IN_FLIGHT_MAX_COUNT;
  }

  /** @param chunk bytes of the client; may be changed in place */
  fromClient(chunk: Buffer): void {
    if (this.#closed) return;
    if (this.#raw === 'yes') this.ends.sendUpstream(chunk);
    else this.requests.feed(chunk);
  }

  /** @throws ProxyError FRAME_*, LANE_OUT_OF_SYNC */
  fromUpstream(chunk: Buffer): void {
    if (this.#raw === 'asked') this.#leaveRequests(chunk[0] !== TYPE.error);
    if (this.#raw === 'yes') {
      this.hold.send(chunk);
      return;
    }
    this.replies.feed(chunk);
    this.proceed();
  }

  /** The client sends nothing more, but may still read. */
  clientEnded(): void {
    this.#ending = true;
    if (this.#raw === 'no') this.proceed();
    else this.finish();
  }

  /** Whether a request in flight changes data silently: somebody must wait for its reply. */
  get flushing(): boolean {
    return this.replies.ledger.flushing > 0;
  }

  /** The client is gone; replies may still come. */
  leave(): void {
    this.#ending = true;
    this.requests.stop();
    this.multi?.attributed?.forget();
    this.emulation.close();
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
    if (this.noloop.isDue) this.noloop.probeIfNeeded();
    if (info === undefined) return false;
    if (info.role !== 'plain') return true;
    return looksAtKeys(this, info) || (this.replies.wantsRules && hasRule(info.name));
  }

  passed(info: CommandInfo | undefined, count: number): void {
    this.skips.used();
    this.counts.forwarded += count;
    this.#plain.push(info, count);
  }

  held(info: CommandInfo, words: HeldWords): Step {
    const { ledger, wantsRules } = this.replies;
    if (wantsRules) ledger.rule = translationFor(info, words);
    const skipBefore = this.skips.last;
    const step = this.#take(info, words);
    if (this.skips.last === skipBefore) this.skips.used();
    ledger.rule = undefined;
    if (this.multi === undefined && info.role !== 'client') this.tracked.mark.clear();
    return step;
  }

  #take(info: CommandInfo, words: HeldWords): Step {
    if (info.role !== 'plain') return handle(this, info, words);
    if (looksAtKeys(this, info)) return sendKeyed(this, info, words);
    const entry = this.entryFor(info);
    return this.forward(info.reads ? doubtfulRead(this, entry) : entry);
  }

  tooLong(info: CommandInfo | undefined): boolean {
    this.#plain.tooLong();
    return info?.role === 'plain';
  }

  empty(): void {
    if (this.multi === undefined) this.tracked.mark.clear();
    if (this.skips.wasted()) this.replies.skipNext = false;
  }

  malformed(text: string): void {
    this.counts.clientProtocolErrors += 1;
    this.#lastWords = error(`ERR Protocol error: ${text}`);
    this.#ending = true;
    this.proceed();
  }

  send(bytes: Buffer): void {
    this.ends.sendUpstream(bytes);
  }

  /** Sends a request of ours, in the place of the client's. */
  ask(bytes: Buffer, owed: Owed): void {
    this.requests.send(bytes);
    this.replies.ledger.push(owed);
  }

  /**
   * Runs what a request does when it is executed: now, or at EXEC.
   *
   * @param kind 'aside': it changes nothing of what is tracked
   */
  takeEffect(run: () => void, kind: 'local' | 'aside' = 'local'): void {
    if (this.multi === undefined) run();
    else this.multi.queue({ kind, run });
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
    return this.#plain.of(info);
  }

  /** RESET was executed. */
  reset(): void {
    this.tracked.off();
    this.multi?.attributed?.forget();
    this.multi = undefined;
    this.emulation.close();
    this.replies.reset();
    this.#user = DEFAULT_USER;
    this.fences.reset();
    this.noloop.reset();
    this.introduction.reset();
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
    for (const chunk of this.requests.takeRest()) this.ends.sendUpstream(chunk);
  }

  /** All that has come has been dealt with, or what a request waited for elsewhere has come. */
  proceed(): void {
    if (this.#closed) return;
    const { ledger } = this.replies;
    if (ledger.size === 0) this.barrier.idle();
    while (this.barrier.takeOpening()) this.requests.resume();
    const idle = ledger.size === 0 && !this.barrier.isWaiting && !this.requests.waiting;
    if (this.#ending && idle) this.finish();
  }

  /** Says the last words, if any, and ends. */
  finish(): void {
    const words = this.#lastWords;
    this.#lastWords = undefined;
    if (words !== undefined && !this.replies.muted) this.replies.write(words);
    this.hold.whenOpen(() => this.ends.finished());
  }
}
