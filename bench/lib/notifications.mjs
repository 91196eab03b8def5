/** What a notification costs the proxy: a storm of them, and many at a steady pace. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, request } from './client.mjs';
import { readFrame } from './frames.mjs';
import { peakBytes, resetPeak, residentBytes, rested } from './system.mjs';

const BLOCK_COUNT = 1_000;
const VALUE = 'v';
/** The reply to a read of `VALUE`, and to its write. */
const READ_BYTES = '$1\r\nv\r\n'.length;
const WRITTEN_BYTES = '+OK\r\n'.length;
const DELETED_BYTES = ':1\r\n'.length;
/** When nothing has come for so long, a storm is over, in milliseconds. */
const QUIET_MS = 1_000;

/**
 * @param {number} keyCount
 * @param {(key: string) => string} requestOf
 * @returns {Iterable<string>} requests, one for each key, in blocks
 */
function* blocks(keyCount, requestOf) {
  for (let first = 0; first < keyCount; first += BLOCK_COUNT) {
    let block = '';
    for (let index = first; index < Math.min(first + BLOCK_COUNT, keyCount); index++) {
      block += requestOf(`storm:${String(index).padStart(8, '0')}`);
    }
    yield block;
  }
}

async function writeAll(client, keyCount) {
  await client.pour(
    blocks(keyCount, (key) => request('SET', key, VALUE)),
    keyCount * WRITTEN_BYTES,
  );
}

async function readAll(client, keyCount) {
  await client.pour(
    blocks(keyCount, (key) => request('GET', key)),
    keyCount * READ_BYTES,
  );
}

/**
 * A client has read many keys, and all are deleted in one pipeline.
 * @param {import('./pushes.mjs').Way} way
 * @param {number} keyCount
 * @param {number} [pid] of the proxy
 * @returns {Promise<{ lastMs: number, wholesale: boolean, beforeBytes?: number, peakBytes?: number }>}
 *   the time until the last key was invalidated; whether some were by one push for all; the proxy's
 *   memory before, and at most
 */
export async function storm(way, keyCount, pid) {
  const writer = await Client.open(way.writerPort);
  const reader = await Client.open(way.readerPort);
  await writeAll(writer, keyCount);
  await reader.call('CLIENT', 'TRACKING', 'ON');
  await readAll(reader, keyCount);
  if (pid !== undefined) {
    await rested(pid);
    resetPeak(pid);
  }
  const beforeBytes = pid === undefined ? undefined : residentBytes(pid);
  const all = Buffer.from([...blocks(keyCount, (key) => request('DEL', key))].join(''), 'latin1');
  const recorded = reader.record();
  const startedMs = performance.now();
  await writer.pour([all], keyCount * DELETED_BYTES);
  const { atMs, wholesale } = await lastOf(recorded, keyCount);
  const lastMs = atMs - startedMs;
  for (const client of [reader, writer]) client.close();
  if (pid === undefined) return { lastMs, wholesale };
  return { lastMs, wholesale, beforeBytes, peakBytes: peakBytes(pid) };
}

/**
 * Waits until nothing more comes, and then looks at what came: to look at it at once would take the
 * time that is to be measured.
 * @returns {Promise<{ atMs: number, wholesale: boolean }>} when every key had been told
 */
async function lastOf(recorded, keyCount) {
  let seen;
  do {
    seen = recorded.length;
    await sleep(QUIET_MS);
  } while (recorded.length > seen);
  const all = Buffer.concat(recorded.map(({ bytes }) => bytes));
  const told = new Set();
  let wholesale = false;
  let at = 0;
  while (at < all.length && told.size < keyCount && !wholesale) {
    const { value, end } = readFrame(all, at);
    const [, keys] = value;
    wholesale = keys === null;
    for (const key of keys ?? []) told.add(key);
    at = end;
  }
  if (told.size < keyCount && !wholesale) throw new Error(`${keyCount - told.size} keys untold`);
  let length = 0;
  const last = recorded.find(({ bytes }) => {
    length += bytes.length;
    return length >= at;
  });
  return { atMs: last.atMs, wholesale };
}

/** Who listens while notifications come. */
export const AUDIENCES = [
  { name: 'nobody tracks', tracking: undefined },
  { name: 'a client tracks other keys', tracking: [] },
  { name: 'a client tracks every key', tracking: [], reads: true },
  { name: 'BCAST, another prefix', tracking: ['BCAST', 'PREFIX', 'other:'] },
  { name: 'BCAST, every key', tracking: ['BCAST'] },
];

/**
 * Writes many keys to Redis, past the proxy, each once.
 * @param {{ proxyPort: number, redisPort: number, pid: number }} at
 * @param {(typeof AUDIENCES)[number]} audience
 * @param {number} keyCount
 * @returns {Promise<{ writesPerSecond: number, handledPerSecond: number, cpu: number }>} `cpu` in
 *   microseconds for each notification
 */
export async function notify({ proxyPort, redisPort, pid }, { tracking, reads }, keyCount) {
  const writer = await Client.open(redisPort);
  const listener = await Client.open(proxyPort);
  if (tracking !== undefined) {
    await listener.call('CLIENT', 'TRACKING', 'ON', ...tracking);
    await listener.call('GET', 'other:key');
  }
  if (reads) await readAll(listener, keyCount);
  listener.discard();
  const { cpu: cpuBefore } = await rested(pid);
  const startedMs = performance.now();
  await writeAll(writer, keyCount);
  const writtenMs = performance.now() - startedMs;
  const { cpu, atMs } = await rested(pid);
  for (const client of [listener, writer]) client.close();
  return {
    writesPerSecond: (keyCount * 1_000) / writtenMs,
    handledPerSecond: (keyCount * 1_000) / Math.max(writtenMs, atMs - startedMs),
    cpu: (cpu - cpuBefore) / keyCount,
  };
}
