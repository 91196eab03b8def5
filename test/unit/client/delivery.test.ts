import { describe, expect, test } from 'vitest';
import { Delivery, PARK_MS, PARKED_MAX_COUNT } from '../../../src/client/delivery.ts';
import type { Flight } from '../../../src/client/flight.ts';
import { type Key, keyOf } from '../../../src/key.ts';

const ALL = '*';

/** A delivery, what has left it, and the flights by name. */
class Rig {
  readonly left: string[] = [];
  readonly delivery = new Delivery(
    (what) => {
      this.left.push(what === undefined ? ALL : String(what));
    },
    () => {
      this.collapses += 1;
    },
  );
  collapses = 0;

  /** A request that names `keys` departs. */
  depart(keys: readonly string[]): Flight {
    const flight = flightOf(keys);
    this.delivery.depart(flight);
    return flight;
  }

  /**
   * As `depart`, for a tracked read.
   *
   * @param fresh keys that the tracking table does not have yet
   */
  read(keys: readonly string[], fresh: readonly string[] = []): Flight {
    const flight = flightOf(keys, keys);
    this.delivery.depart(flight);
    for (const [index, key] of keys.entries()) {
      if (fresh.includes(key)) this.delivery.added(flight, index);
    }
    return flight;
  }

  land(flight: Flight, refused = false): readonly Key[] {
    return this.delivery.land(flight, refused);
  }

  changed(...keys: readonly string[]): void {
    for (const key of keys) this.delivery.changed(keyOf(key), 0, 0);
  }

  /** @returns how many wait, and whether a tick may let some go */
  get waiting(): readonly [number, boolean] {
    return [this.delivery.parkedCount, this.delivery.hasDues];
  }
}

function flightOf(keys: readonly string[] = [], readKeys: readonly string[] = []): Flight {
  const names = { keys: keys.map(keyOf), readKeys: readKeys.map(keyOf) };
  const isSingle = keys.length === 1 && readKeys.length === 1;
  return { ...names, isSingle, order: 0, parked: undefined, named: [], read: [] };
}

const LATE = 1_000_000;

describe('an invalidation', () => {
  test('leaves at once where nothing is in flight', () => {
    const rig = new Rig();
    rig.changed('a', 'b');
    rig.delivery.changedAll(0, 0);
    expect(rig.left).toEqual(['a', 'b', ALL]);
    expect(rig.waiting).toEqual([0, false]);
  });

  test('of a key that no request in flight names leaves at once', () => {
    const rig = new Rig();
    rig.read(['a', 'b']);
    rig.changed('c');
    expect(rig.left).toEqual(['c']);
  });

  test.for(['read', 'depart'] as const)('leaves behind the reply that names it (%s)', (kind) => {
    const rig = new Rig();
    const flight = rig[kind](['a', 'b']);
    rig.changed('b', 'a');
    expect([rig.left, rig.waiting]).toEqual([[], [2, true]]);
    rig.land(flight);
    expect([rig.left, rig.waiting]).toEqual([
      ['b', 'a'],
      [0, false],
    ]);
  });

  test('leaves behind the last of several that name it, and once', () => {
    const rig = new Rig();
    const [first, last, other] = [rig.read(['a']), rig.depart(['a', 'b']), rig.read(['c'])];
    rig.changed('a');
    rig.land(first);
    expect(rig.left).toEqual([]);
    rig.land(last);
    expect(rig.left).toEqual(['a']);
    rig.land(other);
    expect(rig.left).toEqual(['a']);
  });

  test('waits for no request that departs later', () => {
    const rig = new Rig();
    const first = rig.read(['a']);
    rig.changed('a');
    rig.read(['a']);
    rig.land(first);
    expect(rig.left).toEqual(['a']);
  });

  test('of a key that a flight names twice waits for it once', () => {
    const rig = new Rig();
    const flight = rig.read(['a', 'a']);
    rig.changed('a');
    rig.land(flight);
    rig.changed('a');
    expect(rig.left).toEqual(['a', 'a']);
    expect(rig.waiting).toEqual([0, false]);
  });

  test('leaves at once for a key whose flights have landed', () => {
    const rig = new Rig();
    const [first, last] = [rig.read(['a']), rig.read(['b'])];
    rig.land(first);
    rig.changed('a');
    expect(rig.left).toEqual(['a']);
    rig.land(last);
    rig.changed('b');
    expect(rig.left).toEqual(['a', 'b']);
  });
});

