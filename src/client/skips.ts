import type { Owed } from './ledger.ts';

/** CLIENT REPLY SKIP: which of them are to have the next reply dropped. */
export class Skips {
  #last: Owed | undefined;
  #spent: WeakSet<Owed> | undefined; // made when the first one is

  /** A CLIENT REPLY SKIP was sent: the next request, even an empty one, uses it up. */
  sent(owed: Owed): void {
    this.#last = owed;
  }

  /** The one that the next request uses up. */
  get last(): Owed | undefined {
    return this.#last;
  }

  isSpent(owed: Owed): boolean {
    return this.#spent?.has(owed) ?? false;
  }

  /** A request follows that is answered. */
  used(): void {
    this.#last = undefined;
  }

  /** A request follows that nobody answers. @returns whether that used one up */
  wasted(): boolean {
    if (this.#last === undefined) return false;
    this.#spent ??= new WeakSet();
    this.#spent.add(this.#last);
    this.#last = undefined;
    return true;
  }
}
