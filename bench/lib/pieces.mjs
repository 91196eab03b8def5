/** The pieces that `npm run bench:micro` times: what a command or a notification passes through. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { request } from './client.mjs';

/** So many frames lie in a chunk of about the size that Node reads at once, 64 KiB. */
const CHUNK_BYTES = 65_536;
const CHUNK_RUNS = 200;

/** @returns {Promise<any>} a module of the built proxy */
function load(dist, name) {
  return import(pathToFileURL(path.join(dist, name)).href);
}

/** @returns {{ chunk: Buffer, count: number }} as many of `frame` as fill a chunk, at least one */
function filled(frame) {
  const count = Math.max(1, Math.floor(CHUNK_BYTES / frame.length));
  return { chunk: Buffer.from(frame.repeat(count), 'latin1'), count };
}

/** @returns {string[]} distinct keys of 23 bytes */
function keysOf(count) {
  return Array.from(
    { length: count },
    (_none, index) => `piece:${String(index).padStart(17, '0')}`,
  );
}

function bulk(bytes) {
  return `$${bytes}\r\n${'v'.repeat(bytes)}\r\n`;
}

/** A piece that reads a chunk again and again. */
function reading(name, frame, open, read) {
  const { chunk, count } = filled(frame);
  return {
    name,
    operations: count * CHUNK_RUNS,
    bytes: chunk.length * CHUNK_RUNS,
    prepare: open,
    run: (opened) => {
      let found = 0;
      for (let turn = 0; turn < CHUNK_RUNS; turn++) found += read(opened, chunk);
      if (found !== count * CHUNK_RUNS) throw new Error(`${name}: ${found} frames`);
      return found;
    },
  };
}

/** @returns {Promise<import('./loop.mjs').Piece[]>} */
export async function scannerPieces(dist) {
  const { FrameScanner } = await load(dist, 'resp/scanner.js');
  const { FOUND } = await load(dist, 'resp/found.js');
  const { RequestScanner } = await load(dist, 'resp/request.js');
  const replies = (scanner, chunk) => {
    let count = 0;
    for (let at = 0; at < chunk.length; count++) at = scanner.next(chunk, at);
    return count;
  };
  const requests = (scanner, chunk) => {
    let count = 0;
    scanner.at = 0;
    for (;;) {
      const found = scanner.advance(chunk);
      if (found === FOUND.end) count += 1;
      else if (found === FOUND.more) break;
    }
    scanner.nextChunk(chunk.length);
    return count;
  };
  const reply = (name, frame) => reading(name, frame, () => new FrameScanner(), replies);
  const asked = (name, ...words) =>
    reading(name, request(...words), () => new RequestScanner(), requests);
  const [key] = keysOf(1);
  return [
    reply('reply +OK', '+OK\r\n'),
    reply('reply, bulk of 64 B', bulk(64)),
    reply('reply, bulk of 16 KiB', bulk(16_384)),
    reply('reply, array of 10 bulks of 64 B', `*10\r\n${bulk(64).repeat(10)}`),
    asked('request GET', 'GET', key),
    asked('request SET of 64 B', 'SET', key, 'v'.repeat(64)),
    asked('request MGET of 20 keys', 'MGET', ...keysOf(20)),
  ];
}

const TABLE_KEYS = 200_000;

