import type { SessionParts } from '../../src/client/parts.ts';
import { Session } from '../../src/client/session.ts';
import type { CachingClient } from './client.ts';
import { Violation } from './oracle.ts';
import type { Upstream } from './redis.ts';
import type { Hop } from './steps.ts';
import type { UpstreamConnection } from './upstream-connection.ts';
import { BytePipe, encode, TextPipe } from './wire.ts';

/** Where what a session sends goes to. */
export type LaneEnds = Pick<SessionParts, 'sendUpstream' | 'sendClient' | 'finished'>;

/** What a lane is given, besides what its session needs. */
export interface LaneParts {
  readonly client: CachingClient;
  readonly upstream: Upstream;
  readonly connection: UpstreamConnection;
  readonly fromRedis: TextPipe;
  /** @returns what its session needs, these among it */
  readonly session: (ends: LaneEnds) => SessionParts;
}

interface Pipes {
  readonly 'client to proxy': TextPipe;
  readonly 'proxy to Redis': BytePipe;
  readonly 'Redis to proxy': TextPipe;
  readonly 'proxy to client': BytePipe;
}

/**
 * One client, its session, and its connection to Redis, with the bytes between them on their way:
 * what `src/client/connection.ts` does with sockets is done here with pipes.
 */
export class SimulatedLane {
  readonly client: CachingClient;
  readonly session: Session;
  readonly connection: UpstreamConnection;
  readonly #upstream: Upstream;
  readonly #pipes: Pipes;
  readonly #ends = new Set<Hop>(); // behind what is on its way on that hop, it ends
  #isIntroduced = false; // Redis has answered what the lane asks for itself
  #clientIsThere = true;
  #clientSends = true;
  #isDraining = false; // the proxy knows that the client sends no more
  #isFinished = false; // all that was owed to the client has been sent
  #laneIsThere = true;
  #waitsFor:
    | { readonly head: unknown; readonly shiftCount: number; readonly untilMs: number }
    | undefined;

  constructor(parts: LaneParts) {
    this.client = parts.client;
    this.connection = parts.connection;
    this.#upstream = parts.upstream;
    this.#pipes = {
      'client to proxy': new TextPipe(),
      'proxy to Redis': new BytePipe(),
      'Redis to proxy': parts.fromRedis,
      'proxy to client': new BytePipe(),
    };
    this.session = new Session(
      parts.session({
        sendUpstream: (bytes) => this.#pipes['proxy to Redis'].push(bytes),
        sendClient: (bytes) => this.#pipes['proxy to client'].push(bytes),
        finished: () => this.#finished(),
      }),
    );
    this.session.begin();
  }

  /** Whether both its ends are open. */
  get isOpen(): boolean {
    return this.#clientIsThere && this.#clientSends && this.#laneIsThere && !this.#isFinished;
  }

  /** Whether the client may send. What it sends may be lost. */
  get clientSends(): boolean {
    return this.#clientIsThere && this.#clientSends;
  }

  /** The client sends a request. */
  send(words: readonly string[]): void {
    this.client.sends(words);
    this.#pipes['client to proxy'].push(encode(words));
  }

  /** @returns how much can move on a hop, in bytes; its end counts as one */
  movable(hop: Hop): number {
    if (hop === 'client to proxy' && !this.#isIntroduced) return 0;
    return this.#pipes[hop].size + Number(this.#endsOn(hop));
  }

  #endsOn(hop: Hop): boolean {
    if (hop === 'Redis to proxy') return this.#laneIsThere && !this.connection.isOpen;
    return this.#ends.has(hop);
  }

  /** @param count of bytes */
  move(hop: Hop, count: number): void {
    if (this.movable(hop) === 0) return;
    if (this.#pipes[hop].size === 0) this.#endOf(hop);
    else this.#take(hop, this.#pipes[hop].take(count));
    if (this.#isFinished && this.#laneIsThere && !this.session.flushing) this.#endLane();
  }

  #take(hop: Hop, bytes: Buffer): void {
    switch (hop) {
      case 'client to proxy':
        this.session.fromClient(bytes);
        return;
      case 'proxy to Redis':
        if (this.connection.isOpen) this.#upstream.receive(this.connection, bytes);
        return;
      case 'Redis to proxy':
        if (this.#laneIsThere) this.#fromRedis(bytes);
        return;
      case 'proxy to client':
        if (!this.client.isGone) this.client.receives(bytes);
    }
  }

  #endOf(hop: Hop): void {
    this.#ends.delete(hop);
    switch (hop) {
      case 'client to proxy':
        this.#isDraining = true;
        this.session.clientEnded();
        return;
      case 'proxy to Redis':
        this.#upstream.close(this.connection);
        return;
      case 'Redis to proxy':
        this.#endLane();
        return;
      case 'proxy to client':
        if (!this.#clientIsThere) return;
        this.#clientIsThere = false;
        this.client.ended(this.#isFinished);
    }
  }

  #fromRedis(bytes: Buffer): void {
    this.session.fromUpstream(bytes);
    this.#isIntroduced = true;
    if (!this.#clientIsThere && !this.session.flushing) this.#endLane();
  }

  #finished(): void {
    if (!this.#clientIsThere) return; // it has left
    if (!this.#isDraining && !this.client.hasQuit) {
      throw new Violation('P3', `the session of ${this.client.name} ended of its own accord`);
    }
    this.#isFinished = true;
    this.#ends.add('proxy to client');
    this.session.leave();
  }

  /** The client sends no more, and still reads. */
  endSending(): void {
    if (!this.clientSends) return;
    this.#clientSends = false;
    this.#ends.add('client to proxy');
  }

  /**
   * Time has gone on. A request that blocks must not keep a lane whose client can send no more: Redis
   * is told that nothing follows, as it would be by the client itself.
   */
  tick(nowMs: number, waitMs: number): void {
    if (!this.#isDraining || this.#isFinished || !this.#laneIsThere) return;
    const { head, shiftCount } = this.session.replies.ledger;
    const before = this.#waitsFor;
    if (before !== undefined && nowMs < before.untilMs) return;
    if (before?.head === head && before?.shiftCount === shiftCount && head?.blocks === true) {
      this.#ends.add('proxy to Redis');
    }
    this.#waitsFor = { head, shiftCount, untilMs: nowMs + waitMs };
  }

  /** The client goes. @param drops what was on its way to Redis never gets there */
  leave(drops: boolean): void {
    if (!this.#clientIsThere) return;
    this.#clientIsThere = false;
    this.client.ended(false);
    this.#pipes['client to proxy'].clear();
    this.#pipes['proxy to client'].clear();
    this.#ends.clear();
    if (!this.#laneIsThere) return;
    this.session.leave();
    if (this.session.flushing) return;
    if (!drops) this.move('proxy to Redis', this.#pipes['proxy to Redis'].size);
    if (this.#laneIsThere) this.#endLane();
  }

  /** Redis closes the connection. @param drops what was on its way is lost */
  loseLane(drops: boolean): void {
    if (!this.#laneIsThere) return;
    this.#upstream.close(this.connection);
    this.#pipes['proxy to Redis'].clear();
    if (drops) this.#pipes['Redis to proxy'].clear();
  }

  /** The connection to Redis is over, and with it the client's. */
  #endLane(): void {
    this.#laneIsThere = false;
    this.#pipes['proxy to Redis'].clear();
    this.#pipes['Redis to proxy'].clear();
    this.#ends.delete('proxy to Redis');
    this.#upstream.close(this.connection);
    this.session.close();
    if (this.#clientIsThere) this.#ends.add('proxy to client');
  }
}
