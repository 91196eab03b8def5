import type net from 'node:net';
import { ProxyError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { error } from '../resp/write.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { Lane } from '../upstream/lane.ts';
import { PARK_MS } from './delivery.ts';
import type { SessionCounts, SessionParts } from './parts.ts';
import { Session } from './session.ts';
import { type ClientEvent, type ClientState, move } from './state.ts';

/**
 * How much may wait for a client that does not read, in bytes, before it is disconnected: replies
 * wait upstream, but pushes come unasked. Source: the hard limit of Redis's pubsub class.
 */
export const OUTPUT_MAX_BYTES = 32 * 1_024 * 1_024;

/**
 * How long a request that changes data silently is waited for after its client has left, and a
 * client for its last bytes after we have ended the connection, in milliseconds. Source: our choice.
 */
export const DRAIN_DEADLINE_MS = 2_000;

const UNREACHABLE = error('ERR the upstream Redis cannot be reached');

/** Numbers that only grow. */
export interface ConnectionCounts extends SessionCounts {
  bytesIn: number;
  bytesOut: number;
  lanesOutOfSync: number;
  refusedConnections: number;
  upstreamProtocolErrors: number;
  slowClients: number;
}

/** What a connection needs from the proxy. */
export interface ConnectionParts
  extends Omit<SessionParts, 'counts' | 'sendUpstream' | 'sendClient' | 'finished' | 'wake'> {
  readonly endpoint: Endpoint;
  readonly logger: Logger;
  readonly counts: ConnectionCounts;
  /** Invalidations of this connection wait for their time. */
  readonly wake: (connection: Connection) => void;
  /** Told once. */
  readonly closed: (connection: Connection) => void;
}

/** One client: its socket, its lane, and the session that knows what their bytes mean. */
export class Connection {
  readonly #parts: ConnectionParts;
  readonly #client: net.Socket;
  readonly #lane: Lane;
  readonly #session: Session;
  readonly #uncork = () => {
    this.#corked = false;
    this.#client.uncork();
  };
  #state: ClientState = 'connecting';
  #corked = false;
  #deadline: NodeJS.Timeout | undefined;

  constructor(client: net.Socket, parts: ConnectionParts) {
    this.#parts = parts;
    this.#client = client;
    this.#session = new Session({
      ...parts,
      sendUpstream: (bytes) => this.#lane.write(bytes),
      sendClient: (bytes) => this.#sendClient(bytes),
      finished: () => this.#finished(),
      wake: () => parts.wake(this),
    });
    client.pause();
    client.on('data', (chunk: Buffer) => this.#fromClient(chunk));
    client.on('end', () => this.#clientEnded());
    client.on('drain', () => this.#lane.resume());
    client.on('error', () => {}); // 'close' follows
    client.on('close', () => this.#clientLeft());
    this.#lane = new Lane(parts.endpoint, {
      received: (chunk) => this.#fromUpstream(chunk),
      drained: () => this.#regulate(),
      closed: (cause) => this.#upstreamLost(cause),
    });
    this.#session.begin();
  }

  /** Lets go the invalidations whose time has come. @returns whether more are waiting */
  tick(): boolean {
    if (this.#state === 'closed') return false;
    this.#session.tracked.tick();
    return this.#session.tracked.hasDues;
  }

  /** Ends it at once. */
  destroy(): void {
    this.#client.destroy();
    this.#lane.destroy();
  }

  #fromClient(chunk: Buffer): void {
    this.#parts.counts.bytesIn += chunk.length;
    this.#guard(() => this.#session.fromClient(chunk));
    this.#regulate();
  }

  #fromUpstream(chunk: Buffer): void {
    this.#guard(() => this.#session.fromUpstream(chunk));
    if (this.#state === 'connecting') this.#begin();
    if (this.#state === 'closed') {
      if (!this.#session.flushing) this.#lane.destroy();
      return;
    }
    if (this.#client.writableNeedDrain) this.#lane.pause();
    this.#regulate();
  }

  /**
   * Upstream has answered what the lane asked for itself. Until then the client is not read: an
   * upstream that turns the lane away would lose its reason in a reset if bytes met it.
   */
  #begin(): void {
    this.#move('upstreamReady');
    this.#client.resume();
  }

  /** A broken peer ends its own connection; a defect of ours ends it too, and is logged as one. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.#report(cause);
      this.#closeSession();
      this.#lane.destroy(); // its end is the client's, behind what was good
    }
  }

  #report(cause: unknown): void {
    const { counts, logger } = this.#parts;
    const code = cause instanceof ProxyError ? cause.code : undefined;
    if (code === 'LANE_OUT_OF_SYNC') counts.lanesOutOfSync += 1;
    else if (code?.startsWith('FRAME_')) counts.upstreamProtocolErrors += 1;
    if (code === 'LANE_OUT_OF_SYNC' || code?.startsWith('FRAME_')) {
      logger.warn({ code, reason: String(cause) }, 'upstream sent what it must not');
    } else {
      logger.error({ err: cause }, 'defect in a connection, which ends');
    }
  }

  /** However broken one session is, the others go on. */
  #closeSession(): void {
    try {
      this.#session.close();
    } catch (cause) {
      this.#report(cause);
    }
  }

  /** The client is read only while its requests can go on. */
  #regulate(): void {
    if (this.#state !== 'serving') return;
    if (this.#session.isFull && this.#session.replies.ledger.blocking > 0) this.#giveUpOnPipeline();
    else if (this.#session.isFull || this.#lane.isFull) this.#client.pause();
    else if (this.#client.isPaused()) this.#client.resume();
  }

  /** Unread, a client can't be seen to leave, and a blocked request would wait for it for ever. */
  #giveUpOnPipeline(): void {
    this.#parts.counts.slowClients += 1;
    this.#parts.logger.warn('a client sends too much behind a blocked request and is disconnected');
    this.#client.destroy();
  }

  #sendClient(bytes: Buffer): void {
    if (this.#state === 'closed') return;
    if (!this.#corked) {
      this.#corked = true;
      this.#client.cork();
      process.nextTick(this.#uncork);
    }
    this.#parts.counts.bytesOut += bytes.length;
    this.#client.write(bytes);
    if (this.#client.writableLength > OUTPUT_MAX_BYTES) this.#overflow(bytes);
  }

  /** Long replies wait upstream, so that only pushes (or one huge chunk) can come to so much. */
  #overflow(bytes: Buffer): void {
    if (this.#client.writableLength - bytes.length <= OUTPUT_MAX_BYTES) return;
    this.#parts.counts.slowClients += 1;
    this.#parts.logger.warn('a client does not read its invalidations and is disconnected');
    this.#client.destroy();
  }

  /** The client has shut down its side. It may still be waiting for replies. */
  #clientEnded(): void {
    if (this.#state === 'connecting') this.#client.destroy(); // it has asked for nothing
    if (this.#state !== 'serving') return;
    this.#move('clientEnded');
    this.#session.clientEnded();
    this.#freeIfBlocked();
  }

  /**
   * A server drops a blocked client that has left, or its request would take an element that nobody
   * gets. Whether it is blocked shows in its not being answered; what to do then is left to the
   * server, which learns of the end as it would from the client itself.
   */
  #freeIfBlocked(): void {
    if (this.#state !== 'draining') return;
    const waitMs = PARK_MS + this.#parts.roundTrip();
    const { ledger } = this.#session.replies;
    const { head, shiftCount } = ledger;
    this.#deadline = setTimeout(() => {
      const stuck = head?.blocks === true && ledger.shiftCount === shiftCount;
      if (stuck && this.#state === 'draining') this.#lane.end();
      else this.#freeIfBlocked();
    }, waitMs);
  }

  #finished(): void {
    if (this.#state === 'serving') this.#move('clientEnded');
    if (this.#state !== 'draining') return;
    this.#move('finished');
    this.#endClient();
    this.#end();
  }

  #clientLeft(): void {
    if (this.#state === 'closed') return;
    this.#move('clientLeft');
    this.#end();
  }

  #upstreamLost(cause: Error | undefined): void {
    clearTimeout(this.#deadline);
    this.#closeSession();
    if (this.#state === 'closed') return;
    const reached = this.#state !== 'connecting';
    if (!reached) {
      this.#parts.counts.refusedConnections += 1;
      this.#sendClient(UNREACHABLE);
    }
    if (cause !== undefined) this.#parts.logger.debug({ reason: cause.message }, 'lane lost');
    this.#move('upstreamLost');
    this.#endClient();
    this.#parts.closed(this);
  }

  /** Sends what has been handed to the socket, then ends it, whether or not the client ends too. */
  #endClient(): void {
    this.#client.end();
    this.#client.resume(); // what it still says is read and dropped: unread, it would cost a reset
    this.#letGo(this.#client.writableLength);
  }

  /** @param unsent bytes that waited for the client when it was last looked at */
  #letGo(unsent: number): void {
    const timer = setTimeout(() => {
      const now = this.#client.writableLength;
      if (now === 0 || now === unsent) this.#client.destroy();
      else this.#letGo(now);
    }, DRAIN_DEADLINE_MS);
    this.#client.once('close', () => clearTimeout(timer));
  }

  /** The client is done with. Its lane ends, unless a reply still has to be waited for. */
  #end(): void {
    clearTimeout(this.#deadline);
    this.#session.leave();
    if (this.#session.flushing) {
      this.#lane.resume();
      this.#deadline = setTimeout(() => this.#lane.destroy(), DRAIN_DEADLINE_MS);
    } else {
      this.#lane.destroy();
    }
    this.#parts.closed(this);
  }

  #move(event: ClientEvent): void {
    this.#state = move(this.#state, event);
  }
}
