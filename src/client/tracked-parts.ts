import type { TrackingInfo } from '../resp/write.ts';
import { flagsOf, type TrackingState } from '../tracking/options.ts';
import type { Tracker } from '../tracking/tracker.ts';
import type { KeyAccess } from '../upstream/access.ts';
import { Delivery } from './delivery.ts';
import type { What } from './flight.ts';
import type { Meter } from './meter.ts';
import type { Outlet } from './outlet.ts';

/** What a client's tracking needs from around it. */
export interface TrackedParts {
  readonly tracker: Tracker;
  readonly outlet: Outlet;
  readonly meter: Meter;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** How long upstream usually takes to reply, in milliseconds. */
  roundTrip(): number;
  /** The reply that comes now tells the client that its tracking is on, or off. */
  switched(isOn: boolean): void;
  /** Told of every invalidation that Redis itself would not have sent. */
  countExtra(): void;
  /** Told when invalidations begin to wait, so that `tick` is called. */
  wake(): void;
  /** Told when something waits that no tick lets go. */
  withheld(): void;
  /** So many invalidations waited that one of everything stands for them. */
  countCollapse(): void;
  /** @returns which keys may be named to the client; undefined: not known yet */
  access(): KeyAccess | undefined;
  /** Resolves when that has been asked for; never rejects. */
  loadAccess(): Promise<void>;
  /** Whether a client to which others redirect hears it when one of them goes. */
  readonly tellOrphans: boolean;
}

/** @param deliver sends an invalidation; @returns what decides when it does */
export function deliveryOf(parts: TrackedParts, deliver: (what: What) => void): Delivery {
  return new Delivery(deliver, () => parts.countCollapse(), parts.meter);
}

/** @returns what CLIENT TRACKINGINFO tells; the parameters are those of `flagsOf` */
export function infoOf(state: TrackingState, caching: boolean, broken: boolean): TrackingInfo {
  const { on, redirect, prefixes } = state;
  return { flags: flagsOf(state, caching, broken), redirect: on ? redirect : -1, prefixes };
}
