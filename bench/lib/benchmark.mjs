/** Runs redis-benchmark, and reads from the system what it cost the servers. */
import { cpuMicroseconds, rested } from './system.mjs';

/**
 * @typedef {object} Load
 * @property {number} connections
 * @property {number} pipeline requests that a connection sends at once
 * @property {'GET' | 'SET'} command
 * @property {number} bytes of a value
 * @property {number} commands how many in all; a multiple of `pipeline`, or there will be more
 * @property {number} [keys] so many keys, chosen at random; else always the same one
 * @property {boolean} [reconnects] a new connection for each command
 * @property {boolean} [tracking] every connection says CLIENT TRACKING ON
 */

/**
 * @typedef {object} Sample
 * @property {number} requestsPerSecond
 * @property {number} p50Ms
 * @property {number} p99Ms
 * @property {number | undefined} cpu microseconds of the server in between, for each command
 * @property {number} redisCpu microseconds of Redis, for each command
 */

/** The key that redis-benchmark uses where it uses one. */
export const FIXED_KEY = 'key:__rand_int__';

/** @returns {string} the name of key `index` of those that redis-benchmark chooses from */
export function keyName(index) {
  return `key:${String(index).padStart(12, '0')}`;
}

/**
 * @param {import('./stage.mjs').Stage} stage
 * @param {string} redisBenchmark
 * @param {{ port: number, pid?: number, redisPid: number }} target `pid` of the server in between
 * @param {Load} load
 * @returns {Promise<Sample>}
 */
export async function benchmark(stage, redisBenchmark, target, load) {
  const { pid, redisPid } = target;
  const cpuBefore = pid === undefined ? 0 : cpuMicroseconds(pid);
  const redisBefore = cpuMicroseconds(redisPid);
  const output = await stage.run(redisBenchmark, argumentsOf(target.port, load));
  // A proxy may still have notifications to read.
  if (pid !== undefined && load.command === 'SET') await rested(pid);
  const cpu = pid === undefined ? undefined : (cpuMicroseconds(pid) - cpuBefore) / load.commands;
  const redisCpu = (cpuMicroseconds(redisPid) - redisBefore) / load.commands;
  return { ...read(output), cpu, redisCpu };
}

function argumentsOf(port, load) {
  const numbers = {
    '-p': port,
    '-c': load.connections,
    '-P': load.pipeline,
    '-n': load.commands,
    '-d': load.bytes,
    ...(load.keys === undefined ? {} : { '-r': load.keys }),
  };
  const tracking = load.tracking === true ? ['-3', '--enable-tracking'] : [];
  const keepAlive = ['-k', load.reconnects === true ? '0' : '1'];
  const form = ['-h', '127.0.0.1', '-t', load.command.toLowerCase(), '--csv', '--precision', '3'];
  return [...form, ...Object.entries(numbers).flat().map(String), ...keepAlive, ...tracking];
}

/** Reads the header and the one line of `--csv`. */
function read(output) {
  const rows = output
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('"'))
    .map((line) => line.slice(1, -1).split('","'));
  const [names, values] = rows;
  if (names === undefined || values?.length !== names.length) {
    throw new Error(`redis-benchmark printed no table:\n${output}`);
  }
  const figure = (name) => Number(values[names.indexOf(name)]);
  return {
    requestsPerSecond: figure('rps'),
    p50Ms: figure('p50_latency_ms'),
    p99Ms: figure('p99_latency_ms'),
  };
}

/** @param {Load} load */
export function describe(load) {
  const { connections, pipeline, command, bytes, keys, reconnects, tracking } = load;
  const size = bytes >= 1_024 ? `${bytes / 1_024} KiB` : `${bytes} B`;
  const parts = [`${command} ${size}`, `${connections} conn`];
  if (pipeline > 1) parts.push(`pipeline ${pipeline}`);
  if (reconnects === true) parts.push('one command each');
  if (keys !== undefined) parts.push('random keys');
  return `${parts.join(', ')}${tracking === true ? ', tracking' : ''}`;
}
