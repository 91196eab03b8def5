import fc from 'fast-check';
import { expect } from 'vitest';
import { Fence } from '../helpers/fence.ts';
import { test as base, targetOf } from '../helpers/fixtures.ts';
import { WITHOUT_HELLO } from '../helpers/old-upstream.ts';
import { startProxy } from '../helpers/proxy.ts';
import { RawClient, type Target } from '../helpers/raw-client.ts';
import { startRedis } from '../helpers/redis.ts';
import { type Sequence, sequence } from './differential/sequence.ts';
import { type Ground, perform } from './differential/stage.ts';

/** How many sequences are played; `npm run test:long` plays more. */
const RUNS = Number(process.env.DIFFERENTIAL_RUNS ?? 1_000);
/** How many of them on a Redis without HELLO. */
const OLD_RUNS = Math.ceil(RUNS / 5);
/** The same sequences each time, unless told otherwise; fast-check names it when one fails. */
const SEED = Number(process.env.DIFFERENTIAL_SEED ?? 20_261_121);
/** How long one sequence may take on average, on a busy machine. */
const SEQUENCE_MAX_MS = 120;

interface Grounds {
  readonly onRedis: Ground;
  readonly onProxy: Ground;
  /** A proxy in front of a Redis that does not know HELLO. */
  readonly onOld: Ground;
}

const test = base.extend<{ $file: Grounds }>({
  onRedis: [
    ({ native }, use) => onGround(targetOf(native), targetOf(native), use),
    { scope: 'file' },
  ],
  onProxy: [
    ({ redis, proxy }, use) => onGround(proxy.target, targetOf(redis), use),
    { scope: 'file' },
  ],
  onOld: [
    // biome-ignore lint/correctness/noEmptyPattern: Vitest reads a fixture's needs from its pattern
    async ({}, use) => {
      const old = await startRedis(WITHOUT_HELLO);
      const proxy = await startProxy(old.url);
      await onGround(proxy.target, targetOf(old), use, proxy.target);
      await proxy.stop();
      await old.stop();
    },
    { scope: 'file' },
  ],
});

async function onGround(
  via: Target,
  upstream: Target,
  use: (ground: Ground) => Promise<void>,
  inResp3 = upstream,
): Promise<void> {
  const fence = await Fence.open(via, upstream);
  const keeper = await RawClient.connect(via);
  const checkers = { 2: await RawClient.connect(upstream), 3: await RawClient.connect(inResp3) };
  await checkers[3].call('HELLO 3');
  await use({ via, fence, keeper, checkers });
  for (const client of [keeper, ...Object.values(checkers)]) client.close();
  fence.close();
}

/**
 * Replies are equal, where clients wait for one another. Pushes need not be: the proxy may send more
 * of them, and at other places. But an application that caches by the book never holds what is
 * wrong, and whatever it holds in the end it drops when the keys change once more. So nothing that
 * Redis tells is missing, as far as it matters.
 */
async function compare(onRedis: Ground, onProxy: Ground, played: Sequence): Promise<void> {
  const [redis, proxy] = await Promise.all([perform(onRedis, played), perform(onProxy, played)]);
  expect(redis.stale, 'wrong on Redis itself').toEqual([]);
  expect(redis.deaf, 'wrong on Redis itself').toEqual([]);
  expect(proxy.stale).toEqual([]);
  expect(proxy.deaf).toEqual([]);
  if (!played.rush) expect(proxy.replies).toEqual(redis.replies);
}

const parameters = (numRuns: number) => ({
  numRuns,
  seed: SEED,
  endOnFailure: process.env.DIFFERENTIAL_SHRINK === 'off',
});

test(
  `${RUNS} random sequences end as on Redis`,
  async ({ onRedis, onProxy }) => {
    const property = fc.asyncProperty(sequence, (played) => compare(onRedis, onProxy, played));
    await fc.assert(property, parameters(RUNS));
  },
  60_000 + RUNS * SEQUENCE_MAX_MS,
);

/**
 * Where upstream speaks RESP2 only, who has subscribed in RESP3 may not go back to RESP2: messages
 * come from another connection, and its own could not be kept from answering.
 */
function staysInResp3({ pieces }: Sequence): boolean {
  const said = (line: string) =>
    pieces.filter(({ lines }) => lines.includes(line)).map(({ client }) => client);
  return !said('HELLO 2').some((client) => said('SUBSCRIBE x').includes(client));
}

test(
  `${OLD_RUNS} of them in front of a Redis without HELLO`,
  async ({ onRedis, onOld }) => {
    const played = sequence.filter(staysInResp3);
    const property = fc.asyncProperty(played, (one) => compare(onRedis, onOld, one));
    await fc.assert(property, parameters(OLD_RUNS));
  },
  60_000 + OLD_RUNS * SEQUENCE_MAX_MS,
);
