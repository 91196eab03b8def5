/**
 * `npm run bench:memory`: what a tracked key costs in memory, beside Redis's own tracking, and what
 * idle clients cost beside a bare pipe; both again after the clients have left. Options:
 * lib/prepare.mjs.
 */
import { BUDGETS, judge, VERDICT_COLUMNS, verdictRows } from './lib/budgets.mjs';
import { Client, request } from './lib/client.mjs';
import { closeAll, openIdle } from './lib/idle.mjs';
import { prepare } from './lib/prepare.mjs';
import { count, figure, megabytes, printTable, progress, save } from './lib/report.mjs';
import { memoryOf, startPipe, startProxy, startRedis } from './lib/servers.mjs';
import { onStage } from './lib/stage.mjs';
import { openFilesMax, residentBytes, rested } from './lib/system.mjs';

const prepared = prepare();
const { quick, redisServer, dist } = prepared;

const KEY_COUNT = quick ? 200_000 : 1_000_000;
const READERS = [1, 10];
const BLOCK_COUNT = 1_000;
/** Read before anything is measured, so that code and buffers are there. */
const WARM_UP_BLOCKS = 50;
/** What RESP3 says of a key that is not there; such a key is tracked all the same. */
const NULL_BYTES = '_\r\n'.length;

const IDLE_COUNT = quick ? 1_000 : 8_000;
/** Files that a server opens for itself, and then some. */
const SPARE_FILES = 200;

/** Reads of keys of 23 bytes, built once for all readers. */
function readBlocks() {
  const blocks = [];
  for (let first = 0; first < KEY_COUNT; first += BLOCK_COUNT) {
    const keys = Array.from({ length: BLOCK_COUNT }, (_none, index) => first + index);
    const reads = keys.map((key) => request('GET', `memory:${String(key).padStart(16, '0')}`));
    blocks.push(Buffer.from(reads.join(''), 'latin1'));
  }
  return blocks;
}

/** Empties every tracking table, and no database. */
async function forgetTracked(port) {
  const client = await Client.open(port);
  await client.call('SELECT', 15);
  await client.call('FLUSHDB', 'SYNC');
  client.close();
}

/** @typedef {{ allocated: number, rss: number }} Memory in bytes */

/**
 * @param {{ port: number, measure: () => Promise<Memory> }} subject
 * @returns {Promise<Record<'tracked' | 'left' | 'flushed', Memory>>} for each key, above what it was
 *   before: with the readers there, after they have left, after the keys were invalidated
 */
async function trackKeys({ port, measure }, readerCount, blocks) {
  await readAll(port, 1, blocks.slice(0, WARM_UP_BLOCKS));
  await forgetTracked(port);
  const before = await measure();
  const perKey = async () => {
    const { allocated, rss } = await measure();
    const each = (now, then) => (now - then) / KEY_COUNT;
    return { allocated: each(allocated, before.allocated), rss: each(rss, before.rss) };
  };
  const leave = await readAll(port, readerCount, blocks, { stay: true });
  const tracked = await perKey();
  leave();
  const left = await perKey();
  await forgetTracked(port);
  return { tracked, left, flushed: await perKey() };
}

/** Clients read all keys, one after the other. @returns what makes them leave, if they stay */
async function readAll(port, readerCount, blocks, { stay = false } = {}) {
  const readers = [];
  for (let index = 0; index < readerCount; index++) {
    const reader = await Client.open(port);
    await reader.call('CLIENT', 'TRACKING', 'ON');
    await reader.pour(blocks, blocks.length * BLOCK_COUNT * NULL_BYTES);
    readers.push(reader);
  }
  const leave = () => {
    for (const reader of readers) reader.close();
  };
  if (!stay) leave();
  return leave;
}

/** @returns {() => Promise<Memory>} that tells what a Redis has allocated */
function memoryOfRedis({ port, pid }) {
  return async () => {
    await rested(pid);
    const client = await Client.open(port);
    const [, used] = /^used_memory:(\d+)/m.exec(await client.call('INFO', 'memory'));
    client.close();
    return { allocated: Number(used), rss: residentBytes(pid) };
  };
}

