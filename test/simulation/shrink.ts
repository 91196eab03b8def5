import { type Failure, replay } from './run.ts';
import type { Setup, Step } from './steps.ts';

/** So many replays are tried at most. */
const TRIES_MAX_COUNT = 20_000;

/**
 * Looks for a shorter run that breaks the same promise: without some of the steps, with fewer
 * requests in them, with bytes that move all at once, in a plainer world.
 */
export function shrink(failure: Failure): Failure {
  let best = failure;
  let tries = 0;
  const holds = (setup: Setup, steps: readonly Step[]): boolean => {
    if (tries++ >= TRIES_MAX_COUNT) return false;
    const found = replay(setup, steps);
    if (found?.rule !== failure.rule) return false;
    best = found;
    return true;
  };
  for (let before = -1; before !== weightOf(best) && tries < TRIES_MAX_COUNT; ) {
    before = weightOf(best);
    dropSteps(() => best, holds);
    for (const [index] of best.steps.entries()) {
      for (const simpler of simplerOf(best.steps[index])) {
        if (holds(best.setup, best.steps.with(index, simpler))) break;
      }
    }
    for (const setup of plainerOf(best.setup)) holds(setup, best.steps);
  }
  return best;
}

type Holds = (setup: Setup, steps: readonly Step[]) => boolean;

function dropSteps(best: () => Failure, holds: Holds): void {
  for (let size = Math.ceil(best().steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best().steps.length; ) {
      const { setup, steps } = best();
      if (!holds(setup, [...steps.slice(0, at), ...steps.slice(at + size)])) at += size;
    }
  }
}

function simplerOf(step: Step | undefined): readonly Step[] {
  if (step?.kind === 'send') {
    return step.requests.flatMap((words, index) => {
      const without = step.requests.filter((_, other) => other !== index);
      const shorter = words[0] === 'MGET' ? [['GET', words[1] ?? '']] : [];
      return [
        { ...step, requests: without },
        ...shorter.map((instead) => ({ ...step, requests: step.requests.with(index, instead) })),
      ];
    });
  }
  if ((step?.kind === 'move' || step?.kind === 'hear') && step.count > 0) {
    return [{ ...step, count: 0 }];
  }
  return [];
}

function plainerOf(setup: Setup): readonly Setup[] {
  return [
    { ...setup, hasPassword: false },
    { ...setup, knowsTracking: false },
    { ...setup, asksForAccess: false, secret: undefined },
    { ...setup, secret: undefined },
    { ...setup, maxKeys: 0 },
    { ...setup, db: 0 },
    { ...setup, fences: 'never' },
    ...setup.clients.map((client, index) => ({
      ...setup,
      clients: setup.clients.with(index, { ...client, output: undefined }),
    })),
    { ...setup, clients: setup.clients.slice(0, -1) },
  ];
}

function weightOf({ setup, steps }: Failure): number {
  let weight = setup.clients.length + Number(setup.maxKeys > 0) + Number(setup.db > 0);
  weight += Number(setup.secret !== undefined) + Number(setup.fences !== 'never');
  for (const { output } of setup.clients) weight += Number(output !== undefined);
  for (const flag of [setup.hasPassword, setup.knowsTracking, setup.asksForAccess]) {
    weight += Number(flag);
  }
  for (const step of steps) {
    weight += 1;
    if (step.kind === 'send') weight += step.requests.length;
    if (step.kind === 'move' || step.kind === 'hear') weight += Number(step.count > 0);
  }
  return weight;
}
