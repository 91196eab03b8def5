import type { Counts } from './admin/metrics.ts';
import type { ErrorCode, ProxyError } from './errors.ts';
import type { Logger } from './logger.ts';
import type { ProxyWatcher } from './proxy-parts.ts';

/** Why changes may be missed, as the metrics name it. */
const REASONS: Partial<Record<ErrorCode, Cause>> = {
  UPSTREAM_UNREACHABLE: 'Connection',
  UPSTREAM_TIMEOUT: 'Timeout',
  UPSTREAM_REFUSED: 'Refused',
  NOTIFICATIONS_UNAVAILABLE: 'Notifications',
  UPSTREAM_NOT_REDIS: 'NotRedis',
  UPSTREAM_MOVED: 'Moved',
};

type Cause = 'Connection' | 'Timeout' | 'Refused' | 'Notifications' | 'NotRedis' | 'Moved';

type BlindReason = 'Start' | Cause;

/** What is lost then is more than the source: nothing answers, or nothing that is a Redis. */
const OUT_OF_REACH: ReadonlySet<Cause> = new Set(['Connection', 'Timeout', 'NotRedis']);

const EVERYTHING_HEARD = 'every change of the upstream is heard';
const WRITES_HEARD = 'the upstream answers: the writes that pass here are heard';

/** Whether every change of the upstream is heard, since when not, and why. */
export class Sight {
  readonly #counts: Counts;
  readonly #logger: Logger;
  readonly #watcher: ProxyWatcher;
  #trouble: string | undefined = 'connecting to the upstream';
  #blindFor: BlindReason | undefined = 'Start';
  #blindSinceMs = performance.now();
  #isReachable = false;
  #isSettled = false;

  constructor(counts: Counts, logger: Logger, watcher: ProxyWatcher = {}) {
    this.#counts = counts;
    this.#logger = logger;
    this.#watcher = watcher;
  }

  /** What is wrong, for the operator; undefined: nothing. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /**
   * Whether upstream answered when it was last tried. It may be of no use all the same: it refuses us,
   * say, or sends no notifications.
   */
  get isReachable(): boolean {
    return this.#isReachable;
  }

  /** The source is lost, or could not be won. */
  lost(cause: ProxyError): void {
    const reason = cause.message;
    const kind = REASONS[cause.code] ?? 'Connection';
    this.#counts[`upstreamErrors${kind}`] += 1;
    this.#isReachable = !OUT_OF_REACH.has(kind);
    const news = reason !== this.#trouble;
    this.#trouble = reason;
    if (this.#blindFor === undefined) {
      this.#blindFor = kind;
      this.#blindSinceMs = performance.now();
      this.#counts[`blindSpells${this.#blindFor}`] += 1;
      this.#logger.warn(
        { reason },
        'changes may be missed: tracking clients are told to drop everything',
      );
    } else if (news) {
      this.#logger.warn({ reason }, 'the source of changes is not up yet; trying again');
    }
    if (news) this.#watcher.blinded?.(reason);
    this.#settle();
  }

  /** @param upstream its version, for the log; @param writesOnly only writes that pass here are heard */
  regained(upstream: string | undefined, writesOnly: boolean): void {
    const blindMs = performance.now() - this.#blindSinceMs;
    if (this.#blindFor !== undefined) {
      this.#counts[`blindSeconds${this.#blindFor}`] += blindMs / 1_000;
    }
    this.#blindFor = undefined;
    this.#trouble = undefined;
    this.#isReachable = true;
    this.#logger.info(
      { upstream, blindMs: Math.round(blindMs) },
      writesOnly ? WRITES_HEARD : EVERYTHING_HEARD,
    );
    this.#watcher.sighted?.();
    this.#settle();
  }

  #settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#watcher.settled?.();
  }
}
