import type { Outcome } from './commands.ts';
import { type Expected, isRefusal, isSame, type SentRequest, standsFor } from './expected.ts';
import type { Change } from './journal.ts';
import { arrayOf } from './store.ts';
import { WriteFences } from './write-fences.ts';

/** A rule that the proxy has broken; `rule` as in the promise. */
export class Violation extends Error {
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`);
    this.rule = rule;
  }
}

/** Who gets the reply to the request that is being executed. */
type Recipient =
  | { readonly kind: 'nobody' }
  | {
      readonly kind: 'client';
      readonly standsFor: string | undefined;
      readonly isExec: boolean;
      /** As the client has sent it. */
      readonly words: readonly string[];
    }
  /** A write between two messages of attribution. */
  | { readonly kind: 'wrapped'; readonly words: readonly string[] }
  /** The EXEC behind it. */
  | { readonly kind: 'wrap end' };

/** A request in the client's own MULTI. */
type Slot = 'hidden' | 'stand-in' | 'client';

const NOBODY: Recipient = { kind: 'nobody' };
const NO_CHANGES: readonly Change[] = [];

/**
 * Follows what reaches Redis on one lane, and knows by it what the client has to get: its requests
 * must come in their order, each once and as they are or by their stand-in, and besides them only
 * what the proxy may ask for itself.
 */
export class LaneOracle {
  readonly #channel: string;
  readonly #ownDb: string | undefined;
  readonly #due: SentRequest[] = []; // sent by the client and not seen at Redis
  readonly #expected: Expected[] = [];
  #recipient: Recipient = NOBODY;
  #slots: Slot[] = [];
  #mutes = false; // after CLIENT REPLY OFF
  #skips = false; // after CLIENT REPLY SKIP
  #isSilent = false; // the client gets no reply to the request that is being executed
  #inMulti = false; // the request being executed is in a MULTI
  #wrap: 'no' | 'begun' | 'said' | 'written' | 'said again' = 'no';
  #wrapOwes = false; // the reply to a wrapped write is an element of the EXEC behind it
  #lastMulti: SentRequest | undefined; // the request seen last, if it was the client's MULTI
  readonly #fences: WriteFences;
  #isWrapFenced = false;
  #unsaid: (readonly Change[])[] = []; // of each reply to come: what nobody may be behind then

  /**
   * @param channel of attribution
   * @param db that the proxy selects for the client
   * @param fenceWrites whether writes are fenced unless the client chooses otherwise
   */
  constructor(channel: string, db: number, fenceWrites: boolean) {
    this.#channel = channel;
    this.#ownDb = db === 0 ? undefined : String(db);
    this.#fences = new WriteFences(fenceWrites);
  }

  /** The client has sent a request. */
  sent(request: SentRequest): void {
    this.#due.push(request);
  }

  /** How many replies the client has not got: due at Redis, or on their way. */
  get owedCount(): number {
    return this.#due.length + this.#expected.length;
  }

  /** The client's next reply has been handed to its socket. @returns changes that were fenced */
  said(): readonly Change[] {
    return this.#unsaid.shift() ?? NO_CHANGES;
  }

  /** @returns what the client has to get next */
  take(): Expected | undefined {
    return this.#expected.shift();
  }

  /**
   * @param isCalm nothing is on its way to Redis
   * @returns what Redis has replied to the client's next request, if the client won't get it
   */
  takeSilence(isCalm: boolean): string | undefined {
    const [next] = this.#expected;
    if (next?.kind !== 'silence') return undefined;
    // A MULTI that nothing has followed yet may be the proxy's, which asks what the user may do.
    const isOpen = this.#lastMulti !== undefined && this.#expected.length === 1;
    if (isOpen && !isCalm) return undefined;
    this.#expected.shift();
    return next.text;
  }

  /** Redis is about to execute a request. @throws Violation P3 */
  sees(words: readonly string[], inMulti: boolean): void {
    this.#inMulti = inMulti;
    this.#recipient = this.#recognise(words);
    const isMulti = this.#recipient.kind === 'client' && words[0] === 'MULTI';
    this.#lastMulti = isMulti ? { words } : undefined;
    if (!isMulti || inMulti) return;
    this.#slots = [];
    this.#fences.multi();
  }

  #recognise(words: readonly string[]): Recipient {
    const isOurMessage = words[0] === 'PUBLISH' && words[1] === this.#channel;
    if (this.#wrap !== 'no') return this.#inWrap(words, isOurMessage);
    if (isOurMessage) {
      if (words[2] === '' && this.#lastMulti !== undefined) this.#wasProbe(this.#lastMulti);
      return NOBODY;
    }
    if (words[0] === 'CLIENT' && words[1] === 'ID') return NOBODY;
    if (words[0] === 'SELECT' && words[1] === this.#ownDb) return NOBODY;
    const next = this.#due[0];
    if (next !== undefined) {
      const isStandIn = standsFor(words, next.words);
      if (isStandIn || isSame(words, next.words)) {
        this.#take();
        const subcommand = isStandIn ? next.words[1]?.toLowerCase() : undefined;
        return {
          kind: 'client',
          standsFor: subcommand,
          isExec: words[0] === 'EXEC',
          words: next.words,
        };
      }
    }
    if (words[0] !== 'MULTI') throw this.#unexpected(words);
    this.#wrap = 'begun';
    return NOBODY;
  }

  /** The client's next request is being executed. */
  #take(): void {
    this.#due.shift();
    this.#isSilent = this.#mutes || this.#skips;
    this.#skips = false;
  }

  /** What was taken for the client's MULTI was the proxy's, which asks what the user may do. */
  #wasProbe(multi: SentRequest): void {
    this.#due.unshift(multi);
    // Its place is not known to be skipped any more: that was the proxy's, which nothing skips.
    this.#skips = this.#isSilent && !this.#mutes;
    if (this.#expected.pop()?.kind !== 'silence') this.#unsaid.pop();
    this.#wrap = 'said';
  }

  #inWrap(words: readonly string[], isOurMessage: boolean): Recipient {
    const next = this.#due[0];
    switch (this.#wrap) {
      case 'begun':
        if (!isOurMessage) break;
        this.#wrap = 'said';
        return NOBODY;
      case 'said':
        if (words[0] === 'EXEC') return this.#endWrap(); // that was a probe
        if (next === undefined || !isSame(words, next.words)) break;
        this.#take();
        this.#wrap = 'written';
        return { kind: 'wrapped', words };
      case 'written':
        if (!isOurMessage) break;
        this.#wrap = 'said again';
        return NOBODY;
      default:
        if (words[0] === 'EXEC') return this.#endWrap();
    }
    throw this.#unexpected(words);
  }

  #endWrap(): Recipient {
    this.#wrap = 'no';
    return { kind: 'wrap end' };
  }

  #unexpected(words: readonly string[]): Violation {
    const due = this.#due[0]?.words.join(' ') ?? 'nothing';
    return new Violation('P3', `Redis got ${words.join(' ')} where ${due} was due`);
  }

  /** Redis has replied. @param changes that the request has made */
  answers({ text, elements }: NonNullable<Outcome>, changes: readonly Change[]): void {
    const recipient = this.#recipient;
    const isQueued = this.#inMulti && text === '+QUEUED\r\n';
    switch (recipient.kind) {
      case 'nobody':
        if (isQueued && this.#wrap === 'no') this.#slots.push('hidden');
        return;
      case 'wrapped':
        this.#wrapOwes = isQueued;
        this.#isWrapFenced = this.#fences.executed(recipient.words, text);
        if (!isQueued) this.#expect(text, this.#isWrapFenced ? changes : NO_CHANGES);
        return;
      case 'wrap end':
        if (this.#wrapOwes) this.#expect(elements?.[1], this.#isWrapFenced ? changes : NO_CHANGES);
        this.#wrapOwes = false;
        return;
      case 'client':
        this.#answersClient(recipient, { text, elements }, isQueued, changes);
    }
  }

  #answersClient(
    { words, standsFor: subcommand, isExec }: Recipient & { kind: 'client' },
    { text, elements }: { readonly text: string; readonly elements: readonly string[] | undefined },
    isQueued: boolean,
    changes: readonly Change[],
  ): void {
    const isFenced = !isQueued && this.#fences.executed(words, text, elements);
    const fenced = isFenced ? changes : NO_CHANGES;
    if (isQueued) {
      this.#fences.queued(words, this.#slots.length);
      this.#slots.push(subcommand === undefined ? 'client' : 'stand-in');
    }
    if (this.#isSilent || subcommand === 'reply') {
      this.#beSilent(elements === undefined ? text : this.#told(elements), words);
    } else if (elements !== undefined && isExec) {
      this.#owe({ kind: 'elements', elements: this.#visible(elements) }, fenced);
    } else if (subcommand === undefined || isQueued) this.#expect(text, fenced);
    else this.#expectOfStandIn(text, subcommand);
  }

  /** A reply that CLIENT REPLY is about, this one or an earlier. */
  #beSilent(text: string, words: readonly string[]): void {
    const mode = words[1] === 'REPLY' && text === '+OK\r\n' ? words[2] : undefined;
    if (mode === 'ON') this.#mutes = false;
    else if (mode === 'OFF') this.#mutes = true;
    else if (mode === 'SKIP') this.#skips = !this.#mutes;
    const isReset = words[0] === 'RESET' && text === '+RESET\r\n';
    const isHeard = isReset && this.#mutes;
    if (isReset) this.#mutes = false;
    const isSilent = mode === undefined ? this.#isSilent && !isHeard : mode !== 'ON';
    this.#owe({ kind: isSilent ? 'silence' : 'bytes', text });
  }

  /** @param text undefined: an answer of the proxy's own */
  #expect(text: string | undefined, fenced: readonly Change[] = NO_CHANGES): void {
    if (this.#isSilent) this.#owe({ kind: 'silence', text: text ?? '+OK\r\n' });
    else this.#owe(text === undefined ? { kind: 'answer' } : { kind: 'bytes', text }, fenced);
  }

  #expectOfStandIn(text: string, subcommand: string): void {
    const refusal = text.replace('client|getname', `client|${subcommand}`);
    this.#expect(isRefusal(text) ? refusal : undefined);
  }

  #owe(expected: Expected, fenced: readonly Change[] = NO_CHANGES): void {
    this.#expected.push(expected);
    if (expected.kind !== 'silence') this.#unsaid.push(fenced);
  }

  /** @returns what EXEC has done, as its client would see it */
  #told(elements: readonly string[]): string {
    return arrayOf(this.#visible(elements).map((element) => element ?? '+OK\r\n'));
  }

  /** @returns elements of EXEC's reply; undefined: an answer of the proxy's own */
  #visible(elements: readonly string[]): readonly (string | undefined)[] {
    const visible: (string | undefined)[] = [];
    for (const [index, element] of elements.entries()) {
      const slot = this.#slots[index];
      if (slot === 'hidden') continue;
      visible.push(slot === 'stand-in' && !isRefusal(element) ? undefined : element);
    }
    return visible;
  }
}
