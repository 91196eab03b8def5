import type { Key } from '../key.ts';
import type { KeyAloft } from './aloft.ts';

/** What an invalidation names: a key, keys in bytewise order, or everything (undefined). */
export type What = Key | readonly Key[] | undefined;

/** A request in flight that names keys, as far as delivery needs to know it. */
export interface Flight {
  readonly keys: readonly Key[];
  /**
   * Those whose values the client may cache: the reply may carry one that is older than a change
   * that is announced meanwhile.
   */
  readonly readKeys: readonly Key[];
  /** Its place among all requests that named keys, counted from 1; set by `depart`. */
  order: number;
  /** It names one key, and reads it; `keys` and `readKeys` are better not asked for. */
  readonly isSingle?: boolean;
  /** What is known of its keys while it is in flight, once it has been entered by key. */
  named: readonly KeyAloft[];
  /** As `named`, of those that are read. */
  read: readonly KeyAloft[];
  /** Until then: its one read has brought the key into the tracking table. */
  isFresh?: boolean;
  /** Its neighbours among the requests in flight. */
  before?: Flight | undefined;
  behind?: Flight | undefined;
  /** Invalidations that wait for its reply. */
  parked: Parked[] | undefined;
}

/** An invalidation that waits. */
export interface Parked {
  readonly what: What;
  readonly flight: Flight;
  /** Requests up to this order were in flight when the change was announced. */
  readonly order: number;
  /** When it leaves without the reply, in milliseconds of the clock. */
  readonly due: number;
  /** Counted from 1, in the order in which they began to wait. */
  readonly number: number;
  /** The client may hold what it names already, and not only get it by a request in flight. */
  readonly isKnown: boolean;
  /** As the meter had it when the change was announced. */
  readonly heardAtMs: number;
  /** It has left, or has become part of another. */
  gone: boolean;
}
