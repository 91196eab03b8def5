import type { Tracker } from '../tracking/tracker.ts';
import type { KeyAccess } from '../upstream/access.ts';
import type { Meter } from './meter.ts';
import type { Outlet } from './outlet.ts';

/** What a client's tracking needs from around it. */
export interface TrackedParts {
  readonly tracker: Tracker;
  readonly outlet: Outlet;
  readonly meter: Meter;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** How long upstream usually takes to reply, in milliseconds. */
  readonly roundTrip: () => number;
  /** Told of every invalidation that Redis itself would not have sent. */
  readonly countExtra: () => void;
  /** Told when invalidations begin to wait, so that `tick` is called. */
  readonly wake: () => void;
  /** Told when something waits that no tick lets go. */
  readonly withheld: () => void;
  /** So many invalidations waited that one of everything stands for them. */
  readonly countCollapse: () => void;
  /** @returns which keys may be named to the client; undefined: not known yet */
  readonly access: () => KeyAccess | undefined;
  /** Resolves when that has been asked for; never rejects. */
  readonly loadAccess: () => Promise<void>;
  /** Whether a client to which others redirect hears it when one of them goes. */
  readonly tellOrphans: boolean;
}
