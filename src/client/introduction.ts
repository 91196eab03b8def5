import { TYPE } from '../resp/scanner.ts';
import { request } from '../resp/write.ts';
import { KEEP, type Owed, type Reply } from './ledger.ts';
import { authRequest, injectedOwed, isTurnedAway } from './letting-in.ts';
import { consequent } from './owed.ts';
import type { Session } from './session.ts';

const WHO_ARE_WE = request('CLIENT', 'ID');

/** What servers before 5.0 say to CLIENT ID. */
const HAS_NO_IDS = /^-ERR (Syntax error|syntax error|unknown|Unknown)/;
const TEXT_BYTES = 40;

/** Something to be asked: still, or not answered yet, or not any more. */
type Question = 'due' | 'asked' | 'done';

/**
 * What a lane asks for itself when it opens: to be let in, where the proxy logs its clients in; by
 * which id upstream knows it, so that others can redirect to it; and the database that the upstream
 * URL names. What is refused for lack of a password is asked again when the client has given one.
 */
export class Introduction {
  readonly #session: Session;
  #login: Question = 'due';
  #name: Question = 'due';
  #db: Question = 'due';
  /** A request has been sent in part: what is to be asked follows before the next. */
  isDue = false;

  constructor(session: Session) {
    this.#session = session;
    if (session.parts.db === 0) this.#db = 'done';
  }

  /** Asks for what is not known or done yet. */
  begin(): void {
    this.isDue = this.#session.requests.isStreaming;
    if (this.isDue) {
      this.#session.noloop.isDue = true; // as soon as nothing stands in between
      return;
    }
    if (this.#login === 'due') this.#logIn();
    if (this.#name === 'due') {
      this.#name = 'asked';
      this.#session.ask(WHO_ARE_WE, this.#nameOwed());
    }
    if (this.#db === 'due') {
      this.#db = 'asked';
      this.#session.ask(request('SELECT', String(this.#session.parts.db)), this.#dbOwed());
    }
  }

  /** RESET was executed: the connection is nobody's, and in database 0 again. */
  reset(): void {
    this.#login = 'due';
    if (this.#session.parts.db !== 0) this.#db = 'due';
    this.begin();
  }

  /** It is not waited for: whatever stands behind it is asked by whom it lets in. */
  #logIn(): void {
    this.#login = 'done';
    const credentials = this.#session.parts.injected?.();
    if (credentials === undefined) return;
    const owed = injectedOwed(credentials, (user) => this.#session.authenticated(user));
    this.#session.ask(authRequest(credentials), owed);
  }

  #nameOwed(): Owed {
    const settle = (reply: Reply) => (isTurnedAway(reply) ? 'pass' : 'drop');
    const after = (reply: Reply) => {
      this.#name = 'due';
      const text = reply.bytes?.toString('latin1', 0, TEXT_BYTES) ?? '';
      if (text.startsWith('-NOAUTH')) this.#session.isStranger = true;
      if (HAS_NO_IDS.test(text)) {
        this.#name = 'done';
        this.#session.ownId = this.#session.parts.newClientId();
        this.#session.tracked.named(this.#session.ownId);
      }
      if (reply.type !== TYPE.integer || reply.bytes === undefined) return;
      this.#name = 'done';
      this.#session.tracked.named(
        Number(reply.bytes.toString('latin1', 1, reply.bytes.length - 2)),
      );
    };
    return consequent({ settle, after }, { keep: KEEP.all, drop: true, hidden: true });
  }

  #dbOwed(): Owed {
    const after = (reply: Reply) => {
      this.#db = reply.type === TYPE.error ? 'due' : 'done';
    };
    return consequent({ settle: () => 'drop', after }, { drop: true, hidden: true });
  }
}
