import { invalidation, redirectBroken } from '../resp/write.ts';
import type { Target, Tracker } from '../tracking/tracker.ts';
import type { What } from './delivery.ts';
import type { ReplyReader } from './replies.ts';

/** How many pushes may wait for the end of one long reply before they become one of everything. */
export const WITHHELD_MAX_COUNT = 10_000;

/**
 * Where invalidations leave: to this connection's client, in the form that its protocol has for
 * them, or to the client that they are redirected to.
 */
export class Outlet {
  readonly #replies: ReplyReader;
  readonly #tracker: Tracker;
  #clientId: number | undefined;
  /** The last invalidation could not reach the client that it was redirected to. */
  broken = false;

  constructor(replies: ReplyReader, tracker: Tracker) {
    this.#replies = replies;
    this.#tracker = tracker;
  }

  /** The id by which upstream knows this connection, once that is known. */
  get clientId(): number | undefined {
    return this.#clientId;
  }

  /** Upstream calls this connection `clientId`: others may redirect to it, and find `target`. */
  named(clientId: number, target: Target): void {
    this.#clientId = clientId;
    this.#tracker.name(clientId, target);
  }

  /** The connection is gone. */
  close(): void {
    if (this.#clientId !== undefined) this.#tracker.unname(this.#clientId);
  }

  /** @param redirect the id of the client that is to be told; 0: this one */
  send(what: What, redirect: number): void {
    if (redirect === 0) {
      this.receive(what);
      return;
    }
    const target = this.#tracker.target(redirect);
    if (target !== undefined) {
      target.receive(what);
      return;
    }
    this.broken = true;
    if (this.#replies.protocol === 3) this.#push(redirectBroken(redirect));
  }

  /** A RESP2 connection that has subscribed to nothing has no way to be told, natively neither. */
  receive(what: What): void {
    const { protocol } = this.#replies;
    if (protocol === 2 && !this.#replies.subscriptions.active) return;
    this.#push(invalidation(what, protocol));
  }

  #push(bytes: Buffer): void {
    const { protocol } = this.#replies;
    this.#replies.push(bytes, WITHHELD_MAX_COUNT, invalidation(undefined, protocol));
  }
}