describe('the deadline', () => {
  test(`is ${PARK_MS} ms and the usual wait after the change`, () => {
    const rig = new Rig();
    rig.depart(['a']);
    rig.delivery.changed(keyOf('a'), 1_000, 7);
    rig.delivery.tick(1_000 + 7 + PARK_MS - 0.5);
    expect(rig.left).toEqual([]);
    rig.delivery.tick(1_000 + 7 + PARK_MS);
    expect([rig.left, rig.delivery.hasDues]).toEqual([['a'], false]);
  });

  test('lets go only what is due', () => {
    const rig = new Rig();
    rig.depart(['a', 'b', 'c']);
    for (const [at, key] of ['a', 'b', 'c'].entries()) rig.delivery.changed(keyOf(key), at, 0);
    rig.delivery.tick(PARK_MS + 1);
    expect([rig.left, rig.delivery.hasDues]).toEqual([['a', 'b'], true]);
    rig.delivery.tick(PARK_MS + 2);
    expect([rig.left, rig.delivery.hasDues]).toEqual([['a', 'b', 'c'], false]);
  });

  test('lets nothing go twice', () => {
    const rig = new Rig();
    rig.depart(['a']);
    rig.changed('a');
    rig.delivery.tick(LATE);
    rig.delivery.tick(LATE + 1);
    expect(rig.left).toEqual(['a']);
  });

  test('is forgotten when the reply comes first', () => {
    const rig = new Rig();
    const [first] = [rig.read(['a']), rig.depart(['b'])];
    rig.changed('a', 'b');
    rig.land(first);
    rig.delivery.tick(LATE);
    expect(rig.left).toEqual(['a', 'b']);
  });

  test('passed, a write is not followed by it again', () => {
    const rig = new Rig();
    const write = rig.depart(['a']);
    rig.changed('a');
    rig.delivery.tick(LATE);
    rig.land(write);
    expect([rig.left, rig.waiting]).toEqual([['a'], [0, false]]);
  });

  test('passed, a tracked read is followed by it once more', () => {
    const rig = new Rig();
    const read = rig.read(['a']);
    rig.changed('a');
    rig.delivery.tick(LATE);
    expect(rig.left).toEqual(['a']);
    rig.land(read);
    expect([rig.left, rig.waiting]).toEqual([
      ['a', 'a'],
      [0, false],
    ]);
  });

  test('passed, a write behind a tracked read of the key is followed by it once more', () => {
    const rig = new Rig();
    const [read, other, write] = [rig.read(['a']), rig.depart(['b']), rig.depart(['a', 'b'])];
    rig.changed('a');
    rig.delivery.tick(LATE);
    for (const flight of [read, other, write]) rig.land(flight);
    expect(rig.left).toEqual(['a', 'a']);
  });

  test('does not hurry what no cache can hold: a key that came with this request', () => {
    const rig = new Rig();
    const read = rig.read(['a', 'b'], ['a']);
    rig.changed('a', 'b');
    rig.delivery.tick(LATE);
    expect(rig.left).toEqual(['b']);
    rig.land(read);
    expect([rig.left, rig.waiting]).toEqual([
      ['b', 'a', 'b'],
      [0, false],
    ]);
  });

  test('hurries a key that a read in flight has shown to the client since it changed', () => {
    const rig = new Rig();
    const [read, late] = [rig.read(['a'], ['a']), rig.depart(['a'])];
    rig.changed('a');
    rig.land(read);
    rig.delivery.tick(LATE);
    expect(rig.left).toEqual(['a']);
    rig.land(late);
  });

  test('hurries it also while another read of the key is in flight', () => {
    const rig = new Rig();
    const [read] = [rig.read(['a'], ['a']), rig.read(['a'])];
    rig.changed('a');
    rig.land(read);
    rig.delivery.tick(LATE);
    expect(rig.left).toEqual(['a']);
  });

  test('hurries a key that is cached, though it is being read again by now', () => {
    const rig = new Rig();
    rig.land(rig.read(['a'], ['a'])); // the client holds it
    rig.depart(['a']); // BLMOVE a b LEFT LEFT 0
    rig.changed('a'); // the table has forgotten it
    rig.read(['a'], ['a']);
    rig.delivery.tick(LATE);
    expect(rig.left).toEqual(['a']);
  });

  test('passed, does not leave what a read has shown since to a request that blocks', () => {
    const rig = new Rig();
    const [read] = [rig.read(['a'], ['a']), rig.depart(['a'])]; // GET a, BLMOVE a b LEFT LEFT 0
    rig.changed('a');
    rig.delivery.tick(LATE);
    rig.land(read); // late, and with the old value
    const before = rig.left.length;
    rig.delivery.tick(2 * LATE);
    expect([before, rig.left]).toEqual([1, ['a']]); // right behind the read, not at some tick
  });

  test('passed, is followed by it once more behind the read itself', () => {
    const rig = new Rig();
    const [read] = [rig.read(['a']), rig.depart(['a'])];
    rig.changed('a');
    rig.delivery.tick(LATE);
    rig.land(read);
    rig.delivery.tick(2 * LATE);
    expect(rig.left).toEqual(['a', 'a']);
  });

  test('hurries everything, whatever came with the request', () => {
    const rig = new Rig();
    rig.read(['a'], ['a']);
    rig.delivery.changedAll(0, 0);
    rig.delivery.tick(LATE);
    expect(rig.left).toEqual([ALL]);
  });
});

