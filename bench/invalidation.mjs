/**
 * `npm run bench:invalidation`: how long it takes from a write to the pushes that it causes, by
 * Redis's own tracking and through the proxy in turn; a storm of deletions; and what a notification
 * costs. `--load-rate N`: commands per second in the background (10,000). Other options:
 * lib/prepare.mjs.
 */
import { fileURLToPath } from 'node:url';
import { BUDGETS, judge, VERDICT_COLUMNS, verdictRows } from './lib/budgets.mjs';
import { AUDIENCES, notify, storm } from './lib/notifications.mjs';
import { prepare } from './lib/prepare.mjs';
import { Ring } from './lib/pushes.mjs';
import { count, figure, megabytes, printTable, progress, save } from './lib/report.mjs';
import { startProxy, startRedis } from './lib/servers.mjs';
import { onStage } from './lib/stage.mjs';
import { median, summary } from './lib/statistics.mjs';

const BACKGROUND = fileURLToPath(new URL('lib/background.mjs', import.meta.url));
const LOAD_CONNECTIONS = 50;

const prepared = prepare({ 'load-rate': { type: 'string', default: '10000' } });
const { quick, redisServer, dist } = prepared;
const loadRate = Number(prepared.values['load-rate']);

const ROUNDS = quick ? 2 : 4;
const WRITES = { 1: quick ? 200 : 1_000, 100: quick ? 25 : 100, 1000: quick ? 4 : 20 };
const STORM_KEYS = 100_000;
const STORM_ROUNDS = quick ? 1 : 5;
const NOTIFICATIONS = quick ? 100_000 : 300_000;
const NOTIFICATION_ROUNDS = quick ? 1 : 3;

/** @returns {Promise<Record<string, number[]>>} milliseconds, by way; the ways in turn */
async function latencies(stage, ways, { readers, bcast, loaded }) {
  const found = Object.fromEntries(ways.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of ways) {
      const ring = await Ring.open(way, { readers, bcast });
      const background = loaded ? await startBackground(stage, way.loadPort) : undefined;
      await ring.samples(Math.ceil(WRITES[readers] / 10)); // until it is warm
      found[way.name].push(...(await ring.samples(WRITES[readers])));
      await background?.stop();
      ring.close();
    }
  }
  return found;
}

async function startBackground(stage, port) {
  const args = [BACKGROUND, port, LOAD_CONNECTIONS, loadRate].map(String);
  const ready = ({ output }) => output.includes('running') || undefined;
  const { started } = await stage.start('background', process.execPath, args, { ready });
  return started;
}

const CASES = [
  { readers: 1, bcast: false, loaded: false },
  { readers: 1, bcast: true, loaded: false },
  { readers: 1, bcast: false, loaded: true },
  { readers: 1, bcast: true, loaded: true },
  { readers: 100, bcast: false, loaded: false },
  { readers: 1_000, bcast: false, loaded: false },
];

function describe({ readers, bcast, loaded }) {
  const load = loaded ? `${count(loadRate)} commands/s beside it` : 'idle';
  return `${bcast ? 'BCAST' : 'default'}, ${load}, ${count(readers)} reader${readers > 1 ? 's' : ''}`;
}

async function measurePushes(stage, ways) {
  const results = [];
  for (const one of CASES) {
    progress(`write to push: ${describe(one)}`);
    const found = await latencies(stage, ways, one);
    const summaries = Object.entries(found).map(([name, samples]) => [name, summary(samples)]);
    results.push({
      ...one,
      writes: WRITES[one.readers] * ROUNDS,
      ...Object.fromEntries(summaries),
    });
  }
  const rows = results.flatMap((result) =>
    ways.map(({ name }, index) => {
      const { p50, p99, max } = result[name];
      const over = p50 - result.native.p50;
      const figures = [p50, p99, max].map((ms) => ms.toFixed(3));
      return [index === 0 ? describe(result) : '', name, ...figures, over.toFixed(3)];
    }),
  );
  printTable(['write to push, ms', 'way', 'p50', 'p99', 'max', 'p50 over native'], rows);
  return results;
}

