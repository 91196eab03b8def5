import { runSeed, tellFailure } from './run.ts';
import { shrink } from './shrink.ts';

/** What a process of scripts/simulate.mjs is asked to do. */
interface Task {
  readonly firstSeed: number;
  readonly count: number;
  /** Seeds that are left out. */
  readonly skip: readonly number[];
  /** The first failure ends it. */
  readonly stops: boolean;
  /** Failures are shrunk and told as stories. */
  readonly tells: boolean;
}

/** What it answers. */
interface Result {
  /** How many schedules were run. */
  readonly checked: number;
  readonly failures: readonly {
    readonly seed: number;
    readonly rule: string;
    readonly message: string;
    readonly story: string;
  }[];
}

/** The program that scripts/simulate.mjs starts, once or several times, and gives tasks. */
process.on('message', (task: Task) => process.send?.(run(task)));

function run({ firstSeed, count, skip, stops, tells }: Task): Result {
  const skipped = new Set(skip);
  const failures: Result['failures'][number][] = [];
  let checked = 0;
  while (checked < count && !(stops && failures.length > 0)) {
    const seed = firstSeed + checked;
    checked += 1;
    const failure = skipped.has(seed) ? undefined : runSeed(seed);
    if (failure === undefined) continue;
    const { rule, message } = failure;
    const story = tells ? tellFailure(shrink(failure)) : '';
    failures.push({ seed, rule, message, story });
  }
  return { checked, failures };
}
