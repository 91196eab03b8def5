import { TYPE } from '../resp/scanner.ts';
import { request } from '../resp/write.ts';
import type { Keyed } from './keyed.ts';
import { KEEP, type Owed, type Reply, SWALLOW, type Verdict } from './ledger.ts';
import { consequent, isStatus, refuses } from './owed.ts';
import type { Session } from './session.ts';

const MULTI = request('MULTI');
const EXEC = request('EXEC');

/** A request of ours inside a transaction: nothing of it is for the client. */
const HIDDEN: Owed = consequent({ settle: () => 'drop' }, { drop: true, hidden: true });

/**
 * Asks whether this client's user may publish on our channel, which attribution needs.
 *
 * @returns the request, and the entry for its reply
 */
export function publishProbe(session: Session): { readonly bytes: Buffer; readonly owed: Owed } {
  const after = (reply: Reply) => {
    session.mayPublish = reply.type !== TYPE.error;
  };
  const owed = consequent({ settle: () => 'drop', after }, { keep: KEEP.all, drop: true });
  return { bytes: request('PUBLISH', session.attribution.channel, ''), owed };
}

/**
 * Sends a write between two messages of ours, in one transaction, so that the source can tell whose
 * it was. The client sees its reply and nothing else.
 *
 * @param bytes  the write as the client sent it
 * @param flight the entry that the write would have alone
 */
export function sendAttributed(session: Session, bytes: Buffer, flight: Keyed): void {
  const { attribution } = session;
  const word = attribution.expect(session.tracked.id);
  const message = request('PUBLISH', attribution.channel, word);
  const write = new AttributedWrite(session, bytes, flight, word);
  session.ask(MULTI, multiOwed(session, word));
  session.ask(message, SWALLOW);
  session.ask(bytes, write);
  session.ask(message, SWALLOW);
  session.ask(EXEC, new AttributedExec(write));
}

/** Where our MULTI is refused the rest is executed all the same, but not in one piece. */
function multiOwed(session: Session, word: string): Owed {
  const after = (reply: Reply) => {
    if (reply.type === TYPE.error) session.misattributed(word, reply);
  };
  return consequent({ settle: () => 'drop', after }, { drop: true });
}

/** Opens the attribution of a transaction of the client's own, right behind its MULTI. */
export function openAttribution(session: Session): string {
  const word = session.attribution.expect(session.tracked.id);
  sayWord(session, word);
  return word;
}

/** Says the word around the writes of the client's transaction: as its first and last request. */
export function sayWord(session: Session, word: string): void {
  session.ask(request('PUBLISH', session.attribution.channel, word), HIDDEN);
}

/** The write itself: QUEUED if all is well; its own reply if upstream refused our MULTI. */
class AttributedWrite implements Owed {
  readonly keep = KEEP.errors | KEEP.statuses;
  readonly drop = false;
  readonly blocks = false;
  readonly flushes = false;
  readonly #session: Session;
  readonly #bytes: Buffer;
  readonly #flight: Keyed;
  readonly #word: string;
  #queued = false;
  #refused = false;

  constructor(session: Session, bytes: Buffer, flight: Keyed, word: string) {
    this.#session = session;
    this.#bytes = bytes;
    this.#flight = flight;
    this.#word = word;
  }

  settle(reply: Reply): Verdict {
    this.#queued = isStatus(reply, 'QUEUED');
    this.#refused = refuses(reply);
    return this.#queued ? 'drop' : 'pass';
  }

  /** EXEC was answered. @param aborted nothing was executed by it */
  executed(aborted: boolean): void {
    if (aborted || !this.#queued) this.#session.attribution.forget(this.#word);
    if (aborted && this.#queued) this.#sendPlain();
    else this.#session.tracked.land(this.#flight, this.#refused);
  }

  /**
   * Our messages were refused, and the write with them: the user has lost the right to publish. The
   * write goes out again, alone; until it is answered, later replies wait.
   */
  #sendPlain(): void {
    const { replies, tracked } = this.#session;
    this.#session.mayPublish = false;
    replies.detain();
    const after = (reply: Reply) => {
      replies.release(reply.bytes);
      tracked.land(this.#flight, refuses(reply));
    };
    const owed = consequent({ settle: () => 'drop', after }, { keep: KEEP.all, drop: true });
    this.#session.ask(this.#bytes, owed);
  }
}

/** Our EXEC: of its reply only the write's own is passed on. */
class AttributedExec implements Owed {
  readonly keep = KEEP.errors;
  readonly drop = true;
  readonly blocks = false;
  readonly flushes = false;
  readonly opens = 'always';
  readonly bare = true;
  readonly elements: readonly Owed[];
  readonly #write: AttributedWrite;
  #aborted = false;

  constructor(write: AttributedWrite) {
    this.#write = write;
    this.elements = [SWALLOW, ELEMENT, SWALLOW];
  }

  settle(reply: Reply): Verdict {
    this.#aborted = reply.type !== TYPE.array || reply.isNull === true;
    return 'drop';
  }

  after(): void {
    this.#write.executed(this.#aborted);
  }
}

const ELEMENT: Owed = { ...SWALLOW, drop: false };
