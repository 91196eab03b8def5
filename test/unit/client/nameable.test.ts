import { expect, test } from 'vitest';
import { Nameable } from '../../../src/client/nameable.ts';
import { type Key, keyOf } from '../../../src/key.ts';

test('where nobody can say what the client may read, everything is told', async () => {
  const told: (readonly Key[] | undefined)[] = [];
  let judged = 0;
  const nameable = new Nameable({ access: () => undefined, loadAccess: async () => {} });
  nameable.judge([keyOf('a')], (keys) => told.push(keys));
  nameable.whenJudged(() => void judged++);
  expect([told, nameable.isWaiting, judged]).toEqual([[], true, 0]);
  await Promise.resolve();
  await Promise.resolve();
  expect([told, nameable.isWaiting, judged]).toEqual([[undefined], false, 1]);
});

test('too many keys become everything while that is asked for', async () => {
  const told: (readonly Key[] | undefined)[] = [];
  let isKnown = false;
  const nameable = new Nameable({
    access: () => (isKnown ? 'all' : undefined),
    loadAccess: async () => {
      isKnown = true;
    },
  });
  nameable.judge([keyOf('a')], (keys) => told.push(keys));
  const many = Array.from({ length: 10_000 }, (_, n) => keyOf(String(n)));
  nameable.judge(many, (keys) => told.push(keys));
  await Promise.resolve();
  await Promise.resolve();
  expect(told).toEqual([undefined]);
});
