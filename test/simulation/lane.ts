import type { SessionParts } from '../../src/client/parts.ts';
import { Session } from '../../src/client/session.ts';
import type { CachingClient } from './client.ts';
import { Violation } from './oracle.ts';
import type { Upstream } from './redis.ts';
import type { Hop } from './steps.ts';
import type { UpstreamConnection } from './upstream-connection.ts';
import { Pipe } from './wire.ts';

/** What a lane is given, besides what its session needs. */
export interface LaneParts {
  readonly client: CachingClient;
  readonly upstream: Upstream;
  readonly connection: UpstreamConnection;
  readonly fromRedis: Pipe;
  readonly session: Omit<SessionParts, 'sendUpstream' | 'sendClient' | 'finished' | 'wake'>;
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
  readonly pipes: Readonly<Record<Hop, Pipe>>;
  #isIntroduced = false; // Redis has answered what the lane asks for itself
  #clientIsThere = true;
  #laneIsThere = true;

  constructor(parts: LaneParts) {
    this.client = parts.client;
    this.connection = parts.connection;
    this.#upstream = parts.upstream;
    this.pipes = {
      'client to proxy': new Pipe(),
      'proxy to Redis': new Pipe(),
      'Redis to proxy': parts.fromRedis,
      'proxy to client': new Pipe(),
    };
    this.session = new Session({
      ...parts.session,
      sendUpstream: (bytes) => this.pipes['proxy to Redis'].push(Buffer.from(bytes)),
      sendClient: (bytes) => this.pipes['proxy to client'].push(Buffer.from(bytes)),
      finished: () => {
        if (!this.#clientIsThere) return; // all that was owed has come
        throw new Violation('P3', `the session of ${this.client.name} ended of its own accord`);
      },
      wake: () => {},
    });
    this.session.begin();
  }

  /** Whether both its ends are open. */
  get isOpen(): boolean {
    return this.#clientIsThere && this.#laneIsThere;
  }

  /** @returns how much can move on a hop, in bytes */
  movable(hop: Hop): number {
    if (hop === 'client to proxy' && !this.#isIntroduced) return 0;
    return this.pipes[hop].size;
  }

  /** @param count of bytes */
  move(hop: Hop, count: number): void {
    if (this.movable(hop) === 0) return;
    const bytes = this.pipes[hop].take(count);
    switch (hop) {
      case 'client to proxy':
        if (this.isOpen) this.session.fromClient(bytes);
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

  #fromRedis(bytes: Buffer): void {
    this.session.fromUpstream(bytes);
    this.#isIntroduced = true;
    if (!this.#clientIsThere && !this.session.flushing) this.#endLane();
  }

  /** The client goes. @param drops what was on its way to Redis never gets there */
  leave(drops: boolean): void {
    if (!this.#clientIsThere) return;
    this.#clientIsThere = false;
    this.client.ended();
    this.pipes['client to proxy'].clear();
    this.pipes['proxy to client'].clear();
    if (!this.#laneIsThere) return;
    this.session.leave();
    if (this.session.flushing) return;
    if (!drops) this.move('proxy to Redis', this.pipes['proxy to Redis'].size);
    this.#endLane();
  }

  /** Redis closes the connection. */
  loseLane(): void {
    if (!this.#laneIsThere) return;
    this.#endLane();
    if (this.#clientIsThere) this.leave(true);
  }

  #endLane(): void {
    this.#laneIsThere = false;
    this.pipes['proxy to Redis'].clear();
    this.pipes['Redis to proxy'].clear();
    this.#upstream.close(this.connection);
    this.session.close();
  }
}
