import type { Key } from '../key.ts';
import { TYPE } from '../resp/scanner.ts';
import { error, request } from '../resp/write.ts';
import type { Ours } from './barrier.ts';
import type { Keyed } from './keyed.ts';
import { KEEP, type Owed, PASS, type Reply, SWALLOW, type Verdict } from './ledger.ts';
import { consequent, isStatus, refuses } from './owed.ts';
import type { Session } from './session.ts';

const MULTI = request('MULTI');
const EXEC = request('EXEC');

/** As much of an error as tells which one it is. */
const TEXT_BYTES = 32;

/**
 * How one client's own writes are told from others', for NOLOOP: each is sent between two messages
 * of ours, in one transaction, so that the source hears whose it was. Where that can't be done, the
 * client is told of its own writes as of others': an extra, and safe.
 */
export class Noloop {
  readonly #session: Session;
  #mayPublish: boolean | undefined; // whether the user may publish on our channel; undefined: unknown
  #isProbing = false;
  /** It is to be found out what the user may do, before the next request. */
  isDue = false;
  #watches = 0;
  #watching = false;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Whether a write that is sent now can be told from others'. */
  get attributes(): boolean {
    const { tracked, parts } = this.#session;
    return (
      tracked.wanted.noloop &&
      this.#mayPublish === true &&
      parts.attribution.isHeard &&
      !parts.tracker.blind
    );
  }

  /** Whether it has to be found out what the user may do. */
  get needsProbe(): boolean {
    const { noloop } = this.#session.tracked.wanted;
    return noloop && this.#mayPublish === undefined && !this.#isProbing && !this.#watching;
  }

  /** WATCH is in force, or may be: a transaction of ours would end it. */
  get watching(): boolean {
    return this.#watching;
  }

  /** WATCH was read. */
  watch(): void {
    this.#watches += 1;
    this.#watching = true;
  }

