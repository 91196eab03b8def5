import fc from 'fast-check';
import { expect } from 'vitest';
import { targetOf } from '../helpers/fixtures.ts';
import { test } from '../helpers/old-scene.ts';
import { encode, RawClient, type Target } from '../helpers/raw-client.ts';

/** How many pipelines are played. */
const RUNS = 200;

const DATA = [
  ...['FLUSHALL', 'SET str x', 'HSET h f 1', 'ZADD z 1 a', 'SADD s m', 'XADD st 1-1 a b'],
] as const;

const PLAIN = [
  ...['GET none', 'GET str', 'HGETALL h', 'ZSCORE z a', 'SMEMBERS s', 'ZADD z INCR 1 a', 'PING'],
  ...['ECHO x', 'INCR n', 'ZPOPMIN none', 'ZRANGE z 0 -1 WITHSCORES', 'NOSUCH', 'GET', 'SELECT 1'],
  ...['XREAD STREAMS st 0', 'CLIENT GETNAME', 'CLIENT TRACKINGINFO', 'HINCRBYFLOAT h x 0.5'],
  ...['EVAL "return {1,false}" 0', 'CONFIG GET maxmemory', 'BLPOP none .001', 'SPOP none 1'],
];
const HELLO = [
  ...['HELLO 3', 'HELLO 2', 'HELLO', 'HELLO 4', 'HELLO 3 AUTH default x', 'HELLO 3 SETNAME n'],
  ...['HELLO 3 SETNAME "a b"', 'HELLO 3 AUTH nobody x', 'HELLO 2 SETNAME m AUTH default y'],
];
const SUBSCRIBE = [
  ...['SUBSCRIBE a', 'SUBSCRIBE a b', 'UNSUBSCRIBE a', 'PSUBSCRIBE p*', 'PUNSUBSCRIBE p*'],
  ...['UNSUBSCRIBE none', 'SUBSCRIBE', 'PUNSUBSCRIBE', 'SSUBSCRIBE q', 'SUNSUBSCRIBE q'],
];
const STATE = [
  ...['MULTI', 'EXEC', 'DISCARD', 'RESET', 'CLIENT REPLY SKIP', 'CLIENT REPLY OFF'],
  ...['CLIENT REPLY ON', 'CLIENT TRACKING ON', 'CLIENT TRACKING ON NOLOOP', 'CLIENT TRACKING OFF'],
];

const line = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...PLAIN) },
  { weight: 2, arbitrary: fc.constantFrom(...HELLO) },
  { weight: 2, arbitrary: fc.constantFrom(...SUBSCRIBE) },
  { weight: 4, arbitrary: fc.constantFrom(...STATE) },
);

/**
 * Left out is what differs on purpose (SUBSCRIBE inside MULTI, HELLO 2 while subscribed), and what
 * breaks the framing of Redis itself: CLIENT REPLY inside MULTI.
 */
function isAlike(lines: readonly string[]): boolean {
  let inMulti = false;
  let subscribed = false;
  let protocol = 2;
  for (const said of lines) {
    if (said === 'MULTI') inMulti = true;
    if (/^(EXEC|DISCARD|RESET)$/.test(said)) inMulti = false;
    const isSubscription = said.includes('SUBSCRIBE');
    if (inMulti && (isSubscription || /REPLY|AUTH/.test(said))) return false;
    if (isSubscription && protocol === 2) return false;
    if (isSubscription) subscribed = true;
    if (said === 'RESET') subscribed = false;
    if (said.startsWith('HELLO 2') && subscribed) return false;
    if (/^HELLO 3(?!.*(nobody|"a b"))/.test(said)) protocol = 3;
    if (said === 'RESET' || said.startsWith('HELLO 2')) protocol = 2;
  }
  return true;
}

const pipeline = fc
  .array(line, { minLength: 3, maxLength: 25 })
  .map((lines) => ['HELLO 3', ...lines])
  .filter(isAlike);

let plays = 0;

/** @returns the answers to a pipeline that comes in pieces of `bytes` */
async function answersTo(target: Target, lines: readonly string[], bytes: number) {
  const client = await RawClient.connect(target);
  // The last one is answered in every state, and tells that there is nothing more to come.
  const end = `end-of-${++plays}`;
  const all = Buffer.concat([...lines, 'DISCARD', 'CLIENT REPLY ON', end].map(encode));
  for (let at = 0; at < all.length; at += bytes) client.send(all.subarray(at, at + bytes));
  await client.sawBytes(`unknown command '${end}'`);
  client.close();
  const frames = client.frames.filter(({ kind }) => kind !== 'push');
  return frames.slice(0, -1).map(({ text }) => text.replace(/"id" :\d+|"version" "[\d.]+"/g, ''));
}

test(`${RUNS} random pipelines are answered as RESP3 has it`, async ({ own, scene }) => {
  const redis = await own.redis();
  const direct = await own.client(targetOf(redis));
  const old = await scene();
  const property = fc.asyncProperty(
    pipeline,
    fc.integer({ min: 1, max: 400 }),
    async (lines, n) => {
      await Promise.all([direct.pipeline(DATA), old.direct.pipeline(DATA)]);
      const [native, ours] = await Promise.all([
        answersTo(targetOf(redis), lines, n),
        answersTo(old.proxy.target, lines, n),
      ]);
      expect(ours).toEqual(native);
    },
  );
  await fc.assert(property, { numRuns: RUNS, seed: 20_261_122 });
  expect(old.proxy.metrics.counts.lanesOutOfSync).toBe(0);
});
