import type { Listener } from '../../src/client/fences.ts';
import type { SessionEnds } from '../../src/client/parts.ts';
import { Session } from '../../src/client/session.ts';
import type { CachingClient } from './client.ts';
import { HandedReplies } from './fence-witness.ts';
import type { LaneParts } from './lane-parts.ts';
import { Violation } from './oracle.ts';
import type { SimulatedOutput } from './output.ts';
import type { Upstream } from './redis.ts';
import type { Hop } from './steps.ts';
import type { UpstreamConnection } from './upstream-connection.ts';
import { BytePipe, encode, TextPipe } from './wire.ts';

/** What is on its way, but for what goes to the client. */
interface Pipes {
  readonly 'client to proxy': TextPipe;
  readonly 'proxy to Redis': BytePipe;
  readonly 'Redis to proxy': TextPipe;
}

/**
 * One client, its session, and its connection to Redis, with the bytes between them on their way:
 * what `src/client/connection.ts` does with sockets is done here with pipes.
 */
export class SimulatedLane implements Listener, SessionEnds {
  readonly client: CachingClient;
  readonly session: Session;
  readonly connection: UpstreamConnection;
  readonly #parts: LaneParts;
  readonly #upstream: Upstream;
  readonly #pipes: Pipes;
  readonly output: SimulatedOutput;
  readonly #handed: HandedReplies | undefined;
  readonly #ends = new Set<Hop>(); // behind what is on its way on that hop, it ends
  #isIntroduced = false; // Redis has answered what the lane asks for itself
  #clientIsThere = true;
  #clientSends = true;
  #isDraining = false; // the proxy knows that the client sends no more
  #isFinished = false; // all that was owed to the client has been sent
  #laneIsThere = true;
  #isPaused = false; // what Redis sends is not read
  #isClosed = false; // nobody is told anything by it any more
  #waitsFor:
    | { readonly head: unknown; readonly shiftCount: number; readonly untilMs: number }
    | undefined;

