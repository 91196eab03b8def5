import { TYPE } from '../resp/scanner.ts';
import { bulk, error, request } from '../resp/write.ts';
import { type Hello, parseHello } from '../translate/hello.ts';
import type { Step } from './handler.ts';
import type { HeldWords } from './held.ts';
import { advertised, protocolOf } from './hello.ts';
import { KEEP, type Owed, type Reply, SWALLOW, type Verdict } from './ledger.ts';
import { consequent, isStatus } from './owed.ts';
import { DEFAULT_USER } from './parts.ts';
import type { Session } from './session.ts';

/** From this version on (7.2) a failing AUTH sends no reply while other output is queued. */
const SILENT_AUTH_VERSION = 702;

/** A request that every server refuses before it queues it, whereby a transaction is spoilt. */
const SPOILER = request('AUTH');
const NOT_IN_MULTI = error('ERR Command not allowed inside a transaction');
const WRONG_PASSWORD = error('WRONGPASS invalid username-password pair or user is disabled.');

/** HELLO: on success the connection speaks the protocol, and is the user, that it names. */
export function hello(session: Session, words: HeldWords): Step {
  let user: string | undefined;
  for (let index = 2; index + 1 < words.count; index += 2) {
    if (words.text(index).toLowerCase() !== 'auth') continue;
    user = words.text(index + 1);
    index += 1;
  }
  const asked = parseHello(words);
  if (session.multi === undefined || user !== undefined) {
    return login(session, words, () => helloOwed(session, user, asked));
  }
  if (session.parts.speaksResp3()) return session.forward(helloOwed(session, undefined, asked));
  return session.emulation.queueHello(asked);
}

function helloOwed(session: Session, user: string | undefined, asked: Hello | string): Owed {
  const isAlone = session.multi === undefined; // so that something can be asked behind it
  let protocol: ReturnType<typeof protocolOf>;
  let isRefused = false;
  const settle = (reply: Reply): Verdict => {
    if (reply.bytes === undefined) return 'pass';
    isRefused = isAlone && session.emulation.canAnswer(reply);
    if (isRefused) return 'drop';
    protocol = protocolOf(reply.bytes);
    if (protocol === undefined) return 'pass';
    session.replies.protocol = protocol;
    return advertised(reply.bytes, session.parts.advertise);
  };
  const after = () => {
    if (isRefused) session.emulation.hello(asked);
    if (protocol === undefined) return;
    const credentials = typeof asked === 'string' ? undefined : asked.login;
    if (credentials !== undefined) session.emulation.remember(credentials);
    session.authenticated(user);
  };
  return consequent({ settle, after }, { keep: KEEP.all });
}

/** AUTH: on success the connection is that user; a password alone is the default user's. */
export function auth(session: Session, words: HeldWords): Step {
  const user = words.count === 3 ? words.text(1) : DEFAULT_USER;
  const name = words.count === 3 ? user : undefined;
  const password = words.count > 1 ? words.text(words.count - 1) : '';
  const after = (reply: Reply) => {
    if (!isStatus(reply, 'OK')) return;
    session.emulation.remember({ user: name, password });
    session.authenticated(user);
  };
  return login(session, words, () => consequent({ after }));
}

/**
 * A request with credentials. It is sent when nothing is owed, because otherwise newer servers may
 * leave a wrong password unanswered; where they still may, a PING behind it shows whether they did.
 */
function login(session: Session, words: HeldWords, entry: () => Owed): Step {
  const maySilence =
    (session.parts.upstreamVersion() ?? SILENT_AUTH_VERSION) >= SILENT_AUTH_VERSION;
  if (session.multi !== undefined) {
    return maySilence ? refuseInMulti(session) : session.forward(entry());
  }
  return session.alone(words.bytes(), () => {
    const { subscriptions, monitoring } = session.replies;
    if (!maySilence || !(subscriptions.active || monitoring)) return entry();
    return witnessed(session, entry());
  });
}

/** Has a PING follow `owed`'s request, whose answer shows that the request got none. */
function witnessed(session: Session, owed: Owed): Owed {
  const nonce = 'sidetrack-witness';
  const unanswered = bulk(nonce);
  const settle = (reply: Reply): Verdict => {
    const text = reply.bytes?.toString('latin1') ?? '';
    if (text !== unanswered && !/^-(NOAUTH|NOPERM)/.test(text)) return owed.settle(reply);
    session.replies.ledger.shift(); // that was the reply to the PING
    return WRONG_PASSWORD;
  };
  session.barrier.askBehind([{ bytes: request('PING', nonce), owed: SWALLOW }], false);
  return consequent({ settle, after: (reply) => owed.after?.(reply) }, { keep: KEEP.all });
}

/** The request is refused as servers refuse others inside MULTI: the transaction is spoilt. */
export function refuseInMulti(session: Session): Step {
  const settle = (reply: Reply): Verdict => (reply.type === TYPE.error ? NOT_IN_MULTI : 'pass');
  session.ask(SPOILER, consequent({ settle }));
  return 'done';
}