describe('an invalidation of everything', () => {
  test('waits for the last of all that are in flight', () => {
    const rig = new Rig();
    const [first, last] = [rig.read(['a']), rig.depart(['b'])];
    rig.delivery.changedAll(0, 0);
    rig.land(first);
    expect(rig.left).toEqual([]);
    rig.land(last);
    expect(rig.left).toEqual([ALL]);
  });

  test('that has left early is followed by the keys of each tracked read that was in flight', () => {
    const rig = new Rig();
    const [first, last] = [rig.read(['a']), rig.depart(['b'])];
    rig.delivery.changedAll(0, 0);
    rig.delivery.tick(PARK_MS);
    rig.land(first);
    expect(rig.left).toEqual([ALL, 'a']);
    rig.land(last);
    expect(rig.left).toEqual([ALL, 'a']);
  });

  test('leaves once where none was', () => {
    const rig = new Rig();
    const [read, write] = [rig.read(['a']), rig.depart(['b'])];
    rig.land(read);
    rig.delivery.changedAll(0, 0);
    rig.delivery.tick(PARK_MS);
    rig.land(write);
    expect([rig.left, rig.waiting]).toEqual([[ALL], [0, false]]);
  });

  test('leaves at once when all have landed', () => {
    const rig = new Rig();
    rig.land(rig.read(['a']));
    rig.delivery.changedAll(0, 0);
    expect(rig.left).toEqual([ALL]);
  });
});

