import { invalidation, redirectBroken } from '../resp/write.ts';
import type { Target, Tracker } from '../tracking/tracker.ts';
import { Backlog } from './backlog.ts';
import type { Between } from './conversation.ts';
import type { What } from './flight.ts';
import type { Hold } from './hold.ts';
import type { Meter } from './meter.ts';
import type { SessionOutput } from './parts.ts';
import type { ReplyReader } from './replies.ts';

/** What an outlet needs from around it. */
export interface OutletParts {
  readonly replies: ReplyReader;
  readonly hold: Hold;
  readonly tracker: Tracker;
  readonly output: SessionOutput;
  /** Something waits for the end of a reply. */
  withheld(): void;
  readonly meter: Meter;
  /** Told of every invalidation that Redis itself would not have sent. */
  countExtra(): void;
  /** So many keys waited that everything was invalidated in their place. */
  countCollapse(): void;
}

/**
 * Where invalidations leave: to this connection's client, in the form that its protocol has for
 * them, or to the client that they are redirected to. They leave between two whole replies, and only
 * while the client takes what it gets; else they wait, each key once.
 */
export class Outlet implements Between {
  readonly #parts: OutletParts;
  #backlog: Backlog | undefined; // undefined: nothing waits
  #brokenTarget: number | undefined; // to be told when the reply has ended
  #hasUntold = false; // something waits that was not sent in advance either
  #heardAtMs = 0; // as the meter had it when the first that waits was told
  #whenTold: (() => void)[] | undefined;
  #clientId: number | undefined;
  #isClosed = false;
  /** The last invalidation could not reach the client that it was redirected to. */
  broken = false;

  constructor(parts: OutletParts) {
    this.#parts = parts;
  }

  /** The id by which upstream knows this connection, once that is known. */
  get clientId(): number | undefined {
    return this.#clientId;
  }

  /** How much memory is taken by what waits, about, in bytes. */
  get waitingBytes(): number {
    return this.#backlog?.bytes ?? 0;
  }

  /** Upstream calls this connection `clientId`: others may redirect to it, and find `target`. */
  named(clientId: number, target: Target): void {
    this.#clientId = clientId;
    this.#parts.tracker.name(clientId, target);
  }

  /** The connection is gone. */
  close(): void {
    if (this.#clientId !== undefined) this.#parts.tracker.unname(this.#clientId);
    this.#isClosed = true; // a reply that has come in part has no end to wait for
    this.#backlog = undefined;
    this.#hasUntold = false;
    this.#parts.hold.told();
    this.#tellWaiters();
  }

  /** @param redirect the id of the client that is to be told; 0: this one */
  send(what: What, redirect: number): void {
    if (redirect === 0) {
      this.receive(what);
      return;
    }
    const target = this.#parts.tracker.target(redirect);
    if (target !== undefined) {
      target.receive(what);
      return;
    }
    this.broken = true;
    if (this.#parts.replies.protocol === 3) this.#sayBroken(redirect);
  }

  receive(what: What): void {
    if (this.#isClosed || !this.#isReachable) return;
    const { replies, meter } = this.#parts;
    const isBackedUp = this.#parts.output.isBackedUp;
    const inAdvance = !isBackedUp && this.#sendInAdvance(what);
    if (!isBackedUp && !replies.midReply) {
      replies.push(invalidation(what, replies.protocol));
      if (!inAdvance) meter.pushed();
      return;
    }
    this.#backlog ??= new Backlog();
    if (this.#backlog.add(what)) this.#parts.countCollapse();
    if (!inAdvance) {
      this.#hasUntold = true;
      if (this.#heardAtMs === 0) this.#heardAtMs = meter.heardAtMs;
    }
    if (replies.midReply) this.#waitForEnd();
    this.#parts.withheld();
  }

  /** Whether something waits that was not sent in advance either. */
  get hasUntold(): boolean {
    return this.#hasUntold;
  }

  /** The client has taken what it got. */
  drained(): void {
    if (this.#isClosed) return;
    if (!this.#parts.replies.midReply) this.betweenReplies();
    else if (this.#backlog !== undefined || this.#brokenTarget !== undefined) this.#waitForEnd();
  }

  #waitForEnd(): void {
    this.#parts.hold.untold();
    this.#parts.replies.whenBetween(this);
  }

  /** Replies wait for the client to read: what waits for the end of one comes behind that. */
  stalled(): void {
    this.#tellWaiters();
  }

  /** Runs `run` when all that waits for the end of a reply has been sent. */
  whenTold(run: () => void): void {
    const { isSlow, isBackedUp } = this.#parts.output; // what was written in this turn counts, too
    if (!this.#hasUntold || isSlow || isBackedUp) {
      run();
      return;
    }
    this.#whenTold ??= [];
    this.#whenTold.push(run);
  }

  /** A RESP2 connection that has subscribed to nothing has no way to be told, natively neither. */
  get #isReachable(): boolean {
    const { protocol, subscriptions } = this.#parts.replies;
    return protocol === 3 || subscriptions.active;
  }

  /**
   * While the client's replies are held, others' fences may not wait for them: what it may have in
   * its cache it drops at once, and what is held for it once more behind.
   *
   * @returns false: it has yet to get a reply without which it can't read that
   */
  #sendInAdvance(what: What): boolean {
    const { hold, replies, meter } = this.#parts;
    if (!hold.isHolding) return false;
    this.#parts.countExtra();
    const all = invalidation(undefined, replies.protocol);
    const isSent = hold.sendNow(invalidation(what, replies.protocol), all);
    if (isSent) meter.pushed();
    return isSent;
  }

  #sayBroken(redirect: number): void {
    const { replies } = this.#parts;
    if (!replies.midReply && !this.#parts.output.isBackedUp) {
      replies.push(redirectBroken(redirect));
      return;
    }
    this.#brokenTarget = redirect;
    if (replies.midReply) this.#waitForEnd();
  }

  /** Sends what has waited. */
  betweenReplies(): void {
    const { replies, meter } = this.#parts;
    if (this.#parts.output.isBackedUp) return; // `drained` follows
    const broken = this.#brokenTarget;
    this.#brokenTarget = undefined;
    if (broken !== undefined && replies.protocol === 3) replies.push(redirectBroken(broken));
    this.#hasUntold = false;
    const heardAtMs = this.#heardAtMs;
    this.#heardAtMs = 0;
    const waiting = this.#backlog?.take() ?? NOTHING;
    this.#backlog = undefined;
    for (const what of waiting) meter.late(heardAtMs, (late: What) => this.receive(late), what);
    this.#parts.hold.told();
    if (!this.#hasUntold) this.#tellWaiters();
  }

  #tellWaiters(): void {
    const runs = this.#whenTold ?? [];
    this.#whenTold = undefined;
    for (const run of runs) run();
  }
}

const NOTHING: readonly What[] = [];
