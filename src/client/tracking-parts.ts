import type { Tracker } from '../tracking/tracker.ts';
import type { KeyAccess } from '../upstream/access.ts';
import type { Hold } from './hold.ts';
import { Meter } from './meter.ts';
import type { Outlet, OutletParts } from './outlet.ts';
import type { SessionOutput } from './parts.ts';
import type { ReplyReader } from './replies.ts';
import type { Session } from './session.ts';
import type { TrackedParts } from './tracked-parts.ts';

/** What the tracking of one session needs from around it. */
export class TrackingParts implements OutletParts, TrackedParts {
  readonly tracker: Tracker;
  readonly meter: Meter;
  readonly #session: Session;

  constructor(session: Session) {
    this.tracker = session.parts.tracker;
    this.meter = session.parts.meter ?? new Meter();
    this.#session = session;
  }

  get replies(): ReplyReader {
    return this.#session.replies;
  }

  get hold(): Hold {
    return this.#session.hold;
  }

  get outlet(): Outlet {
    return this.#session.outlet;
  }

  get tellOrphans(): boolean {
    return this.#session.parts.tellOrphans;
  }

  now(): number {
    return this.#session.parts.now();
  }

  roundTrip(): number {
    return this.#session.parts.roundTrip();
  }

  access(): KeyAccess | undefined {
    return this.#session.parts.access(this.#session.user);
  }

  loadAccess(): Promise<void> {
    return this.#session.parts.loadAccess(this.#session.user);
  }

  get output(): SessionOutput {
    return this.#session.ends.output;
  }

  switched(isOn: boolean): void {
    this.tracker.countTracking(isOn);
    this.hold.seal();
  }

  wake(): void {
    this.#session.ends.wake();
  }

  withheld(): void {
    this.#session.ends.withheld();
  }

  countExtra(): void {
    this.#session.counts.extraInvalidations += 1;
  }

  countCollapse(): void {
    this.#session.counts.collapsedInvalidations += 1;
  }
}