describe('a refused request', () => {
  test('gives back the keys that came with it, and leaves their changes unsaid', () => {
    const rig = new Rig();
    const read = rig.read(['a', 'b', 'c'], ['a', 'b']);
    rig.changed('a', 'c');
    expect(rig.land(read, true)).toEqual(['a', 'b']);
    expect([rig.left, rig.waiting]).toEqual([['c'], [0, false]]);
  });

  test('that was not refused gives back nothing', () => {
    const rig = new Rig();
    expect(rig.land(rig.read(['a'], ['a']))).toEqual([]);
  });

  test('gives back no key that a later read in flight has named', () => {
    const rig = new Rig();
    const [first, last] = [rig.read(['a', 'b'], ['a', 'b']), rig.read(['a'])];
    expect(rig.land(first, true)).toEqual(['b']);
    rig.changed('a');
    rig.land(last);
    expect(rig.left).toEqual(['a']);
  });

  test('gives back a key when the last read of it is refused, too', () => {
    const rig = new Rig();
    const [first, last] = [rig.read(['a'], ['a']), rig.read(['a'])];
    expect([rig.land(first, true), rig.land(last, true)]).toEqual([[], ['a']]);
  });

  test('gives back no key whose earlier read was executed', () => {
    const rig = new Rig();
    const [first, last] = [rig.read(['a'], ['a']), rig.read(['a'])];
    expect([rig.land(first), rig.land(last, true)]).toEqual([[], []]);
    const again = rig.read(['a'], ['a']);
    expect(rig.land(again, true)).toEqual(['a']);
  });

  test('gives back a key whose executed read has landed and whose change was told', () => {
    const rig = new Rig();
    const [read, write] = [rig.read(['a'], ['a']), rig.depart(['a'])];
    rig.land(read);
    rig.changed('a'); // the table has forgotten it
    const again = rig.read(['a'], ['a']);
    rig.land(write);
    expect([rig.left, rig.land(again, true)]).toEqual([['a'], ['a']]);
  });

  test('gives back a key once, however often it names it', () => {
    const rig = new Rig();
    expect(rig.land(rig.read(['a', 'a'], ['a']), true)).toEqual(['a']);
  });

  test('gives back nothing that it only writes', () => {
    const rig = new Rig();
    expect(rig.land(rig.depart(['a']), true)).toEqual([]);
  });

  test('is still followed by an invalidation of everything', () => {
    const rig = new Rig();
    const read = rig.read(['a'], ['a']);
    rig.delivery.changedAll(0, 0);
    rig.land(read, true);
    expect(rig.left).toEqual([ALL]);
  });

  test('gives back no key that a read before the last request in flight has named', () => {
    const rig = new Rig();
    // GET a x, which is refused for its number of words; GET a; SET a v.
    const [refused] = [rig.read(['a'], ['a']), rig.read(['a']), rig.depart(['a'])];
    expect(rig.land(refused, true)).toEqual([]);
  });

  test('gives back no key that was read between two refused reads', () => {
    const rig = new Rig();
    const flights = [rig.read(['a'], ['a']), rig.read(['a']), rig.read(['a'])] as const;
    const gone = [rig.land(flights[0], true), rig.land(flights[1]), rig.land(flights[2], true)];
    expect(gone.flat()).toEqual([]);
  });

  test('hides no change of a key that was read between two refused reads', () => {
    const rig = new Rig();
    const flights = [rig.read(['a'], ['a']), rig.read(['a']), rig.read(['a'])] as const;
    rig.land(flights[0], true);
    rig.changed('a');
    rig.land(flights[1]);
    rig.land(flights[2], true);
    expect(rig.left).toEqual(['a']);
  });
});

describe('the gate', () => {
  test('holds up whatever no request in flight names, beyond its deadline, too', () => {
    const rig = new Rig();
    const gate = flightOf();
    rig.delivery.closeGate(gate);
    rig.changed('a');
    rig.delivery.changedAll(0, 0);
    rig.delivery.tick(LATE);
    expect(rig.left).toEqual([]);
    rig.land(gate);
    expect([rig.left, rig.waiting]).toEqual([
      ['a', ALL],
      [0, false],
    ]);
  });

  test('is open once it has landed', () => {
    const rig = new Rig();
    const gate = flightOf();
    rig.delivery.closeGate(gate);
    rig.land(gate);
    rig.changed('a');
    rig.delivery.changedAll(0, 0);
    expect(rig.left).toEqual(['a', ALL]);
  });

  test('does not shorten the wait for a request behind it', () => {
    const rig = new Rig();
    const gate = flightOf();
    rig.delivery.closeGate(gate);
    const read = rig.read(['a']);
    rig.changed('a', 'b');
    rig.land(gate);
    expect(rig.left).toEqual(['b']);
    rig.land(read);
    expect(rig.left).toEqual(['b', 'a']);
  });

  test('can be closed anew while it is closed', () => {
    const rig = new Rig();
    const [first, second] = [flightOf(), flightOf()];
    rig.delivery.closeGate(first);
    rig.delivery.closeGate(second);
    rig.changed('a');
    rig.land(first);
    expect(rig.left).toEqual([]);
    rig.land(second);
    expect(rig.left).toEqual(['a']);
  });
});

describe('keys of one batch', () => {
  const [a, b, c] = [keyOf('a'), keyOf('b'), keyOf('c')];

  test('leave together, at once or behind the last request that names one of them', () => {
    const rig = new Rig();
    const [first, second] = [rig.read(['c']), rig.depart(['a'])];
    const other = rig.depart(['x']);
    rig.delivery.changedSome([b], 0, 0);
    rig.delivery.changedSome([a, b, c], 0, 0);
    expect(rig.left).toEqual(['b']);
    rig.land(first);
    expect(rig.left).toEqual(['b']);
    rig.land(second);
    expect(rig.left).toEqual(['b', 'a,b,c']);
    rig.land(other);
    expect(rig.left).toHaveLength(2);
  });

  test('leave when they are due, and once more where one of them was being read', () => {
    const rig = new Rig();
    const [read, write] = [rig.read(['a']), rig.depart(['b'])];
    rig.delivery.changedSome([a, b], 0, 0);
    rig.delivery.tick(PARK_MS);
    rig.land(read);
    rig.land(write);
    expect(rig.left).toEqual(['a,b', 'a']);
  });

  test('wait for the gate', () => {
    const rig = new Rig();
    const gate = flightOf();
    rig.delivery.closeGate(gate);
    rig.delivery.changedSome([a, b], 0, 0);
    rig.delivery.tick(LATE);
    expect(rig.left).toEqual([]);
    rig.land(gate);
    expect(rig.left).toEqual(['a,b']);
  });
});

