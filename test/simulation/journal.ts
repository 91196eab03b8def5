import type { ReadKind, Store } from './store.ts';

/** A key was changed. */
export interface Change {
  readonly db: number;
  readonly key: string;
  /** Its place among all changes. */
  readonly order: number;
}

/** How a key is read from one change on. */
interface State {
  readonly order: number;
  readonly answers: Readonly<Record<ReadKind, string>>;
}

/** What every key has been, so that a cached value can be told from one that is too old. */
export class Journal {
  readonly #states = new Map<string, State[]>();
  #fresh = new Map<string, Change>(); // the last change of each key since the last `take`
  #count = 0;

  /** A key of `store`, which is the database `db`, has changed. */
  changed(db: number, key: string, store: Store): void {
    const order = ++this.#count;
    const answers = {
      get: store.answer('get', key, 3),
      exists: store.answer('exists', key, 3),
      lrange: store.answer('lrange', key, 3),
    };
    const id = idOf(db, key);
    const states = this.#states.get(id);
    if (states === undefined) this.#states.set(id, [{ order, answers }]);
    else states.push({ order, answers });
    this.#fresh.set(id, { db, key, order });
  }

  /** @returns the last change of each key that has changed since the last call */
  take(): readonly Change[] {
    if (this.#fresh.size === 0) return NONE;
    const changes = [...this.#fresh.values()];
    this.#fresh = new Map();
    return changes;
  }

  /** Whether a read of that kind was ever answered so behind the change. */
  allows({ db, key, order }: Change, kind: ReadKind, raw: string): boolean {
    const states = this.#states.get(idOf(db, key)) ?? [];
    return states.some((state) => state.order >= order && state.answers[kind] === raw);
  }
}

/** @returns what names a key in all databases */
export function idOf(db: number, key: string): string {
  return `${db} ${key}`;
}

const NONE: readonly Change[] = [];
