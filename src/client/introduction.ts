import { TYPE } from '../resp/scanner.ts';
import { request } from '../resp/write.ts';
import { KEEP, type Owed, type Reply, type Verdict } from './ledger.ts';
import { consequent } from './owed.ts';
import type { Session } from './session.ts';

const WHO_ARE_WE = request('CLIENT', 'ID');

/** Errors by which a server turns a connection away, whatever it was asked. */
const TURNED_AWAY = /^-(ERR max number of clients|DENIED)/;

/** What servers before 5.0 say to CLIENT ID. */
const HAS_NO_IDS = /^-ERR (Syntax error|syntax error|unknown|Unknown)/;
const TEXT_BYTES = 40;

/**
 * What a lane asks for itself when it opens: by which id upstream knows it, so that others can
 * redirect to it, and the database that the upstream URL names. What is refused for lack of a
 * password is asked again when the client has given one.
 */
export class Introduction {
  readonly #session: Session;
  #named = false;
  /** A request has been sent in part: what is to be asked follows before the next. */
  isDue = false;
  #dbSelected: boolean;

  constructor(session: Session) {
    this.#session = session;
    this.#dbSelected = session.parts.db === 0;
  }

  /** Asks for what is not known or done yet. */
  begin(): void {
    this.isDue = this.#session.requests.isStreaming;
    if (this.isDue) {
      this.#session.noloop.isDue = true; // as soon as nothing stands in between
      return;
    }
    if (!this.#named) this.#session.ask(WHO_ARE_WE, this.#nameOwed());
    if (!this.#dbSelected)
      this.#session.ask(request('SELECT', String(this.#session.parts.db)), this.#dbOwed());
  }

  /** RESET was executed: the connection is in database 0 again. */
  reset(): void {
    this.#dbSelected = this.#session.parts.db === 0;
    this.begin();
  }

  #nameOwed(): Owed {
    const settle = (reply: Reply): Verdict => {
      const text = reply.bytes?.toString('latin1') ?? '';
      return TURNED_AWAY.test(text) ? 'pass' : 'drop';
    };
    const after = (reply: Reply) => {
      const text = reply.bytes?.toString('latin1', 0, TEXT_BYTES) ?? '';
      if (text.startsWith('-NOAUTH')) this.#session.isStranger = true;
      if (HAS_NO_IDS.test(text)) {
        this.#named = true;
        this.#session.ownId = this.#session.parts.newClientId();
        this.#session.tracked.named(this.#session.ownId);
      }
      if (reply.type !== TYPE.integer || reply.bytes === undefined) return;
      this.#named = true;
      this.#session.tracked.named(
        Number(reply.bytes.toString('latin1', 1, reply.bytes.length - 2)),
      );
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
