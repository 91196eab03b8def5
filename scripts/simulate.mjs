/**
 * `npm run test:simulation`: the seeded schedules of test/simulation, compiled once and run without
 * a test runner. `--seed N` says where to begin (1), `--runs N` how many (10,000). The story of the
 * first that fails is shrunk and printed; `--seed <its seed> --runs 1` tells it again.
 *
 * `npm run test:mutations` (`--mutations`): does the same with the defects of
 * test/simulation/mutations.ts built in, one after the other, and demands that each is found.
 * `--only N` takes the Nth alone.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureDependencies, ROOT } from './setup.mjs';

/** @returns {string} a directory with `src/` and `test/simulation/` as they are */
function copySources(directory) {
  for (const folder of ['src', 'test/simulation']) {
    cpSync(path.join(ROOT, folder), path.join(directory, folder), { recursive: true });
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(directory, 'node_modules'));
  writeFileSync(path.join(directory, 'package.json'), JSON.stringify({ type: 'module' }));
  return directory;
}

/** Compiles without looking at types. @returns {string} where the programs are */
function compile(directory) {
  const output = path.join(directory, 'js');
  const settings = {
    extends: path.join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      noCheck: true,
      allowImportingTsExtensions: false,
      rootDir: directory,
      outDir: output,
    },
    include: ['test/simulation/main.ts', 'test/simulation/mutations.ts'],
  };
  writeFileSync(path.join(directory, 'tsconfig.json'), JSON.stringify(settings));
  const compiler = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', directory]);
  if (status !== 0) throw new Error(`the simulation does not compile: ${stdout}`);
  return path.join(output, 'test', 'simulation');
}

/** Changes a copy of the sources; each text must be there, once. */
function mutate(directory, { edits }) {
  for (const { file, from, to } of edits) {
    const name = path.join(directory, file);
    const pieces = readFileSync(name, 'utf8').split(from);
    if (pieces.length !== 2) {
      throw new Error(`${file} holds ${pieces.length - 1} times, and not once: ${from}`);
    }
    writeFileSync(name, pieces.join(to));
  }
}

/** @returns {{ checked: number, failures: { seed: number, rule: string, message: string }[] }} */
function runApart(programs, first, count, mode, skip) {
  const args = [path.join(programs, 'main.js'), first, count, mode, skip.join(',')];
  const { stdout, stderr } = spawnSync(process.execPath, args, { maxBuffer: 64 * 1_048_576 });
  if (stdout.length === 0) throw new Error(`the simulation did not run: ${stderr}`);
  return JSON.parse(stdout.toString());
}

/** @returns {Promise<boolean>} whether every mutation was found, and nothing without one */
async function runMutations(directory, { seed, runs, only }) {
  const mutant = (name) => {
    const copy = path.join(directory, name);
    mkdirSync(copy);
    return copySources(copy);
  };
  const sound = compile(mutant('sound'));
  const { MUTATIONS } = await import(pathToFileURL(path.join(sound, 'mutations.js')).href);
  const { failures } = runApart(sound, seed, runs, 'all', []);
  console.log(`without a mutation: ${failures.length} of ${runs} schedules fail`);
  // What fails anyway proves nothing about a mutation.
  const skip = failures.map((failure) => failure.seed);
  let found = 0;
  const chosen = only === undefined ? MUTATIONS : [MUTATIONS[Number(only) - 1]];
  for (const [index, mutation] of chosen.entries()) {
    const copy = mutant(`mutant-${index}`);
    mutate(copy, mutation);
    const result = runApart(compile(copy), seed, runs, 'first', skip);
    const [failure] = result.failures;
    if (failure !== undefined) found += 1;
    const verdict =
      failure === undefined ? 'NOT FOUND' : `${failure.rule} in schedule ${result.checked}`;
    console.log(`${String(index + 1).padStart(3)}. ${mutation.name.padEnd(72)} ${verdict}`);
    rmSync(copy, { recursive: true });
  }
  console.log(`${found} of ${chosen.length} mutations found within ${runs} schedules each`);
  return found === chosen.length && failures.length === 0;
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '10000' },
    mutations: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
ensureDependencies();
const directory = mkdtempSync(path.join(tmpdir(), 'sidetrack-simulation-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
if (values.mutations) {
  process.exitCode = (await runMutations(directory, values)) ? 0 : 1;
} else {
  const programs = compile(copySources(directory));
  process.argv = [process.execPath, 'main.js', values.seed, values.runs];
  await import(pathToFileURL(path.join(programs, 'main.js')).href);
}
