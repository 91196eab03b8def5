/**
 * `npm run test:coherence`: clients that cache, writers and faults around a real proxy and a real
 * Redis (test/coherence), compiled once and run without a test runner. `--seconds N` says how long
 * (600), `--seed N` which choices (any), `--faults 'Redis stopped,CLIENT PAUSE'` which kinds of
 * faults alone, `--flags='--tracking-table-max-keys 50'` what the proxy is started with.
 *
 * Exit code 1: a stale entry, a lost reply or the like, which is told with all that led to it. A
 * seed repeats the choices, and not the moments at which things happen.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { explainArguments } from './arguments.mjs';
import { compileApart } from './compile.mjs';
import { ensureDependencies, ensureRedis } from './setup.mjs';

ensureDependencies();
process.env.REDIS_SERVER = ensureRedis();
const directory = compileApart('coherence', ['src/cli.ts', 'test/coherence/main.ts']);
const main = path.join(directory, 'test', 'coherence', 'main.js');
const proxy = ['--proxy', path.join(directory, 'src', 'cli.js')];
process.argv = [process.execPath, main, ...proxy, ...process.argv.slice(2)];
await import(pathToFileURL(main).href).catch((error) =>
  explainArguments(error, "--seconds N, --seed N, --faults 'KIND,KIND', --flags='FLAGS'"),
);
