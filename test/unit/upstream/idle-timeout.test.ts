import { expect, test } from 'vitest';
import { type AskTimeout, IdleTimeout } from '../../../src/upstream/idle-timeout.ts';

/** Lets what was asked be answered. */
async function answered(): Promise<void> {
  for (let n = 0; n < 10; n++) await Promise.resolve();
}

test.for([
  ['1 second', 1, 500],
  ['2 seconds', 2, 1_000],
  ['19 seconds', 19, 9_500],
  ['20 seconds', 20, 10_000],
  ['an hour', 3_600, 10_000],
  ['no limit', 0, 10_000],
  ['no word of it', undefined, 10_000],
] as const)('with %s a lane is used often enough', async ([, seconds, beatMs]) => {
  const timeout = new IdleTimeout(
    async () => seconds,
    () => 0,
  );
  expect(timeout.beatMs).toBe(500);
  await answered();
  expect(timeout.beatMs).toBe(beatMs);
});

test('upstream is asked when that is needed, and again a minute later', async () => {
  let now = 0;
  let asked = 0;
  let ask: AskTimeout = async () => 8;
  const timeout = new IdleTimeout(
    () => {
      asked += 1;
      return ask();
    },
    () => now,
  );
  expect(asked).toBe(0);
  for (let n = 0; n < 3; n++) void timeout.beatMs;
  await answered();
  now = 60_000;
  expect(timeout.beatMs).toBe(4_000);
  expect(asked).toBe(1);
  now = 60_001;
  ask = () => Promise.reject(new Error('upstream is away'));
  void timeout.beatMs;
  await answered();
  expect(timeout.beatMs).toBe(4_000);
  expect(asked).toBe(2);
  now = 120_002;
  ask = async () => 2;
  void timeout.beatMs;
  await answered();
  expect(timeout.beatMs).toBe(1_000);
});
