/**
 * `npm start`: puts in place what is missing, then becomes the program. It runs in this very
 * process, so signals, exit codes and the terminal are the program's own.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuild, ensureDependencies, ensureRedis, ROOT } from './setup.mjs';

/**
 * @param {readonly string[]} args
 * @returns {boolean} whether the program will start a Redis of its own
 */
function wantsEmbeddedRedis(args) {
  if (args.some((arg) => arg === '--help' || arg === '-h' || arg === '--version')) return false;
  return (upstreamOf(args) || 'embedded') === 'embedded';
}

/**
 * @param {readonly string[]} args
 * @returns {string | undefined} the upstream as given last, else the environment's
 */
function upstreamOf(args) {
  let upstream = process.env.SIDETRACK_UPSTREAM;
  for (const [index, arg] of args.entries()) {
    if (arg === '--upstream' || arg === '-u') upstream = args[index + 1];
    else upstream = /^(?:--upstream=|-u=?)(.+)$/.exec(arg)?.[1] ?? upstream;
  }
  return upstream;
}

ensureDependencies();
ensureBuild();
if (wantsEmbeddedRedis(process.argv.slice(2))) process.env.REDIS_SERVER = ensureRedis();

const cli = path.join(ROOT, 'dist', 'cli.js');
process.argv[1] = cli;
await import(pathToFileURL(cli).href);
