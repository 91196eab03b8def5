import { ProxyError } from '../../src/errors.ts';
import { MessageReader } from '../../src/invalidation/messages.ts';
import { PATTERN } from '../../src/invalidation/notifications.ts';
import type { SourceListener } from '../../src/invalidation/source.ts';
import { arrayOf, bulkOf } from './store.ts';
import { TextPipe } from './wire.ts';

const PONG = arrayOf([bulkOf('pong'), bulkOf('')]);
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
  #reader: MessageReader;
  #atRedis = false; // Redis writes to it
  #atProxy: 'down' | 'subscribing' | 'asking' | 'up' = 'down';
  #confirmations = 0;
  #isProofDue = false; // the proxy has asked, and Redis has not answered
  #asked: ((heard: boolean) => void)[] = []; // by fences, and not answered yet
  #atRedisCount = 0; // so many of these questions have yet to reach Redis
  #answered: ((heard: boolean) => void)[] = []; // in the chunk that is being read

  constructor(parts: ChannelParts) {
    this.#parts = parts;
    this.#reader = this.#newReader();
  }

  #newReader(): MessageReader {
    const { concerns, changed, heardWord, endOfBatch } = this.#parts.listener;
    const hearing = { concerns, changed, said: heardWord, endOfBatch };
    return new MessageReader(hearing, () => this.#confirmed());
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

  /** Redis has yet to answer the proxy's PING. */
  get isAsking(): boolean {
    return this.#isProofDue && this.#atRedis;
  }

  /** A fence's PING is on its way to Redis. */
  get isAsked(): boolean {
    return this.#atRedisCount > 0 && this.#atRedis;
  }

  /** As `InvalidationSource` has it. */
  sync(done: (heard: boolean) => void): void {
    if (!this.isUp) {
      done(false);
      return;
    }
    this.#asked.push(done);
    this.#atRedisCount += 1;
  }

  /** Redis answers the PINGs of fences. */
  answer(): void {
    if (!this.isAsked) return;
    for (; this.#atRedisCount > 0; this.#atRedisCount--) this.#write(PONG);
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

  /**
   * The proxy finds the channel broken.
   *
   * @param tellsAskersLate those who wait for an answer hear of it when the proxy knows already
   */
  notice(tellsAskersLate: boolean): void {
    if (this.#atProxy === 'down') return;
    this.#atRedis = false;
    this.#atProxy = 'down';
    this.#isProofDue = false;
    this.pipe.clear();
    if (!tellsAskersLate) this.#tellAskers();
    this.#parts.listener.blind(LOST);
    this.#tellAskers();
  }

  #tellAskers(): void {
    const asked = this.#asked;
    this.#asked = [];
    this.#atRedisCount = 0;
    for (const done of asked) done(false);
  }

  /** The proxy connects and subscribes; Redis does so at once, the proxy reads of it later. */
  subscribe(): void {
    if (this.#atProxy !== 'down') return;
    this.#reader = this.#newReader();
    this.#confirmations = 0;
    this.#atProxy = 'subscribing';
    this.#atRedis = true;
    this.#write(arrayOf([bulkOf('psubscribe'), bulkOf(PATTERN), ':1\r\n']));
    this.#write(arrayOf([bulkOf('subscribe'), bulkOf(this.#parts.attribution), ':2\r\n']));
  }

  /** Redis answers the PING with which the proxy proves the subscription. */
  prove(): void {
    if (!this.isAsking) return;
    this.#isProofDue = false;
    this.#write(PONG);
  }

  /** The proxy receives what has arrived. */
  hear(count: number): void {
    if (this.#atProxy === 'down' || this.pipe.size === 0) return;
    this.#reader.feed(this.pipe.take(count));
    for (const done of this.#answered.splice(0)) done(true);
  }

  #confirmed(): void {
    if (this.isUp) {
      const done = this.#asked.shift();
      if (done !== undefined) this.#answered.push(done);
      return;
    }
    this.#confirmations += 1;
    if (this.#confirmations === 2) {
      this.#parts.isHeard();
      this.#atProxy = 'asking';
      this.#isProofDue = true;
    } else if (this.#confirmations === 3) {
      this.#atProxy = 'up';
      this.#parts.listener.sighted();
    }
  }

  #write(text: string): void {
    if (this.#atRedis) this.pipe.push(text);
  }
}
