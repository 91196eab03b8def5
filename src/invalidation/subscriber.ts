import type net from 'node:net';
import { ProxyError } from '../errors.ts';
import { type Key, keyAt } from '../key.ts';
import { decode } from '../resp/decode.ts';
import { Kept } from '../resp/kept.ts';
import { FrameScanner } from '../resp/scanner.ts';
import { request } from '../resp/write.ts';
import { CONNECT_TIMEOUT_MS, type Endpoint } from '../upstream/endpoint.ts';
import { whyLost } from '../upstream/tls.ts';
import { findKey, isNotification, isRemoval, messageOf, type Place } from './notifications.ts';

/** The longest frame that is worth reading, in bytes: a key may have 512 MiB, or by configuration more. */
const FRAME_MAX_BYTES = 2 ** 30;

/** Whoever listens to a subscriber. */
export interface Hearing {
  /** A key has changed, which lies in `chunk`. @returns whether `changed` need be told; default: yes */
  readonly concerns?: (chunk: Buffer, from: number, to: number) => boolean;
  /** @param removed by the server itself: expired or evicted */
  readonly changed: (key: Key, removed: boolean) => void;
  /** A message on another channel than those of notifications. */
  readonly said: (payload: string) => void;
  /** All that one chunk held has been told. */
  readonly endOfBatch: () => void;
}

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
  readonly #hears: Hearing;
  readonly #scanner = new FrameScanner();
  readonly #questions: Question[] = [];
  readonly #pieces = new Kept(FRAME_MAX_BYTES); // of a frame that is not whole yet
  readonly #place: Place = { from: 0, to: 0 };
  #heard = false; // at least one frame was understood
  #failure: Error | undefined;
  /** Rejects when the connection is lost. */
  readonly lost: Promise<never>;

  constructor(endpoint: Endpoint, hears: Hearing) {
    this.#hears = hears;
    const socket = endpoint.connect(CONNECT_TIMEOUT_MS);
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
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
      this.#read(chunk);
      this.#hears.endOfBatch();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const code = this.#heard ? 'UPSTREAM_UNREACHABLE' : 'UPSTREAM_NOT_REDIS';
      this.#fail(new ProxyError(code, `what it sends is not RESP: ${reason}`, { cause }));
    }
  }

  #read(chunk: Buffer): void {
    let from = 0;
    while (from < chunk.length) {
      const end = this.#scanner.next(chunk, from);
      if (end === -1) {
        this.#pieces.add(chunk.subarray(from));
        return;
      }
      if (this.#pieces.isEmpty) this.#take(chunk, from, end);
      else this.#takePieces(chunk.subarray(from, end));
      from = end;
    }
  }

  #takePieces(last: Buffer): void {
    this.#pieces.add(last);
    const frame = this.#pieces.take();
    this.#take(frame, 0, frame.length);
  }

  #take(chunk: Buffer, from: number, end: number): void {
    if (isNotification(chunk, from, end)) {
      const place = this.#place;
      if (!findKey(chunk, from, end, place)) return;
      if (this.#hears.concerns?.(chunk, place.from, place.to) === false) return;
      this.#hears.changed(keyAt(chunk, place.from, place.to), isRemoval(chunk, end));
      return;
    }
    const message = messageOf(chunk, from, end);
    if (message !== undefined) {
      this.#hears.said(message);
      return;
    }
    this.#heard = true;
    this.#questions.shift()?.resolve(decode(chunk.subarray(from, end)));
  }

  #fail(cause: Error): void {
    this.#failure ??= cause;
    this.#socket.destroy();
  }
}
