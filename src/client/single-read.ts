import { type Key, keyAt } from '../key.ts';
import type { KeyAloft } from './aloft.ts';
import type { Flight, Parked } from './flight.ts';
import { KEEP, type Owed, type Reply, type Verdict } from './ledger.ts';
import { refuses } from './owed.ts';
import type { Tracked } from './tracked.ts';

/**
 * A chunk that is longer is not kept for the key that lies in it, in bytes. Source: our choice; a
 * pipeline of some dozen reads is shorter.
 */
const KEPT_CHUNK_MAX_BYTES = 2_048;

/**
 * The entry for a tracked request that does nothing but read one key. Most are like that, and of most
 * nobody ever asks which key it was: it is left in the chunk in which the request came.
 */
export class SingleRead implements Owed, Flight {
  order = 0;
  /** As the tracker had it when the request was sent. */
  sight = 0;
  isFresh = false;
  before: Flight | undefined;
  behind: Flight | undefined;
  named: readonly KeyAloft[] = NONE;
  read: readonly KeyAloft[] = NONE;
  parked: Parked[] | undefined;
  readonly #tracked: Tracked;
  readonly #chunk: Buffer;
  readonly #from: number;
  readonly #to: number;
  #keys: readonly [Key] | undefined;
  #refused = false;

  /** @param chunk in which the key lies from `from` to `to`, for good */
  constructor(tracked: Tracked, chunk: Buffer, from: number, to: number) {
    this.#tracked = tracked;
    this.#from = from;
    this.#to = to;
    const isKept = chunk.length <= KEPT_CHUNK_MAX_BYTES;
    this.#chunk = isKept ? chunk : NOTHING;
    this.#keys = isKept ? undefined : [keyAt(chunk, from, to)];
  }

  get keep(): number {
    return KEEP.errors;
  }

  get drop(): boolean {
    return false;
  }

  get blocks(): boolean {
    return false;
  }

  get flushes(): boolean {
    return false;
  }

  get isLight(): boolean {
    return true;
  }

  get isSingle(): boolean {
    return true;
  }

  get keys(): readonly [Key] {
    this.#keys ??= [keyAt(this.#chunk, this.#from, this.#to)];
    return this.#keys;
  }

  get readKeys(): readonly [Key] {
    return this.keys;
  }

  settle(reply: Reply): Verdict {
    this.#refused = refuses(reply);
    return 'pass';
  }

  after(): void {
    this.#tracked.land(this, this.#refused);
  }
}

const NOTHING = Buffer.alloc(0);
const NONE: readonly KeyAloft[] = [];
