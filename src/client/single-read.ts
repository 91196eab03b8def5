import { type Key, keyAt } from '../key.ts';
import type { KeyAloft } from './aloft.ts';
import type { Flight, Parked } from './flight.ts';
import { KEEP, type Owed, type Reply, type Verdict } from './ledger.ts';
import { refuses } from './owed.ts';
import type { Tracked } from './tracked.ts';

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

  /** @param chunk which nobody changes any more; the key lies in it from `from` to `to` */
  constructor(tracked: Tracked, chunk: Buffer, from: number, to: number) {
    this.#tracked = tracked;
    this.#chunk = chunk;
    this.#from = from;
    this.#to = to;
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

const NONE: readonly KeyAloft[] = [];
