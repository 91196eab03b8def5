import { describe, expect, test } from 'vitest';
import { keyOf } from '../../../src/key.ts';
import { Prefixes } from '../../../src/tracking/prefixes.ts';

/** Prefixes, each with a reader. */
function prefixesOf(...pairs: readonly (readonly [string, number])[]): Prefixes {
  const prefixes = new Prefixes();
  for (const [prefix, reader] of pairs) prefixes.add(prefix, reader);
  return prefixes;
}

/** Notes changes, by nobody that is known. */
function change(prefixes: Prefixes, ...keys: readonly string[]): void {
  for (const key of keys) prefixes.changed(keyOf(key), undefined);
}

/** @returns the next batch: who is told, and of what */
function batch(prefixes: Prefixes) {
  return prefixes
    .takeBatch()
    .map(({ readers, changes }) => `${[...readers].join()}: ${[...changes.keys()].join()}`);
}

describe('prefixes', () => {
  test('are counted once, however many want them', () => {
    const prefixes = prefixesOf(['a', 1], ['a', 2], ['b', 1], ['ab', 1], ['', 3]);
    expect(prefixes.count).toBe(4);
    prefixes.remove('a', 1);
    expect(prefixes.count).toBe(4);
    prefixes.remove('a', 2);
    expect(prefixes.count).toBe(3);
  });

  test('that nobody has are removed without harm', () => {
    const prefixes = prefixesOf(['a', 1]);
    prefixes.remove('b', 1);
    prefixes.remove('ab', 1);
    prefixes.remove('a', 2);
    expect(prefixes.count).toBe(1);
    change(prefixes, 'a');
    expect(batch(prefixes)).toEqual(['1: a']);
  });

  test('are told of what begins with them, in bytewise order of prefixes', () => {
    const prefixes = prefixesOf(['b', 1], ['a', 2], ['a:1', 3], ['', 4], ['a', 5], ['\xff', 6]);
    change(prefixes, 'a:12', 'b', 'c', '', 'a:2', '\xff\xff');
    expect(batch(prefixes)).toEqual([
      '4: a:12,b,c,,a:2,\xff\xff',
      '2,5: a:12,a:2',
      '3: a:12',
      '1: b',
      '6: \xff\xff',
    ]);
  });

  test('are not told of what is shorter or merely alike', () => {
    const prefixes = prefixesOf(['abc', 1]);
    change(prefixes, '', 'a', 'ab', 'xabc', 'ABC', 'abd');
    expect([prefixes.hasChanges, batch(prefixes)]).toEqual([false, []]);
  });

  test('are told once of a key that changes twice, and anew in the next batch', () => {
    const prefixes = prefixesOf(['a', 1]);
    change(prefixes, 'a1', 'a1');
    expect(prefixes.hasChanges).toBe(true);
    expect(batch(prefixes)).toEqual(['1: a1']);
    expect([prefixes.hasChanges, batch(prefixes)]).toEqual([false, []]);
    change(prefixes, 'a1');
    expect(batch(prefixes)).toEqual(['1: a1']);
  });

  test('with changes that lose their last reader tell nobody', () => {
    const prefixes = prefixesOf(['a', 1], ['b', 1]);
    change(prefixes, 'a1', 'b1');
    prefixes.remove('a', 1);
    expect(batch(prefixes)).toEqual(['1: b1']);
    prefixes.add('a', 2);
    expect(batch(prefixes)).toEqual([]);
    change(prefixes, 'a2');
    expect(batch(prefixes)).toEqual(['2: a2']);
  });

  test('say who wrote a key, unless it was written by two', () => {
    const prefixes = prefixesOf(['', 1]);
    const writes = [
      ['own', 1],
      ['own', 1],
      ['both', 1],
      ['both', 2],
      ['both', 2],
      ['stranger', undefined],
      ['stranger', 1],
      ['stranger', 1],
    ] as const;
    for (const [key, writer] of writes) prefixes.changed(keyOf(key), writer);
    const [only] = prefixes.takeBatch();
    expect([...(only?.changes ?? [])]).toEqual([
      ['own', 1],
      ['both', undefined],
      ['stranger', undefined],
    ]);
  });
});
