import type { CommandTable } from '../commands/table.ts';
import type { Attribution } from '../invalidation/attribution.ts';
import type { Tracker } from '../tracking/tracker.ts';
import type { ServerFacts } from '../translate/hello.ts';
import type { KeyAccess } from '../upstream/access.ts';
import type { Credentials } from '../upstream/credentials.ts';
import type { SilentLog } from '../upstream/silent.ts';
import type { EarLane, EarListener } from './ear.ts';
import type { Advertise } from './hello.ts';
import type { HoldClient } from './hold.ts';
import type { Meter } from './meter.ts';

/**
 * How much a client may send while an earlier request is waited for, in bytes, before it is read no
 * more. Until then it is noticed when it leaves. Source: our choice.
 */
export const REST_MAX_BYTES = 16 * 1_048_576;

/** How many replies may be owed to a client before it is read no more. Source: our choice. */
export const IN_FLIGHT_MAX_COUNT = 1_000_000;

/** As whom a connection begins. */
export const DEFAULT_USER = 'default';

/** What sessions need from the program around them: the same for all of them. */
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
  /** With what the client is logged in, without being asked. Without it, it logs in itself. */
  readonly injected?: (() => Credentials | undefined) | undefined;
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
  /** Measures invalidations on their way. Without it they are not measured. */
  readonly meter?: Meter;
  /** Raises a fence behind a write; it is told when everybody concerned has been told. */
  readonly fence: (passed: () => void, settled: () => void) => void;
  /** How writes are told as they pass. Without it they are not: notifications tell them. */
  readonly passing?: Passing | undefined;
  /** Whether clients' writes are fenced unless they choose otherwise. */
  readonly fenceWrites: boolean;
  /** Whether upstream knows HELLO and lets it be used. True while that is not known. */
  readonly speaksResp3: () => boolean;
  /** What upstream would tell of itself in answer to HELLO. */
  readonly serverFacts: () => Omit<ServerFacts, 'id'>;
  /** An id for a client that upstream has no id for. */
  readonly newClientId: () => number;
  /** Whether nobody may begin to track now. */
  readonly refusesTracking: () => boolean;
}

/** How the client takes what is sent to it. */
export interface SessionOutput {
  /** Whether the client has yet to take what was written, so that replies wait. */
  readonly isSlow: boolean;
  /** Whether so much waits for the client that nothing should be added. */
  readonly isBackedUp: boolean;
  /** Calls back once when the client has taken what was written. */
  whenDrained(run: () => void): void;
}

/** What a session needs from its two connections. */
export interface SessionEnds extends HoldClient {
  sendUpstream(bytes: Buffer): void;
  readonly output: SessionOutput;
  /** Invalidations wait for the end of a reply, or to be judged: `whenTold` says when no longer. */
  withheld(): void;
  /** Invalidations wait: `tracked.tick` is to be called now and then while they do. */
  wake(): void;
  /** Opens another connection to upstream. @param beat to be called now and then until it is closed */
  openEar(listener: EarListener, beat: () => void): EarLane;
  /** Everything has been sent: both connections may end. */
  finished(): void;
}

/** Writes are told as they pass through: see `--source`. */
export interface Passing {
  /** Notifications tell nothing: what is not understood has to be told as a change of every key. */
  readonly alone: boolean;
  /**
   * Calls back when upstream has dealt with all that was sent to it so far, on lanes that have ended,
   * too; never if it is lost before, for then everything is invalidated.
   */
  readonly whenAnswered: (run: () => void) => void;
}

/** Numbers that only grow. */
export interface SessionCounts {
  forwarded: number;
  tracked: number;
  answered: number;
  extraInvalidations: number;
  unattributedWrites: number;
  clientProtocolErrors: number;
  collapsedInvalidations: number;
  fencedWrites: number;
}
