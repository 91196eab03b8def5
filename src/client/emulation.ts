import type { CommandInfo } from '../commands/table.ts';
import { TYPE } from '../resp/scanner.ts';
import { error, type Protocol, request, status } from '../resp/write.ts';
import { HELLO_NOAUTH, type Hello, helloReply } from '../translate/hello.ts';
import type { Credentials } from '../upstream/credentials.ts';
import type { Between } from './conversation.ts';
import { Ear } from './ear.ts';
import type { Step } from './handler.ts';
import type { HeldWords } from './held.ts';
import { KEEP, type Owed, type Reply } from './ledger.ts';
import { authRequest, needsNoPassword } from './letting-in.ts';
import { consequent, isStatus } from './owed.ts';
import { DEFAULT_USER } from './parts.ts';
import type { Session } from './session.ts';
import { standInFor } from './stand-in.ts';

/** From this version on (6.0) AUTH takes a user's name. */
const USERS_VERSION = 600;

const WRONG_PASSWORD = error('WRONGPASS invalid username-password pair or user is disabled.');

/** What a server says that has no such command, or does not let it be used. */
const UNKNOWN = /^-(ERR unknown command|NOPERM )/;

/** What servers before 6.0 say to a wrong password; and to a user's name. */
const OLD_WRONG_PASSWORD = /^-ERR (invalid password|wrong number of arguments)/;

const IN_SUBSCRIBER_MODE = error(
  "ERR Can't execute 'hello': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are " +
    'allowed in this context',
);
const LEAVES_RESP3 = error('ERR unsubscribe first: RESP2 has no room for messages and replies');
const OTHER_USER = error('ERR unsubscribe first: what there is was subscribed to as another user');

/**
 * A request of no words: every server reads and forgets it, and answers nothing. Inside MULTI it is
 * not queued. What holds for the next request only is over with it: ASKING, in a cluster; the client is
 * then sent to the other node once more.
 */
const EMPTY_REQUEST = Buffer.from('*0\r\n');

/** @returns whether upstream does not know, or does not allow, what it was asked */
export function isUnknown(reply: Reply): boolean {
  return reply.type === TYPE.error && UNKNOWN.test(reply.bytes?.toString('latin1', 0, 32) ?? '');
}

/**
 * Speaks RESP3 for an upstream that does not: answers HELLO once upstream has accepted the password,
 * ends it all at RESET, and listens on a connection of its own for a client that subscribes.
 */
