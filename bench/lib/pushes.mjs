/** Measures how long it takes from a write to the pushes that it causes. */
import { Client, inTime } from './client.mjs';

const PREFIX = 'pushed:';
/** More than one key, so that a push which comes twice is not taken for the next one. */
const KEY_COUNT = 8;

/**
 * @typedef {object} Way between a writer and its readers
 * @property {string} name
 * @property {number} readerPort
 * @property {number} writerPort
 * @property {number} loadPort where a load in the background goes
 */

/** A writer and so many readers of what it writes, on one way. */
export class Ring {
  #readers;
  #writer;
  #bcast;
  #turn = 0;

  /**
   * @param {Way} way
   * @param {{ readers: number, bcast: boolean }} options
   * @returns {Promise<Ring>}
   */
  static async open(way, { readers, bcast }) {
    const clients = [];
    for (let index = 0; index < readers; index++) {
      const client = await Client.open(way.readerPort);
      const how = bcast ? ['BCAST', 'PREFIX', PREFIX] : [];
      await client.call('CLIENT', 'TRACKING', 'ON', ...how);
      clients.push(client);
    }
    return new Ring(clients, await Client.open(way.writerPort), bcast);
  }

  constructor(readers, writer, bcast) {
    this.#readers = readers;
    this.#writer = writer;
    this.#bcast = bcast;
  }

  /** Everybody reads a key, and it is written. @returns {Promise<number>} ms until all were told */
  async sample() {
    const key = `${PREFIX}${this.#turn++ % KEY_COUNT}`;
    if (!this.#bcast) await Promise.all(this.#readers.map((reader) => reader.call('GET', key)));
    let left = this.#readers.length;
    const told = new Promise((resolve) => {
      for (const reader of this.#readers) {
        reader.onPush = ([, keys]) => {
          if (!keys?.includes(key)) return;
          reader.onPush = () => {};
          left -= 1;
          if (left === 0) resolve(performance.now());
        };
      }
    });
    const startedMs = performance.now();
    const written = this.#writer.call('SET', key, this.#turn);
    const toldMs = await inTime(told, () => `${left} pushes`);
    await written;
    return toldMs - startedMs;
  }

  /** @returns {Promise<number[]>} of so many writes, one after the other */
  async samples(count) {
    const all = [];
    for (let index = 0; index < count; index++) all.push(await this.sample());
    return all;
  }

  close() {
    for (const client of [...this.#readers, this.#writer]) client.close();
  }
}