/** @returns {() => Promise<Memory>} that tells the memory of a Node process, less its garbage */
function memoryOfNode(server) {
  return async () => {
    await rested(server.pid);
    const { heapUsed, external, rss } = await memoryOf(server);
    return { allocated: heapUsed + external, rss };
  };
}

function described(readers) {
  return readers === 1 ? '1 reader' : `${readers} readers`;
}

async function measureKeys(stage) {
  const blocks = readBlocks();
  const results = [];
  for (const readers of READERS) {
    progress(`${count(KEY_COUNT)} keys, ${described(readers)}: native`);
    const noLimit = ['--tracking-table-max-keys', '0'];
    const redis = await startRedis(stage, { redisServer, args: noLimit });
    const native = await trackKeys(
      { port: redis.port, measure: memoryOfRedis(redis) },
      readers,
      blocks,
    );
    progress(`${count(KEY_COUNT)} keys, ${described(readers)}: sidetrack`);
    const proxy = await startProxy(stage, redis.port, { dist, flags: noLimit, probed: true });
    const sidetrack = await trackKeys(
      { port: proxy.port, measure: memoryOfNode(proxy) },
      readers,
      blocks,
    );
    await proxy.started.stop();
    await redis.started.stop();
    results.push({ readers, native, sidetrack });
  }
  const rows = results.flatMap(({ readers, native, sidetrack }) =>
    Object.entries({ native, sidetrack }).map(([name, bytes], index) => [
      index === 0 ? described(readers) : '',
      name,
      ...[bytes.tracked, bytes.left, bytes.flushed].map(({ allocated }) => allocated.toFixed(1)),
      bytes.tracked.rss.toFixed(1),
    ]),
  );
  const columns = ['bytes a tracked key', 'by', 'tracked', 'clients left', 'invalidated', 'RSS'];
  printTable(columns, rows);
  return results;
}

/** @returns {number} how many idle clients there can be: each needs two files of the server */
function idleCount() {
  const most = Math.floor((openFilesMax() - SPARE_FILES) / 2);
  if (most >= IDLE_COUNT) return IDLE_COUNT;
  console.error(
    `Only ${count(most)} idle clients: ulimit -n allows ${count(openFilesMax())} files.`,
  );
  return most;
}

async function measureIdle(stage) {
  const clientCount = idleCount();
  const redis = await startRedis(stage, { redisServer });
  const servers = [
    await startPipe(stage, redis.port, { probed: true }),
    await startProxy(stage, redis.port, { dist, probed: true }),
  ];
  const results = [];
  for (const server of servers) {
    progress(`${count(clientCount)} idle clients: ${server.name}`);
    const measure = memoryOfNode(server);
    const before = await measure();
    const sockets = await openIdle(server.port, clientCount);
    const idle = await measure();
    await closeAll(sockets);
    const left = await measure();
    // What is kept for later use must do for as many again.
    const others = await openIdle(server.port, clientCount);
    const again = await measure();
    await closeAll(others);
    results.push({ name: server.name, clientCount, before, idle, left, again });
    await server.started.stop();
  }
  const rows = results.map(({ name, before, idle, left, again }) => [
    name,
    ...[before, idle, left, again].map(({ rss }) => megabytes(rss)),
    figure((idle.rss - before.rss) / clientCount / 1_000),
  ]);
  const title = `${count(clientCount)} idle clients, RSS in MB`;
  printTable([title, 'before', 'with them', 'after', 'as many again', 'kB each'], rows);
  return results;
}

await onStage(async (stage) => {
  const keys = await measureKeys(stage);
  const idle = await measureIdle(stage);
  const [pipe, sidetrack] = idle;
  const verdicts = [
    ...keys.map((result) => {
      const { readers } = result;
      return judge(
        `bytes a key, ${described(readers)}`,
        result.sidetrack.tracked.allocated,
        BUDGETS.keyBytes[readers],
      );
    }),
    judge('RSS with idle clients, to pipe', sidetrack.idle.rss / pipe.idle.rss, BUDGETS.idleRatio),
  ];
  printTable(VERDICT_COLUMNS, verdictRows(verdicts));
  const { settings, name } = prepared;
  save('memory', name, { settings, quick, keyCount: KEY_COUNT, verdicts, keys, idle });
});
