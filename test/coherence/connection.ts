import { connect, type Socket } from 'node:net';
import { request } from '../../src/resp/write.ts';
import type { Target } from '../helpers/raw-client.ts';
import { type Breach, BrokenFrame, type Frame, FrameParser } from './frames.ts';

/** A request's words, each character one byte. */
export type Words = readonly string[];

/** Gets the reply; undefined: the connection has closed without one. */
export type Take = (reply: Frame | undefined) => void;

/** What may go wrong on a connection that no fault explains. */
export type Wrong = Breach | 'lost or doubled reply' | 'unknown push';

/** Whom a connection tells. */
export interface ConnectionListener {
  /** An invalidation, or another push. */
  pushed(frame: Frame): void;
  /** Told once, behind all that was received, unless it was `close` that closed it. */
  closed(): void;
  wronged(wrong: Wrong, detail: string): void;
}

/** What the proxy says before it closes a client whose upstream is gone. */
const FAREWELL = 'ERR the upstream Redis cannot be reached';

let tags = 0;

/**
 * A client's connection. Replies are given to whoever asked at the moment when they are decoded, so
 * that a push right behind a reply comes after it.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #listener: ConnectionListener;
  readonly #parser = new FrameParser();
  #owed: Take[] = [];
  #unsent: Buffer[] = [];
  #subscribes = false;
  #isLeaving = false; // it has been told why it is about to be closed
  #isOpen = true;

  constructor(target: Target, listener: ConnectionListener) {
    this.#listener = listener;
    this.#socket = connect('path' in target ? target : { ...target, host: '127.0.0.1' });
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    this.#socket.on('error', () => {}); // 'close' follows
    this.#socket.on('close', () => this.#closed(true));
  }

  /** How many replies have not come. */
  get owed(): number {
    return this.#owed.length;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Sends a request, in one piece with all others of this moment. */
  send(words: Words, take: Take = IGNORE): void {
    if (!this.#isOpen) {
      take(undefined);
      return;
    }
    const name = words[0]?.toUpperCase();
    if (name === 'HELLO' && words[1] === '3') this.#parser.resp3 = true;
    if (name === 'SUBSCRIBE') this.#subscribes = true;
    this.#owed.push(take);
    if (this.#unsent.length === 0) queueMicrotask(() => this.#flush());
    this.#unsent.push(request(...words));
  }

  /** Asks for words of its own; any other answer shows that a reply was lost or came twice. */
  sendTag(take: Take = IGNORE): void {
    const tag = `tag${++tags}`;
    // A subscriber of RESP2 may send no ECHO.
    const words = this.#subscribes ? ['PING', tag] : ['ECHO', tag];
    this.send(words, (reply) => {
      const text = this.#subscribes ? reply?.items[1]?.text : reply?.text;
      if (reply !== undefined && text !== tag && !isPassing(reply)) {
        this.#wrong('lost or doubled reply', `${tag} was answered by ${showFrame(reply)}`);
      }
      take(reply);
    });
  }

  /** Stops reading until `resume`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends it at once; nothing that still arrives is looked at. */
  close(): void {
    this.#socket.destroy();
    this.#closed(false);
  }

  #flush(): void {
    this.#socket.write(Buffer.concat(this.#unsent));
    this.#unsent = [];
  }

  #receive(bytes: Buffer): void {
    if (!this.#isOpen) return;
    try {
      this.#parser.feed(bytes, (frame) => this.#take(frame));
    } catch (cause) {
      if (!(cause instanceof BrokenFrame)) throw cause;
      this.#wrong(cause.breach, cause.message);
    }
  }

  #take(frame: Frame): void {
    if (!this.#isOpen) return;
    if (frame.type === '>' || (this.#subscribes && frame.items[0]?.text === 'message')) {
      this.#listener.pushed(frame);
      return;
    }
    if (this.#isLeaving) {
      this.#wrong('lost or doubled reply', `behind the last word came ${showFrame(frame)}`);
      return;
    }
    if (frame.type === '-' && (frame.text === FAREWELL || this.#owed.length === 0)) {
      this.#isLeaving = true;
      return;
    }
    const take = this.#owed.shift();
    if (take === undefined) {
      this.#wrong('lost or doubled reply', `nobody has asked for ${showFrame(frame)}`);
    } else take(frame);
  }

  #wrong(wrong: Wrong, detail: string): void {
    this.#listener.wronged(wrong, detail);
    this.close();
  }

  #closed(tell: boolean): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const take of this.#owed.splice(0)) take(undefined);
    if (tell) this.#listener.closed();
  }
}

/** @returns whether this is what Redis answers while it is starting */
function isPassing(frame: Frame): boolean {
  return frame.type === '-' && /^(?:LOADING|MASTERDOWN|BUSY) /.test(frame.text);
}

/** How much of a text is shown, in characters. */
const SHOWN_MAX_LENGTH = 120;

/** @returns a frame on one line, for people */
export function showFrame(frame: Frame): string {
  const { type, text, items } = frame;
  if ('*~%>'.includes(type)) return `${type}[${items.map(showFrame).join(' ')}]`;
  const shown = text.length > SHOWN_MAX_LENGTH ? `${text.slice(0, SHOWN_MAX_LENGTH)}...` : text;
  return type === '_' ? 'null' : `${type}${shown}`;
}

const IGNORE: Take = () => {};
