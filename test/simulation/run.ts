import { Violation } from './oracle.ts';
import { Scheduler, setupOf } from './schedule.ts';
import { type Setup, type Step, tellStep } from './steps.ts';
import { World } from './world.ts';

/** A run in which a promise was broken. */
export interface Failure {
  readonly setup: Setup;
  readonly steps: readonly Step[];
  /** The promise: P1 to P7 as in the design, or `defect` for an error that nobody expects. */
  readonly rule: string;
  readonly message: string;
}

/** @returns what went wrong in the schedule of `seed`; undefined: nothing */
export function runSeed(seed: number): Failure | undefined {
  const setup = setupOf(seed);
  const steps: Step[] = [];
  return guarded(setup, steps, () => {
    const world = new World(setup);
    const scheduler = new Scheduler(setup);
    for (let left = scheduler.stepCount; left > 0; left--) {
      const step = scheduler.next(world);
      steps.push(step);
      world.do(step);
    }
    world.finish();
  });
}

/** @param story gets what happens, line by line */
export function replay(
  setup: Setup,
  steps: readonly Step[],
  story?: string[],
): Failure | undefined {
  return guarded(setup, steps, () => {
    const world = new World(setup, story);
    for (const [index, step] of steps.entries()) {
      story?.push(`${String(index + 1).padStart(3)}. ${tellStep(step)}`);
      world.do(step);
    }
    story?.push('     and then everything settles, to the end');
    world.finish();
  });
}

function guarded(setup: Setup, steps: readonly Step[], run: () => void): Failure | undefined {
  try {
    run();
    return undefined;
  } catch (cause) {
    const rule = cause instanceof Violation ? cause.rule : 'defect';
    const message = cause instanceof Violation ? cause.message : stackOf(cause);
    return { setup, steps, rule, message };
  }
}

function stackOf(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}

/** @returns the failure as a story: what happened, and what went wrong */
export function tellFailure(failure: Failure): string {
  const story: string[] = [];
  const again = replay(failure.setup, failure.steps, story);
  const { seed, clients, ...rest } = failure.setup;
  const who = clients.map(({ target, isListener, protocol, output }, index) => {
    const place = isListener
      ? ', listens'
      : target === undefined
        ? ''
        : `, may redirect to ${target}`;
    const pace = output === undefined ? '' : `, slow: ${JSON.stringify(output)}`;
    return `client ${index}: RESP${protocol}${place}${pace}`;
  });
  return [
    `seed ${seed}: ${again?.message ?? failure.message}`,
    ...who,
    JSON.stringify(rest),
    ...story,
    `  => ${again?.message ?? 'nothing went wrong this time'}`,
  ].join('\n');
}
