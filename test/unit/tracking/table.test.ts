import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Key, keyOf } from '../../../src/key.ts';
import { type ReaderId, TrackingTable } from '../../../src/tracking/table.ts';
import { COEFFICIENTS } from '../../helpers/coefficients.ts';

const [A, B] = [keyOf('a'), keyOf('b')];

/** A table in which each pair has been remembered. */
function tableOf(...reads: readonly (readonly [Key, ReaderId])[]): TrackingTable {
  const table = new TrackingTable(COEFFICIENTS);
  for (const [key, reader] of reads) table.remember(key, reader);
  return table;
}

function counts(table: TrackingTable): readonly [number, number] {
  return [table.keyCount, table.itemCount];
}

/** @returns the readers that the table gives up, in ascending order */
function taken(table: TrackingTable, key: Key): readonly ReaderId[] {
  return [...table.take(key)].sort((one, other) => one - other);
}

describe('a tracking table', () => {
  test('is empty at first', () => {
    const table = new TrackingTable(COEFFICIENTS);
    expect(counts(table)).toEqual([0, 0]);
    expect(table.oldest()).toBeUndefined();
    expect(taken(table, A)).toEqual([]);
  });

  test('tells whether a read is news', () => {
    const table = new TrackingTable(COEFFICIENTS);
    const news = [1, 1, 2, 2, 1, 3, 3].map((reader) => table.remember(A, reader));
    expect(news).toEqual([true, false, true, false, false, true, false]);
    expect([table.remember(B, 1), ...counts(table)]).toEqual([true, 2, 4]);
  });

  test.for([[1], [1, 2], [1, 2, 3]])('gives all readers of a key once: %j', (readers) => {
    const table = tableOf([B, 1], ...readers.map((reader) => [A, reader] as const));
    expect(taken(table, A)).toEqual(readers);
    expect(counts(table)).toEqual([1, 1]);
    expect(taken(table, A)).toEqual([]);
    expect(counts(table)).toEqual([1, 1]);
    expect(table.remember(A, 1)).toBe(true);
  });

  test.for([[1], [1, 2], [1, 2, 3]])('forgets one reader after the other: %j', (readers) => {
    const table = tableOf(...readers.map((reader) => [A, reader] as const));
    for (const [index, reader] of readers.entries()) {
      table.forget(A, reader);
      const left = readers.length - index - 1;
      expect(counts(table)).toEqual([left === 0 ? 0 : 1, left]);
    }
    expect([table.oldest(), taken(table, A)]).toEqual([undefined, []]);
  });

  test('forgets nothing that it does not know', () => {
    const table = tableOf([A, 1], [B, 1], [B, 2]);
    table.forget(A, 2);
    table.forget(B, 3);
    table.forget(keyOf('c'), 1);
    expect(counts(table)).toEqual([2, 3]);
    expect([taken(table, A), taken(table, B)]).toEqual([[1], [1, 2]]);
  });

  test('gives a reader that was forgotten no more, and remembers it anew', () => {
    const table = tableOf([A, 1], [A, 2]);
    table.forget(A, 1);
    expect(table.remember(A, 1)).toBe(true);
    table.forget(A, 2);
    expect(taken(table, A)).toEqual([1]);
  });

  test('offers the keys in the order in which they came, whoever has read them since', () => {
    const keys = Array.from({ length: 300 }, (_, index) => keyOf(`key ${index}`));
    const table = tableOf(...keys.map((key) => [key, 1] as const), [keys[0] as Key, 2]);
    for (const key of keys) {
      expect(table.oldest()).toBe(key);
      table.take(key);
      // Whoever comes takes its place and is the newest.
      table.remember(keyOf(`new ${key}`), 1);
    }
    for (const key of keys) {
      expect(table.oldest()).toBe(`new ${key}`);
      table.take(keyOf(`new ${key}`));
    }
    expect(table.oldest()).toBeUndefined();
  });

  test('forgets by and by what only those have read who are gone', () => {
    const table = new TrackingTable(COEFFICIENTS);
    for (let index = 0; index < 500; index++) table.remember(keyOf(`old ${index}`), 1);
    table.remember(A, 1);
    table.remember(A, 2);
    table.retire(1);
    for (let index = 0; index < 1_100; index++) table.remember(keyOf(`new ${index}`), 2);
    expect(counts(table)).toEqual([1_101, 1_102]);
    expect(taken(table, A)).toEqual([1, 2]);
    table.retire(2);
    expect(counts(table)).toEqual([0, 0]);
  });

  test('can be cleared', () => {
    const table = tableOf([A, 1], [A, 2], [B, 1]);
    table.clear();
    expect([...counts(table), table.oldest(), taken(table, A)]).toEqual([0, 0, undefined, []]);
    expect(table.remember(A, 1)).toBe(true);
  });

  test('tells keys apart by every byte', () => {
    const keys = ['', '\0', 'a', 'A', 'a\0', '\xe9', '\xc3\xa9', '__proto__'].map(keyOf);
    const table = tableOf(...keys.map((key, index) => [key, index] as const));
    expect(keys.map((key) => taken(table, key))).toEqual(keys.map((_, index) => [index]));
  });
});

