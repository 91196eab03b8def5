/**
 * `npm run test:coherence`: clients that cache, writers and faults around a real proxy and a real
 * Redis (test/coherence), compiled once and run without a test runner. `--seconds N` says how long
 * (600), `--seed N` which choices (any), `--faults 'Redis stopped,CLIENT PAUSE'` which kinds of
 * faults alone, `--flags='--tracking-table-max-keys 50'` what the proxy is started with.
 *
 * Exit code 1: a stale entry, a lost reply or the like, which is told with all that led to it. A
 * seed repeats the choices, and not the moments at which things happen.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureDependencies, ensureRedis, ROOT } from './setup.mjs';

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
    include: [path.join(ROOT, 'src/cli.ts'), path.join(ROOT, 'test/coherence/main.ts')],
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
process.env.REDIS_SERVER = ensureRedis();
const directory = mkdtempSync(path.join(tmpdir(), 'sidetrack-coherence-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
compile(directory);
const main = path.join(directory, 'test', 'coherence', 'main.js');
const proxy = ['--proxy', path.join(directory, 'src', 'cli.js')];
process.argv = [process.execPath, main, ...proxy, ...process.argv.slice(2)];
await import(pathToFileURL(main).href);
