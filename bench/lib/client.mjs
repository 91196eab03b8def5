/** A connection that speaks RESP3, for what redis-benchmark cannot do. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { readFrame } from './frames.mjs';

/** How long an answer or a push may take, in milliseconds. */
const DEADLINE_MS = 60_000;

/**
 * @param {...(string | number)} words
 * @returns {string} a request
 */
export function request(...words) {
  const texts = words.map(String);
  return `*${texts.length}\r\n${texts.map((text) => `$${text.length}\r\n${text}\r\n`).join('')}`;
}

/** Replies come in order; what comes by itself goes to `onPush`. */
export class Client {
  #socket;
  #rest = Buffer.alloc(0);
  #waiting = [];
  #first = 0;
  #counted; // while replies are counted by their bytes
  #recorded; // what came while nothing is looked at
  /** Told of each push: its words. */
  onPush = () => {};

  /**
   * @param {number} port
   * @returns {Promise<Client>} that speaks RESP3
   */
  static async open(port) {
    const client = new Client(connect({ port, host: '127.0.0.1', noDelay: true }));
    await once(client.#socket, 'connect');
    await client.call('HELLO', 3);
    return client;
  }

  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => this.#receive(bytes));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('a connection was closed')));
  }

  /**
   * @param {...(string | number)} words
   * @returns {Promise<any>} the reply
   * @throws Error with the text of an error reply
   */
  call(...words) {
    return this.callAll(request(...words), 1);
  }

  /**
   * @param {string | Buffer} bytes requests
   * @param {number} count how many
   * @returns {Promise<any>} the reply to the last one
   */
  callAll(bytes, count) {
    return new Promise((resolve, reject) => {
      for (let index = 1; index < count; index++) this.#waiting.push({ resolve() {}, reject });
      this.#waiting.push({ resolve, reject });
      this.#socket.write(bytes, 'latin1');
    });
  }

  /**
   * Sends requests whose replies are known, and no more than the server takes, as fast as it goes.
   * @param {Iterable<string | Buffer>} blocks
   * @param {number} replyBytes of all replies together; no push may come between them
   */
  async pour(blocks, replyBytes) {
    const done = new Promise((resolve, reject) => {
      this.#counted = { left: replyBytes, resolve, reject };
    });
    done.catch(() => {}); // it is awaited below, but may fail before
    for (const block of blocks) {
      if (!this.#socket.write(block, 'latin1')) {
        await Promise.race([once(this.#socket, 'drain'), done]);
      }
    }
    await done;
  }

  /**
   * From now on nothing that comes is looked at, so that reading costs little; see `readFrame`.
   * @returns {{ atMs: number, bytes: Buffer }[]} what has come, and grows
   */
  record() {
    this.#recorded = [];
    return this.#recorded;
  }

  /** From now on nothing that comes is looked at. */
  discard() {
    this.#counted = { left: Number.POSITIVE_INFINITY, resolve() {}, reject() {} };
  }

  close() {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  #receive(bytes) {
    if (this.#recorded !== undefined) {
      this.#recorded.push({ atMs: performance.now(), bytes });
      return;
    }
    if (this.#counted !== undefined) {
      this.#count(bytes);
      return;
    }
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    for (;;) {
      const frame = readFrame(all, at);
      if (frame === undefined) break;
      at = frame.end;
      this.#take(frame);
    }
    this.#rest = all.subarray(at);
  }

  #take({ kind, value }) {
    if (kind === 'push') {
      this.onPush(value);
      return;
    }
    const { resolve, reject } = this.#waiting[this.#first];
    this.#first += 1;
    if (this.#first === this.#waiting.length) {
      this.#waiting = [];
      this.#first = 0;
    }
    if (kind === 'error') reject(new Error(value));
    else resolve(value);
  }

  #count(bytes) {
    const { resolve, reject } = this.#counted;
    this.#counted.left -= bytes.length;
    if (this.#counted.left > 0) return;
    const { left } = this.#counted;
    this.#counted = undefined;
    if (left === 0) resolve();
    else reject(new Error(`${-left} bytes too many, the last: ${JSON.stringify(tailOf(bytes))}`));
  }

  #fail(error) {
    this.#counted?.reject(error);
    for (const { reject } of this.#waiting.slice(this.#first)) reject(error);
    this.#waiting = [];
    this.#first = 0;
  }
}

function tailOf(bytes) {
  return bytes.subarray(-80).toString('latin1');
}

/**
 * @param {Promise<T>} promise
 * @param {() => string} what is missing when it does not come
 * @returns {Promise<T>}
 * @template T
 */
export async function inTime(promise, what) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what()}`)), DEADLINE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
