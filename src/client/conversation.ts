import { TYPE } from '../resp/scanner.ts';
import type { Protocol } from '../resp/write.ts';
import { isSame, type Rule } from '../translate/rules.ts';
import { translated } from '../translate/whole.ts';
import type { Owed } from './ledger.ts';
import { arrayKindAt, countOf, monitorKindAt, pushKindAt, Subscriptions } from './subscriptions.ts';
import { Transaction } from './transaction.ts';

/** Somebody who waits for the end of a reply that is half sent. */
export interface Between {
  /** No reply is half sent. */
  betweenReplies(): void;
}

/**
 * What is known of a connection to upstream at the point of its replies that is being read. All of
 * it was learnt from replies, never from requests, so it is true there.
 */
export class Conversation {
  readonly subscriptions = new Subscriptions();
  readonly transaction = new Transaction();
  /** Upstream goes on in RESP2, and what it says is translated. */
  translates = false;
  /** The same may hold for requests that have been read: HELLO waits for EXEC. */
  mayTranslate = false;
  /** After CLIENT REPLY OFF: replies are read and dropped. */
  muted = false;
  /** After CLIENT REPLY SKIP: the next reply is dropped. */
  skipNext = false;
  /** The replies to the current request are not for the client. */
  silent = false;
  /** After MONITOR. */
  monitoring = false;

  readonly #client: { seal?(): void };
  #protocol: Protocol = 2;
  #between: Set<Between> | undefined; // who waits for the end of a reply

  /** @param client is told when pushes are to be read in another way from a reply on */
  constructor(client: { seal?(): void }) {
    this.#client = client;
  }

  /** The protocol that is spoken to the client. */
  get protocol(): Protocol {
    return this.#protocol;
  }

  set protocol(protocol: Protocol) {
    if (protocol !== this.#protocol) this.#client.seal?.();
    this.#protocol = protocol;
  }

  /** Whether a reply may be translated that is asked for now. */
  get wantsRules(): boolean {
    return this.translates || this.mayTranslate;
  }

  /** RESET was executed. */
  reset(): void {
    this.transaction.cancel();
    this.subscriptions.clear();
    this.protocol = 2;
    this.translates = false;
    this.mayTranslate = false;
    this.muted = false;
    this.monitoring = false;
  }

  /**
   * A frame has come that confirms a subscription, or its end.
   *
   * @param owed the entry of the request that asked; undefined where nobody did, as for a shard
   *             channel that has moved away
   * @returns whether that was the last of its confirmations
   */
  protected confirmed(kind: string, bytes: Buffer, owed: Owed | undefined): boolean {
    // They are sent whatever CLIENT REPLY says, but one that was to be skipped counts.
    if (owed !== undefined) this.skipNext = false;
    const framesLeft = owed?.framesLeft ?? this.subscriptions.framesToLeave(kind);
    this.subscriptions.confirm(kind, countOf(bytes));
    if (owed === undefined) return false;
    owed.framesLeft = framesLeft - 1;
    return owed.framesLeft === 0;
  }

  /** Tells `who` when the reply that is half sent has ended; once, however often it is asked for. */
  whenBetween(who: Between): void {
    this.#between ??= new Set();
    this.#between.add(who);
  }

  /** Whether anybody waits for that. */
  protected get isAwaited(): boolean {
    return this.#between !== undefined;
  }

  protected tellAwaiting(): void {
    const told = this.#between ?? [];
    this.#between = undefined;
    for (const who of told) who.betweenReplies();
  }

  /** @returns a whole reply of upstream, or a frame of pub/sub, as the client is to have it */
  protected inProtocol(bytes: Buffer, rule: Rule | undefined): Buffer {
    return this.translates && !isSame(rule, bytes, 0) ? translated(bytes, rule) : bytes;
  }

  /** Whether a frame that is no push can only be a reply, for the client to have. */
  protected get isPlain(): boolean {
    return !(this.muted || this.skipNext || this.monitoring || this.subscriptions.active);
  }

  /**
   * @param chunk    received bytes
   * @param at       where a frame begins
   * @param confirms whether a subscription is due to be confirmed
   * @returns the kind of a frame that is no plain reply, '' for a reply, undefined: can't tell yet
   */
  protected extraAt(chunk: Buffer, at: number, confirms: boolean): string | undefined {
    const type = chunk[at];
    if (type === TYPE.push) return pushKindAt(chunk, at);
    const inResp2 = this.protocol === 2 || this.translates;
    if (type === TYPE.array && inResp2 && (confirms || this.subscriptions.active)) {
      return arrayKindAt(chunk, at);
    }
    return type === TYPE.status && this.monitoring ? monitorKindAt(chunk, at) : '';
  }
}
