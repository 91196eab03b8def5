import { ProxyError } from '../errors.ts';
import { Kept } from '../resp/kept.ts';
import { FrameScanner, TYPE } from '../resp/scanner.ts';
import { Conversation } from './conversation.ts';
import { KEEP, Ledger, type Owed, PASS, type Reply, type Verdict } from './ledger.ts';
import { Outflow } from './outflow.ts';
import { countOf, isConfirmation } from './subscriptions.ts';

/**
 * A reply that must be seen whole may be this long, in bytes. Source: our choice; the longest are
 * HELLO's list of modules and errors of scripts, some hundred kilobytes.
 */
export const KEPT_MAX_BYTES = 16 * 1_024 * 1_024;

type Treatment = 'pass' | 'drop' | 'keep';

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
  #silent = false; // the replies to the current request are not for the client
  #opening = false; // the frame is the header of an EXEC reply
  #elementsLeft = 0; // elements of that reply still to come
  #slot = 0; // index of the next one
  #lenient = false; // a reply too long to be kept may pass as it is

  /** @param send takes bytes for the client, in order */
  constructor(send: (bytes: Buffer) => void) {
    super();
    this.#out = new Outflow(send);
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

  /**
   * Sends a push as soon as no reply is half sent.
   *
   * @param everything replaces it, and all that wait, where more wait than `maxCount`
   */
  push(bytes: Buffer, maxCount: number, everything: Buffer): void {
    if (!this.midReply) {
      this.#out.passTo(this.#at);
      this.#out.sendWithheld();
      this.#out.send(bytes);
    } else if (this.#out.withheldCount >= maxCount) {
      this.#out.collapseWithheld(everything);
    } else {
      this.#out.withhold(bytes);
    }
  }

  /** The common case: whole replies that are just passed on. @returns whether one was read */
  #passPlain(chunk: Buffer): boolean {
    if (this.ledger.head !== PASS || !this.isPlain || chunk[this.#at] === TYPE.push) return false;
    if (this.#elementsLeft > 0) return false;
    const end = this.#scanner.next(chunk, this.#at);
    if (end === -1) {
      this.#at = chunk.length;
      this.#inFrame = true;
      this.#treatment = 'pass';
      this.#extra = undefined;
      this.#silent = false;
      return true;
    }
    this.#at = end;
    this.ledger.shift();
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
    if (this.#extra !== undefined) {
      if (isConfirmation(kind)) this.#treatment = 'keep';
      else this.#treatment = kind === 'monitor' && this.muted ? 'drop' : 'pass';
      return true;
    }
    this.#treatment = this.#treat(this.#expected(), type);
    return true;
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
      this.#silent = this.muted || (this.skipNext && owed.hidden !== true);
      if (owed.hidden !== true) this.skipNext = false;
      this.#opening = type === TYPE.array && this.#opens(owed);
      this.#scanner.headerOnly = this.#opening;
    }
    if (this.#opening) return this.#treatHeader(owed);
    this.#lenient = owed.lenient === true;
    const keeps =
      (owed.keep & KEEP.all) !== 0 ||
      (type === TYPE.error && (owed.keep & KEEP.errors) !== 0) ||
      (type === TYPE.status && (owed.keep & KEEP.statuses) !== 0);
    if (keeps) return 'keep';
    return owed.drop || this.#silent ? 'drop' : 'pass';
  }

  /** The header is rewritten where some elements are not for the client. */
  #treatHeader(owed: Owed): Treatment {
    if (owed.bare === true || this.#silent) return 'drop';
    return this.transaction.hiddenCount > 0 ? 'keep' : 'pass';
  }

  #opens(owed: Owed): boolean {
    return owed.opens === 'always' || (owed.opens === 'slots' && this.transaction.hasSlots);
  }

  /** The bytes from `#at` to `end` belong to the current frame. */
  #takePart(end: number): void {
    if (
      this.#treatment === 'keep' &&
      this.#lenient &&
      this.#kept.size + end - this.#at > KEPT_MAX_BYTES
    ) {
      const kept = this.#kept.take();
      if (!this.#silent) this.write(kept);
      this.#treatment = this.#silent ? 'drop' : 'pass';
    }
    if (this.#treatment !== 'pass') {
      this.#out.passTo(this.#at);
      if (this.#treatment === 'keep') this.#kept.add(this.#chunk.subarray(this.#at, end));
      this.#out.skipTo(end);
    }
    this.#at = end;
  }

  #finish(): void {
    this.#inFrame = false;
    const bytes = this.#treatment === 'keep' ? this.#kept.take() : undefined;
    if (this.#extra === undefined) this.#finishReply(bytes);
    else if (bytes !== undefined) this.#finishConfirmation(this.#extra, bytes);
    this.#extra = undefined;
    if (this.#out.withheldCount > 0 && !this.midReply) {
      this.#out.passTo(this.#at);
      this.#out.sendWithheld();
    }
  }

  /** Subscriptions are confirmed by frames of their own, one for each channel. */
  #finishConfirmation(kind: string, bytes: Buffer): void {
    const owed = this.#current();
    const wanted = owed?.confirms === kind ? owed : undefined;
    // Confirmations are sent whatever CLIENT REPLY says, but one that was to be skipped counts.
    if (wanted !== undefined) this.skipNext = false;
    const framesLeft = wanted?.framesLeft ?? (this.subscriptions.framesToLeave(kind) as number);
    this.subscriptions.confirm(kind, countOf(bytes));
    this.write(bytes);
    if (wanted === undefined) return; // a shard channel that moved away: nobody asked
    wanted.framesLeft = framesLeft - 1;
    if (wanted.framesLeft === 0) this.#advance({ type: this.#type, bytes: undefined });
  }

  #finishReply(bytes: Buffer | undefined): void {
    const reply = { type: this.#type, bytes };
    if (this.#opening) {
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
    if (isNull) return header;
    return Buffer.from(`*${this.#elementsLeft - this.transaction.hiddenCount}\r\n`, 'latin1');
  }

  /** The current entry has all that was owed to it. */
  #advance(reply: Reply): void {
    if (this.#elementsLeft > 0) {
      const owed = this.#current() ?? PASS;
      this.#slot += 1;
      this.#elementsLeft -= 1;
      const last = this.#elementsLeft === 0;
      this.#conclude(owed, reply, owed.settle(reply));
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
    this.#conclude(owed, reply, owed.settle(reply));
  }

  #endOfExec(reply: Reply): void {
    const exec = this.ledger.shift();
    exec.settle(reply);
    exec.after?.(reply);
  }

  #conclude(owed: Owed, reply: Reply, verdict: Verdict): void {
    if (!this.#silent && verdict !== 'drop') {
      if (verdict !== 'pass') this.write(verdict);
      else if (reply.bytes !== undefined) this.write(reply.bytes);
    }
    owed.after?.(reply);
  }
}

const NOTHING = Buffer.alloc(0);
const UNASKED: Owed = { ...PASS };
