/** The loads of `npm run bench` and `npm run bench:check`. */

/** Small and large values, in bytes. */
const SMALL_BYTES = 64;
const LARGE_BYTES = 16_384;

/**
 * How many commands make a run of about a second on two cores, by connections and pipeline. With 500
 * connections more, for opening them takes a part of it.
 */
const COMMANDS = {
  '1/1': 12_000,
  '1/16': 128_000,
  '50/1': 48_000,
  '50/16': 480_000,
  '500/1': 80_000,
  '500/16': 480_000,
};

/** Large values fill the loopback interface: fewer of them take as long. */
const LARGE_COMMANDS_MAX = { 1: 24_000, 16: 48_000 };

/** So many keys are there for loads with random keys: enough that most reads are of a new one. */
export const KEY_COUNT = 1_000_000;

/**
 * @typedef {object} Job
 * @property {import('./benchmark.mjs').Load} load
 * @property {readonly string[]} contestants in this order; see `Contest`
 */

const ALL = ['direct', 'pipe', 'haproxy', 'twemproxy', 'sidetrack'];
const FENCED = [...ALL, 'sidetrack fenced'];
const TRACKING = ['direct', 'native tracking', 'pipe', 'sidetrack tracking'];

/** Connections and pipeline of the loads that the budgets are about. */
const BUDGETED = ['50/1', '50/16', '500/1'];

/**
 * @param {string} shape connections and pipeline, as in `COMMANDS`
 * @param {'GET' | 'SET'} command
 * @param {number} bytes
 * @param {boolean} quick
 * @returns {import('./benchmark.mjs').Load}
 */
function load(shape, command, bytes, quick) {
  const [connections, pipeline] = shape.split('/').map(Number);
  const most = bytes === LARGE_BYTES ? LARGE_COMMANDS_MAX[pipeline] : Number.POSITIVE_INFINITY;
  const commands = Math.min(COMMANDS[shape], most) / (quick ? 2 : 1);
  return { connections, pipeline, command, bytes, commands };
}

/**
 * @param {boolean} quick
 * @returns {readonly Job[]}
 */
export function jobsOf(quick) {
  const all = Object.keys(COMMANDS);
  const plain = quick
    ? [
        ...['1/1', ...BUDGETED].map((shape) => load(shape, 'GET', SMALL_BYTES, quick)),
        ...['1/1', '1/16', '50/1', '50/16'].map((shape) => load(shape, 'SET', SMALL_BYTES, quick)),
        load('50/1', 'GET', LARGE_BYTES, quick),
      ]
    : [SMALL_BYTES, LARGE_BYTES].flatMap((bytes) =>
        ['GET', 'SET'].flatMap((command) => all.map((shape) => load(shape, command, bytes, quick))),
      );
  return [
    ...[...plain, CONNECTING].map((one) => ({
      load: one,
      contestants: isFenced(one) ? FENCED : ALL,
    })),
    ...trackingLoads(quick).map((one) => ({ load: one, contestants: TRACKING })),
  ];
}

/**
 * What a connection costs: each does one command. No more of them, because a port can't be used again
 * for a minute.
 */
const CONNECTING = {
  ...load('50/1', 'GET', SMALL_BYTES, false),
  commands: 2_000,
  reconnects: true,
};

/** Only writes are fenced. */
function isFenced({ command, bytes, connections }) {
  return command === 'SET' && bytes === SMALL_BYTES && connections <= 50;
}

/** @returns {readonly import('./benchmark.mjs').Load[]} nearly every key is new to its reader */
export function trackingLoads(quick) {
  const shapes = quick ? ['50/1', '50/16'] : BUDGETED;
  return shapes.map((shape) => ({ ...load(shape, 'GET', SMALL_BYTES, quick), keys: KEY_COUNT }));
}

/** @returns {boolean} whether there is a budget for such a load */
export function isBudgeted({ connections, pipeline, command, bytes, reconnects }) {
  const isRead = command === 'GET' && bytes === SMALL_BYTES && reconnects !== true;
  return isRead && BUDGETED.includes(`${connections}/${pipeline}`);
}

/** @returns {readonly import('./benchmark.mjs').Load[]} that the budgets are about, tracking off */
export function budgetLoads(quick) {
  return BUDGETED.map((shape) => load(shape, 'GET', SMALL_BYTES, quick));
}
