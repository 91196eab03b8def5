/**
 * `npm run bench`: what the proxy costs, beside Redis alone, a bare pipe, HAProxy and twemproxy (the
 * last two where they are installed). Each load goes to one server after the other, and all of that
 * again while there is time; figures are medians of these rounds. `--quick` has fewer loads and takes
 * less than two minutes, else it is less than ten. Other options: lib/prepare.mjs.
 */
import { describe } from './lib/benchmark.mjs';
import { BUDGETS, judge, VERDICT_COLUMNS, verdictRows } from './lib/budgets.mjs';
import { barCharts } from './lib/chart.mjs';
import { Contest, medianSample, ratio } from './lib/contest.mjs';
import { isBudgeted, jobsOf } from './lib/loads.mjs';
import { prepare } from './lib/prepare.mjs';
import { figure, printTable, progress, save } from './lib/report.mjs';
import { onStage } from './lib/stage.mjs';

/** When the last round must have ended, in milliseconds; and how many rounds are enough. */
const LIMIT_MS = { quick: 110_000, full: 570_000 };
const ROUNDS_MAX = 5;

const COLUMNS = [
  'load',
  'server',
  'req/s',
  'to direct',
  'p50 ms',
  'p99 ms',
  'CPU us/cmd',
  'to pipe',
  'Redis us/cmd',
];

const isProxy = (name) => name.startsWith('sidetrack');

/** Apart from each other by their lightness too. */
const PALETTE = {
  pipe: '#b8c1cc',
  haproxy: '#8595a6',
  twemproxy: '#4a5a6a',
  'native tracking': '#e0a458',
  sidetrack: '#c8352e',
};

/** Runs all jobs, again and again while another round fits in. @returns {Promise<any[][]>} */
async function run(contest, jobs, limitMs) {
  const rounds = jobs.map(() => []);
  let longestMs = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const startedMs = performance.now();
    if (startedMs + longestMs * 1.05 > limitMs) break;
    for (const [index, job] of jobs.entries()) {
      progress(`round ${round + 1}, load ${index + 1} of ${jobs.length}: ${describe(job.load)}`);
      rounds[index].push(await contest.round(job));
    }
    longestMs = Math.max(longestMs, performance.now() - startedMs);
  }
  return rounds;
}

function rowsOf({ load, contestants }, rounds) {
  const rows = [];
  for (const name of contestants) {
    const sample = medianSample(rounds, name);
    if (sample === undefined) continue;
    rows.push([
      rows.length === 0 ? describe(load) : '',
      name,
      figure(sample.requestsPerSecond),
      figure(ratio(rounds, 'requestsPerSecond', name, 'direct')),
      figure(sample.p50Ms),
      figure(sample.p99Ms),
      figure(sample.cpu),
      figure(ratio(rounds, 'cpu', name, 'pipe')),
      figure(sample.redisCpu),
    ]);
  }
  return rows;
}

/** What the chart shows. */
function isSmallRead({ command, bytes, reconnects }) {
  return command === 'GET' && bytes === 64 && reconnects !== true;
}

function verdictsOf(jobs, rounds) {
  const verdicts = [];
  for (const [index, { load, contestants }] of jobs.entries()) {
    if (!isBudgeted(load)) continue;
    const name = contestants.find(isProxy);
    const budget = load.keys === undefined ? 'trackingOffRatio' : 'trackingOnRatio';
    const measured = ratio(rounds[index], 'cpu', name, 'pipe');
    verdicts.push(judge(`CPU to pipe: ${nameOf(load)}`, measured, BUDGETS[budget]));
  }
  return verdicts;
}

function nameOf({ keys, ...load }) {
  return describe({ ...load, tracking: keys !== undefined });
}

function chartOf(jobs, rounds) {
  const shown = jobs.map((job, index) => ({ ...job, rounds: rounds[index] }));
  const reads = shown.filter(({ load }) => isSmallRead(load));
  const panel = (of, other) => ({
    groups: reads.map(({ load, contestants, rounds: each }) => ({
      name: nameOf(load),
      bars: contestants.flatMap((name) => {
        const value = ratio(each, of, name, other);
        return value === undefined || name === other
          ? []
          : [{ series: seriesOf(name), value, text: value.toFixed(2) }];
      }),
    })),
    mark: 1,
  });
  const panels = [
    {
      title: 'CPU time per command, to that of a bare pipe',
      subtitle: 'The server between client and Redis. Less is better; the line is the pipe.',
      ...panel('cpu', 'pipe'),
    },
    {
      title: 'Requests per second, to those of Redis alone',
      subtitle: 'The load generator shares the cores. More is better; the line is Redis alone.',
      ...panel('requestsPerSecond', 'direct'),
    },
  ];
  return barCharts(panels, PALETTE);
}

function seriesOf(name) {
  return isProxy(name) ? 'sidetrack' : name;
}

const prepared = prepare();
const { quick } = prepared;
await onStage(async (stage) => {
  const contest = new Contest(stage, prepared);
  await contest.startAll();
  if (contest.missing.length > 0) {
    console.error(`Not installed, and left out: ${contest.missing.join(', ')}.`);
  }
  const jobs = jobsOf(quick);
  const rounds = await run(contest, jobs, quick ? LIMIT_MS.quick : LIMIT_MS.full);
  printTable(
    COLUMNS,
    jobs.flatMap((job, index) => rowsOf(job, rounds[index])),
  );
  const verdicts = verdictsOf(jobs, rounds);
  printTable(VERDICT_COLUMNS, verdictRows(verdicts));
  console.log(`Figures are medians; rounds: ${rounds[0].length}`);
  const results = jobs.map(({ load }, index) => ({ load, rounds: rounds[index] }));
  const { settings, name } = prepared;
  save('throughput', name, { settings, quick, verdicts, results }, chartOf(jobs, rounds));
});
