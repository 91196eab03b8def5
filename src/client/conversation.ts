import { TYPE } from '../resp/scanner.ts';
import type { Protocol } from '../resp/write.ts';
import { arrayKindAt, monitorKindAt, pushKindAt, Subscriptions } from './subscriptions.ts';
import { Transaction } from './transaction.ts';

/**
 * What is known of a connection to upstream at the point of its replies that is being read. All of
 * it was learnt from replies, never from requests, so it is true there.
 */
export class Conversation {
  readonly subscriptions = new Subscriptions();
  readonly transaction = new Transaction();
  /** The protocol in which upstream speaks. */
  protocol: Protocol = 2;
  /** After CLIENT REPLY OFF: replies are read and dropped. */
  muted = false;
  /** After CLIENT REPLY SKIP: the next reply is dropped. */
  skipNext = false;
  /** After MONITOR. */
  monitoring = false;

  /** RESET was executed. */
  reset(): void {
    this.transaction.cancel();
    this.subscriptions.clear();
    this.protocol = 2;
    this.muted = false;
    this.monitoring = false;
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
    if (type === TYPE.array && this.protocol === 2 && (confirms || this.subscriptions.active)) {
      return arrayKindAt(chunk, at);
    }
    return type === TYPE.status && this.monitoring ? monitorKindAt(chunk, at) : '';
  }
}
