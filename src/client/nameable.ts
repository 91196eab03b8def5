import type { Key } from '../key.ts';
import type { KeyAccess } from '../upstream/access.ts';

/** How many keys may wait until it is known what the client may read. Beyond it: everything. */
const WAITING_MAX_COUNT = 10_000;

/** What it needs to know. */
export interface NameableParts {
  /** @returns which keys may be named to the client; undefined: not known yet */
  access(): KeyAccess | undefined;
  /** Resolves when that has been asked for; never rejects. */
  loadAccess(): Promise<void>;
}

/**
 * Keeps from a client the names of keys that it may not read: natively, a client that watches a
 * prefix hears of every key under it. What it may read is asked for when the first key changes.
 */
export class Nameable {
  readonly #parts: NameableParts;
  #waiting: (readonly Key[])[] | undefined;
  #waitingCount = 0;
  #whenJudged: (() => void)[] | undefined;

  constructor(parts: NameableParts) {
    this.#parts = parts;
  }

  /**
   * @param keys of one batch, in bytewise order
   * @param tell given those of them that may be named; undefined: everything, as nobody can say
   */
  judge(keys: readonly Key[], tell: Tell): void {
    const access = this.#waiting === undefined ? this.#parts.access() : undefined;
    if (access !== undefined) tell(nameableOf(keys, access));
    else this.#wait(keys, tell);
  }

  /** Whether some keys wait until it is known what the client may read. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Runs `run` when all keys so far have been judged. */
  whenJudged(run: () => void): void {
    if (!this.isWaiting) {
      run();
      return;
    }
    this.#whenJudged ??= [];
    this.#whenJudged.push(run);
  }

  #wait(keys: readonly Key[], tell: Tell): void {
    if (this.#waiting === undefined) {
      this.#waiting = [];
      void this.#parts.loadAccess().then(() => this.#end(tell));
    }
    this.#waitingCount += keys.length;
    // Beyond the limit they count as everything, and need not be kept.
    if (this.#waitingCount <= WAITING_MAX_COUNT) this.#waiting.push(keys);
  }

  #end(tell: Tell): void {
    const batches = this.#waiting ?? [];
    const tooMany = this.#waitingCount > WAITING_MAX_COUNT;
    this.#waiting = undefined;
    this.#waitingCount = 0;
    const access = this.#parts.access();
    if (access === undefined || tooMany) tell(undefined);
    else for (const keys of batches) tell(nameableOf(keys, access));
    const runs = this.#whenJudged ?? [];
    this.#whenJudged = undefined;
    for (const run of runs) run();
  }
}

type Tell = (keys: readonly Key[] | undefined) => void;

function nameableOf(keys: readonly Key[], access: KeyAccess): readonly Key[] {
  return access === 'all' ? keys : keys.filter(access);
}