describe(`more than ${PARKED_MAX_COUNT} that wait`, () => {
  const MANY = Array.from({ length: PARKED_MAX_COUNT }, (_, index) => `key ${index}`);

  test('become one of everything, behind the last request in flight', () => {
    const rig = new Rig();
    const [first, last] = [rig.depart(MANY), rig.read(['a'])];
    rig.changed(...MANY);
    expect(rig.waiting).toEqual([PARKED_MAX_COUNT, true]);
    rig.delivery.changed(keyOf('a'), 500, 0);
    expect(rig.waiting).toEqual([1, true]);
    rig.delivery.tick(500 + PARK_MS - 1); // it has a deadline of its own
    rig.land(first);
    expect([rig.left, rig.waiting]).toEqual([[], [1, true]]);
    rig.land(last);
    expect([rig.left, rig.waiting]).toEqual([[ALL], [0, false]]);
  });

  test('but have left early are said again behind the reads, one by one', () => {
    const rig = new Rig();
    const past = rig.read(['past']);
    rig.changed('past');
    rig.delivery.tick(LATE);
    rig.land(past); // no longer counted below
    expect(rig.left.splice(0)).toEqual(['past', 'past']);
    const read = rig.read(['early', 'late', ...MANY]);
    rig.changed('early');
    rig.delivery.tick(LATE);
    rig.changed(...MANY);
    expect(rig.waiting).toEqual([PARKED_MAX_COUNT, true]);
    rig.changed('late');
    expect(rig.waiting).toEqual([1, true]);
    rig.land(read);
    expect(rig.left).toEqual(['early', ALL, 'early']);
    expect(rig.waiting).toEqual([0, false]);
  });

  test('are said once more behind a tracked read that was in flight', () => {
    const rig = new Rig();
    const [read, write] = [rig.read(['a']), rig.depart(MANY)];
    rig.changed('a', ...MANY);
    expect(rig.waiting).toEqual([1, true]);
    rig.delivery.tick(LATE);
    rig.land(read); // its reply may hold what 'a' was before the change
    rig.land(write);
    expect(rig.left).toEqual([ALL, 'a']);
  });

  test('are counted honestly where some had no reason to hurry', () => {
    const rig = new Rig();
    const read = rig.read(['a', ...MANY], ['a']);
    rig.changed('a');
    rig.delivery.tick(LATE); // 'a' came with this read: it stays
    rig.changed(...MANY);
    rig.land(read);
    expect(rig.waiting).toEqual([0, false]);
  });
});

describe('invalidations of everything that wait for one late reply', () => {
  test('are no more than one', () => {
    const rig = new Rig();
    const read = rig.read(['a'], ['a']); // XREAD BLOCK 0
    for (let second = 0; second < 1_000; second++) {
      rig.delivery.changedAll(second * 1_000, 0);
      rig.delivery.tick(second * 1_000 + PARK_MS);
    }
    expect(rig.left).toHaveLength(1_000);
    expect(rig.delivery.parkedCount).toBe(0);
    rig.land(read);
    expect(rig.left.slice(1_000)).toEqual(['a']);
  });
});

test('a deadline set at a time of slow replies is waited for by those behind it', () => {
  const rig = new Rig();
  rig.depart(['a', 'b']);
  rig.delivery.changed(keyOf('a'), 0, 500);
  rig.delivery.changed(keyOf('b'), 1, 0);
  rig.delivery.tick(1 + PARK_MS);
  expect(rig.left).toEqual([]);
  rig.delivery.tick(500 + PARK_MS);
  expect(rig.left).toEqual(['a', 'b']);
});
