import type { Owed } from './ledger.ts';

interface Ours {
  readonly bytes: Buffer;
  readonly owed: Owed;
  /** The barrier opens with its reply, not with that of the request before it. */
  readonly opens: boolean;
}

/**
 * Keeps a request apart from its neighbours: it is sent when no reply is owed any more, and what
 * stands behind it is read when its own has come. So what its reply changes (who the client is,
 * which protocol it speaks) is known before anything depends on it.
 */
export class Barrier {
  readonly #ask: (bytes: Buffer, owed: Owed) => void;
  #waiting: (() => void) | undefined;
  #behind: Ours | undefined;
  #opens = false;

  /** @param ask sends a request and notes the reply that is owed for it */
  constructor(ask: (bytes: Buffer, owed: Owed) => void) {
    this.#ask = ask;
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
      this.#behind = undefined;
      this.#openWith(behind?.opens === true ? behind.owed : owed);
      this.#ask(bytes, owed);
      if (behind !== undefined) this.#ask(behind.bytes, behind.owed);
    };
    if (idle) send();
    else this.#waiting = send;
  }

  /** To be called by `entry`: another request of ours follows the one that is being sent. */
  askBehind(behind: Ours): void {
    this.#behind = behind;
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
      after?.(reply);
      this.#opens = true;
    };
  }
}
