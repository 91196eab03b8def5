import { describe, expect, test } from 'vitest';
import { BACKLOG_MAX_BYTES, BACKLOG_MAX_COUNT, Backlog } from '../../../src/client/backlog.ts';
import { keyOf } from '../../../src/key.ts';

function keys(count: number, length = 8): ReturnType<typeof keyOf>[] {
  return Array.from({ length: count }, (_, index) => keyOf(String(index).padStart(length, '0')));
}

describe('a backlog', () => {
  test('gives back few keys one by one, in their order', () => {
    const backlog = new Backlog();
    expect(backlog.isEmpty).toBe(true);
    for (const key of ['b', 'a', 'c']) backlog.add(keyOf(key));
    expect(backlog.isEmpty).toBe(false);
    expect(backlog.take()).toEqual(['b', 'a', 'c']);
    expect(backlog.isEmpty).toBe(true);
    expect(backlog.take()).toEqual([]);
  });

  test('names a key once, however often it changes and in whatever company', () => {
    const backlog = new Backlog();
    backlog.add(keyOf('a'));
    backlog.add([keyOf('a'), keyOf('b')]);
    backlog.add(keyOf('b'));
    expect(backlog.take()).toEqual(['a', 'b']);
  });

  test('gives many keys together, sorted', () => {
    const backlog = new Backlog();
    const many = keys(100);
    for (const key of [...many].reverse()) backlog.add(key);
    expect(backlog.take()).toEqual([many]);
  });

  test('is everything once everything has changed', () => {
    const backlog = new Backlog();
    backlog.add(keyOf('a'));
    backlog.add(undefined);
    backlog.add(keyOf('b'));
    expect(backlog.bytes).toBe(0);
    expect(backlog.take()).toEqual([undefined]);
  });

  test('becomes everything when the keys are too many, and says so once', () => {
    const backlog = new Backlog();
    const many = keys(BACKLOG_MAX_COUNT + 2);
    expect(many.map((key) => backlog.add(key)).filter(Boolean)).toEqual([true]);
    expect(backlog.take()).toEqual([undefined]);
    expect(backlog.add(many.slice(0, BACKLOG_MAX_COUNT))).toBe(false);
    expect(backlog.take()[0]).toHaveLength(BACKLOG_MAX_COUNT);
  });

  test('becomes everything when the keys are too long', () => {
    const backlog = new Backlog();
    const long = keyOf('x'.repeat(BACKLOG_MAX_BYTES));
    expect(backlog.add(long)).toBe(false);
    expect(backlog.add(long)).toBe(false);
    expect(backlog.add(keyOf('y'))).toBe(true);
    expect(backlog.bytes).toBe(0);
    expect(backlog.take()).toEqual([undefined]);
  });
});
