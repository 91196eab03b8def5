import { describe, expect, test } from 'vitest';
import { Delivery } from '../../../src/client/delivery.ts';
import type { Flight } from '../../../src/client/flight.ts';
import { Meter } from '../../../src/client/meter.ts';
import { keyOf } from '../../../src/key.ts';
import { OFF } from '../../../src/tracking/options.ts';

/** A meter with a clock that is set, and what it was told. */
function setUp() {
  const clock = { now: 1_000, reads: 0 };
  const seen: [tookMs: number, times: number][] = [];
  const counts = { deliveriesPush: 0, deliveriesRedirect: 0, deliveriesBcast: 0 };
  const now = () => {
    clock.reads += 1;
    return clock.now;
  };
  const observe = (tookMs: number, times: number) => seen.push([tookMs, times]);
  return { clock, seen, counts, meter: new Meter({ now, counts, observe }) };
}

describe('the latency of invalidations', () => {
  test('pushes of one chunk are observed once, and the clock is read twice', () => {
    const { meter, clock, seen } = setUp();
    for (let count = 0; count < 100; count++) meter.heard();
    meter.pushed();
    meter.pushed();
    clock.now += 3;
    meter.endOfChunk();
    expect(seen).toEqual([[3, 2]]);
    expect(clock.reads).toBe(2);
  });

  test('a chunk that concerns nobody is not observed', () => {
    const { meter, seen } = setUp();
    meter.heard();
    meter.endOfChunk();
    expect(seen).toEqual([]);
  });

  test('a push that no notification caused is not observed', () => {
    const { meter, seen } = setUp();
    meter.pushed();
    meter.heard();
    meter.endOfChunk();
    meter.pushed();
    meter.late(0, () => meter.pushed(), 'a key');
    expect(seen).toEqual([]);
  });

  test('what was put off counts from its own chunk, also in the midst of another', () => {
    const { meter, clock, seen } = setUp();
    meter.heard();
    const { heardAtMs } = meter;
    meter.endOfChunk();
    clock.now += 5;
    meter.heard();
    meter.pushed();
    clock.now += 2;
    meter.late(heardAtMs, () => meter.pushed(), 'a key');
    meter.pushed();
    clock.now += 1;
    meter.endOfChunk();
    expect(seen).toEqual([
      [2, 1],
      [7, 1],
      [3, 1],
    ]);
  });

  test('an invalidation that waits for a reply is counted while it does, and measured then', () => {
    const { meter, clock, seen } = setUp();
    const delivery = new Delivery(
      () => meter.pushed(),
      () => {},
      meter,
    );
    const key = keyOf('k');
    const flight: Flight = {
      keys: [key],
      readKeys: [key],
      order: 0,
      named: [],
      read: [],
      parked: undefined,
    };
    delivery.depart(flight);
    meter.heard();
    delivery.changed(key, clock.now, 1);
    meter.endOfChunk();
    expect([meter.parkedCount, seen]).toEqual([1, []]);
    clock.now += 4;
    delivery.land(flight, false);
    expect([meter.parkedCount, seen]).toEqual([0, [[4, 1]]]);
  });

  test('what waits when its client goes is not counted any more', () => {
    const { meter } = setUp();
    const delivery = new Delivery(
      () => {},
      () => {},
      meter,
    );
    const key = keyOf('k');
    const flight: Flight = {
      keys: [key],
      readKeys: [key],
      order: 0,
      named: [],
      read: [],
      parked: undefined,
    };
    delivery.depart(flight);
    delivery.changed(key, 0, 1);
    expect(meter.parkedCount).toBe(1);
    delivery.stop();
    expect(meter.parkedCount).toBe(0);
  });
});

test('deliveries are counted by the way that they take', () => {
  const { meter, counts } = setUp();
  meter.sent({ ...OFF, on: true });
  meter.sent({ ...OFF, on: true, bcast: true });
  meter.sent({ ...OFF, on: true, redirect: 7 });
  meter.sent({ ...OFF, on: true, bcast: true, redirect: 7 });
  expect(counts).toEqual({ deliveriesPush: 1, deliveriesRedirect: 2, deliveriesBcast: 1 });
});
