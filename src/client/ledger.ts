import { ProxyError } from '../errors.ts';
import { TYPE } from '../resp/scanner.ts';
import type { Rule } from '../translate/rules.ts';

/** One reply as it came from upstream. */
export interface Reply {
  /** First byte of the frame: see `TYPE` of resp/scanner.ts. */
  readonly type: number;
  /** The whole frame, where the entry asked to keep it; undefined where its bytes have gone by. */
  readonly bytes: Buffer | undefined;
  /** An array that was opened turned out to be the null one. */
  readonly isNull?: boolean;
}

/**
 * What becomes of a reply: `pass` sends on what was kept, `drop` sends nothing, bytes are sent in
 * place of a reply that was kept or dropped.
 */
export type Verdict = 'pass' | 'drop' | Buffer;

/** Which replies an entry wants to see whole before anything of them is sent on. A set of bits. */
export const KEEP = { none: 0, errors: 1, statuses: 2, all: 4 } as const;

/** @returns whether `owed` wants to see a reply whole that begins with the byte `type` */
export function keeps({ keep }: Owed, type: number): boolean {
  if (type === TYPE.error) return (keep & (KEEP.all | KEEP.errors)) !== 0;
  if (type === TYPE.status) return (keep & (KEEP.all | KEEP.statuses)) !== 0;
  return (keep & KEEP.all) !== 0;
}

/**
 * A reply that upstream still owes. Entries wait in the queue of a lane, in the order in which
 * their requests were sent, and each names the client it belongs to by being that client's object.
 */
export interface Owed {
  /** A set of `KEEP` bits. */
  readonly keep: number;
  /** Replies that are not kept are dropped instead of passed on: the request was ours. */
  readonly drop: boolean;
  /** The request may wait for other clients: BLPOP and its kind. */
  readonly blocks: boolean;
  /** The reply changes data of all clients in a way that no notification tells (FLUSHALL ...). */
  readonly flushes: boolean;
  /** The client gets the reply, and all behind it, when what was caused by it has been told. */
  readonly fences?: boolean;
  /** The reply is an array to be read element by element: always, or if one needs care. EXEC. */
  readonly opens?: 'always' | 'slots';
  /** Of such an array nothing is passed on but what `elements` pass. */
  readonly bare?: boolean;
  /** Entries for the elements of such an array; without them the transaction's own hold. */
  readonly elements?: readonly Owed[];
  /** Of a reply that is no error, and passes, only `after` need be told. */
  readonly isLight?: boolean;
  /**
   * A request of ours that the client knows nothing of: it must not see that upstream queued it,
   * nor is it the one that CLIENT REPLY SKIP means.
   */
  readonly hidden?: boolean;
  /** A reply too long to be kept is passed on as it is, and settled without its bytes. */
  readonly lenient?: boolean;
  /** The kind of pub/sub frame that answers this request, `framesLeft` times. */
  readonly confirms?: string;
  /** Frames still to come; undefined until it can be known. */
  framesLeft?: number | undefined;
  /** False: inside a transaction its place in EXEC's reply needs no care. */
  readonly slot?: boolean;
  /** How the reply is turned into RESP3, where upstream speaks RESP2 only. */
  rule?: Rule | undefined;
  /** `settle` gives the reply as upstream would have written it, in upstream's protocol. */
  readonly patches?: boolean;
  /** An array that is fenced and read element by element begins: all that it tells of is done. */
  opened?(): void;
  /** The reply is whole: decides what the client gets. */
  settle(reply: Reply): Verdict;
  /** What the client gets has been sent: does whatever follows from the reply. */
  after?(reply: Reply): void;
  /** The connection ended before the reply came. */
  lost?(): void;
  /** It waited in a transaction that was never executed. */
  cancelled?(): void;
}

/** An entry for a request whose reply is simply passed on. One object serves all requests. */
export const PASS: Owed = plain({});
/** For what a server says before it was asked anything. */
export const UNASKED: Owed = plain({});
/** For a request inside MULTI, which is answered QUEUED. */
export const PASS_QUEUED: Owed = Object.freeze({
  ...PASS,
  keep: KEEP.statuses,
  slot: false,
});
/** As PASS, for a request that may block. */
export const PASS_BLOCKING: Owed = plain({ blocks: true });
/** As PASS, for a write whose reply is fenced. */
export const PASS_FENCED: Owed = Object.freeze({ ...PASS, fences: true });
/** As PASS_BLOCKING, for a write whose reply is fenced. */
export const PASS_BLOCKING_FENCED: Owed = Object.freeze({ ...PASS_BLOCKING, fences: true });
/** As PASS_QUEUED, fenced if it turns out to be executed at once. */
export const PASS_QUEUED_FENCED: Owed = Object.freeze({ ...PASS_QUEUED, fences: true });
/** An entry for a request of ours whose reply means nothing to anybody. */
export const SWALLOW: Owed = Object.freeze({ ...plain({ drop: true }), hidden: true });

