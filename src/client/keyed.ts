import type { Key } from '../key.ts';
import type { KeyAloft } from './aloft.ts';
import type { Doubt } from './doubts.ts';
import type { Flight, Parked } from './flight.ts';
import { KEEP, type Owed, type Reply, type Verdict } from './ledger.ts';
import { refuses } from './owed.ts';
import type { Tracked } from './tracked.ts';

/** The entry for a request of a tracking client that names keys. */
export class Keyed implements Owed, Flight {
  readonly keep = KEEP.errors;
  readonly drop = false;
  readonly isLight: boolean = true;
  readonly flushes: boolean = false;
  readonly blocks: boolean;
  /** The reply to a write is fenced. */
  fences = false;
  readonly keys: readonly Key[];
  /** Those of the keys whose values the client may cache. */
  readonly readKeys: readonly Key[];
  order = 0;
  /** As the tracker had it when the request was sent. */
  sight = 0;
  named: readonly KeyAloft[] = NONE;
  read: readonly KeyAloft[] = NONE;
  parked: Parked[] | undefined;
  /** Its reads are not tracked because of something that upstream may yet refuse. */
  doubt: Doubt | undefined;
  protected readonly tracked: Tracked;
  #refused = false;

  constructor(tracked: Tracked, keys: readonly Key[], readKeys: readonly Key[], blocks: boolean) {
    this.tracked = tracked;
    this.keys = keys;
    this.readKeys = readKeys;
    this.blocks = blocks;
  }

  settle(reply: Reply): Verdict {
    this.#refused = refuses(reply);
    return 'pass';
  }

  after(_reply: Reply): void {
    this.tracked.land(this, this.#refused);
    if (this.doubt?.refused === true && !this.#refused) this.tracked.distrust(this.keys);
  }
}

const NONE: readonly KeyAloft[] = [];
