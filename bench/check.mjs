/**
 * `npm run bench:check`: a guard. It compares the proxy's CPU per command with the bare pipe's in the
 * same run, and fails when a budget is exceeded by more than a quarter: so much, because machines are
 * noisy. `--inform` prints and never fails. Other options: lib/prepare.mjs.
 */
import { describe } from './lib/benchmark.mjs';
import { BUDGETS } from './lib/budgets.mjs';
import { Contest, ratio } from './lib/contest.mjs';
import { budgetLoads, trackingLoads } from './lib/loads.mjs';
import { prepare } from './lib/prepare.mjs';
import { figure, printTable, progress } from './lib/report.mjs';
import { onStage } from './lib/stage.mjs';
import { median } from './lib/statistics.mjs';

const TOLERANCE = 1.25;
const ROUNDS = { quick: 3, full: 7 };

const prepared = prepare({ inform: { type: 'boolean', default: false } });
const { quick, values } = prepared;

function checks() {
  const off = budgetLoads(quick).map((load) => ({ load, name: 'sidetrack' }));
  const pipelined = trackingLoads(quick).find(({ pipeline }) => pipeline > 1);
  return [...off, { load: pipelined, name: 'sidetrack tracking' }].map(({ load, name }) => ({
    load,
    name,
    contestants: ['pipe', name],
    budget: name === 'sidetrack' ? BUDGETS.trackingOffRatio : BUDGETS.trackingOnRatio,
    rounds: [],
  }));
}

function rowOf({ load, name, rounds, budget }) {
  const measured = ratio(rounds, 'cpu', name, 'pipe');
  const each = (who) => figure(median(rounds.map((round) => round[who].cpu)));
  const ratios = rounds.map((round) => round[name].cpu / round.pipe.cpu);
  const spread = `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`;
  const word = measured <= budget ? 'met' : measured <= budget * TOLERANCE ? 'near' : 'MISSED';
  const described = describe({ ...load, tracking: name !== 'sidetrack' });
  return [described, each('pipe'), each(name), measured.toFixed(2), spread, String(budget), word];
}

await onStage(async (stage) => {
  const contest = new Contest(stage, prepared);
  await contest.startFew();
  const all = checks();
  const count = quick ? ROUNDS.quick : ROUNDS.full;
  for (let round = 1; round <= count; round++) {
    progress(`round ${round} of ${count}`);
    for (const check of all) check.rounds.push(await contest.round(check));
  }
  const rows = all.map(rowOf);
  printTable(['load', 'pipe us', 'proxy us', 'ratio', 'spread', 'budget', ''], rows);
  const missed = rows.filter((row) => row.at(-1) === 'MISSED').length;
  if (missed === 0) return;
  console.log(`${missed} above the budget by more than ${Math.round((TOLERANCE - 1) * 100)} %`);
  if (!values.inform) process.exitCode = 1;
});
