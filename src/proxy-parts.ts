import type { Metrics } from './admin/metrics.ts';
import type { ProxyError } from './errors.ts';
import type { Logger } from './logger.ts';
import type { Reason } from './tracking/tracker.ts';

/** A proxy, to start and to stop. */
export interface TrackingProxy {
  /** Resolves when it listens; upstream need not be reachable. @throws ProxyError LISTEN_FAILED */
  start(): Promise<void>;
  /**
   * Lets nobody in and reads no further request, and ends each connection as soon as nothing is owed
   * to its client. Resolves when all are gone, which may take as long as a blocking command.
   */
  drain(): Promise<void>;
  /**
   * Reads the files for TLS anew, for connections to come. Whatever is wrong with them is logged, and
   * what was read before stays in use.
   */
  reload(): void;
  /** Ends all connections. May be called more than once. */
  stop(): Promise<void>;
  /** Where it listens, as an operator reads it. */
  readonly addresses: readonly string[];
  /** How many clients are connected. */
  readonly clientCount: number;
  /** Whether upstream is reachable and the source of changes proven; else why not. */
  readonly ready: { readonly ok: boolean; readonly reason: string };
}

/** What a proxy is given beside its configuration. */
export interface ProxyParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Told when going on makes no sense: what answers at upstream's address is no Redis. */
  readonly failed?: (error: ProxyError) => void;
  readonly watcher?: ProxyWatcher;
}

/** Who is told what becomes of a proxy, at once and between two of its steps: must not throw. */
export interface ProxyWatcher {
  /** Invalidations were sent. @param count how many; one that names everything counts once */
  readonly invalidated?: (count: number, reason: Reason) => void;
  /** Changes may be missed from now on, or still are, for another reason. */
  readonly blinded?: (reason: string) => void;
  /** Every change of the upstream is heard from now on. */
  readonly sighted?: () => void;
  /** Told once: it has come to see for the first time, or has failed to. */
  readonly settled?: () => void;
}
