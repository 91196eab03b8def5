import type { Key } from '../key.ts';
import { TYPE } from '../resp/scanner.ts';
import type { Doubt } from './doubts.ts';
import { Keyed } from './keyed.ts';
import { KEEP, type Owed, type Reply, type Verdict } from './ledger.ts';
import type { AttributedMulti } from './noloop.ts';
import { refuses } from './owed.ts';
import type { Tracked } from './tracked.ts';

/** What a request inside MULTI will do when EXEC is sent. */
export type Queued =
  | {
      readonly kind: 'keys';
      readonly keys: readonly Key[];
      readonly reads: boolean;
      readonly writes: boolean;
    }
  /** Something of ours; only of the first kind may change what is tracked. */
  | { readonly kind: 'local' | 'aside'; readonly run: () => void };

/**
 * A MULTI as the requests tell it: believed from the moment it is read, unbelieved when upstream
 * refuses it. What its requests do to tracking is done when EXEC is read, in their order, for only
 * then are they executed.
 */
export class OpenMulti {
  readonly #queued: Queued[] = [];
  /** It holds a command that may turn tracking on, so its reads have to be looked at. */
  tracks = false;
  /** Upstream has accepted it. */
  isAccepted = false;
  /** Something that an untracked read in it was untracked by may yet turn out false. */
  doubt: Doubt | undefined;
  /** A read in it was too long for its keys to be looked at. */
  unseenReads = false;
  /** It holds a change that no notification tells. */
  flushes = false;
  /** It writes, and so EXEC's reply is fenced. */
  fences = false;
  /** For each change in it that nobody tells but its own reply: tells it without. */
  readonly passing: (() => void)[] = [];
  /** Its writes are told even to the client itself. */
  isTold = false;
  /** Set where its writes are attributed. */
  attributed: AttributedMulti | undefined;

  queue(request: Queued): void {
    this.#queued.push(request);
    if (request.kind === 'local') this.tracks = true;
  }

  /** Upstream has refused MULTI: what was thought to wait is executed at once. */
  disbelieve(tracked: Tracked): void {
    for (const request of this.#queued) {
      if (request.kind !== 'keys') request.run();
      else tracked.mark.clear(); // it was executed, and used the mark up
    }
  }

  /**
   * EXEC is about to be sent.
   *
   * @returns the entry for its reply
   */
  execute(tracked: Tracked, outcome: ExecOutcome): Owed {
    const keys: Key[] = [];
    const readKeys: Key[] = [];
    let doubt = this.doubt;
    for (const request of this.#queued) {
      if (request.kind !== 'keys') {
        request.run();
        if (!tracked.wanted.noloop) this.isTold = true; // NOLOOP has ended in it
        continue;
      }
      const isCached = request.writes && tracked.cachesWrites;
      const reads = isCached || (request.reads && tracked.matters);
      if (request.reads && !tracked.tracks) doubt ??= tracked.doubt;
      if (!tracked.wanted.on) continue;
      for (const key of request.keys) {
        keys.push(key);
        if (reads) readKeys.push(key);
      }
      if (request.writes) this.#wrote(tracked, request.keys);
      if (reads) tracked.read(request.keys);
    }
    const exec = new Exec(tracked, keys, readKeys, outcome, this);
    exec.doubt = doubt;
    if (keys.length > 0) tracked.embark(exec);
    return exec;
  }

  #wrote(tracked: Tracked, keys: readonly Key[]): void {
    if (this.attributed === undefined) tracked.wrote(keys);
    else this.attributed.writing(keys);
  }
}

/** What follows from EXEC. */
export interface ExecOutcome {
  /** Its reply has come. @param aborted nothing was executed */
  readonly ended: (aborted: boolean, reply: Reply) => void;
  /** What it has changed without a notification is to be told. */
  readonly flushed: () => void;
  /** It may have been executed, but its reply will never come. */
  readonly lost: () => void;
}

/** The entry for EXEC: the keys of all requests that it executes are in flight with it. */
class Exec extends Keyed {
  readonly opens: 'always' | 'slots';
  override readonly isLight = false;
  override readonly flushes: boolean;
  readonly #multi: OpenMulti;
  readonly #outcome: ExecOutcome;
  readonly #unseenReads: boolean;
  readonly #attributed: AttributedMulti | undefined;
  #aborted = false;

  constructor(
    tracked: Tracked,
    keys: readonly Key[],
    readKeys: readonly Key[],
    outcome: ExecOutcome,
    multi: OpenMulti,
  ) {
    super(tracked, keys, readKeys, false);
    this.opens = keys.length > 0 ? 'always' : 'slots';
    this.flushes = multi.flushes || multi.passing.length > 0;
    this.#multi = multi;
    this.fences = multi.fences;
    this.#outcome = outcome;
    this.#unseenReads = multi.unseenReads;
    this.#attributed = multi.attributed;
  }

  /** The elements may come too late for the fence: all is told that they may tell of. */
  opened(): void {
    if (this.#multi.flushes) this.#outcome.flushed();
    for (const tell of this.#multi.passing) tell();
  }

  override settle(reply: Reply): Verdict {
    this.#aborted = reply.type !== TYPE.array || reply.isNull === true;
    return 'pass';
  }

  override after(reply: Reply): void {
    this.#outcome.ended(this.#aborted, reply);
    if (this.keys.length > 0) this.tracked.land(this, this.#aborted);
    const isDoubtful = this.#unseenReads || this.doubt?.refused === true;
    if (isDoubtful && !this.#aborted) this.tracked.distrust('all');
  }

  lost(): void {
    this.#attributed?.forget();
    this.#outcome.lost();
  }
}

/**
 * The entry for a request that names keys inside a MULTI that we believe in. Where upstream did not
 * (it refused MULTI), the request was executed at once and nothing has noted its keys: the client
 * must not keep what it has read.
 */
export class QueuedKeyed implements Owed {
  readonly keep = KEEP.errors | KEEP.statuses;
  readonly drop = false;
  readonly blocks = false;
  readonly flushes = false;
  readonly slot = false;
  readonly fences: boolean;
  readonly #tracked: Tracked;
  readonly #keys: readonly Key[];
  #refused = false;

  /** @param fences the reply is fenced, if the request is executed at once */
  constructor(tracked: Tracked, keys: readonly Key[], fences: boolean) {
    this.fences = fences;
    this.#tracked = tracked;
    this.#keys = keys;
  }

  settle(reply: Reply): Verdict {
    this.#refused = refuses(reply);
    return 'pass';
  }

  /** Called only for a reply that was not QUEUED. */
  after(): void {
    if (!this.#refused) this.#tracked.distrust(this.#keys);
  }
}
