import type { Key } from '../key.ts';
import type { TrackingInfo } from '../resp/write.ts';
import { OFF, type TrackingState } from '../tracking/options.ts';
import type { Batch, Reader, Target } from '../tracking/tracker.ts';
import type { Delivery } from './delivery.ts';
import { type Doubt, Doubts } from './doubts.ts';
import { Enrolment } from './enrolment.ts';
import type { What } from './flight.ts';
import { Keyed } from './keyed.ts';
import { Mark } from './mark.ts';
import { Nameable } from './nameable.ts';
import { Orphans } from './orphans.ts';
import { SingleRead } from './single-read.ts';
import { deliveryOf, infoOf, type TrackedParts } from './tracked-parts.ts';

/**
 * One client's tracking: what is set, which requests in flight name keys, and which invalidations
 * reach the client when.
 *
 * Two truths are kept. `wanted` holds for the requests that are being read: it changes when CLIENT
 * TRACKING is read, so that the reads pipelined behind it are tracked. `confirmed` holds for what
 * the client has been told: it changes when upstream has let the stand-in through, and pushes leave
 * only while it is on.
 */
export class Tracked implements Reader, Target {
  /** The id under which the tracker knows this client. */
  readonly id: number;
  readonly #parts: TrackedParts;
  #made: Delivery | undefined; // see `#delivery`
  readonly #orphans = new Orphans();
  readonly #nameable: Nameable;
  readonly #enrolment: Enrolment;
  #wanted: TrackingState = OFF;
  #confirmed: TrackingState = OFF;
  #isGated = false; // a stand-in in flight switches tracking on
  readonly #doubts = new Doubts();
  readonly mark = new Mark();

  constructor(parts: TrackedParts) {
    this.#parts = parts;
    this.id = parts.tracker.newId();
    this.#enrolment = new Enrolment(parts.tracker, this.id);
    this.#nameable = new Nameable(parts);
  }

