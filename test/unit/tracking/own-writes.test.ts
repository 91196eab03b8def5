import { describe, expect, test } from 'vitest';
import { keyOf } from '../../../src/key.ts';
import { OwnWrites } from '../../../src/tracking/own-writes.ts';

const [A, B] = [keyOf('a'), keyOf('b')];

describe('an own write that is not attributed', () => {
  test('gives nobody back a key that was not read again', () => {
    const own = new OwnWrites();
    expect(own.heard(A)).toEqual([]);
    own.read([A], 1);
    own.wrote([A], 1);
    expect(own.heard(A)).toEqual([]);
  });

  test('gives back, once, a key that was read behind it', () => {
    const own = new OwnWrites();
    own.wrote([A], 1);
    own.read([A], 1);
    expect(own.heard(B)).toEqual([]);
    expect(own.heard(A)).toEqual([1]);
    expect(own.heard(A)).toEqual([]);
  });

  test('of several keys concerns those that were read', () => {
    const own = new OwnWrites();
    own.wrote([A, B], 1);
    own.read([B], 1);
    expect([own.heard(A), own.heard(B)]).toEqual([[], [1]]);
  });

  test('is nobody else’s', () => {
    const own = new OwnWrites();
    own.wrote([A], 1);
    own.read([A], 2);
    expect(own.heard(A)).toEqual([]);
  });

  test('gives a key back to all that have written and read it', () => {
    const own = new OwnWrites();
    for (const reader of [1, 2, 3]) own.wrote([A], reader);
    for (const reader of [3, 1]) own.read([A], reader);
    expect(own.heard(A)).toEqual([1, 3]);
    expect(own.heard(A)).toEqual([]);
  });

  test('in between reads: each announcement uses up one write', () => {
    const own = new OwnWrites();
    own.wrote([A], 1);
    own.read([A], 1);
    own.wrote([A], 1);
    expect(own.heard(A)).toEqual([1]);
    expect(own.heard(A)).toEqual([]);
    own.read([A], 1);
    expect(own.heard(A)).toEqual([]);
  });

  test('that is never announced waits for the next change, which is harmless', () => {
    const own = new OwnWrites();
    own.wrote([A], 1);
    own.read([A], 1);
    own.wrote([B], 1);
    expect(own.heard(B)).toEqual([]);
    expect(own.heard(A)).toEqual([1]);
  });
});

describe('an own write that is attributed', () => {
  test('is open until it is closed', () => {
    const own = new OwnWrites();
    expect(own.isOpen(A, 1)).toBe(false);
    own.open([A], 1);
    own.open([A], 1);
    expect([own.isOpen(A, 1), own.isOpen(A, 2), own.isOpen(B, 1)]).toEqual([true, false, false]);
    own.close([A], 1);
    expect(own.isOpen(A, 1)).toBe(true);
    own.close([A], 1);
    expect(own.isOpen(A, 1)).toBe(false);
  });

  test('gives the key back at each of its announcements', () => {
    const own = new OwnWrites();
    own.open([A], 1);
    expect(own.heard(A)).toEqual([]);
    own.read([A], 1);
    expect([own.heard(A), own.heard(A)]).toEqual([[1], [1]]);
    own.close([A], 1);
    expect(own.heard(A)).toEqual([]);
  });

  test('closed before it was announced is over', () => {
    const own = new OwnWrites();
    own.open([A], 1);
    own.read([A], 1);
    own.close([A], 1);
    expect(own.heard(A)).toEqual([]);
  });

  test('can be closed too often, or by others, without harm', () => {
    const own = new OwnWrites();
    own.close([A], 1);
    own.open([A], 1);
    own.close([A, B], 2);
    expect(own.isOpen(A, 1)).toBe(true);
    own.close([A], 1);
    own.close([A], 1);
    own.open([A], 1);
    expect(own.isOpen(A, 1)).toBe(true);
  });
});

test('after clearing nothing is expected', () => {
  const own = new OwnWrites();
  own.wrote([A], 1);
  own.open([B], 1);
  own.read([A, B], 1);
  own.clear();
  expect([own.heard(A), own.heard(B), own.isOpen(B, 1)]).toEqual([[], [], false]);
  own.close([B], 1);
});

test('too many keys make it forget all but the writes that will be closed', () => {
  const own = new OwnWrites();
  const open = keyOf('open');
  own.open([open], 1);
  own.read([open], 1);
  for (let index = 0; index < 9_999; index++) {
    const keys = [keyOf(`k${index}`)];
    own.wrote(keys, 1);
    own.read(keys, 1);
  }
  expect(own.heard(keyOf('k0'))).toEqual([1]);
  own.wrote([keyOf('fills')], 1);
  own.wrote([keyOf('too many')], 1);
  own.read([keyOf('too many')], 1);
  expect(own.heard(keyOf('k9998'))).toEqual([]);
  expect(own.heard(keyOf('too many'))).toEqual([1]);
  expect([own.isOpen(open, 1), own.heard(open)]).toEqual([true, [1]]);
});
