import { ProxyError } from '../errors.ts';
import { TYPE } from '../resp/scanner.ts';
import type { Credentials } from '../upstream/credentials.ts';
import type { Between } from './conversation.ts';
import type { Reply } from './ledger.ts';
import { authRequest, isLetIn } from './letting-in.ts';
import { consequent } from './owed.ts';
import { DEFAULT_USER } from './parts.ts';
import { ReplyReader } from './replies.ts';

/** A connection to upstream, as far as it is needed to listen. */
export interface EarLane {
  write(bytes: Buffer): void;
  pause(): void;
  resume(): void;
  destroy(): void;
}

/** Whoever opens such a connection is told what comes. */
export interface EarListener {
  readonly received: (chunk: Buffer) => void;
  readonly closed: () => void;
}

/** What an ear needs from its session. */
export interface EarParts {
  readonly open: (listener: EarListener) => EarLane;
  readonly credentials: Credentials | undefined;
  /** Takes whole frames for the client. @returns whether they wait, and no more should come */
  readonly push: (frames: Buffer) => boolean;
  /** Whatever was subscribed to is lost. */
  readonly lost: () => void;
}

/** What an ear is asked. */
export interface EarRequest {
  /** A (P/S)SUBSCRIBE or its end. */
  readonly bytes: Buffer;
  /** Of the frames that confirm it. */
  readonly kind: string;
  /** How many there will be; undefined: as many as there are subscriptions. */
  readonly framesLeft: number | undefined;
  /** An error in their place is not for the client. */
  readonly silent: boolean;
}

/**
 * How long messages may be that are not whole yet, in bytes. Source: our choice; they have to be
 * whole before they go between the replies that come from elsewhere.
 */
export const EAR_MAX_BYTES = 67_108_864;

/**
 * The second connection of a client that speaks RESP3 to an upstream of RESP2. There a connection
 * that subscribes may do little else; in RESP3 it goes on as before. So the client subscribes on
 * this one, and its messages reach it as pushes.
 */
export class Ear implements Between {
  readonly #parts: EarParts;
  readonly #lane: EarLane;
  readonly #reader: ReplyReader;
  #whole: Buffer[] = []; // frames for the client
  #pieces: Buffer[] = []; // of a frame that is not whole yet
  #piecesBytes = 0;
  #closed = false;

  constructor(parts: EarParts) {
    this.#parts = parts;
    this.#reader = new ReplyReader({ send: (bytes) => this.#keep(bytes), begin: () => {} });
    this.#reader.protocol = 3;
    this.#reader.translates = true;
    this.#reader.whenBetween(this);
    this.#lane = parts.open({
      received: (chunk) => this.#receive(chunk),
      closed: () => this.#lose(),
    });
    if (parts.credentials !== undefined) this.#logIn(parts.credentials);
  }

  /** Whether it has the rights of who logs in with `credentials`. */
  isAs(credentials: Credentials | undefined): boolean {
    return userOf(this.#parts.credentials) === userOf(credentials);
  }

  /** Whether nothing is subscribed to. */
  get isIdle(): boolean {
    return !this.#reader.subscriptions.active && this.#reader.ledger.size === 0;
  }

  /** @param done called when the last confirmation, or an error instead, has been handed on */
  ask({ bytes, kind, framesLeft, silent }: EarRequest, done: () => void): void {
    const settle = (reply: Reply) => (silent && reply.type === TYPE.error ? 'drop' : 'pass');
    const after = () => {
      this.betweenReplies();
      this.#handOn();
      done();
    };
    this.#reader.ledger.push(consequent({ settle, after }, { confirms: kind, framesLeft }));
    this.#lane.write(bytes);
  }

  /** The client has taken what waited. */
  resume(): void {
    this.#lane.resume();
  }

  close(): void {
    this.#closed = true;
    this.#lane.destroy();
  }

  /** Upstream has let the client in with these, but may have changed its mind. */
  #logIn(credentials: Credentials): void {
    const after = (reply: Reply) => {
      if (!isLetIn(reply)) this.#lose();
    };
    this.#reader.ledger.push(consequent({ settle: () => 'drop', after }, { drop: true }));
    this.#lane.write(authRequest(credentials));
  }

  /** Nothing that upstream sends may do harm to more than this client. */
  #receive(chunk: Buffer): void {
    if (this.#closed) return;
    this.#reader.feed(chunk);
    this.#handOn();
  }

  #lose(): void {
    if (this.#closed) return;
    this.close();
    this.#parts.lost();
  }

  #keep(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#piecesBytes += bytes.length;
    if (this.#piecesBytes <= EAR_MAX_BYTES) return;
    throw new ProxyError('FRAME_TOO_LARGE', `a message of more than ${EAR_MAX_BYTES} bytes`);
  }

  /** What has been kept so far is whole. */
  betweenReplies(): void {
    this.#reader.write(NOTHING); // behind all that was passed on
    for (const piece of this.#pieces) this.#whole.push(piece);
    this.#pieces = [];
    this.#piecesBytes = 0;
    this.#reader.whenBetween(this);
  }

  #handOn(): void {
    if (this.#closed || this.#whole.length === 0) return;
    const frames = Buffer.concat(this.#whole);
    this.#whole = [];
    if (frames.length > 0 && this.#parts.push(frames)) this.#lane.pause();
  }
}

const NOTHING = Buffer.alloc(0);

function userOf(credentials: Credentials | undefined): string {
  return credentials?.user ?? DEFAULT_USER;
}