export class Emulation implements Between {
  readonly #session: Session;
  #ear: Ear | undefined;
  #waiting: Buffer[] | undefined; // messages that wait for the end of a reply
  #credentials: Credentials | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** With what an ear logs in: as the client has done, or as we have done for it. */
  get #login(): Credentials | undefined {
    return this.#credentials ?? this.#session.parts.injected?.();
  }

  /** Whether the client hears messages. */
  get isSubscribed(): boolean {
    return this.#ear?.isIdle === false;
  }

  /**
   * Upstream has let the client in with these: an ear will need them. Whether there will be one
   * nobody knows yet: that user may be refused HELLO though others are not.
   */
  remember({ user, password }: Credentials): void {
    this.#credentials = { user, password };
  }

  /** @returns whether `reply`, to HELLO, is a refusal in whose place we can answer */
  canAnswer(reply: Reply): boolean {
    const { replies, parts } = this.#session;
    if (replies.protocol === 3 && !replies.translates) return false; // upstream does speak it
    return isUnknown(reply) || (reply.type === TYPE.error && !parts.speaksResp3());
  }

  /**
   * Upstream has refused HELLO itself. To be called while its reply is dealt with.
   *
   * @param asked what it asked for, or what is wrong with it
   */
  hello(asked: Hello | string): void {
    const { replies } = this.#session;
    const say = replies.silent ? () => {} : (reply: Buffer) => replies.write(reply);
    // Upstream has it in subscriber mode, where no server takes a HELLO.
    if (replies.subscriptions.active) say(IN_SUBSCRIBER_MODE);
    else if (typeof asked === 'string') say(error(asked));
    else if (asked.login === undefined) this.#greet(asked, say);
    else this.#logIn(asked, asked.login, say);
  }

  /** HELLO inside MULTI, without credentials: what stands for it waits for EXEC in its place. */
  queueHello(asked: Hello | string): Step {
    const session = this.#session;
    const to = typeof asked === 'string' ? undefined : asked;
    if (to?.protocol === 3) session.replies.mayTranslate = true;
    const settle = (reply: Reply) => {
      if (reply.type === TYPE.error) return 'pass';
      return to === undefined ? error(String(asked)) : this.#switchTo(to.protocol);
    };
    session.ask(witnessOf(to?.name), consequent({ settle }, { keep: KEEP.all, drop: true }));
    return 'done';
  }

  #logIn(asked: Hello, login: NonNullable<Hello['login']>, say: Say): void {
    const { user, password } = login;
    const version = this.#session.parts.upstreamVersion();
    const isDefault = user === DEFAULT_USER;
    if (!isDefault && version !== undefined && version < USERS_VERSION) {
      say(WRONG_PASSWORD);
      return;
    }
    // Every server takes the default user's password alone.
    const name = isDefault && (version ?? 0) < USERS_VERSION ? undefined : user;
    this.#step(authRequest({ user: name, password }), (reply) => {
      const text = textOf(reply);
      const isIn = isStatus(reply, 'OK');
      if (!isIn && !needsNoPassword(reply)) {
        say(OLD_WRONG_PASSWORD.test(text) ? WRONG_PASSWORD : (reply.bytes ?? WRONG_PASSWORD));
        return;
      }
      if (isIn) this.remember({ user: name, password });
      this.#session.authenticated(user);
      this.#greet(asked, say);
    });
  }

  #greet({ name, protocol }: Hello, say: Say): void {
    this.#step(witnessOf(name), (reply) => {
      const isOut = /^-NOAUTH/.test(textOf(reply));
      say(isOut ? error(HELLO_NOAUTH) : this.#switchTo(protocol));
    });
  }

  /** @param protocol to be spoken from now on; undefined: as before. @returns the reply to HELLO */
  #switchTo(protocol: Protocol | undefined): Buffer {
    const { replies, outlet, parts } = this.#session;
    const spoken = protocol ?? replies.protocol;
    if (spoken === 2 && this.#ear !== undefined) return LEAVES_RESP3;
    replies.protocol = spoken;
    replies.translates = spoken === 3;
    replies.mayTranslate = false;
    const { version, ...facts } = parts.serverFacts();
    const shown = { ...facts, version: parts.advertise(version), id: outlet.clientId ?? 0 };
    return helloReply(shown, spoken);
  }

  /** Upstream does not know RESET. It keeps whom the client has logged in as, unless we do that. */
  reset(): void {
    const requests = [
      request('DISCARD'),
      request('UNWATCH'),
      request('SELECT', '0'),
      request('CLIENT', 'SETNAME', ''),
    ];
    const { replies } = this.#session;
    const isSkipped = replies.silent && !replies.muted; // it ends REPLY OFF, and says so
    const next = () => {
      const bytes = requests.shift();
      if (bytes !== undefined) {
        this.#step(bytes, next);
        return;
      }
      const credentials = this.#credentials;
      this.#session.reset();
      if (!isSkipped) replies.write(status('RESET'));
      if (credentials === undefined || this.#login !== undefined) return;
      this.remember(credentials);
      this.#session.authenticated(credentials.user ?? DEFAULT_USER);
    };
    next();
  }

  /** A (P/S)SUBSCRIBE or its end, of a client whose replies are translated. */
  subscribe(info: CommandInfo, words: HeldWords): Step {
    const session = this.#session;
    const begins = info.role === 'subscribe';
    const framesLeft = words.count === 1 ? undefined : words.count - 1;
    if (!begins && this.#ear === undefined) {
      return session.forward(consequent({}, { confirms: info.name, framesLeft }));
    }
    const bytes = Buffer.from(words.bytes());
    const after = () => {
      const { silent } = session.replies;
      if (begins && this.#ear?.isAs(this.#login) === false) {
        if (!silent) session.replies.write(OTHER_USER);
        return;
      }
      session.barrier.keepClosed();
      this.#listen().ask({ bytes, kind: info.name, framesLeft, silent }, () => {
        if (this.#ear?.isIdle === true) this.#stopListening();
        session.barrier.open();
        session.proceed();
      });
    };
    // Whatever upstream says to the stand-in: it says it to the ear, too, about the request itself.
    return session.alone(standInFor('subscribe', false), () =>
      consequent({ settle: () => 'drop', after }, { drop: true }),
    );
  }

  /** The client is gone, or has begun anew. */
  close(): void {
    this.#stopListening();
    this.#waiting = undefined;
    this.#credentials = undefined;
  }

  /** An idle connection may be ended by upstream; one that listens is not. */
  #stopListening(): void {
    this.#ear?.close();
    this.#ear = undefined;
  }

  #listen(): Ear {
    const { ends } = this.#session;
    this.#ear ??= new Ear({
      open: (listener) => ends.openEar(listener, () => this.#beat()),
      credentials: this.#login,
      push: (frames) => this.#push(frames),
      lost: () => this.#session.finish(),
    });
    return this.#ear;
  }

  /**
   * A subscriber may be silent for as long as it likes, but upstream does not see on its lane that it
   * is one. Nothing is said while a reply is owed: what upstream works on is not idle, and behind QUIT
   * or SYNC nothing may follow. Nor inside a request of which a part has been sent.
   */
  #beat(): void {
    const { replies, requests } = this.#session;
    if (replies.ledger.size === 0 && !requests.isStreaming) this.#session.send(EMPTY_REQUEST);
  }

  /** Messages go between the replies, as pushes of upstream's own would. */
  #push(frames: Buffer): boolean {
    const { replies, hold, ends } = this.#session;
    if (replies.midReply) {
      this.#waiting ??= [];
      this.#waiting.push(frames);
      replies.whenBetween(this);
      return true;
    }
    replies.push(frames);
    const resume = () => this.#ear?.resume();
    if (ends.output.isSlow) ends.output.whenDrained(resume);
    else if (hold.isFull) hold.whenOpen(resume);
    else return false;
    return true;
  }

  /** Sends the messages that have waited. */
  betweenReplies(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const frames of waiting) this.#session.replies.push(frames);
    this.#ear?.resume();
  }

  /** Asks upstream something behind what it has just answered; the client is read no further. */
  #step(bytes: Buffer, then: (reply: Reply) => void): void {
    const entry = (): Owed =>
      consequent(
        { settle: () => 'drop', after: then },
        { keep: KEEP.all, drop: true, hidden: true },
      );
    this.#session.barrier.chain(bytes, entry);
  }
}

type Say = (reply: Buffer) => void;

/** @returns what sets the name, and whose reply shows whether the client is let in; PING's does too */
function witnessOf(name: string | undefined): Buffer {
  return name === undefined ? request('PING') : request('CLIENT', 'SETNAME', name);
}

function textOf(reply: Reply): string {
  return reply.bytes?.toString('latin1') ?? '';
}
