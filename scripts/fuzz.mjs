/**
 * `npm run test:fuzz`: random and mutated bytes at random cuts for the scanners of requests and of
 * replies, and for the ledger behind them (test/fuzz), compiled once and run without a test runner.
 * Each input must end as slow readers of the same bytes say, or with the error that they say.
 * `--inputs N` says how many (1,000,000), `--seed N` where to begin (1), `--seconds N` when to end
 * at the latest.
 *
 * Exit code 1: an input that ended otherwise, which is shown, or too much memory. Every input has a
 * seed of its own: `--seed <its seed> --inputs 1` makes it again.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { explainArguments } from './arguments.mjs';
import { compileApart } from './compile.mjs';
import { ensureDependencies } from './setup.mjs';

ensureDependencies();
const directory = compileApart('fuzz', ['test/fuzz/main.ts']);
const main = pathToFileURL(path.join(directory, 'test', 'fuzz', 'main.js')).href;
await import(main).catch((error) => explainArguments(error, '--inputs N, --seed N, --seconds N'));