/** @returns {Promise<import('./loop.mjs').Piece[]>} */
export async function tablePieces(dist) {
  const { TrackingTable } = await load(dist, 'tracking/table.js');
  const { COEFFICIENT_COUNT } = await load(dist, 'tracking/key-index.js');
  const { findKey, PATTERN } = await load(dist, 'invalidation/notifications.js');
  const coefficients = crypto.getRandomValues(new Int32Array(COEFFICIENT_COUNT));
  const keys = keysOf(TABLE_KEYS);
  const fill = (readers) => {
    const table = new TrackingTable(coefficients, () => true);
    for (const key of keys) for (let id = 1; id <= readers; id++) table.remember(key, id);
    return table;
  };
  const remember = (readers) => (table) => {
    for (const key of keys) table.remember(key, readers + 1);
    return table.itemCount;
  };
  const take = (table) => {
    let told = 0;
    for (const key of keys) for (const id of table.take(key)) told += id;
    return told;
  };
  const channel = '__keyspace@0__:other:00000000000000000';
  const heard = `*4\r\n${['pmessage', PATTERN, channel, 'set'].map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
  const notifications = filled(heard);
  return [
    {
      name: 'table, remember a new key',
      operations: TABLE_KEYS,
      prepare: () => fill(0),
      run: remember(0),
    },
    {
      name: 'table, the same reader again',
      operations: TABLE_KEYS,
      prepare: () => fill(1),
      run: remember(0),
    },
    {
      name: 'table, an 11th reader',
      operations: TABLE_KEYS,
      prepare: () => fill(10),
      run: remember(10),
    },
    { name: 'table, take, 1 reader', operations: TABLE_KEYS, prepare: () => fill(1), run: take },
    { name: 'table, take, 10 readers', operations: TABLE_KEYS, prepare: () => fill(10), run: take },
    {
      name: 'notification of a key that nobody has read',
      operations: notifications.count * CHUNK_RUNS,
      prepare: () => fill(1),
      run: (table) => missed(table, notifications, heard.length, findKey),
    },
  ];
}

/** Finds the key of each notification, and looks it up. */
function missed(table, { chunk }, length, findKey) {
  const place = { from: 0, to: 0 };
  let unknown = 0;
  for (let turn = 0; turn < CHUNK_RUNS; turn++) {
    for (let at = 0; at < chunk.length; at += length) {
      if (!findKey(chunk, at, at + length, place)) throw new Error('no key was found');
      if (!table.has(chunk, place.from, place.to)) unknown += 1;
    }
  }
  return unknown;
}

const PREFIX_KEYS = 100_000;

/** @returns {Promise<import('./loop.mjs').Piece[]>} */
export async function prefixPieces(dist) {
  const { Prefixes } = await load(dist, 'tracking/prefixes.js');
  const keys = keysOf(PREFIX_KEYS);
  const watched = (prefixes) => {
    const all = new Prefixes();
    for (const [index, prefix] of prefixes.entries()) all.add(prefix, index + 1);
    return all;
  };
  const changed = (prefixes) => {
    for (const key of keys) prefixes.changed(key, undefined);
    return prefixes.takeBatch().length;
  };
  const piece = (name, prefixes) => ({
    name,
    operations: PREFIX_KEYS,
    prepare: () => watched(prefixes),
    run: changed,
  });
  const others = Array.from(
    { length: 1_000 },
    (_none, index) => `${'x'.repeat(index % 5)}${index}:`,
  );
  return [
    piece('prefixes, a change of nobody, 1 prefix', ['other:']),
    piece('prefixes, a change of nobody, 1,000 prefixes', others),
    piece('prefixes, a change told, 1 prefix', ['piece:']),
    piece('prefixes, a change told, all keys', ['']),
  ];
}

/** @returns {Promise<import('./loop.mjs').Piece[]>} */
export async function ledgerPieces(dist) {
  const { Ledger, PASS } = await load(dist, 'client/ledger.js');
  const piece = (depth, operations) => ({
    name: `ledger, push and shift, ${depth} deep`,
    operations,
    prepare: () => new Ledger(),
    run: (ledger) => {
      for (let turn = 0; turn < operations / depth; turn++) {
        for (let index = 0; index < depth; index++) ledger.push(PASS);
        for (let index = 0; index < depth; index++) ledger.shift();
      }
      return ledger.shiftCount;
    },
  });
  return [piece(1, 1_000_000), piece(16, 1_000_000), piece(1_000, 1_000_000)];
}
