import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { request } from '../../src/resp/write.ts';
import { type FrameKind, kindOf, subscriptionsAfter, textOf, wordsOf } from './reply-text.ts';
import { decodeReply, type Reply } from './resp.ts';

/** Where a server listens: a Unix socket, or a port on 127.0.0.1. */
export type Target = { readonly path: string } | { readonly port: number };

/** A request: a line such as `SET k "a b"` (see `wordsOf`), or its words. */
export type Request = string | readonly (string | Buffer)[];

/** A whole frame that the server has sent. */
export interface Frame {
  readonly kind: FrameKind;
  /** See `textOf`. */
  readonly text: string;
  readonly reply: Reply;
  /** Index of the byte just past it, in all that was received. */
  readonly end: number;
}

/** How long anything that must come may take, in milliseconds. */
const DEADLINE_MS = 10_000;

/** A frame is first looked for in so many bytes, so that deep pipelines are not decoded over and over. */
const WINDOW_BYTES = 4_096;

/** @returns the bytes of a request */
export function encode(words: Request): Buffer {
  return request(...(typeof words === 'string' ? wordsOf(words) : words));
}

/**
 * A connection that hides nothing: it keeps the exact bytes, and the frames in their order with what
 * each is (an answer, a confirmation of a subscription, or something that came by itself). It
 * understands RESP2 and RESP3 and does not care which is spoken.
 */
export class RawClient {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  readonly #chunks: Buffer[] = [];
  readonly #watchers = new Set<() => void>();
  #pending: Buffer = Buffer.alloc(0); // received, and not part of a whole frame yet
  #framedBytes = 0;
  #broken: string | undefined;
  #closed: 'open' | 'ended' | 'closed' = 'open';
  #subscriptions = 0;
  #answersTaken = 0; // frames that earlier calls have waited for

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#is('ended'));
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => this.#is('closed'));
  }

  static async connect(target: Target): Promise<RawClient> {
    const options: NetConnectOpts =
      'path' in target
        ? { path: target.path, allowHalfOpen: true }
        : { host: '127.0.0.1', port: target.port, allowHalfOpen: true, noDelay: true };
    const socket = connect(options);
    const client = new RawClient(socket);
    await once(socket, 'connect');
    return client;
  }

  /** All bytes received. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** The frames that came by themselves. */
  get pushes(): readonly string[] {
    return this.frames.filter(({ kind }) => kind === 'push').map(({ text }) => text);
  }

  /** The frames that answer something. */
  get answers(): readonly string[] {
    return this.#answers().map(({ text }) => text);
  }

  /** Whether the server has ended the connection. */
  get ended(): boolean {
    return this.#closed !== 'open';
  }

  /** Sends bytes (text is latin1) as they are. */
  send(bytes: Buffer | string): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /**
   * Sends a request and waits for its answer; calls may overlap.
   *
   * @param answers how many frames answer it, where that is not one and does not follow from its
   *                words: a (P/S)(UN)SUBSCRIBE with channels has one for each
   * @returns the answer as text; several are joined by blanks
   */
  async call(words: Request, answers = answersTo(words)): Promise<string> {
    const taken = this.#take(answers);
    this.send(encode(words));
    return (await taken).map(({ text }) => text).join(' ');
  }

  /** As `call`, for the answer itself. */
  async ask(words: Request): Promise<Reply> {
    const taken = this.#take(1);
    this.send(encode(words));
    return ((await taken)[0] as Frame).reply;
  }

  /** Sends requests in one piece. @returns the answer to each */
  async pipeline(requests: readonly Request[]): Promise<readonly string[]> {
    const taken = this.#take(requests.map(answersTo).reduce((sum, count) => sum + count, 0));
    this.send(Buffer.concat(requests.map(encode)));
    return (await taken).map(({ text }) => text);
  }

  /** Waits until `count` pushes have come, since the beginning. @returns all of them */
  async sawPushes(count: number): Promise<readonly string[]> {
    await this.until(() => this.pushes.length >= count, `${count} pushes`);
    return this.pushes;
  }

  /** Waits until `count` frames of any kind have come, since the beginning. */
  async sawFrames(count: number): Promise<void> {
    await this.until(() => this.frames.length >= count, `${count} frames`);
  }

  /** Waits until `text` (latin1) has been received. @returns all bytes received, as latin1 */
  async sawBytes(text: string): Promise<string> {
    await this.until(() => this.bytes.includes(text, 0, 'latin1'), JSON.stringify(text));
    return this.bytes.toString('latin1');
  }

  /** Waits until the server has ended the connection. @returns all bytes received, as latin1 */
  async expectClose(): Promise<string> {
    await this.until(() => this.ended, 'the end of the connection');
    return this.bytes.toString('latin1');
  }

  /** Shuts down our side; the server may still answer. */
  end(): void {
    this.socket.end();
  }

  /** Ends the connection at once. */
  close(): void {
    this.socket.destroy();
  }

  /** Waits for something that received bytes, or the end, bring about. @throws Error if late */
  async until(condition: () => boolean, what: string, deadlineMs = DEADLINE_MS): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const done = (error?: Error) => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        if (error === undefined) resolve();
        else reject(error);
      };
      const look = () => {
        if (condition()) done();
        else if (this.#closed === 'closed') done(this.#lacking(what, 'the connection closed'));
      };
      const timer = setTimeout(() => done(this.#lacking(what, `${deadlineMs} ms`)), deadlineMs);
      this.#watchers.add(look);
      look();
    });
  }

  #lacking(what: string, why: string): Error {
    const last = this.bytes.toString('latin1').slice(-400);
    const broken = this.#broken === undefined ? '' : ` (not RESP: ${this.#broken})`;
    return new Error(`waited for ${what}: ${why}; received last ${JSON.stringify(last)}${broken}`);
  }

  #answers(): readonly Frame[] {
    return this.frames.filter(({ kind }) => kind !== 'push');
  }

  async #take(count: number): Promise<readonly Frame[]> {
    // Answers that have come to what was sent by `send` are nobody's.
    const from = Math.max(this.#answersTaken, this.#answers().length);
    const wanted = from + count;
    this.#answersTaken = wanted;
    await this.until(() => this.#answers().length >= wanted, `${count} answers`);
    return this.#answers().slice(from, wanted);
  }

  #is(state: 'ended' | 'closed'): void {
    this.#closed = state;
    for (const look of [...this.#watchers]) look();
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    try {
      let at = 0;
      while (this.#broken === undefined && at < this.#pending.length) {
        const size = this.#takeFrame(at);
        if (size === 0) break;
        at += size;
      }
      this.#pending = this.#pending.subarray(at);
    } catch (error) {
      this.#broken = String(error);
    }
    for (const look of [...this.#watchers]) look();
  }

  /** @returns the length of the frame at `at` in bytes; 0 if it is not whole */
  #takeFrame(at: number): number {
    const window = this.#pending.subarray(at, at + WINDOW_BYTES);
    const decoded = decodeReply(window) ?? decodeReply(this.#pending.subarray(at));
    if (decoded === undefined) return 0;
    const { reply, end } = decoded;
    this.#framedBytes += end;
    const kind = kindOf(reply, this.#subscriptions > 0);
    if (kind === 'confirmation') this.#subscriptions = subscriptionsAfter(reply);
    this.frames.push({ kind, text: textOf(reply), reply, end: this.#framedBytes });
    return end;
  }
}

function answersTo(words: Request): number {
  const [name = '', ...channels] = typeof words === 'string' ? wordsOf(words) : words.map(String);
  return /^[ps]?(un)?subscribe$/i.test(name) ? Math.max(1, channels.length) : 1;
}
