import type { Owed } from './ledger.ts';

/** A request of ours, and the entry for its reply. */
export interface Ours {
  readonly bytes: Buffer;
  readonly owed: Owed;
}

/** Whoever sends requests of ours. */
export interface Asker {
  /** Sends a request and notes the reply that is owed for it. */
  ask(bytes: Buffer, owed: Owed): void;
}

/**
 * Keeps a request apart from its neighbours: it is sent when no reply is owed any more, and what
 * stands behind it is read when its own has come. So what its reply changes (who the client is,
 * which protocol it speaks) is known before anything depends on it.
 */
export class Barrier {
  readonly #asker: Asker;
  #waiting: (() => void) | undefined;
  #behind: readonly Ours[] = NONE;
  #opensBehind = false;
  #opens = false;
  #isKept = false; // what has just been answered does not open it

  constructor(asker: Asker) {
    this.#asker = asker;
  }

  /** Whether a request waits to be sent. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /**
   * @param idle  whether no reply is owed
   * @param entry makes the entry for the reply, when the request is sent
   */
  alone(bytes: Buffer, idle: boolean, entry: () => Owed): void {
    const send = () => {
      const owed = entry();
      const behind = this.#behind;
      this.#behind = NONE;
      this.#openWith((this.#opensBehind ? behind.at(-1)?.owed : undefined) ?? owed);
      this.#asker.ask(bytes, owed);
      for (const ours of behind) this.#asker.ask(ours.bytes, ours.owed);
    };
    if (idle) send();
    else this.#waiting = send;
  }

  /**
   * To be called by `entry`: requests of ours follow the one that is being sent.
   *
   * @param opens the barrier opens with the last of their replies, not with that of the request
   */
  askBehind(behind: readonly Ours[], opens: boolean): void {
    this.#behind = behind;
    this.#opensBehind = opens;
  }

  /**
   * To be called while the reply is dealt with that would open the barrier: another request follows,
   * and the barrier opens with its reply.
   */
  chain(bytes: Buffer, entry: () => Owed): void {
    this.keepClosed();
    this.alone(bytes, true, entry);
  }

  /** As `chain`, but it opens when `open` is called. */
  keepClosed(): void {
    this.#isKept = true;
  }

  open(): void {
    this.#opens = true;
  }

  /** Sends what has waited for no reply to be owed. */
  idle(): void {
    const send = this.#waiting;
    this.#waiting = undefined;
    send?.();
  }

  /** @returns true once when the reply has come that others waited for */
  takeOpening(): boolean {
    const opens = this.#opens;
    this.#opens = false;
    return opens;
  }

  #openWith(owed: Owed): void {
    const after = owed.after?.bind(owed);
    owed.after = (reply) => {
      this.#isKept = false;
      after?.(reply);
      if (!this.#isKept) this.#opens = true;
    };
  }
}

const NONE: readonly Ours[] = [];
