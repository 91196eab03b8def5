/**
 * `npm run test:soak`: clients of every kind come to a real proxy in front of a real Redis, use it,
 * and die at random; then so many come and go as the machine can do (test/soak). Afterwards nothing
 * may be left of them. Compiled once and run without a test runner. `--seconds N` says how long they
 * use it (600), `--storm N` for how many seconds they come and go (10), `--clients N` how many are
 * there at once (24), `--seed N` which choices are made (any), `--flags='--fence-writes on'` what the
 * proxy is started with.
 *
 * Exit code 1: something is left, memory has grown beyond its limit, or somebody was not answered. A
 * seed repeats the choices, and not the moments at which things happen.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { explainArguments } from './arguments.mjs';
import { compileApart } from './compile.mjs';
import { ensureDependencies, ensureRedis } from './setup.mjs';

ensureDependencies();
process.env.REDIS_SERVER = ensureRedis();
const directory = compileApart('soak', ['src/cli.ts', 'test/soak/main.ts']);
const main = path.join(directory, 'test', 'soak', 'main.js');
const proxy = ['--proxy', path.join(directory, 'src', 'cli.js')];
process.argv = [process.execPath, main, ...proxy, ...process.argv.slice(2)];
await import(pathToFileURL(main).href).catch((error) =>
  explainArguments(error, "--seconds N, --storm N, --clients N, --seed N, --flags='FLAGS'"),
);
