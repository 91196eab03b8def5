import fc from 'fast-check';
import { expect } from 'vitest';
import { Fence } from '../helpers/fence.ts';
import { test as base, targetOf } from '../helpers/fixtures.ts';
import { RawClient, type Target } from '../helpers/raw-client.ts';
import { sequence } from './differential/sequence.ts';
import { type Ground, perform } from './differential/stage.ts';

/** How many sequences are played; `npm run test:long` plays more. */
const RUNS = Number(process.env.DIFFERENTIAL_RUNS ?? 1_000);
/** The same sequences each time, unless told otherwise; fast-check names it when one fails. */
const SEED = Number(process.env.DIFFERENTIAL_SEED ?? 20_261_121);
/** How long one sequence may take on average, on a busy machine. */
const SEQUENCE_MAX_MS = 120;

const test = base.extend<{ $file: { onRedis: Ground; onProxy: Ground } }>({
  onRedis: [
    ({ native }, use) => onGround(targetOf(native), targetOf(native), use),
    { scope: 'file' },
  ],
  onProxy: [
    ({ redis, proxy }, use) => onGround(proxy.target, targetOf(redis), use),
    { scope: 'file' },
  ],
});

async function onGround(
  via: Target,
  upstream: Target,
  use: (ground: Ground) => Promise<void>,
): Promise<void> {
  const fence = await Fence.open(via, upstream);
  const keeper = await RawClient.connect(via);
  const checkers = { 2: await RawClient.connect(upstream), 3: await RawClient.connect(upstream) };
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
test(
  `${RUNS} random sequences end as on Redis`,
  async ({ onRedis, onProxy }) => {
    await fc.assert(
      fc.asyncProperty(sequence, async (played) => {
        const [redis, proxy] = await Promise.all([
          perform(onRedis, played),
          perform(onProxy, played),
        ]);
        expect(redis.stale, 'wrong on Redis itself').toEqual([]);
        expect(redis.deaf, 'wrong on Redis itself').toEqual([]);
        expect(proxy.stale).toEqual([]);
        expect(proxy.deaf).toEqual([]);
        if (!played.rush) expect(proxy.replies).toEqual(redis.replies);
      }),
      { numRuns: RUNS, seed: SEED, endOnFailure: process.env.DIFFERENTIAL_SHRINK === 'off' },
    );
  },
  60_000 + RUNS * SEQUENCE_MAX_MS,
);
