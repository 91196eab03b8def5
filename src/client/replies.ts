import { ProxyError } from '../errors.ts';
import { Kept } from '../resp/kept.ts';
import { FrameScanner, TYPE } from '../resp/scanner.ts';
import { isSame, type Rule } from '../translate/rules.ts';
import { PUSH } from '../translate/shape.ts';
import { Conversation } from './conversation.ts';
import { Ledger, type Owed, PASS, type Reply, UNASKED, type Verdict } from './ledger.ts';
import { Outflow, type ReplySink } from './outflow.ts';
import { passBulks } from './pass-bulks.ts';
import { isConfirmation } from './subscriptions.ts';
import { isLight, isOpened, type Treatment, treatmentOf } from './treatment.ts';

/** A reply that must be seen whole may be this long, in bytes. Source: our choice. */
export const KEPT_MAX_BYTES = 16 * 1_024 * 1_024;

/**
 * Reads what upstream sends and gives each reply to the entry of the ledger that it answers; what
 * is passed on leaves as ranges of the chunk in which it came. Frames that no request asked for
 * (published messages, lines of MONITOR) are told apart and pass without touching the ledger.
 */
export class ReplyReader extends Conversation {
  readonly ledger = new Ledger();
  readonly #out: Outflow;
  readonly #scanner = new FrameScanner();
  #chunk: Buffer = NOTHING;
  #at = 0;
  #stash: Buffer | undefined; // the start of a frame, too short to tell its kind
  #inFrame = false;
  #treatment: Treatment = 'pass';
  #extra: string | undefined; // the kind of a frame that answers no request, or confirms one
  #type = 0;
  readonly #kept = new Kept(KEPT_MAX_BYTES);
  #opening = false; // the frame is the header of an EXEC reply
  #elementsLeft = 0; // elements of that reply still to come
  #slot = 0; // index of the next one
  #lenient = false; // a reply too long to be kept may pass as it is
  readonly #sink: ReplySink;

  constructor(sink: ReplySink) {
    super(sink);
    this.#out = new Outflow(sink);
    this.#sink = sink;
  }

  /** Whether the client has received a part of a reply and not its end. */
  get midReply(): boolean {
    return this.#inFrame || this.#elementsLeft > 0;
  }

  /** @throws ProxyError FRAME_*, LANE_OUT_OF_SYNC: the connection can't go on */
  feed(received: Buffer): void {
    const chunk = this.#stash === undefined ? received : Buffer.concat([this.#stash, received]);
    this.#stash = undefined;
    this.#chunk = chunk;
    this.#out.begin(chunk);
    this.#at = 0;
    try {
      this.#read(chunk);
    } finally {
      // Also where the chunk turned out to be broken: what was whole before that goes on.
      this.#out.passTo(this.#at);
      this.#out.end();
      this.#chunk = NOTHING;
      this.#at = 0;
    }
  }