  /** @returns what to call when upstream has forgotten what was watched up to now */
  unwatchIfNotAgain(): () => void {
    const watches = this.#watches;
    return () => {
      if (this.#watches === watches) this.#watching = false;
    };
  }

  /** The connection may have another user now. */
  forgetUser(): void {
    this.#isProbing = false;
    this.#mayPublish = undefined;
  }

  /** RESET was executed. */
  reset(): void {
    this.#watching = false;
    this.forgetUser();
  }

  /** @returns requests that show whether the user may do what attribution needs, and their entries */
  probe(): readonly Ours[] {
    this.#isProbing = true;
    const after = (reply: Reply) => {
      this.#isProbing = false;
      this.#mayPublish = reply.type === TYPE.array;
    };
    const last = consequent(
      { settle: () => 'drop', after },
      { keep: KEEP.all, drop: true, hidden: true },
    );
    return [
      { bytes: MULTI, owed: SWALLOW },
      { bytes: this.#message(''), owed: SWALLOW },
      { bytes: EXEC, owed: last },
    ];
  }

  /** Finds out what the user may do, where that has come to matter. */
  probeIfNeeded(): void {
    this.isDue = false;
    if (this.#session.introduction.isDue) this.#session.introduction.begin();
    if (!this.needsProbe || this.#session.multi !== undefined || this.#session.barrier.isWaiting) {
      return;
    }
    this.isDue = this.#session.requests.isStreaming;
    if (this.isDue) return; // a request has been sent in part
    for (const { bytes, owed } of this.probe()) this.#session.ask(bytes, owed);
  }

  /**
   * Sends a write; the client sees its reply and nothing else.
   *
   * @param bytes  the write as the client sent it
   * @param flight the entry that it would have alone
   */
  send(bytes: Buffer, flight: Keyed): void {
    const session = this.#session;
    const over = session.parts.tracker.writing(flight.keys, session.tracked.id);
    const declares = (key: string) => flight.keys.includes(key as Key);
    const word = session.parts.attribution.expect(session.tracked.id, over, declares);
    session.tracked.read(flight.readKeys); // a script may read behind its writes
    const write = new AttributedWrite(session, flight, word);
    session.ask(MULTI, this.#multiOwed(word));
    session.ask(this.#message(word), SWALLOW);
    session.ask(bytes, write);
    session.ask(this.#message(word), SWALLOW);
    session.ask(EXEC, new AttributedExec(write, flight.fences));
  }

  /** Opens a transaction of the client's own, whose MULTI was just sent. */
  open(): AttributedMulti {
    const { attribution, tracker } = this.#session.parts;
    const { id } = this.#session.tracked;
    const overs: (() => void)[] = [];
    const written = new Set<string>();
    const ended = () => {
      for (const over of overs) over();
    };
    const word = attribution.expect(id, ended, (key) => written.has(key));
    this.say(word);
    return {
      word,
      writing: (keys) => {
        for (const key of keys) written.add(key);
        overs.push(tracker.writing(keys, id));
      },
      forget: () => attribution.forget(word),
    };
  }

  /** Says the word in the client's transaction: as its first request, and as its last. */
  say(word: string): void {
    const after = (reply: Reply) => {
      if (reply.type === TYPE.error) this.giveUp();
    };
    const owed = consequent({ settle: () => 'drop', after }, { drop: true, hidden: true });
    this.#session.ask(this.#message(word), owed);
  }

  /**
   * MULTI was refused: what stood behind it was executed all the same, but not in one piece, and
   * others' writes may have passed for this client's.
   */
  failed(word: string, reply: Reply): void {
    this.#session.parts.attribution.forget(word);
    const text = reply.bytes?.toString('latin1', 0, TEXT_BYTES) ?? '';
    if (text.startsWith('-NOPERM')) this.#mayPublish = false;
    // A subscriber of RESP2 may do nothing of all that: then nothing was executed.
    if (!text.startsWith("-ERR Can't execute")) this.#session.tracked.distrust('all');
  }

  /** Our messages are refused, and the transactions with them. */
  giveUp(): void {
    this.#mayPublish = false;
  }

  #message(word: string): Buffer {
    return request('PUBLISH', this.#session.parts.attribution.channel, word);
  }

  #multiOwed(word: string): Owed {
    const after = (reply: Reply) => {
      if (reply.type === TYPE.error) this.failed(word, reply);
    };
    return consequent({ settle: () => 'drop', after }, { drop: true, hidden: true });
  }
}

/** A transaction of the client's own that is attributed. */
export interface AttributedMulti {
  /** The word of the messages in it. */
  readonly word: string;
  /** It writes `keys`. */
  readonly writing: (keys: readonly Key[]) => void;
  /** Nothing more will be heard of it. */
  readonly forget: () => void;
}

/** The write itself: QUEUED if all is well; its own reply if upstream refused it, or our MULTI. */
class AttributedWrite implements Owed {
  readonly keep = KEEP.all;
  readonly lenient = true;
  readonly drop = false;
  readonly blocks = false;
  readonly flushes = false;
  readonly hidden = true; // what CLIENT REPLY SKIP means is, as a rule, the element of EXEC's reply
  readonly #session: Session;
  readonly #flight: Keyed;
  readonly #word: string;
  #queued = false;
  #refused = false;

  constructor(session: Session, flight: Keyed, word: string) {
    this.#session = session;
    this.#flight = flight;
    this.#word = word;
  }

  /** Whether only EXEC's reply tells what became of it. */
  get isQueued(): boolean {
    return this.#queued;
  }

  settle(reply: Reply): Verdict {
    const { replies } = this.#session;
    this.#queued = isStatus(reply, 'QUEUED');
    this.#refused = refuses(reply);
    if (this.#queued) return 'drop';
    const skipped = replies.skipNext;
    replies.skipNext = false;
    // It was executed alone: EXEC, whose reply would be fenced, says nothing of it.
    if (this.#flight.fences && !skipped && !replies.silent) this.#session.hold.begin();
    return skipped ? 'drop' : 'pass';
  }

  /** EXEC was answered. @param aborted nothing was executed by it */
  executed(aborted: boolean): void {
    if (aborted || !this.#queued) this.forget();
    if (aborted && this.#queued) this.#session.noloop.giveUp();
    const refused = this.#queued ? aborted : this.#refused;
    this.#session.tracked.land(this.#flight, refused);
    const { doubt, keys } = this.#flight;
    if (doubt?.refused === true && !refused) this.#session.tracked.distrust(keys);
  }

  /** Nothing more will be heard of it. */
  forget(): void {
    this.#session.parts.attribution.forget(this.#word);
  }
}

/** What a write gets whose user has lost the right to publish while it was on its way. */
const RIGHTS_CHANGED = error(
  'ERR not executed: the rights of this user have changed, send it again',
);

/** Our EXEC: of its reply only the write's own is passed on. */
class AttributedExec implements Owed {
  readonly keep = KEEP.errors;
  readonly drop = true;
  readonly blocks = false;
  readonly flushes = false;
  readonly opens = 'always';
  readonly bare = true;
  readonly fences: boolean;
  readonly elements: readonly Owed[] = [SWALLOW, PASS, SWALLOW];
  readonly #write: AttributedWrite;
  #aborted = false;

  constructor(write: AttributedWrite, fences: boolean) {
    this.#write = write;
    this.fences = fences;
  }

  settle(reply: Reply): Verdict {
    this.#aborted = reply.type !== TYPE.array || reply.isNull === true;
    return this.#aborted && this.#write.isQueued ? RIGHTS_CHANGED : 'drop';
  }

  after(): void {
    this.#write.executed(this.#aborted);
  }

  lost(): void {
    this.#write.forget();
  }
}
