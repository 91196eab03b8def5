import { ProxyError } from '../../src/errors.ts';
import {
  findKey,
  isNotification,
  isRemoval,
  messageOf,
  PATTERN,
} from '../../src/invalidation/notifications.ts';
import type { SourceListener } from '../../src/invalidation/source.ts';
import { keyAt } from '../../src/key.ts';
import { Kept } from '../../src/resp/kept.ts';
import { FrameScanner } from '../../src/resp/scanner.ts';
import { arrayOf, bulkOf } from './store.ts';
import { TextPipe } from './wire.ts';

const FRAME_MAX_BYTES = 1_024;
const LOST = new ProxyError('UPSTREAM_UNREACHABLE', 'the channel is lost');

/** What the proxy's end of the channel needs. */
export interface ChannelParts {
  readonly listener: SourceListener;
  /** The name of the channel of attribution. */
  readonly attribution: string;
  /** Told when messages on that channel are heard. */
  readonly isHeard: () => void;
}

/**
 * The connection on which notifications travel, both of its ends: Redis writes messages, the proxy
 * reads them as its subscriber does, from cuts of any size. It can break, and break unnoticed.
 */
export class Channel {
  readonly #parts: ChannelParts;
  readonly pipe = new TextPipe();
  #scanner = new FrameScanner();
  #pieces = new Kept(FRAME_MAX_BYTES);
  #atRedis = false; // Redis writes to it
  #atProxy: 'down' | 'subscribing' | 'asking' | 'up' = 'down';
  #confirmations = 0;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
  }

  /** It is broken, and the proxy does not know. */
  get isBrokenUnnoticed(): boolean {
    return !this.#atRedis && this.#atProxy !== 'down';
  }

  get isDown(): boolean {
    return this.#atProxy === 'down';
  }

  get isUp(): boolean {
    return this.#atProxy === 'up';
  }

  /** The proxy waits for the answer to its PING. */
  get isAsking(): boolean {
    return this.#atProxy === 'asking' && this.#atRedis;
  }

  /** Redis announces a change. */
  announce(db: number, key: string, event: string): void {
    const name = `__keyspace@${db}__:${key}`;
    this.#write(arrayOf([bulkOf('pmessage'), bulkOf(PATTERN), bulkOf(name), bulkOf(event)]));
  }

  /** @returns how many have heard it */
  publish(name: string, text: string): number {
    if (!this.#atRedis || name !== this.#parts.attribution) return 0;
    this.#write(arrayOf([bulkOf('message'), bulkOf(name), bulkOf(text)]));
    return 1;
  }

  break(drops: boolean): void {
    this.#atRedis = false;
    if (drops) this.pipe.clear();
  }

  /** The proxy finds the channel broken. */
  notice(): void {
    if (this.#atProxy === 'down') return;
    this.#atRedis = false;
    this.#atProxy = 'down';
    this.pipe.clear();
    this.#parts.listener.blind(LOST);
  }

  /** The proxy connects and subscribes; Redis does so at once, the proxy reads of it later. */
  subscribe(): void {
    if (this.#atProxy !== 'down') return;
    this.#scanner = new FrameScanner();
    this.#pieces = new Kept(FRAME_MAX_BYTES);
    this.#confirmations = 0;
    this.#atProxy = 'subscribing';
    this.#atRedis = true;
    this.#write(arrayOf([bulkOf('psubscribe'), bulkOf(PATTERN), ':1\r\n']));
    this.#write(arrayOf([bulkOf('subscribe'), bulkOf(this.#parts.attribution), ':2\r\n']));
  }

  /** Redis answers the PING with which the proxy proves the subscription. */
  prove(): void {
    if (this.isAsking) this.#write(arrayOf([bulkOf('pong'), bulkOf('')]));
  }

  /** The proxy receives what has arrived. */
  hear(count: number): void {
    if (this.#atProxy === 'down' || this.pipe.size === 0) return;
    const chunk = this.pipe.take(count);
    let from = 0;
    while (from < chunk.length) {
      const end = this.#scanner.next(chunk, from);
      if (end === -1) {
        this.#pieces.add(chunk.subarray(from));
        break;
      }
      this.#pieces.add(chunk.subarray(from, end));
      this.#take(this.#pieces.take());
      from = end;
    }
    this.#parts.listener.endOfBatch();
  }

  #take(frame: Buffer): void {
    const { listener } = this.#parts;
    if (isNotification(frame, 0, frame.length)) {
      const place = { from: 0, to: 0 };
      if (!findKey(frame, 0, frame.length, place)) return;
      if (!listener.concerns(frame, place.from, place.to)) return;
      listener.changed(keyAt(frame, place.from, place.to), isRemoval(frame, frame.length));
      return;
    }
    const message = messageOf(frame, 0, frame.length);
    if (message !== undefined) listener.heardWord(message);
    else this.#confirmed();
  }

  #confirmed(): void {
    this.#confirmations += 1;
    if (this.#confirmations === 2) {
      this.#parts.isHeard();
      this.#atProxy = 'asking';
    } else if (this.#confirmations === 3) {
      this.#atProxy = 'up';
      this.#parts.listener.sighted();
    }
  }

  #write(text: string): void {
    if (this.#atRedis) this.pipe.push(text);
  }
}