  #read(chunk: Buffer): void {
    while (this.#at < chunk.length) {
      if (!this.#inFrame) {
        if (this.#passPlain(chunk)) continue;
        if (!this.#begin(chunk)) break;
      }
      const end = this.#scanner.next(chunk, this.#at);
      this.#takePart(end === -1 ? chunk.length : end);
      if (end !== -1) this.#finish();
    }
  }

  /** Sends bytes to the client now, behind everything that was passed on so far. */
  write(bytes: Buffer): void {
    this.#out.passTo(this.#at);
    this.#out.send(bytes);
  }

  /** Sends a push, behind those that have waited; only while no reply is half sent. */
  push(bytes: Buffer): void {
    if (this.isAwaited) this.tellAwaiting();
    this.#out.passTo(this.#at);
    this.#out.send(bytes);
  }

  /** The common case: whole replies that are just passed on. @returns whether one was read */
  #passPlain(chunk: Buffer): boolean {
    const { head } = this.ledger;
    const type = chunk[this.#at] as number;
    if (head === undefined || type === TYPE.push || !this.isPlain) return false;
    if (head !== PASS && (this.transaction.isOpen || !isLight(head, type))) return false;
    if (this.#elementsLeft > 0) return false;
    if (this.translates && !isSame(undefined, chunk, this.#at)) return false;
    const from = this.#at;
    if (head === PASS && !this.translates) this.#at = passBulks(this.ledger, chunk, from);
    if (this.#at > from) return true;
    const end = this.#scanner.next(chunk, this.#at);
    if (end === -1) {
      this.#at = chunk.length;
      this.#inFrame = true;
      this.#treatment = 'pass';
      this.#extra = undefined;
      this.#type = type;
      this.silent = false;
      return true;
    }
    this.#at = end;
    this.ledger.shift();
    if (head !== PASS) head.after?.({ type, bytes: undefined });
    return true;
  }

  /** Decides about the frame at `#at`. @returns false where too little of it has come */
  #begin(chunk: Buffer): boolean {
    const type = chunk[this.#at] as number;
    const confirms = this.#current()?.confirms !== undefined;
    const kind = this.extraAt(chunk, this.#at, confirms);
    if (kind === undefined) {
      this.#out.passTo(this.#at);
      this.#stash = chunk.subarray(this.#at);
      this.#at = chunk.length;
      this.#out.skipTo(this.#at);
      return false;
    }
    this.#type = type;
    this.#inFrame = true;
    this.#extra = kind === '' ? undefined : kind;
    this.#lenient = false;
    if (this.#extra !== undefined) {
      if (isConfirmation(kind)) this.#treatment = 'keep';
      else this.#treatment = kind === 'monitor' && this.muted ? 'drop' : 'pass';
      if (this.translates) this.#translate(PUSH, chunk, this.#at);
      return true;
    }
    const owed = this.#expected();
    this.#treatment = this.#treat(owed, type);
    // What is kept is fenced when it is whole, for only then is it known what to tell of it.
    if (owed.fences === true && this.#treatment !== 'keep') this.#raise(owed, type);
    if (this.translates) this.#translate(this.#ruleOf(owed), chunk, this.#at);
    return true;
  }

  /** Has what passes translated on its way. @returns whether it is: there may be no need */
  #translate(rule: Rule | undefined, chunk: Buffer, at: number): boolean {
    if (this.#treatment !== 'pass' || isSame(rule, chunk, at)) return false;
    this.#out.beginTranslated(this.#opening ? undefined : rule);
    this.#treatment = 'translate';
    return true;
  }

  #ruleOf(owed: Owed): Rule | undefined {
    if (this.#elementsLeft === 0) return owed.rule;
    const exec = this.ledger.head;
    return exec?.bare === true ? exec.rule : this.transaction.rule(this.#slot);
  }

  /** The write has been executed, unless it only waits for EXEC, or nobody hears of it. */
  #raise(owed: Owed, type: number): void {
    if (this.silent || this.#elementsLeft > 0) return;
    if (this.transaction.isOpen && type !== TYPE.array) return;
    if (this.#opening) owed.opened?.();
    this.#out.passTo(this.#at);
    this.#sink.begin();
  }

  #current(): Owed | undefined {
    if (this.#elementsLeft === 0) return this.ledger.head;
    const own = this.ledger.head?.elements;
    return (own === undefined ? this.transaction.slot(this.#slot) : own[this.#slot]) ?? PASS;
  }

  #expected(): Owed {
    const owed = this.#current();
    if (owed !== undefined) return owed;
    // Servers say why they close a connection before they were asked anything.
    if (this.#type === TYPE.error) return UNASKED;
    throw new ProxyError('LANE_OUT_OF_SYNC', 'a reply that no request asked for');
  }

  #treat(owed: Owed, type: number): Treatment {
    if (this.#elementsLeft === 0) {
      this.silent = this.muted || (this.skipNext && owed.hidden !== true);
      if (owed.hidden !== true) this.skipNext = false;
      this.#opening = type === TYPE.array && isOpened(owed, this.transaction, this.translates);
      this.#scanner.headerOnly = this.#opening;
    }
    this.#lenient = owed.lenient === true;
    const hasHidden = this.#opening ? this.transaction.hiddenCount > 0 : undefined;
    return treatmentOf(owed, type, this.silent, hasHidden);
  }

  /** The bytes from `#at` to `end` belong to the current frame. */
  #takePart(end: number): void {
    const isTooLong = this.#kept.size + end - this.#at > KEPT_MAX_BYTES;
    if (isTooLong && this.#lenient && this.#treatment === 'keep') this.#letGo();
    if (this.#treatment === 'translate') {
      this.#out.feed(this.#chunk, this.#at, end);
    } else if (this.#treatment !== 'pass') {
      this.#out.passTo(this.#at);
      if (this.#treatment === 'keep') this.#kept.add(this.#chunk.subarray(this.#at, end));
      this.#out.skipTo(end);
    }
    this.#at = end;
  }

  /** The reply is too long to be kept: what there is of it goes on, and the rest as it comes. */
  #letGo(): void {
    const kept = this.#kept.take();
    this.#treatment = this.silent ? 'drop' : 'pass';
    const rule = this.#ruleOf(this.#current() ?? PASS);
    const isTranslated = this.translates && this.#translate(rule, kept, 0);
    if (isTranslated) this.#out.feedEarlier(kept, this.#chunk, this.#at);
    else if (!this.silent) this.write(kept);
  }

  #finish(): void {
    this.#inFrame = false;
    const bytes = this.#treatment === 'keep' ? this.#kept.take() : undefined;
    if (this.#extra === undefined) this.#finishReply(bytes);
    else if (bytes !== undefined) this.#finishConfirmation(this.#extra, bytes);
    this.#extra = undefined;
    if (this.isAwaited && !this.midReply) this.tellAwaiting();
  }

  /** Subscriptions are confirmed by frames of their own, one for each channel. */
  #finishConfirmation(kind: string, bytes: Buffer): void {
    const owed = this.#current();
    const isLast = this.confirmed(kind, bytes, owed?.confirms === kind ? owed : undefined);
    this.write(this.inProtocol(bytes, PUSH));
    if (isLast) this.#advance({ type: this.#type, bytes: undefined });
  }

  #finishReply(bytes: Buffer | undefined): void {
    const reply = { type: this.#type, bytes };
    if (this.#opening) {
      const exec = this.ledger.head;
      if (bytes !== undefined && exec?.fences === true) this.#raise(exec, reply.type);
      this.#opening = false;
      this.#slot = 0;
      this.#elementsLeft = Math.max(0, this.#scanner.elements);
      const isNull = this.#scanner.elements === -1;
      if (bytes !== undefined) this.write(this.#rewriteHeader(bytes, isNull));
      if (this.#elementsLeft === 0) this.#endOfExec({ ...reply, isNull });
      return;
    }
    this.#advance(reply);
  }

  #rewriteHeader(header: Buffer, isNull: boolean): Buffer {
    if (isNull) return this.inProtocol(header, undefined);
    return Buffer.from(`*${this.#elementsLeft - this.transaction.hiddenCount}\r\n`, 'latin1');
  }

  /** The current entry has all that was owed to it. */
  #advance(reply: Reply): void {
    if (this.#elementsLeft > 0) {
      const owed = this.#current() ?? PASS;
      const rule = this.#ruleOf(owed);
      this.#slot += 1;
      this.#elementsLeft -= 1;
      const last = this.#elementsLeft === 0;
      this.#conclude(owed, reply, owed.settle(reply), rule);
      if (last) this.#endOfExec({ type: TYPE.array, bytes: undefined });
      return;
    }
    if (this.ledger.size === 0) return; // UNASKED
    const owed = this.ledger.shift();
    if (this.transaction.takes(reply)) {
      this.transaction.queue(owed);
      this.#conclude(PASS, reply, owed.hidden === true ? 'drop' : 'pass');
      return;
    }
    if (owed.fences === true && reply.bytes !== undefined) this.#raise(owed, reply.type);
    this.#conclude(owed, reply, owed.settle(reply));
  }

  #endOfExec(reply: Reply): void {
    const exec = this.ledger.shift();
    exec.settle(reply);
    exec.after?.(reply);
  }

  #conclude(owed: Owed, reply: Reply, verdict: Verdict, rule = owed.rule): void {
    if (!this.silent && verdict !== 'drop') {
      const bytes = verdict === 'pass' ? reply.bytes : verdict;
      const isUpstreams = verdict === 'pass' || owed.patches === true;
      if (bytes !== undefined) this.write(isUpstreams ? this.inProtocol(bytes, rule) : bytes);
    }
    owed.after?.(reply);
  }
}

const NOTHING = Buffer.alloc(0);
