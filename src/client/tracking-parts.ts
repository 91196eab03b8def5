import type { Hold } from './hold.ts';
import { Meter } from './meter.ts';
import { Outlet } from './outlet.ts';
import type { SessionParts } from './parts.ts';
import type { ReplyReader } from './replies.ts';
import { Tracked } from './tracked.ts';

/** @returns where the invalidations of one session leave */
export function outletOf(parts: SessionParts, replies: ReplyReader, hold: Hold): Outlet {
  const { tracker, isBackedUp, isSlow, withheld } = parts;
  return new Outlet({ replies, hold, tracker, isBackedUp, isSlow, withheld, ...countersOf(parts) });
}

/** @param user as whom upstream has let the client in; @returns the tracking of one session */
export function trackedOf(parts: SessionParts, outlet: Outlet, user: () => string): Tracked {
  const { tracker, tellOrphans, now, roundTrip, wake, withheld } = parts;
  return new Tracked({
    tracker,
    outlet,
    tellOrphans,
    now,
    roundTrip,
    wake,
    withheld,
    access: () => parts.access(user()),
    loadAccess: () => parts.loadAccess(user()),
    ...countersOf(parts),
  });
}

function countersOf({ counts, meter = new Meter() }: SessionParts): {
  readonly meter: Meter;
  readonly countExtra: () => void;
  readonly countCollapse: () => void;
} {
  return {
    meter,
    countExtra: () => {
      counts.extraInvalidations += 1;
    },
    countCollapse: () => {
      counts.collapsedInvalidations += 1;
    },
  };
}
