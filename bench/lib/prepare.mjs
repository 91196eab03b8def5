/** What every bench begins with: its arguments, the build, and the programs that it needs. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { explainArguments } from '../../scripts/arguments.mjs';
import { ensureBuild, ensureDependencies, ensureRedis, ROOT } from '../../scripts/setup.mjs';
import { loadAverage, settings } from './system.mjs';

/** More than this, and other programs take what is to be measured. */
const BUSY_LOAD = 0.5;

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  name: { type: 'string' },
  dist: { type: 'string' },
};

/**
 * @typedef {object} Prepared
 * @property {boolean} quick fewer and shorter runs
 * @property {string} dist the folder of the built proxy
 * @property {string} name what the files of the results are called by
 * @property {string} redisServer
 * @property {string} redisBenchmark
 * @property {Record<string, string | number>} settings what the numbers hold for
 * @property {Record<string, string | boolean>} values of `more`
 */

/**
 * Reads `--quick`, `--name NAME` (for the files of the results; else the time) and `--dist FOLDER`
 * (another build than that of these sources).
 * @param {import('node:util').ParseArgsConfig['options']} [more] options of this bench alone
 * @returns {Prepared}
 */
export function prepare(more = {}) {
  const options = { ...OPTIONS, ...more };
  const values = read(options);
  ensureDependencies();
  if (values.dist === undefined) ensureBuild();
  const redisServer = ensureRedis();
  if (loadAverage() > BUSY_LOAD) {
    console.error(
      `This machine is busy (load ${loadAverage().toFixed(1)}): trust ratios, not single figures.`,
    );
  }
  return {
    quick: values.quick,
    dist: path.resolve(values.dist ?? path.join(ROOT, 'dist')),
    name: values.name ?? new Date().toISOString().slice(0, 19).replaceAll(':', '-'),
    redisServer,
    redisBenchmark: benchmarkBeside(redisServer),
    settings: settings(redisServer),
    values,
  };
}

/** @returns the values of the options */
function read(options) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    const flags = Object.entries(options).map(([name, { type }]) =>
      type === 'boolean' ? `--${name}` : `--${name} VALUE`,
    );
    return explainArguments(error, flags.join(', '));
  }
}

/** @returns {string} the redis-benchmark of the same Redis, else the one on PATH */
function benchmarkBeside(redisServer) {
  const beside = path.join(path.dirname(redisServer), 'redis-benchmark');
  const found = isExecutable(beside) ? beside : findOnPath('redis-benchmark');
  if (found !== undefined) return found;
  console.error('redis-benchmark is missing: install it (Debian: redis-tools)');
  return process.exit(1);
}

/** @returns {string | undefined} the path of a program */
export function findOnPath(program) {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return folders.map((folder) => path.join(folder, program)).find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