  /** Made when it is first needed: most clients never track. */
  get #delivery(): Delivery {
    this.#made ??= deliveryOf(this.#parts, (what) => this.#deliver(what));
    return this.#made;
  }

  /** What is set for the requests that are being read now. */
  get wanted(): TrackingState {
    return this.#wanted;
  }

  /** What the client has been told. */
  get confirmed(): TrackingState {
    return this.#confirmed;
  }

  get hasDues(): boolean {
    return this.#made?.hasDues ?? false;
  }

  get listed(): Target['listed'] {
    return { state: this.#confirmed, broken: this.#parts.outlet.broken };
  }

  /** Upstream calls this connection `clientId`. */
  named(clientId: number): void {
    this.#parts.outlet.named(clientId, this);
  }

  receive(what: What): void {
    this.#parts.outlet.receive(what);
  }

  /** @returns what CLIENT TRACKINGINFO tells at this point of the replies, as `infoOf` */
  info(marked: boolean): TrackingInfo {
    return infoOf(this.#confirmed, marked, this.#parts.outlet.broken);
  }

  /**
   * CLIENT TRACKING was read, and its stand-in is about to be sent.
   *
   * @returns what to call when upstream's word has come: with the state that follows, as a rule the
   *          one that was wanted; undefined: it was refused
   */
  want(state: TrackingState): (outcome: TrackingState | undefined) => void {
    // One gate is enough: what is switched on twice is on from the first time, however long the
    // second waits behind a request that blocks.
    const first = state.on && !this.#confirmed.on && !this.#isGated;
    const gate = first ? new Keyed(this, NO_KEYS, NO_KEYS, false) : undefined;
    if (first) this.#isGated = true;
    this.#wanted = state;
    if (!state.on) this.mark.clear();
    this.#doubts.open();
    this.#enrolment.expect(state);
    this.#register();
    if (gate !== undefined) this.#delivery.closeGate(gate);
    return (outcome) => {
      this.#doubts.conclude(outcome !== state);
      this.#enrolment.judged(state);
      if (outcome !== undefined) this.#confirm(outcome);
      if (!this.#doubts.isOpen) this.#believe();
      if (gate !== undefined) {
        this.#isGated = false;
        this.land(gate, outcome === undefined);
      }
      this.#register();
    };
  }

  /** The last outcome is known. */
  #believe(): void {
    this.#wanted = this.#confirmed;
    this.mark.judge(this.#wanted);
  }

  /** RESET was executed. */
  off(): void {
    this.#wanted = OFF;
    this.mark.clear();
    this.#confirm(OFF);
    this.#register();
  }

  /** The client is gone. */
  close(): void {
    this.#orphans.abandon(this.#parts, this.#confirmed);
    this.off();
    this.#made?.stop();
    this.#parts.tracker.retire(this.id);
    this.#parts.outlet.close();
  }

  /** Whether it has yet to be seen which keys may be named to the client. */
  get isJudging(): boolean {
    return this.#nameable.isWaiting;
  }

  /** Runs `run` when the invalidations that wait now have left. */
  whenReleased(run: () => void): void {
    this.#nameable.whenJudged(() => this.#delivery.whenClear(run));
  }

  /** Whether a read that is sent now is tracked. */
  get tracks(): boolean {
    const { on, bcast, optin, optout } = this.#wanted;
    if (!on || bcast) return false;
    return optin ? this.mark.isSet : !(optout && this.mark.isSet);
  }

  /**
   * A request that names keys is about to be sent.
   *
   * @param reads  it reads them
   * @param writes it may change them, and is not attributed
   * @param blocks it may wait for other clients
   * @returns the entry for its reply
   */
  depart(keys: readonly Key[], reads: boolean, writes: boolean, blocks: boolean): Keyed {
    const flight = new Keyed(this, keys, reads && this.matters ? keys : NO_KEYS, blocks);
    if (writes) this.wrote(keys);
    // Behind that: what does both, a script, may read behind its writes.
    if (flight.readKeys.length > 0) this.read(keys);
    if (reads && !this.tracks) flight.doubt = this.doubt;
    this.embark(flight);
    return flight;
  }

  /** As `depart`, for an entry that exists. */
  embark(flight: Keyed): void {
    const { tracker } = this.#parts;
    this.#takeOff(flight);
    const { length } = this.#wanted.bcast ? NO_KEYS : flight.readKeys;
    for (let index = 0; index < length; index++) {
      const key = flight.readKeys[index] as Key;
      if (tracker.remember(key, this.id)) this.#delivery.added(flight, index);
    }
  }

  /** As `depart`, of a tracked request that does nothing but read the key that lies in `chunk`. */
  departSingle(chunk: Buffer, from: number, to: number): SingleRead {
    const { tracker } = this.#parts;
    const flight = new SingleRead(this, chunk, from, to);
    if (tracker.expectsReads) this.read(flight.keys);
    this.#takeOff(flight);
    if (tracker.rememberAt(chunk, from, to, this.id)) this.#delivery.added(flight, 0);
    return flight;
  }

  #takeOff(flight: Keyed | SingleRead): void {
    flight.sight = this.#parts.tracker.sight;
    this.#delivery.depart(flight);
    this.#orphans.departed(flight, this.#wanted.redirect !== 0);
  }

  /** What may yet turn out to be false of what an untracked read that is sent now is untracked by. */
  get doubt(): Doubt | undefined {
    return this.#doubts.current(this.mark.isSet && this.#wanted.optout);
  }

  /** `CLIENT CACHING word` was read. @returns as `Doubts.caching` */
  wantCaching(word: string): { refused: boolean } | undefined {
    return this.#doubts.caching(word, this.#wanted, this.mark);
  }

  /** Keys that the client is about to write. */
  wrote(keys: readonly Key[]): void {
    if (this.#wanted.on && !this.#wanted.bcast) this.#parts.tracker.wrote(keys, this.id);
  }

  /** Keys whose tracked reads are about to be sent, in their order among the writes. */
  read(keys: readonly Key[]): void {
    if (!this.#wanted.bcast) this.#parts.tracker.read(keys, this.id);
  }

  /** The reply to `flight` has been sent to the client. */
  land(flight: Keyed | SingleRead, refused: boolean): void {
    const { tracker } = this.#parts;
    for (const key of this.#delivery.land(flight, refused)) tracker.forget(key, this.id);
    if (!refused && tracker.wasBlindSince(flight.sight)) this.distrust(flight.readKeys);
  }

  /** Has the client drop keys that it has just read: changes of them may pass unnoticed. */
  distrust(keys: readonly Key[] | 'all'): void {
    for (const what of keys === 'all' ? [undefined] : keys) {
      this.#parts.countExtra();
      this.#deliver(what);
    }
  }

  changed(key: Key, own: boolean): void {
    if (this.#enrolment.isBcast || (own && this.#enrolment.isNoloop)) return;
    this.#delivery.changed(key, this.#parts.now(), this.#parts.roundTrip());
    if (this.#delivery.hasDues) this.#parts.wake();
  }

  changedSome(batch: Batch): void {
    const keys = this.#enrolment.isNoloop ? batch.keysNotBy(this.id) : batch.keys;
    this.#nameable.judge(keys, (named) => this.#tellSome(named));
    if (this.#nameable.isWaiting) this.#parts.withheld();
  }

  #tellSome(keys: readonly Key[] | undefined): void {
    if (keys === undefined) this.changedAll();
    if (keys === undefined || keys.length === 0) return;
    this.#delivery.changedSome(keys, this.#parts.now(), this.#parts.roundTrip());
    if (this.#delivery.hasDues) this.#parts.wake();
  }

  changedAll(): void {
    this.#delivery.changedAll(this.#parts.now(), this.#parts.roundTrip());
    if (this.#delivery.hasDues) this.#parts.wake();
  }

  /** Lets go the invalidations that have waited long enough. */
  tick(): void {
    this.#made?.tick(this.#parts.now());
  }

  /** Whether a read that is sent now may be cached, so that it must be followed by its changes. */
  get matters(): boolean {
    return this.tracks || this.#wanted.bcast;
  }

  /**
   * Whether the client may cache what it writes. With NOLOOP a client is spared its own writes so that
   * it can; without BCAST it would never hear of the key again, natively neither.
   */
  get cachesWrites(): boolean {
    return this.#wanted.bcast && this.#wanted.noloop;
  }

  #confirm(state: TrackingState): void {
    if (state.on !== this.#confirmed.on) this.#parts.switched(state.on);
    this.#confirmed = state;
    this.#parts.outlet.broken = false;
    if (state.redirect === 0 && this.#wanted.redirect === 0) this.#orphans.clear();
    else this.#orphans.redirect();
  }

  /** Tells the tracker what to tell us: all that is wanted or confirmed. */
  #register(): void {
    this.#enrolment.update(this, [this.#wanted, this.#confirmed]);
  }

  #deliver(what: What): void {
    if (!this.#confirmed.on) return;
    if (typeof what === 'string') this.#orphans.told(what);
    this.#parts.meter.sent(this.#confirmed);
    this.#parts.outlet.send(what, this.#confirmed.redirect);
  }
}

const NO_KEYS: readonly Key[] = [];
