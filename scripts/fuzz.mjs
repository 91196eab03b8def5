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
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureDependencies, ROOT } from './setup.mjs';

/** Compiles without looking at types, so that what runs is what the sources say now. */
function compile(directory) {
  const settings = {
    extends: path.join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      noCheck: true,
      allowImportingTsExtensions: false,
      rootDir: ROOT,
      outDir: directory,
      typeRoots: [path.join(ROOT, 'node_modules', '@types')],
    },
    include: [path.join(ROOT, 'test/fuzz/main.ts')],
  };
  const project = path.join(directory, 'tsconfig.json');
  writeFileSync(project, JSON.stringify(settings));
  const compiler = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', project]);
  if (status !== 0) throw new Error(`it does not compile: ${stdout}`);
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(directory, 'node_modules'));
  cpSync(path.join(ROOT, 'package.json'), path.join(directory, 'package.json'));
}

ensureDependencies();
const directory = mkdtempSync(path.join(tmpdir(), 'sidetrack-fuzz-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
compile(directory);
await import(pathToFileURL(path.join(directory, 'test', 'fuzz', 'main.js')).href);