async function measureStorms(ways, pid) {
  const results = [];
  for (let round = 0; round < STORM_ROUNDS; round++) {
    for (const way of ways) {
      progress(`storm of ${count(STORM_KEYS)} DELs: ${way.name}`);
      const isNative = way.name === 'native';
      results.push({
        way: way.name,
        ...(await storm(way, STORM_KEYS, isNative ? undefined : pid)),
      });
    }
  }
  const rows = ways.map(({ name }) => {
    const own = results.filter(({ way }) => way === name);
    const times = own.map(({ lastMs }) => lastMs);
    const grown = own.map(({ peakBytes, beforeBytes }) => peakBytes - beforeBytes);
    const memory = name === 'native' ? '' : megabytes(Math.max(...grown));
    const wholesale = own.some((one) => one.wholesale) ? 'yes' : 'no';
    return [name, figure(median(times)), figure(Math.max(...times)), memory, wholesale];
  });
  const title = `storm of ${count(STORM_KEYS)} DELs`;
  printTable([title, 'last push ms', 'worst ms', 'RSS grew MB', 'told of all at once'], rows);
  return results;
}

async function measureNotifications(at) {
  const results = [];
  for (let round = 0; round < NOTIFICATION_ROUNDS; round++) {
    for (const audience of AUDIENCES) {
      progress(`${count(NOTIFICATIONS)} notifications: ${audience.name}`);
      results.push({ name: audience.name, ...(await notify(at, audience, NOTIFICATIONS)) });
    }
  }
  const of = (name, part) => median(results.filter((one) => one.name === name).map((r) => r[part]));
  const rows = AUDIENCES.map(({ name }) => [
    name,
    count(of(name, 'writesPerSecond')),
    count(of(name, 'handledPerSecond')),
    figure(of(name, 'cpu')),
  ]);
  printTable(['notifications', 'written/s', 'handled/s', 'CPU us each'], rows);
  return { results, cpu: of('a client tracks other keys', 'cpu') };
}

function verdictsOf(pushes, storms, { cpu }) {
  const verdicts = [];
  for (const result of pushes.filter(({ readers }) => readers === 1)) {
    const { native, sidetrack } = result;
    const what = describe(result);
    verdicts.push(
      judge(
        `p50 over native, ms: ${what}`,
        sidetrack.p50 - native.p50,
        BUDGETS.pushMedianOverNativeMs,
      ),
      judge(`p99 to native: ${what}`, sidetrack.p99 / native.p99, BUDGETS.pushP99Ratio),
    );
  }
  const times = storms.filter(({ way }) => way === 'sidetrack').map(({ lastMs }) => lastMs);
  verdicts.push(
    judge('storm, last invalidation, ms', median(times), BUDGETS.stormMs),
    judge('a notification, received to looked up, us', cpu, BUDGETS.notificationMicroseconds),
  );
  return verdicts;
}

await onStage(async (stage) => {
  const plain = await startRedis(stage, { redisServer });
  const behind = await startRedis(stage, { redisServer });
  const proxy = await startProxy(stage, behind.port, { dist });
  const through = { readerPort: proxy.port, loadPort: proxy.port };
  const ways = [
    { name: 'native', readerPort: plain.port, writerPort: plain.port, loadPort: plain.port },
    { name: 'sidetrack', ...through, writerPort: behind.port },
    { name: 'sidetrack, writer too', ...through, writerPort: proxy.port },
  ];
  const pushes = await measurePushes(stage, ways);
  const storms = await measureStorms(ways, proxy.pid);
  const at = { proxyPort: proxy.port, redisPort: behind.port, pid: proxy.pid };
  const notifications = await measureNotifications(at);
  const verdicts = verdictsOf(pushes, storms, notifications);
  printTable(VERDICT_COLUMNS, verdictRows(verdicts));
  const { settings, name } = prepared;
  const results = { pushes, storms, notifications: notifications.results };
  save('invalidation', name, { settings, quick, loadRate, verdicts, ...results });
});
