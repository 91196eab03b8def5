/** One CLIENT FENCE-WRITES that was read. */
interface Wish {
  readonly isOn: boolean;
}

/**
 * Whether replies to a client's writes are fenced, for the requests that are being read. What it has
 * asked for last holds; but while it is open whether upstream lets it ask, they are fenced if they
 * would be by any outcome: a fence too many only costs time.
 */
export class FenceChoice {
  readonly #byDefault: boolean;
  #confirmed: boolean;
  #open: Set<Wish> | undefined; // undefined: no outcome is open

  /** @param byDefault what holds for a client that has not asked */
  constructor(byDefault: boolean) {
    this.#byDefault = byDefault;
    this.#confirmed = byDefault;
  }

  get isOn(): boolean {
    if (this.#confirmed || this.#open === undefined) return this.#confirmed;
    for (const { isOn } of this.#open) if (isOn) return true;
    return false;
  }

  /** @returns what to call with the outcome, in the order in which they were asked for */
  want(isOn: boolean): (refused: boolean) => void {
    const wish = { isOn };
    this.#open ??= new Set();
    this.#open.add(wish);
    return (refused) => {
      if (this.#open?.delete(wish) !== true) return;
      if (!refused) this.#confirmed = isOn;
      if (this.#open.size === 0) this.#open = undefined;
    };
  }

  /** RESET was executed. */
  reset(): void {
    this.#confirmed = this.#byDefault;
    this.#open = undefined;
  }
}