describe('readers that are gone', () => {
  /** @returns a table whose key has had so many readers, of which those below `from` are gone */
  function crowded(count: number, from: number): TrackingTable {
    const table = new TrackingTable(COEFFICIENTS);
    for (let reader = 0; reader < count; reader++) {
      if (reader === count - 1) for (let gone = 0; gone < from; gone++) table.retire(gone);
      table.remember(A, reader);
    }
    return table;
  }

  test.for([63, 64])('stay among the first %i', (count) => {
    const table = crowded(count, 60);
    expect(counts(table)).toEqual([1, count]);
    expect(taken(table, A)).toHaveLength(count);
  });

  test('leave when there are many, and no other does', () => {
    const table = crowded(65, 60);
    expect(counts(table)).toEqual([1, 5]);
    expect(taken(table, A)).toEqual([60, 61, 62, 63, 64]);
    expect(counts(table)).toEqual([0, 0]);
  });

  test('do not gather, however many come and go', () => {
    const table = new TrackingTable(COEFFICIENTS);
    for (let newest = 0; newest < 5_000; newest++) {
      table.remember(A, newest);
      if (newest >= 10) table.retire(newest - 10);
    }
    expect(table.itemCount).toBeLessThanOrEqual(64);
  });

  test('do not hold up a crowd of those that are there', () => {
    const table = crowded(1_000, 0);
    expect(counts(table)).toEqual([1, 1_000]);
    expect(taken(table, A)).toHaveLength(1_000);
  });
});

test('a table agrees with the plainest one there is, whatever is done to it', () => {
  const pair = fc.record({
    key: fc.constantFrom('a', 'b', 'c').map(keyOf),
    reader: fc.integer({ min: 0, max: 3 }),
  });
  const step = fc.tuple(fc.constantFrom('remember', 'remember', 'forget', 'take'), pair);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const table = new TrackingTable(COEFFICIENTS);
      const pairs = new Set<string>();
      for (const [kind, { key, reader }] of steps) {
        const name = `${key} ${reader}`;
        if (kind === 'remember') {
          expect(table.remember(key, reader)).toBe(!pairs.has(name));
          pairs.add(name);
        } else if (kind === 'forget') {
          table.forget(key, reader);
          pairs.delete(name);
        } else {
          const readers = [0, 1, 2, 3].filter((id) => pairs.delete(`${key} ${id}`));
          expect(taken(table, key)).toEqual(readers);
        }
        const keys = new Set([...pairs].map((known) => known.charAt(0)));
        expect(counts(table)).toEqual([keys.size, pairs.size]);
      }
    }),
    { numRuns: 100 },
  );
});
