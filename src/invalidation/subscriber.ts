import type net from 'node:net';
import { ProxyError } from '../errors.ts';
import { decode } from '../resp/decode.ts';
import { request } from '../resp/write.ts';
import { CONNECT_TIMEOUT_MS, type Endpoint } from '../upstream/endpoint.ts';
import { whyLost } from '../upstream/tls.ts';
import { type Hearing, MessageReader } from './messages.ts';

/**
 * So much is read at once, in bytes: under a storm of writes some hundred notifications. More saves
 * nothing that can be measured. Source: what Node allocates for each read where it gets no buffer.
 */
const BUFFER_BYTES = 65_536;

/** Asked for, in order, and not answered yet. */
interface Question {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (cause: Error) => void;
}

/**
 * The connection on which notifications arrive. It speaks RESP2, so that every server will do, and
 * of a notification it takes only the key: there are as many as there are writes.
 */
export class Subscriber {
  readonly #socket: net.Socket;
  readonly #reader: MessageReader;
  readonly #questions: Question[] = [];
  #heard = false; // at least one frame was understood
  #failure: Error | undefined;
  /** Rejects when the connection is lost. */
  readonly lost: Promise<never>;

  constructor(endpoint: Endpoint, hears: Hearing) {
    this.#reader = new MessageReader(hears, (chunk, from, end) => {
      this.#heard = true;
      this.#questions.shift()?.resolve(decode(chunk.subarray(from, end)));
    });
    const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
    const socket = endpoint.connect(CONNECT_TIMEOUT_MS, {
      buffer,
      callback: (length) => {
        this.#receive(buffer.subarray(0, length));
        return true; // go on reading
      },
    });
    this.#socket = socket;
    socket.on('error', (error) => {
      this.#failure ??= new ProxyError('UPSTREAM_UNREACHABLE', whyLost(error).message, {
        cause: error,
      });
    });
    this.lost = new Promise((_, reject) => {
      socket.on('close', () => {
        const cause =
          this.#failure ?? new ProxyError('UPSTREAM_UNREACHABLE', 'upstream closed the connection');
        for (const question of this.#questions.splice(0)) question.reject(cause);
        reject(cause);
      });
    });
    this.lost.catch(() => {}); // whoever waits for it hears of it; nobody need
  }

  /**
   * @param deadlineMs how long the answer may take; later the connection is given up
   * @returns the decoded answer, an Error for an error reply
   */
  ask(deadlineMs: number, ...words: readonly string[]): Promise<unknown> {
    if (this.#socket.closed) return this.lost; // nobody would answer, or end the waiting
    return new Promise((resolve, reject) => {
      const late = () =>
        this.#fail(
          new ProxyError('UPSTREAM_TIMEOUT', `no answer to ${words[0]} within ${deadlineMs} ms`),
        );
      const timer = setTimeout(late, deadlineMs);
      this.#questions.push({
        resolve: (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
        reject: (cause) => {
          clearTimeout(timer);
          reject(cause);
        },
      });
      this.#socket.write(request(...words));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    try {
      this.#reader.feed(chunk);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const code = this.#heard ? 'UPSTREAM_UNREACHABLE' : 'UPSTREAM_NOT_REDIS';
      this.#fail(new ProxyError(code, `what it sends is not RESP: ${reason}`, { cause }));
    }
  }

  #fail(cause: Error): void {
    this.#failure ??= cause;
    this.#socket.destroy();
  }
}