  constructor(parts: LaneParts) {
    this.#parts = parts;
    this.client = parts.client;
    this.connection = parts.connection;
    this.#upstream = parts.upstream;
    this.#pipes = {
      'client to proxy': new TextPipe(),
      'proxy to Redis': new BytePipe(),
      'Redis to proxy': parts.fromRedis,
    };
    this.output = parts.output;
    const { oracle, witness } = parts;
    this.#handed = witness && new HandedReplies(oracle, witness, parts.client);
    this.session = new Session(parts.session, this);
    this.session.begin();
  }

  readonly sendUpstream = (bytes: Buffer): void => this.#pipes['proxy to Redis'].push(bytes);
  readonly wake = (): void => this.#parts.wake(this);
  readonly withheld = (): void => this.#parts.withheld(this);
  readonly cutOff = (): void => this.#parts.cutOff(this);

  openEar(): never {
    throw new Error('Redis speaks RESP3');
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
    if (hop === 'Redis to proxy' && this.#isPaused) return 0;
    return this.#sizeOf(hop) + Number(this.#endsOn(hop));
  }

  #sizeOf(hop: Hop): number {
    return hop === 'proxy to client' ? this.output.size : this.#pipes[hop].size;
  }

  #endsOn(hop: Hop): boolean {
    if (hop === 'Redis to proxy') return this.#laneIsThere && !this.connection.isOpen;
    return this.#ends.has(hop);
  }

  /** @param count of bytes */
  move(hop: Hop, count: number): void {
    if (this.movable(hop) === 0) return;
    if (this.#sizeOf(hop) === 0) this.#endOf(hop);
    else if (hop === 'proxy to client') this.#toClient(count);
    else this.#take(hop, this.#pipes[hop].take(count));
    if (this.#isFinished && this.#laneIsThere && !this.session.flushing) this.#endLane();
  }

  #take(hop: keyof Pipes, bytes: Buffer): void {
    switch (hop) {
      case 'client to proxy':
        this.session.fromClient(bytes);
        this.#regulate();
        return;
      case 'proxy to Redis':
        if (this.connection.isOpen) this.#upstream.receive(this.connection, bytes);
        return;
      case 'Redis to proxy':
        if (this.#laneIsThere) this.#fromRedis(bytes);
    }
  }

  sendClient(bytes: Buffer): void {
    if (this.#isClosed) return;
    this.output.write(bytes);
    this.#handed?.handed(bytes);
  }

  /** The client gets bytes, and is looked at wherever it must have heard of a fenced write. */
  #toClient(count: number): void {
    const { witness } = this.#parts;
    for (let left = Math.min(count, this.output.size); left > 0; ) {
      const piece = Math.min(left, witness?.untilMark(this.output) ?? left);
      left -= piece;
      const bytes = this.output.take(piece);
      if (!this.client.isGone) this.client.receives(bytes);
      if (left > 0) witness?.look();
    }
    if (this.output.takeDrain()) this.#drained();
  }

  #drained(): void {
    this.session.outlet.drained();
    if (!this.output.isSlow && !this.session.hold.isFull) this.#isPaused = false;
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
        this.output.clear();
        this.client.ended(this.#isFinished);
    }
  }

  #fromRedis(bytes: Buffer): void {
    this.session.fromUpstream(bytes);
    this.#isIntroduced = true;
    if (!this.#clientIsThere && !this.session.flushing) {
      this.#endLane();
    } else if (this.output.isSlow) {
      if (!this.session.flushing) this.#isPaused = true; // others wait for what its reply tells
      this.session.outlet.stalled();
    } else if (this.session.hold.isFull) {
      this.#isPaused = true;
      this.session.hold.whenOpen(() => this.#drained());
    }
    this.#regulate();
  }

  #regulate(): void {
    if (this.session.flushing) this.#isPaused = false;
  }

  /** Whether something waits to be told for which no time is set. */
  get isWithholding(): boolean {
    return this.session.outlet.hasUntold || this.session.tracked.isJudging;
  }

  /** Whether there is a client that can be told something. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  whenReleased(run: () => void): void {
    this.session.tracked.whenReleased(run);
  }

  whenTold(run: () => void): void {
    this.session.outlet.whenTold(run);
  }

  /** The proxy ends both connections at once. */
  destroy(): void {
    this.leave(true);
    if (this.#laneIsThere) this.#endLane();
  }

  hasRoom(): void {} // so much is never held here

  finished(): void {
    if (!this.#clientIsThere) return; // it has left
    if (!this.#isDraining && !this.client.hasQuit) {
      throw new Violation('P3', `the session of ${this.client.name} ended of its own accord`);
    }
    this.#isFinished = true;
    this.#endOutput();
    this.session.leave();
  }

  /** The client is done with: what was written to it still arrives. */
  #endOutput(): void {
    this.#isClosed = true;
    this.output.end();
    this.#ends.add('proxy to client');
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
    this.#isClosed = true;
    this.client.ended(false);
    this.#pipes['client to proxy'].clear();
    this.output.clear();
    this.#ends.clear();
    if (!this.#laneIsThere) return;
    this.session.leave();
    this.#regulate();
    if (this.session.flushing) return;
    if (!drops) this.move('proxy to Redis', this.#pipes['proxy to Redis'].size);
    if (this.#laneIsThere) this.#endLane();
  }

  /** Redis closes the connection. @param drops what was on its way is lost */
  loseLane(drops: boolean): void {
    if (!this.#laneIsThere) return;
    this.#upstream.close(this.connection);
    this.#pipes['proxy to Redis'].clear();
    if (!drops) return;
    this.#pipes['Redis to proxy'].clear();
    this.#isPaused = false; // a reset is noticed even so
  }

  /** Whether the client's connection ends as soon as it has got what is held. */
  get isEnding(): boolean {
    return !this.#laneIsThere;
  }

  /** The connection to Redis is over, and with it the client's. */
  #endLane(): void {
    this.#laneIsThere = false;
    this.#pipes['proxy to Redis'].clear();
    this.#pipes['Redis to proxy'].clear();
    this.#ends.delete('proxy to Redis');
    this.#upstream.close(this.connection);
    this.session.close();
    this.session.hold.whenOpen(() => {
      if (!this.#isClosed) this.#endOutput();
    });
  }
}