function plain(flags: { readonly blocks?: boolean; readonly drop?: boolean }): Owed {
  return Object.freeze({
    keep: KEEP.none,
    drop: flags.drop ?? false,
    blocks: flags.blocks ?? false,
    flushes: false,
    fences: false,
    settle: () => 'pass' as const,
  });
}

/**
 * The queue of awaited replies: first in, first out, in a ring that doubles when it is full and
 * never shrinks below its first size.
 */
export class Ledger {
  #ring: (Owed | undefined)[] = new Array(FIRST_SIZE);
  #first = 0;
  #size = 0;
  #blocking = 0;
  #flushing = 0;
  #shiftCount = 0;
  /** How the reply to the request that is being read is to be translated. */
  rule: Rule | undefined;

  /** How many replies are owed. */
  get size(): number {
    return this.#size;
  }

  /** How many of them may wait for other clients. */
  get blocking(): number {
    return this.#blocking;
  }

  /** How many of them change data silently. */
  get flushing(): number {
    return this.#flushing;
  }

  /** How many entries have been removed so far. */
  get shiftCount(): number {
    return this.#shiftCount;
  }

  /** The entry whose reply comes next. */
  get head(): Owed | undefined {
    return this.#ring[this.#first];
  }

  /** @param count how many replies are owed for which this entry is all that is needed */
  push(entry: Owed, count = 1): void {
    const owed = this.rule === undefined ? entry : this.#ruled(entry);
    while (this.#size + count > this.#ring.length) this.#grow();
    const mask = this.#ring.length - 1;
    const end = this.#first + this.#size;
    for (let at = end; at < end + count; at++) this.#ring[at & mask] = owed;
    this.#size += count;
    if (owed.blocks) this.#blocking += count;
    if (owed.flushes) this.#flushing += count;
  }

  /** @returns whether the reply that comes `index` replies behind the next one is just passed on */
  isPass(index: number): boolean {
    return (
      index < this.#size && this.#ring[(this.#first + index) & (this.#ring.length - 1)] === PASS
    );
  }

  /** Removes the first `count` entries, all of them `PASS`. */
  shiftPass(count: number): void {
    const mask = this.#ring.length - 1;
    for (let index = 0; index < count; index++)
      this.#ring[(this.#first + index) & mask] = undefined;
    this.#first = (this.#first + count) & mask;
    this.#size -= count;
    this.#shiftCount += count;
    if (this.#size === 0) this.#shrink();
  }

  /**
   * One object serves all requests that need no care: only a copy of it may have a rule. What a
   * request of ours has it may come to need, if it is the client's that is answered in its place.
   */
  #ruled(entry: Owed): Owed {
    const { rule } = this;
    const isFrozen = Object.isFrozen(entry);
    if (entry.hidden !== true) this.rule = undefined;
    else if (isFrozen) return entry;
    if (isFrozen) return { ...entry, rule };
    entry.rule = rule;
    return entry;
  }

  /** Removes the head. */
  shift(): Owed {
    const owed = this.#ring[this.#first];
    if (owed === undefined) throw new ProxyError('LEDGER_BROKEN', 'shift of an empty ledger');
    this.#ring[this.#first] = undefined;
    this.#first = (this.#first + 1) & (this.#ring.length - 1);
    this.#size -= 1;
    this.#shiftCount += 1;
    if (owed.blocks) this.#blocking -= 1;
    if (owed.flushes) this.#flushing -= 1;
    if (this.#size === 0) this.#shrink();
    return owed;
  }

  /** Empties the ledger: the replies will never come. */
  abandon(): void {
    const owed: Owed[] = [];
    while (this.#size > 0) owed.push(this.shift());
    for (const one of owed) one.lost?.();
  }

  #shrink(): void {
    if (this.#ring.length <= KEPT_SIZE) return;
    this.#ring = new Array(FIRST_SIZE);
    this.#first = 0;
  }

  #grow(): void {
    const ring: (Owed | undefined)[] = new Array(this.#ring.length * 2);
    for (let index = 0; index < this.#size; index++) {
      ring[index] = this.#ring[(this.#first + index) & (this.#ring.length - 1)];
    }
    this.#ring = ring;
    this.#first = 0;
  }
}

const FIRST_SIZE = 8;
const KEPT_SIZE = 1_024;
