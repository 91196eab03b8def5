import { setTimeout as sleep } from 'node:timers/promises';
import type { Request } from '../helpers/raw-client.ts';
import type { Random } from '../simulation/random.ts';
import type { Visitor } from './visitor.ts';

/** What a visit is played with. */
export interface Party {
  readonly random: Random;
  /** Connects one more client. @throws HasLeft when the visit is over */
  readonly comes: () => Promise<Visitor>;
}

/** One thing that clients come for. */
export interface Visit {
  readonly name: string;
  /** How often, beside the others. */
  readonly weight: number;
  readonly play: (party: Party) => Promise<void>;
}

/** How many keys there are that everybody reads and writes. */
const KEYS = 5_000;
const LARGE_KEYS = 4;
const LARGE_MAX_BYTES = 6 * 2 ** 20;
const PIPELINE_MAX_COUNT = 400;

const LARGE = Buffer.alloc(LARGE_MAX_BYTES, 'x');

let names = 0;

/** @returns a name that nobody has had before */
function fresh(word: string): string {
  names += 1;
  return `${word}:${names}`;
}

/** @returns one of the keys that everybody reads and writes */
export function commonKey(random: Random): string {
  return `key:${random.below(KEYS)}`;
}

/** @returns reads and writes of common keys, and reads of keys that nobody reads again */
function mixed(random: Random, count: number): readonly Request[] {
  return Array.from({ length: count }, () => {
    const key = commonKey(random);
    const kind = random.below(8);
    if (kind === 0) return ['SET', key, 'v'.repeat(random.below(200))];
    if (kind === 1) return ['MGET', key, commonKey(random), fresh('once')];
    if (kind === 2) return ['GET', fresh('once')];
    if (kind === 3) return ['DEL', key];
    return ['GET', key];
  });
}

/** @throws Error if more answers have come than requests were made */
async function checkEven(visitor: Visitor): Promise<void> {
  await visitor.ask('ECHO even');
  if (!visitor.isEven) throw new Error('more answers than requests');
}

async function uses(visitor: Visitor, random: Random): Promise<void> {
  for (let rounds = 1 + random.below(8); rounds > 0; rounds--) {
    await visitor.ask(...mixed(random, 1 + random.below(20)));
    await sleep(random.below(10));
  }
  await checkEven(visitor);
}

/** @returns a visit by a client that tracks with these options */
function tracking(options: string, weight: number): Visit {
  return {
    name: `tracking${options}`,
    weight,
    play: async ({ random, comes }) => {
      const visitor = await comes();
      await visitor.ask('HELLO 3', `CLIENT TRACKING ON${options}`);
      if (options.includes('OPTIN')) await visitor.ask('CLIENT CACHING YES', 'GET key:1');
      await uses(visitor, random);
      if (random.chance(0.2)) await visitor.ask('CLIENT TRACKING OFF');
    },
  };
}

async function redirects({ random, comes }: Party): Promise<void> {
  const [target, reader] = [await comes(), await comes()];
  await target.ask('CLIENT ID');
  const id = /:(\d+)\r\n$/.exec(target.tail)?.[1] ?? '';
  target.send('SUBSCRIBE __redis__:invalidate\r\n');
  await target.hears(2);
  if (random.chance(0.5)) await reader.ask('HELLO 3');
  const options = random.chance(0.3) ? ' BCAST PREFIX key:1' : '';
  await reader.ask(`CLIENT TRACKING ON REDIRECT ${id}${options}`);
  const others = random.chance(0.3) ? target.leave(random) : undefined;
  await uses(reader, random);
  await others;
}

async function publishes({ random, comes }: Party): Promise<void> {
  const [channel, listener, speaker] = [fresh('channel'), await comes(), await comes()];
  const count = 1 + random.below(20);
  listener.send(`SUBSCRIBE ${channel} other\r\nPSUBSCRIBE ${channel}*\r\n`);
  await listener.hears(3);
  const words = Array.from({ length: count }, () => ['PUBLISH', channel, 'x'.repeat(100)]);
  await speaker.ask(...words);
  await listener.hears(3 + 2 * count);
  if (random.chance(0.5)) listener.send('UNSUBSCRIBE\r\nPUNSUBSCRIBE\r\nPING\r\n');
}

async function blocks({ random, comes }: Party): Promise<void> {
  const [list, waiting, giver] = [fresh('list'), await comes(), await comes()];
  if (random.chance(0.5)) await waiting.ask('HELLO 3', 'CLIENT TRACKING ON');
  const popped = waiting.ask(['BLPOP', list, '0'], `GET ${list}`, 'ECHO behind');
  popped.catch(() => {}); // whoever leaves while it is blocked needs no answer
  if (random.chance(0.5)) {
    await giver.ask(['RPUSH', list, 'one']);
    await popped;
  } else await sleep(random.below(100));
}

async function transacts({ random, comes }: Party): Promise<void> {
  const visitor = await comes();
  if (random.chance(0.5)) await visitor.ask('HELLO 3', 'CLIENT TRACKING ON NOLOOP');
  const key = commonKey(random);
  if (random.chance(0.5)) await visitor.ask(`WATCH ${key}`);
  await visitor.ask('MULTI', ...mixed(random, 1 + random.below(20)));
  if (random.chance(0.2)) return;
  await visitor.ask(random.chance(0.8) ? 'EXEC' : 'DISCARD');
  await checkEven(visitor);
}

