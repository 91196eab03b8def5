import type net from 'node:net';
import type { Idler } from '../idle.ts';
import { Lane } from '../upstream/lane.ts';
import { beating } from '../upstream/pulse.ts';
import type { ConnectionParts } from './connection-parts.ts';
import { PARK_MS } from './delivery.ts';
import type { EarLane, EarListener } from './ear.ts';
import type { Listener } from './fences.ts';
import { DRAIN_DEADLINE_MS, Output, type OutputListener } from './output.ts';
import type { SessionEnds } from './parts.ts';
import { Session } from './session.ts';
import { type ClientEvent, type ClientState, move } from './state.ts';
import { closeSession, reportLoss, reportSlow, reportTrouble, unreachable } from './trouble.ts';

/** One client: its socket, its lane, and the session that knows what their bytes mean. */
export class Connection implements Idler, Listener, SessionEnds, OutputListener {
  readonly #parts: ConnectionParts;
  readonly #client: net.Socket;
  readonly #lane: Lane;
  readonly output: Output;
  readonly #session: Session;
  #state: ClientState = 'connecting';
  #deadline: NodeJS.Timeout | undefined;
  #isLeaving = false; // we end it

  constructor(client: net.Socket, parts: ConnectionParts) {
    this.#parts = parts;
    this.#client = client;
    this.output = new Output(client, parts.outputLimit, this);
    this.#session = new Session(parts, this);
    client.pause();
    client.on('data', (chunk: Buffer) => this.#fromClient(chunk));
    client.on('end', () => this.#clientEnded());
    client.on('error', ignore); // 'close' follows
    client.on('close', () => this.#clientLeft());
    this.#lane = new Lane(parts.endpoint, {
      received: (chunk) => this.#fromUpstream(chunk),
      drained: () => this.#regulate(),
      closed: (cause) => this.#upstreamLost(cause),
    });
    this.#session.begin();
  }

  sendUpstream(bytes: Buffer): void {
    this.#lane.write(bytes);
  }

  sendClient(bytes: Buffer): void {
    if (this.#state === 'closed') return;
    this.#parts.counts.bytesOut += bytes.length;
    this.output.write(bytes);
  }

  wake(): void {
    this.#parts.wake(this);
  }

  withheld(): void {
    this.#parts.withheld(this);
  }

  openEar({ received, closed }: EarListener, beat: () => void): EarLane {
    const guarded = (chunk: Buffer) => {
      try {
        received(chunk);
      } catch (cause) {
        this.#fail(cause);
      }
    };
    const listener = { received: guarded, drained: ignore, closed };
    return new Lane(this.#parts.endpoint, beating(listener, beat, this.#parts.beatMs));
  }

  /** Lets go the invalidations whose time has come. @returns whether more are waiting */
  tick(): boolean {
    if (this.#state === 'closed') return false;
    this.#session.tracked.tick();
    return this.#session.tracked.hasDues;
  }

  /** Whether something waits to be told for which no time is set. */
  get isWithholding(): boolean {
    return this.#session.outlet.hasUntold || this.#session.tracked.isJudging;
  }

  whenReleased(run: () => void): void {
    this.#session.tracked.whenReleased(run);
  }

  whenTold(run: () => void): void {
    this.#session.outlet.whenTold(run);
  }

  /** Others wait for what this client can't be told: it goes, and its cache with it. */
  cutOff(): void {
    reportSlow('slowClientsFence', this.#parts);
    this.destroy();
  }

  /** Ends the connection of a client that tracks. */
  refuseTracking(): void {
    if (this.#session.tracked.wanted.on || this.#session.tracked.confirmed.on) this.#lane.destroy();
  }

  get progress(): number {
    return this.#client.bytesRead + this.#client.bytesWritten - this.#client.writableLength;
  }

  /** As in Redis. What has become the stream of a replica owes the reply to SYNC for good. */
  get isWaiting(): boolean {
    const { replies, emulation } = this.#session;
    if (replies.subscriptions.active || replies.monitoring || emulation.isSubscribed) return true;
    return replies.ledger.size > 0 && !this.output.isSlow; // else it keeps the reply waiting itself
  }

  expire(): void {
    this.#parts.counts.idleClients += 1;
    this.#parts.logger.debug('an idle client is disconnected');
    this.#client.destroy();
  }

  /** Ends it when what it is owed has been sent; what it still says is not read. */
  drain(): void {
    this.#isLeaving = true;
    if (this.#state === 'connecting') this.#client.destroy(); // nothing of it has been read
    if (this.#state !== 'serving') return;
    this.#move('clientEnded');
    // Unread, a client can't be seen to leave, and its request would take what nobody gets.
    if (this.#session.replies.ledger.blocking === 0) this.#client.pause();
    this.#session.clientEnded();
  }

  /** Ends it at once. */
  destroy(): void {
    this.#client.destroy();
    this.#lane.destroy();
  }

  #fromClient(chunk: Buffer): void {
    if (this.#state === 'draining') return;
    this.#parts.counts.bytesIn += chunk.length;
    this.#take('fromClient', chunk, this.#lane);
    this.#regulate();
  }

  #fromUpstream(chunk: Buffer): void {
    this.#take('fromUpstream', chunk, this.output);
    if (this.#state === 'connecting') this.#begin();
    if (this.#state === 'closed') {
      if (!this.#session.flushing) this.#lane.destroy();
      return;
    }
    if (this.output.isSlow) {
      if (!this.#session.flushing) this.#lane.pause(); // others wait for what its reply tells
      this.#session.outlet.stalled();
    }
    if (this.#session.hold.isFull) this.#lane.pause(); // until `hasRoom`
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

  /** @param onward where most of what the chunk leads to goes */
  #take(from: 'fromClient' | 'fromUpstream', chunk: Buffer, onward: Lane | Output): void {
    onward.open();
    try {
      this.#session[from](chunk);
    } catch (cause) {
      this.#fail(cause);
    }
    onward.flush();
  }

  /** A broken peer ends its own connection; a defect of ours ends it too, and is logged as one. */
  #fail(cause: unknown): void {
    reportTrouble(cause, this.#parts);
    closeSession(this.#session, this.#parts);
    this.#lane.destroy(); // its end is the client's, behind what was good
  }

  /** The client is read only while its requests can go on. */
  #regulate(): void {
    if (this.#session.flushing) this.#lane.resume(); // as above
    if (this.#state !== 'serving') return;
    if (this.#session.isFull && this.#session.replies.ledger.blocking > 0) this.#giveUpOnPipeline();
    else if (this.#session.isFull || this.#lane.isFull) this.#client.pause();
    else if (this.#client.isPaused()) this.#client.resume();
  }

  /** Unread, a client can't be seen to leave, and a blocked request would wait for it for ever. */
  #giveUpOnPipeline(): void {
    reportSlow('slowClientsPipeline', this.#parts);
    this.#client.destroy();
  }

  hasRoom(): void {
    this.drained();
  }

  drained(): void {
    this.#session.outlet.drained();
    if (!this.output.isSlow && !this.#session.hold.isFull) this.#lane.resume();
  }

  overflowed(limit: 'hard' | 'soft'): void {
    reportSlow(limit === 'hard' ? 'slowClientsHard' : 'slowClientsSoft', this.#parts);
    this.#client.destroy();
  }

  /** The client has shut down its side. It may still be waiting for replies. */
  #clientEnded(): void {
    if (this.#state === 'connecting') this.#client.destroy(); // it has asked for nothing
    if (this.#state === 'serving') {
      this.#move('clientEnded');
      this.#session.clientEnded();
    }
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

  finished(): void {
    if (this.#state === 'serving') this.#move('clientEnded');
    if (this.#state !== 'draining') return;
    if (this.#isLeaving && !this.#sayFarewell()) return;
    this.#move('finished');
    this.output.end();
    this.#end();
  }

  /** A cache goes with its connection; who can't see that at once is told. @returns false: later */
  #sayFarewell(): boolean {
    const { replies, tracked } = this.#session;
    const betweenReplies = () => process.nextTick(() => this.finished());
    if (replies.midReply) replies.whenBetween({ betweenReplies });
    else tracked.distrust('all');
    return !replies.midReply;
  }

  #clientLeft(): void {
    this.output.closed();
    if (this.#state === 'closed') return;
    this.#move('clientLeft');
    this.#end();
  }

  #upstreamLost(cause: Error | undefined): void {
    clearTimeout(this.#deadline);
    closeSession(this.#session, this.#parts);
    this.#session.hold.whenOpen(() => {
      if (this.#state === 'closed') return;
      if (this.#state === 'connecting') this.sendClient(unreachable(this.#parts));
      if (cause !== undefined) reportLoss(cause, this.#parts);
      this.#move('upstreamLost');
      this.output.end();
      this.#parts.closed(this);
    });
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

function ignore(): void {}
