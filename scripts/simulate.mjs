/**
 * `npm run test:simulation`: the seeded schedules of test/simulation, compiled once and run without
 * a test runner. `--seed N` says where to begin (1), `--runs N` how many (10,000), `--jobs N` in how
 * many processes at once (1). A failure is shrunk and its story printed, and ends the run, unless
 * `--keep-going` is given; `--seed <its seed> --runs 1` tells it again.
 *
 * `npm run test:mutations` (`--mutations`): does the same with the defects of
 * test/simulation/mutations.ts built in, one after the other, and demands that each is found.
 * `--only N` takes the Nth alone.
 */
import { fork, spawnSync } from 'node:child_process';
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
import { explainArguments } from './arguments.mjs';
import { ensureDependencies, ROOT } from './setup.mjs';

/** @returns {string} a directory with the sources as they are */
function copySources(directory) {
  for (const folder of ['src', 'test/simulation', 'test/helpers']) {
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

/** A process that runs schedules, one task at a time. */
class Worker {
  #child;

  constructor(programs) {
    // Nearly all that a schedule allocates is garbage at its end, and cheap if it is collected late.
    const execArgv = ['--max-semi-space-size=64'];
    this.#child = fork(path.join(programs, 'main.js'), { execArgv });
  }

  /**
   * @param task as `Task` of test/simulation/main.ts
   * @returns {Promise<object>} as its `Result`
   */
  run(task) {
    return new Promise((resolve, reject) => {
      const ended = (code, signal) => reject(new Error(`a simulation ended: ${signal ?? code}`));
      this.#child.once('exit', ended);
      this.#child.once('message', (result) => {
        this.#child.off('exit', ended);
        resolve(result);
      });
      this.#child.send(task);
    });
  }

  end() {
    this.#child.kill();
  }
}

/** Runs one task in a process of its own. */
async function runApart(programs, task) {
  const worker = new Worker(programs);
  try {
    return await worker.run({ tells: false, skip: [], ...task });
  } finally {
    worker.end();
  }
}

/** How many schedules a process is given at once: some tenths of a second. */
const TASK_COUNT = 500;
const PROGRESS_MS = 10_000;

/** How many of the seeds that failed are named at the end. */
const NAMED_MAX_COUNT = 20;

/** Runs schedules in several processes. @returns {Promise<boolean>} whether all kept every promise */
async function runAll(programs, { firstSeed, runs, jobs, keepsGoing }) {
  const startedMs = performance.now();
  const seconds = () => ((performance.now() - startedMs) / 1_000).toFixed(1);
  let given = 0;
  let checked = 0;
  const failedSeeds = [];
  const goesOn = () => given < runs && (keepsGoing || failedSeeds.length === 0);
  const work = async () => {
    const worker = new Worker(programs);
    while (goesOn()) {
      const count = Math.min(TASK_COUNT, runs - given);
      const task = {
        firstSeed: firstSeed + given,
        count,
        skip: [],
        stops: !keepsGoing,
        tells: true,
      };
      given += count;
      const result = await worker.run(task);
      checked += result.checked;
      for (const { seed, story } of result.failures) {
        failedSeeds.push(seed);
        console.log(`${story}\n`);
      }
    }
    worker.end();
  };
  const progress = setInterval(() => {
    console.log(`${checked} of ${runs} schedules, ${failedSeeds.length} failures, ${seconds()} s`);
  }, PROGRESS_MS);
  await Promise.all(Array.from({ length: jobs }, work));
  clearInterval(progress);
  const range = `${checked} schedules, seeds ${firstSeed} to ${firstSeed + given - 1}`;
  const named = failedSeeds.slice(0, NAMED_MAX_COUNT).join(' ');
  const verdict =
    failedSeeds.length === 0
      ? 'every promise kept'
      : `${failedSeeds.length} failures, of seeds ${named}${failedSeeds.length > NAMED_MAX_COUNT ? ' ...' : ''}`;
  console.log(`${range}, ${seconds()} s in ${jobs} process${jobs > 1 ? 'es' : ''}: ${verdict}`);
  return failedSeeds.length === 0;
}

/** @returns {Promise<boolean>} whether every mutation was found, and nothing without one */
async function runMutations(directory, { firstSeed, runs, only }) {
  const mutant = (name) => {
    const copy = path.join(directory, name);
    mkdirSync(copy);
    return copySources(copy);
  };
  const sound = compile(mutant('sound'));
  const { MUTATIONS } = await import(pathToFileURL(path.join(sound, 'mutations.js')).href);
  const { failures } = await runApart(sound, { firstSeed, count: runs, stops: false });
  console.log(`without a mutation: ${failures.length} of ${runs} schedules fail`);
  // What fails anyway proves nothing about a mutation.
  const skip = failures.map((failure) => failure.seed);
  let found = 0;
  const chosen = only === undefined ? MUTATIONS : [MUTATIONS[Number(only) - 1]];
  for (const [index, mutation] of chosen.entries()) {
    const copy = mutant(`mutant-${index}`);
    mutate(copy, mutation);
    const result = await runApart(compile(copy), { firstSeed, count: runs, skip, stops: true });
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

/** @returns the values of the flags */
function readArguments() {
  const number = { type: 'string' };
  const options = {
    seed: { ...number, default: '1' },
    runs: { ...number, default: '10000' },
    jobs: { ...number, default: '1' },
    'keep-going': { type: 'boolean', default: false },
    mutations: { type: 'boolean', default: false },
    only: number,
  };
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return explainArguments(
      error,
      '--seed N, --runs N, --jobs N, --keep-going, and --only N with --mutations',
    );
  }
}

const values = readArguments();
ensureDependencies();
const directory = mkdtempSync(path.join(tmpdir(), 'sidetrack-simulation-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const asked = {
  firstSeed: Number(values.seed),
  runs: Number(values.runs),
  jobs: Number(values.jobs),
  keepsGoing: values['keep-going'],
  only: values.only,
};
const isSound = values.mutations
  ? await runMutations(directory, asked)
  : await runAll(compile(copySources(directory)), asked);
process.exitCode = isSound ? 0 : 1;
