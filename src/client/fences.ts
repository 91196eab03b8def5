/** A client that may have something left to be told. */
export interface Listener {
  /** Runs `run` when the invalidations that wait for a reply now have left. */
  whenReleased(run: () => void): void;
  /** Runs `run` when what has left, and waits for the end of a reply, has been sent. */
  whenTold(run: () => void): void;
  /** Disconnects the client, as others have waited too long for it. Both calls back follow. */
  cutOff(): void;
}

/** What fences need to know, and from whom. */
export interface FenceParts {
  /**
   * Calls back when all notifications that were sent before have been read: true; or when that can't
   * be known, as the source is lost: false.
   */
  readonly sync: (done: (heard: boolean) => void) => void;
  /** Whether changes may pass unnoticed now: every client has been told to trust nothing. */
  readonly isBlind: () => boolean;
  /** Those clients that may have something left to be told. */
  readonly listeners: () => Iterable<Listener>;
  /** Sends what has been handed to the clients' sockets and waits for the turn to end. */
  readonly flush: () => void;
  /** Calls back when others have waited long enough for a client. @returns what stops that */
  readonly limit: (run: () => void) => () => void;
}

/** A fence that was raised. */
interface Raised {
  readonly passed: () => void;
  readonly settled: () => void;
}

/**
 * Fences behind writes. A fence is passed when every notification that was caused before it was
 * raised has been read, and every invalidation that follows has been handed to its client's socket.
 * All fences that are raised while one question to the source is under way share the next one.
 *
 * When the source is lost, a fence is passed when everybody has been told to drop everything.
 */
export class Fences {
  readonly #parts: FenceParts;
  #raised: Raised[] = [];
  #stranded: Raised[] = []; // their question went unanswered
  #isAsking = false;

  constructor(parts: FenceParts) {
    this.#parts = parts;
  }

  /**
   * @param passed  called once, at once where there is nothing to wait for
   * @param settled called behind that, once for all fences that name it and are passed together
   */
  raise(passed: () => void, settled: () => void): void {
    const raised = { passed, settled };
    if (this.#parts.isBlind()) {
      this.#settle([raised]);
      return;
    }
    this.#raised.push(raised);
    if (!this.#isAsking) this.#ask();
  }

  /** Every client has been told to drop everything, as the source is lost. */
  blinded(): void {
    const stranded = this.#stranded;
    this.#stranded = [];
    if (stranded.length > 0) this.#settle(stranded);
  }

  #ask(): void {
    const round = this.#raised;
    this.#raised = [];
    this.#isAsking = true;
    this.#parts.sync((heard) => {
      this.#isAsking = false;
      if (heard || this.#parts.isBlind()) this.#settle(round);
      else this.#stranded.push(...round);
      if (this.#raised.length > 0 && !this.#isAsking) this.#ask();
    });
  }

  /** What is released may have to wait for the end of a reply, even to another client. */
  #settle(round: readonly Raised[]): void {
    const told = () => {
      this.#parts.flush();
      for (const { passed } of round) passed();
      for (const settled of new Set(round.map((raised) => raised.settled))) settled();
    };
    this.#all(
      (listener, run) => listener.whenReleased(run),
      () => this.#all((listener, run) => listener.whenTold(run), told),
    );
  }

  #all(wait: (listener: Listener, run: () => void) => void, then: () => void): void {
    const waiting = new Set(this.#parts.listeners());
    if (waiting.size === 0) {
      then();
      return;
    }
    const stop = this.#parts.limit(() => {
      for (const listener of waiting) listener.cutOff();
    });
    for (const listener of waiting) {
      wait(listener, () => {
        waiting.delete(listener);
        if (waiting.size > 0) return;
        stop();
        then();
      });
    }
  }
}
