import { connect, type Socket } from 'node:net';
import type { Login, SocketAddress } from '../address.ts';
import { ProxyError } from '../errors.ts';
import { type Reply, ReplyError, ReplyReader } from './reply-reader.ts';

/** How long to wait for a connection or for a reply, in milliseconds. */
const PATIENCE_MS = 5_000;

/** Whom to connect to, and as whom. */
export interface Target {
  readonly address: SocketAddress;
  readonly login: Login;
  /** How to call it in messages. */
  readonly where: string;
  /** 2 spares an old Redis a HELLO that it does not know; then nothing is pushed. */
  readonly protocol: 2 | 3;
}

/** Gets what a connection receives without having asked, and its end. */
export interface ConnectionEvents {
  push(value: Reply): void;
  /** Called once, when the connection ends although nobody closed it. */
  lost(error: ProxyError): void;
}

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: ProxyError): void;
}

/** A RESP3 connection that sends commands and waits for their replies, in order. */
export class Connection {
  readonly #socket: Socket;
  readonly #where: string;
  readonly #events: ConnectionEvents;
  readonly #reader = new ReplyReader();
  readonly #waiting: Waiting[] = [];
  #closed = false;

  private constructor(socket: Socket, where: string, events: ConnectionEvents) {
    this.#socket = socket;
    this.#where = where;
    this.#events = events;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('error', (error) => this.#lose(error.message));
    socket.on('close', () => this.#lose('closed'));
    socket.on('timeout', () => this.#lose('no reply'));
  }

  /**
   * Connects and logs in.
   *
   * @throws ProxyError UPSTREAM_UNREACHABLE, or UPSTREAM_REFUSED with what Redis said
   */
  static async open(target: Target, events: ConnectionEvents): Promise<Connection> {
    const socket = await dial(target);
    const connection = new Connection(socket, target.where, events);
    const { user, password, db } = target.login;
    if (target.protocol === 3) {
      const auth = password === undefined ? [] : ['AUTH', user ?? 'default', password];
      await connection.demand('HELLO', '3', ...auth);
    } else if (password !== undefined) {
      await connection.demand('AUTH', ...(user === undefined ? [] : [user]), password);
    }
    if (db !== 0) await connection.demand('SELECT', String(db));
    return connection;
  }

  /** Sends a command. @returns its reply, which may be a {@link ReplyError} */
  call(...words: readonly string[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(this.#failure('closed'));
        return;
      }
      this.#waiting.push({ resolve, reject });
      this.#socket.setTimeout(PATIENCE_MS);
      this.#socket.write(encode(words));
    });
  }

  /** Sends a command that has to succeed. @throws ProxyError UPSTREAM_REFUSED with the error */
  async demand(...words: readonly string[]): Promise<Reply> {
    const reply = await this.call(...words);
    if (!(reply instanceof ReplyError)) return reply;
    this.close();
    const message = `${this.#where} refused ${words[0]}: ${reply.message}`;
    throw new ProxyError('UPSTREAM_REFUSED', message);
  }

  /** Closes without telling anybody; what still waits for a reply is told. */
  close(): void {
    this.#closed = true;
    this.#socket.destroy();
    this.#giveUp('closed');
  }

  #received(chunk: Buffer): void {
    try {
      for (const { push, value } of this.#reader.read(chunk)) {
        if (push) this.#events.push(value);
        else this.#waiting.shift()?.resolve(value);
      }
    } catch (error) {
      this.#lose(error instanceof Error ? error.message : String(error));
    }
    if (this.#waiting.length === 0) this.#socket.setTimeout(0);
  }

  #lose(why: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#giveUp(why);
    this.#events.lost(this.#failure(why));
  }

  #giveUp(why: string): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#failure(why));
  }

  #failure(why: string): ProxyError {
    return new ProxyError('UPSTREAM_UNREACHABLE', `connection to ${this.#where}: ${why}`);
  }
}

function dial({ address, where }: Target): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(address.kind === 'unix' ? { path: address.path } : { ...address });
    const fail = (why: string) => {
      socket.destroy();
      reject(new ProxyError('UPSTREAM_UNREACHABLE', `cannot connect to ${where}: ${why}`));
    };
    socket.setTimeout(PATIENCE_MS, () => fail('no answer'));
    socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners();
      resolve(socket);
    });
  });
}

function encode(words: readonly string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}
