import { describe, expect, test } from 'vitest';
import { Aloft } from '../../../src/client/aloft.ts';
import type { Flight } from '../../../src/client/flight.ts';
import { type Key, keyOf } from '../../../src/key.ts';

const [A, B, C] = [keyOf('a'), keyOf('b'), keyOf('c')];

/** Requests in flight, numbered as they depart. */
class Flights {
  readonly aloft = new Aloft();
  #order = 0;

  /** A request departs that names `keys` and reads `readKeys`. */
  depart(keys: readonly Key[], readKeys: readonly Key[] = keys): Flight {
    const flight: Flight = {
      keys,
      readKeys,
      isSingle: keys.length === 1 && readKeys.length === 1,
      order: ++this.#order,
      parked: undefined,
      named: [],
      read: [],
    };
    this.aloft.depart(flight);
    return flight;
  }

  /** As `depart`, for a read that brings its keys into the table. */
  add(...keys: readonly Key[]): Flight {
    const flight = this.depart(keys);
    for (const index of keys.keys()) this.aloft.added(flight, index);
    return flight;
  }
}

describe('requests in flight', () => {
  test('are none at first', () => {
    const aloft = new Aloft();
    expect([aloft.isEmpty, aloft.last(A), aloft.isUnread(A)]).toEqual([true, undefined, false]);
  });

  test('are found by key, the last one of each, until that has landed', () => {
    const flights = new Flights();
    const { aloft } = flights;
    const first = flights.depart([A, B]);
    const second = flights.depart([B], []);
    expect([aloft.last(A), aloft.last(B), aloft.last(C)]).toEqual([first, second, undefined]);
    aloft.land(first, false);
    expect([aloft.last(A), aloft.last(B), aloft.isEmpty]).toEqual([undefined, second, false]);
    aloft.land(second, false);
    expect([aloft.last(B), aloft.isEmpty]).toEqual([undefined, true]);
  });
});

describe('a key that a read has brought into the table', () => {
  test('stays when the read was executed', () => {
    const flights = new Flights();
    expect(flights.aloft.land(flights.add(A, B), false)).toEqual([]);
  });

  test('leaves when the read was refused', () => {
    const flights = new Flights();
    expect(flights.aloft.land(flights.add(A, B), true)).toEqual([A, B]);
  });

  test('leaves only where it was this read that brought it', () => {
    const flights = new Flights();
    const flight = flights.depart([A, B]);
    flights.aloft.added(flight, 1);
    expect(flights.aloft.land(flight, true)).toEqual([B]);
  });

  test('waits for the last read in flight', () => {
    const flights = new Flights();
    const [first, second] = [flights.add(A), flights.depart([A])];
    expect(flights.aloft.land(first, true)).toEqual([]);
    expect(flights.aloft.land(second, true)).toEqual([A]);
  });

  test.for([0, 1])('stays when read %i of two was executed', (executed) => {
    const flights = new Flights();
    const both = [flights.add(A), flights.depart([A])];
    const gone = both.map((flight, index) => flights.aloft.land(flight, index !== executed));
    expect(gone).toEqual([[], []]);
  });

  test('is judged anew by reads that come when all others have landed', () => {
    const flights = new Flights();
    const first = flights.add(A);
    const writing = flights.depart([A], []);
    expect(flights.aloft.land(first, false)).toEqual([]);
    const again = flights.add(A);
    expect(flights.aloft.land(writing, false)).toEqual([]);
    expect(flights.aloft.land(again, true)).toEqual([A]);
  });

  test('is unread until a read of it is known to be executed', () => {
    const flights = new Flights();
    const { aloft } = flights;
    const [first, second, third] = [flights.add(A), flights.depart([A]), flights.depart([A])];
    expect([aloft.isUnread(A), aloft.isUnread(B)]).toEqual([true, false]);
    aloft.land(first, true);
    expect(aloft.isUnread(A)).toBe(true);
    aloft.land(second, false);
    expect(aloft.isUnread(A)).toBe(false);
    aloft.land(third, true);
    expect(aloft.isUnread(A)).toBe(false);
  });

  test('is not unread where it was known before', () => {
    const flights = new Flights();
    flights.depart([A]);
    expect(flights.aloft.isUnread(A)).toBe(false);
  });

  test('named by a write alone never leaves', () => {
    const flights = new Flights();
    expect(flights.aloft.land(flights.depart([A], []), true)).toEqual([]);
  });
});

describe('a read whose value may be older than what has been told', () => {
  test('is one that was in flight when the key was told of', () => {
    const flights = new Flights();
    const { aloft } = flights;
    const [first, second] = [flights.depart([A, B]), flights.depart([A])];
    aloft.stale(A, second.order);
    const later = flights.depart([A]);
    expect([first, second, later].map((flight) => aloft.staleIn(flight))).toEqual([[A], [A], []]);
  });

  test('stays one if an earlier point is told of later', () => {
    const flights = new Flights();
    const [first, second] = [flights.depart([A]), flights.depart([A])];
    flights.aloft.stale(A, second.order);
    flights.aloft.stale(A, first.order);
    expect(flights.aloft.staleIn(second)).toEqual([A]);
  });

  test('is any, of every key, when all was told of', () => {
    const flights = new Flights();
    const [first, second] = [flights.depart([A, B]), flights.depart([C], [])];
    flights.aloft.allStale(second.order);
    flights.aloft.allStale(first.order);
    const later = flights.depart([A, B]);
    const stale = [first, second, later].map((flight) => flights.aloft.staleIn(flight));
    expect(stale).toEqual([[A, B], [], []]);
  });

  test('is none of keys that nobody has in flight', () => {
    const flights = new Flights();
    flights.aloft.stale(A, 5);
    expect(flights.aloft.staleIn(flights.depart([A]))).toEqual([]);
    expect(flights.aloft.isUnread(A)).toBe(false);
  });

  test('is forgotten with the last request that names the key', () => {
    const flights = new Flights();
    const first = flights.depart([A]);
    flights.aloft.stale(A, 5);
    flights.aloft.land(first, false);
    expect(flights.aloft.staleIn(flights.depart([A]))).toEqual([]);
  });
});