const SCRIPT = `
  local old = redis.call('GET', KEYS[1])
  redis.call('SET', KEYS[2], ARGV[1])
  return { old, redis.call('INCR', 'count') }
`;

async function runsScripts({ random, comes }: Party): Promise<void> {
  const visitor = await comes();
  await visitor.ask('HELLO 3', 'CLIENT TRACKING ON');
  for (let left = 1 + random.below(5); left > 0; left--) {
    await visitor.ask(['EVAL', SCRIPT, '2', commonKey(random), commonKey(random), 'by-script']);
  }
  await checkEven(visitor);
}

async function pipelines({ random, comes }: Party): Promise<void> {
  const visitor = await comes();
  if (random.chance(0.5)) await visitor.ask('HELLO 3', 'CLIENT TRACKING ON');
  await visitor.ask(...mixed(random, 1 + random.below(PIPELINE_MAX_COUNT)));
  await checkEven(visitor);
}

async function storesLarge({ random, comes }: Party): Promise<void> {
  const visitor = await comes();
  if (random.chance(0.5)) await visitor.ask('HELLO 3', 'CLIENT TRACKING ON');
  const key = `large:${random.below(LARGE_KEYS)}`;
  const value = LARGE.subarray(0, random.below(LARGE_MAX_BYTES));
  await visitor.ask(['SET', key, value]);
  const reads = Array.from({ length: 1 + random.below(4) }, () => `GET ${key}`);
  if (random.chance(0.5)) visitor.pause();
  const told = visitor.ask(...reads);
  told.catch(() => {}); // whoever leaves before it has read all needs no answer
  await sleep(random.below(30));
  if (random.chance(0.5)) return;
  visitor.resume();
  await told;
}

/** Invalidations are not read, and the rest of a request never comes. */
async function standsStill({ random, comes }: Party): Promise<void> {
  const visitor = await comes();
  await visitor.ask('HELLO 3', 'CLIENT TRACKING ON BCAST');
  visitor.pause();
  await sleep(random.below(500));
}

const BEGINNINGS = [
  '*3\r\n$3\r\nSET\r\n$5\r\nkey:1\r\n$100\r\nhalf',
  '*2\r\n$6\r\nCLIENT\r\n$8\r\nTRAC',
  '*2\r\n$3\r\nGET\r\n$5\r\nke',
  '*1000000\r\n$4\r\nMGET\r\n$1\r\nk\r\n',
  'GET inline without an end',
  '*',
] as const;

async function beginsOnly({ random, comes }: Party): Promise<void> {
  const visitor = await comes();
  if (random.chance(0.7)) await visitor.ask('HELLO 3', 'CLIENT TRACKING ON', 'GET key:1');
  visitor.send(random.pick(BEGINNINGS));
  await sleep(random.below(50));
}

async function breaksProtocol({ random, comes }: Party): Promise<void> {
  const visitor = await comes();
  visitor.send(random.pick(['*x\r\n', '*1\r\n+PING\r\n', '*1\r\n$-5\r\n', '"unbalanced\r\n']));
  await visitor.isShutOut();
}

/** What has few answers, or more of them than requests. */
const ODD = [
  '',
  'QUIT\r\n',
  'MONITOR\r\n',
  'CLIENT REPLY OFF\r\nPING\r\nGET key:1\r\n',
  'PING\r\n\r\n  GET key:1\r\nRESET\r\n',
  'HELLO 3\r\nCLIENT TRACKING ON OPTIN\r\nCLIENT CACHING YES\r\n',
  'CLIENT ID\r\nCLIENT INFO\r\nINFO\r\nCOMMAND\r\n',
] as const;

async function isOdd({ random, comes }: Party): Promise<void> {
  const visitor = await comes();
  visitor.send(random.pick(ODD));
  await sleep(random.below(30));
}

async function flushes({ random, comes }: Party): Promise<void> {
  await (await comes()).ask(random.chance(0.5) ? 'FLUSHALL' : 'FLUSHDB');
}

/** All that clients come for. */
export const VISITS: readonly Visit[] = [
  tracking('', 20),
  tracking(' OPTIN', 6),
  tracking(' OPTOUT', 6),
  tracking(' NOLOOP', 8),
  tracking(' BCAST', 4),
  tracking(' BCAST PREFIX key:1 PREFIX key:2', 8),
  tracking(' BCAST NOLOOP PREFIX once:', 4),
  { name: 'redirect', weight: 10, play: redirects },
  { name: 'pub/sub', weight: 8, play: publishes },
  { name: 'blocking', weight: 8, play: blocks },
  { name: 'MULTI', weight: 8, play: transacts },
  { name: 'Lua', weight: 6, play: runsScripts },
  { name: 'pipeline', weight: 6, play: pipelines },
  { name: 'large values', weight: 3, play: storesLarge },
  { name: 'never reads', weight: 3, play: standsStill },
  { name: 'half a request', weight: 8, play: beginsOnly },
  { name: 'protocol error', weight: 4, play: breaksProtocol },
  { name: 'odd', weight: 8, play: isOdd },
  { name: 'flush', weight: 0.2, play: flushes },
];
