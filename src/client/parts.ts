import type { CommandTable } from '../commands/table.ts';
import type { Attribution } from '../invalidation/attribution.ts';
import type { Tracker } from '../tracking/tracker.ts';
import type { KeyAccess } from '../upstream/access.ts';
import type { SilentLog } from '../upstream/silent.ts';
import type { Advertise } from './hello.ts';

/**
 * How much a client may send while an earlier request is waited for, in bytes, before it is read no
 * more. Until then it is noticed when it leaves. Source: our choice.
 */
export const REST_MAX_BYTES = 16 * 1_048_576;

/** How many replies may be owed to a client before it is read no more. Source: our choice. */
export const IN_FLIGHT_MAX_COUNT = 1_000_000;

/** As whom a connection begins. */
export const DEFAULT_USER = 'default';

/** What a session needs from the sockets and the program around it. */
export interface SessionParts {
  readonly tracker: Tracker;
  readonly commands: () => CommandTable;
  readonly advertise: Advertise;
  /** Upstream's version as major * 100 + minor; undefined while it is not known. */
  readonly upstreamVersion: () => number | undefined;
  /** Whether upstream knows CLIENT TRACKING and lets it be used. */
  readonly nativeTracking: () => boolean;
  /** The database in which connections begin. */
  readonly db: number;
  readonly attribution: Attribution;
  readonly silentLog: SilentLog;
  /** @returns what a user may read; undefined: not known yet */
  readonly access: (user: string) => KeyAccess | undefined;
  /** Resolves when it has been asked what a user may read; never rejects. */
  readonly loadAccess: (user: string) => Promise<void>;
  /** What users may read may have changed. */
  readonly forgetAccess: () => void;
  /** Whether a client to which others redirect hears it when one of them goes. */
  readonly tellOrphans: boolean;
  readonly now: () => number;
  readonly roundTrip: () => number;
  readonly counts: SessionCounts;
  readonly sendUpstream: (bytes: Buffer) => void;
  readonly sendClient: (bytes: Buffer) => void;
  /** Everything has been sent: both connections may end. */
  readonly finished: () => void;
  /** Invalidations wait: `tracked.tick` is to be called now and then while they do. */
  readonly wake: () => void;
}

/** Numbers that only grow. */
export interface SessionCounts {
  forwarded: number;
  tracked: number;
  answered: number;
  extraInvalidations: number;
  unattributedWrites: number;
  clientProtocolErrors: number;
}
