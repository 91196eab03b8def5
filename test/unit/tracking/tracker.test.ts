import { describe, expect, test } from 'vitest';
import { keyOf } from '../../../src/key.ts';
import { OFF } from '../../../src/tracking/options.ts';
import { type Batch, Tracker } from '../../../src/tracking/tracker.ts';
import { COEFFICIENTS } from '../../helpers/coefficients.ts';

const [A, B, C] = [keyOf('a'), keyOf('b'), keyOf('c')];

/** A tracker that sees, and what it has counted. */
function seeing(maxKeys = 0) {
  const counted: string[] = [];
  const tracker = new Tracker(
    maxKeys,
    (reason, messages) => counted.push(`${reason} ${messages}`),
    COEFFICIENTS,
  );
  tracker.regainSight();
  return { tracker, counted };
}

/** A reader that has joined, and what it was told: `a`, `a own`, `[a b]`, or `all`. */
function readerOf(tracker: Tracker) {
  const id = tracker.newId();
  const told: string[] = [];
  const batches: Batch[] = [];
  tracker.join(id, {
    changed: (key, own) => told.push(own ? `${key} own` : key),
    changedSome: (batch) => {
      batches.push(batch);
      told.push(`[${batch.keys.join(' ')}]`);
    },
    changedAll: () => told.push('all'),
  });
  return { id, told, batches };
}

describe('a key that changes', () => {
  test('is told to those that have read it, once', () => {
    const { tracker, counted } = seeing();
    const [one, two, other] = [readerOf(tracker), readerOf(tracker), readerOf(tracker)];
    for (const { id } of [one, two]) expect(tracker.remember(A, id)).toBe(true);
    expect(tracker.remember(A, one.id)).toBe(false);
    tracker.remember(B, other.id);
    expect([tracker.keyCount, tracker.itemCount]).toEqual([2, 3]);
    tracker.changed(A, 'write');
    tracker.changed(A, 'write');
    tracker.changed(C, 'write');
    expect([one.told, two.told, other.told]).toEqual([['a'], ['a'], []]);
    expect(counted).toEqual(['write 2']);
    expect([tracker.keyCount, tracker.itemCount]).toEqual([1, 1]);
  });

  test('is not told to who has left, or has forgotten it', () => {
    const { tracker, counted } = seeing();
    const [gone, forgetful] = [readerOf(tracker), readerOf(tracker)];
    for (const { id } of [gone, forgetful]) tracker.remember(A, id);
    tracker.leave(gone.id);
    tracker.retire(gone.id);
    tracker.forget(A, forgetful.id);
    tracker.changed(A, 'write');
    expect([gone.told, forgetful.told, counted]).toEqual([[], [], []]);
  });

  test('is told with whose write it was', () => {
    const { tracker } = seeing();
    const [writer, other] = [readerOf(tracker), readerOf(tracker)];
    const over = tracker.writing([A], writer.id);
    for (const { id } of [writer, other]) tracker.remember(A, id);
    tracker.changed(A, 'write', writer.id);
    expect([writer.told, other.told]).toEqual([['a own'], ['a']]);
    over();
  });
});

describe('keys under prefixes', () => {
  test('are told in batches, prefix by prefix', () => {
    const { tracker, counted } = seeing();
    const [one, two] = [readerOf(tracker), readerOf(tracker)];
    tracker.watch('b', one.id);
    tracker.watch('a', one.id);
    tracker.watch('a', two.id);
    expect(tracker.prefixCount).toBe(2);
    for (const key of ['b1', 'a2', 'a1', 'c1', 'a2']) tracker.changed(keyOf(key), 'write');
    expect([one.told, two.told]).toEqual([[], []]);
    tracker.endOfBatch();
    tracker.endOfBatch();
    expect([one.told, two.told]).toEqual([['[a1 a2]', '[b1]'], ['[a1 a2]']]);
    expect(counted).toEqual(['write 2', 'write 1']);
    expect(one.batches[0]?.keys).toBe(two.batches[0]?.keys);
    tracker.unwatch('a', two.id);
    tracker.changed(A, 'write');
    tracker.endOfBatch();
    expect([one.told.length, two.told.length]).toEqual([3, 1]);
  });

  test('can be told without one’s own', () => {
    const { tracker } = seeing();
    const [one, two] = [readerOf(tracker), readerOf(tracker)];
    for (const { id } of [one, two]) tracker.watch('', id);
    tracker.changed(B, 'write', one.id);
    tracker.changed(A, 'write', one.id);
    tracker.changed(C, 'write');
    tracker.changed(keyOf('d'), 'write', one.id);
    tracker.changed(keyOf('d'), 'write', two.id);
    tracker.endOfBatch();
    const [batch] = one.batches;
    expect(batch?.keysNotBy(one.id)).toEqual(['c', 'd']);
    expect(batch?.keysNotBy(two.id)).toBe(batch?.keys);
    expect(batch?.keys).toEqual(['a', 'b', 'c', 'd']);
  });

  test('are not told of keys that only made room', () => {
    const { tracker } = seeing(1);
    const [watcher, reader] = [readerOf(tracker), readerOf(tracker)];
    tracker.watch('', watcher.id);
    for (const key of [A, B]) tracker.remember(key, reader.id);
    tracker.endOfBatch();
    expect([watcher.told, reader.told]).toEqual([[], ['a']]);
  });
});

