import { TYPE } from '../resp/scanner.ts';
import { request } from '../resp/write.ts';
import { KEEP, type Owed, type Reply, type Verdict } from './ledger.ts';
import { consequent } from './owed.ts';

const WHO_ARE_WE = request('CLIENT', 'ID');

/** Errors by which a server turns a connection away, whatever it was asked. */
const TURNED_AWAY = /^-(ERR max number of clients|DENIED)/;

/** What an introduction needs from its session. */
export interface IntroductionParts {
  readonly ask: (bytes: Buffer, owed: Owed) => void;
  /** The database in which connections begin. */
  readonly db: number;
  /** Told that upstream wants a password first. */
  readonly refused: () => void;
  /** Told the id by which upstream knows the connection. */
  readonly named: (clientId: number) => void;
}

/**
 * What a lane asks for itself when it opens: by which id upstream knows it, so that others can
 * redirect to it, and the database that the upstream URL names. What is refused for lack of a
 * password is asked again when the client has given one.
 */
export class Introduction {
  readonly #parts: IntroductionParts;
  #named = false;
  #dbSelected: boolean;

  constructor(parts: IntroductionParts) {
    this.#parts = parts;
    this.#dbSelected = parts.db === 0;
  }

  /** Asks for what is not known or done yet. */
  begin(): void {
    if (!this.#named) this.#parts.ask(WHO_ARE_WE, this.#nameOwed());
    if (!this.#dbSelected)
      this.#parts.ask(request('SELECT', String(this.#parts.db)), this.#dbOwed());
  }

  /** RESET was executed: the connection is in database 0 again. */
  reset(): void {
    this.#dbSelected = this.#parts.db === 0;
    this.begin();
  }

  #nameOwed(): Owed {
    const settle = (reply: Reply): Verdict => {
      const text = reply.bytes?.toString('latin1') ?? '';
      return TURNED_AWAY.test(text) ? 'pass' : 'drop';
    };
    const after = (reply: Reply) => {
      if (reply.bytes?.toString('latin1', 0, 7) === '-NOAUTH') this.#parts.refused();
      if (reply.type !== TYPE.integer || reply.bytes === undefined) return;
      this.#named = true;
      this.#parts.named(Number(reply.bytes.toString('latin1', 1, reply.bytes.length - 2)));
    };
    return consequent({ settle, after }, { keep: KEEP.all, drop: true, hidden: true });
  }

  #dbOwed(): Owed {
    const after = (reply: Reply) => {
      this.#dbSelected = reply.type !== TYPE.error;
    };
    return consequent({ settle: () => 'drop', after }, { drop: true, hidden: true });
  }
}