describe('blindness', () => {
  test('is how it begins; all are told when it ends, and when it comes', () => {
    const counted: string[] = [];
    const tracker = new Tracker(
      0,
      (reason, messages) => counted.push(`${reason} ${messages}`),
      COEFFICIENTS,
    );
    const [one, two] = [readerOf(tracker), readerOf(tracker)];
    tracker.remember(A, one.id);
    expect(tracker.blind).toBe(true);
    tracker.loseSight();
    expect([one.told, counted]).toEqual([[], []]);
    tracker.regainSight();
    tracker.regainSight();
    expect([tracker.blind, one.told, two.told]).toEqual([false, ['all'], ['all']]);
    expect(tracker.keyCount).toBe(0);
    tracker.loseSight();
    tracker.loseSight();
    expect([tracker.blind, one.told, counted]).toEqual([
      true,
      ['all', 'all'],
      ['blind 2', 'blind 2'],
    ]);
  });

  test('ends what was known of own writes', () => {
    const { tracker } = seeing();
    const { id, told } = readerOf(tracker);
    tracker.wrote([A], id);
    tracker.remember(A, id);
    tracker.read([A], id);
    tracker.loseSight();
    tracker.regainSight();
    tracker.remember(A, id);
    tracker.changed(A, 'write');
    expect([told, tracker.keyCount]).toEqual([['all', 'all', 'a'], 0]);
  });
});

test('everything may change: all are told, and nothing is remembered', () => {
  const { tracker, counted } = seeing();
  tracker.changedAll('flush');
  const [one, two] = [readerOf(tracker), readerOf(tracker)];
  tracker.remember(A, one.id);
  tracker.leave(two.id);
  tracker.changedAll('silent');
  expect([one.told, two.told, counted]).toEqual([['all'], [], ['silent 1']]);
  expect([tracker.keyCount, tracker.itemCount]).toEqual([0, 0]);
});

describe('a limit of keys', () => {
  test('has the oldest key make room', () => {
    const { tracker, counted } = seeing(2);
    const [one, two] = [readerOf(tracker), readerOf(tracker)];
    for (const key of [A, B]) tracker.remember(key, one.id);
    tracker.remember(A, two.id);
    expect(one.told).toEqual([]);
    tracker.remember(C, two.id);
    expect([one.told, two.told]).toEqual([['a'], ['a']]);
    expect([tracker.keyCount, tracker.itemCount, counted]).toEqual([2, 2, ['table_full 2']]);
  });

  test('set lower tells at once, set to 0 is none', () => {
    const { tracker } = seeing();
    const { id, told } = readerOf(tracker);
    for (const key of [A, B, C]) tracker.remember(key, id);
    tracker.maxKeys = 3;
    expect(told).toEqual([]);
    tracker.maxKeys = 1;
    expect([told, tracker.maxKeys, tracker.keyCount]).toEqual([['a', 'b'], 1, 1]);
    tracker.maxKeys = 0;
    for (const key of [A, B]) tracker.remember(key, id);
    expect([told.length, tracker.keyCount]).toEqual([2, 3]);
  });

  test('is kept also by keys whose readers are gone', () => {
    const { tracker, counted } = seeing(1);
    const [gone, there] = [readerOf(tracker), readerOf(tracker)];
    tracker.remember(A, gone.id);
    tracker.leave(gone.id);
    tracker.remember(B, there.id);
    expect([tracker.keyCount, gone.told, counted]).toEqual([1, [], []]);
  });
});

describe('a read behind a write of its own', () => {
  test('is not used up by the news of that write', () => {
    const { tracker } = seeing();
    const { id, told } = readerOf(tracker);
    tracker.wrote([A], id);
    tracker.read([A], id);
    tracker.remember(A, id);
    tracker.changed(A, 'write');
    expect([told, tracker.keyCount]).toEqual([['a'], 1]);
    tracker.changed(A, 'write');
    expect([told, tracker.keyCount]).toEqual([['a', 'a'], 0]);
  });

  test('is not used up by any of the news of an attributed one, until it is over', () => {
    const { tracker } = seeing();
    const { id, told } = readerOf(tracker);
    const over = tracker.writing([A], id);
    tracker.read([A], id);
    tracker.remember(A, id);
    for (const _ of [1, 2]) tracker.changed(A, 'write', id);
    expect([told, tracker.keyCount]).toEqual([['a own', 'a own'], 1]);
    over();
    tracker.changed(A, 'write');
    expect([told.at(-1), tracker.keyCount]).toEqual(['a', 0]);
  });

  test('is used up by that of a read ahead of the write', () => {
    const { tracker } = seeing();
    const { id } = readerOf(tracker);
    tracker.remember(A, id);
    tracker.read([A], id);
    const over = tracker.writing([A], id);
    tracker.changed(A, 'write', id);
    over();
    expect(tracker.keyCount).toBe(0);
  });

  test('of keys that were not declared is remembered', () => {
    const { tracker } = seeing();
    const { id, told } = readerOf(tracker);
    tracker.remember(A, id);
    tracker.changed(A, 'write', id);
    expect([told, tracker.keyCount]).toEqual([['a own'], 1]);
  });

  test('is not remembered for who has left', () => {
    const { tracker } = seeing();
    const { id } = readerOf(tracker);
    tracker.wrote([A], id);
    tracker.read([A], id);
    tracker.leave(id);
    tracker.changed(A, 'write');
    expect(tracker.keyCount).toBe(0);
  });
});

test('targets are found by the id that upstream gave them', () => {
  const { tracker } = seeing();
  const target = { receive: () => {}, listed: { state: OFF, broken: false } };
  tracker.name(7, target);
  expect([tracker.target(7), tracker.target(8)]).toEqual([target, undefined]);
  tracker.unname(7);
  expect(tracker.target(7)).toBeUndefined();
});
