import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Delivery, PARK_MS } from '../../../src/client/delivery.ts';
import type { Flight } from '../../../src/client/flight.ts';
import { keyOf } from '../../../src/key.ts';
import { type ReaderId, TrackingTable } from '../../../src/tracking/table.ts';
import { COEFFICIENTS } from '../../helpers/coefficients.ts';

const KEYS = ['a', 'b', 'c'].map(keyOf);
const READER: ReaderId = 1;

/** What may happen to one client's delivery. */
type Step =
  | {
      readonly kind: 'depart';
      readonly keys: readonly number[];
      readonly reads: boolean;
      readonly refused: boolean;
    }
  | { readonly kind: 'changed'; readonly key: number }
  | { readonly kind: 'tick'; readonly ms: number }
  | { readonly kind: 'land' }
  | { readonly kind: 'changedAll' };

/** A request as the model remembers it. */
interface Sent {
  readonly flight: Flight;
  readonly refused: boolean;
  /** When it departed, and landed, as counts of everything that has happened. */
  readonly departed: number;
  landed: number;
}

/** A change in upstream, which is announced at once. */
interface Change {
  readonly at: number;
  readonly timeMs: number;
  /** Undefined: everything. */
  readonly key: string | undefined;
}

/** How long replies usually take, in milliseconds. */
const WAIT_MS = 1;

/**
 * One client as its tracking drives the delivery: reads are remembered in a table before they are
 * sent, changes of keys that the table does not have are not heard of, replies come in order.
 */
class Model {
  readonly #table = new TrackingTable(COEFFICIENTS);
  readonly #delivery = new Delivery(
    (what) => this.#deliver(what),
    () => {},
  );
  readonly #sent: Sent[] = [];
  readonly #changes: Change[] = [];
  readonly #delivered: { readonly at: number; readonly what: unknown }[] = [];
  #time = 0; // of the clock
  #at = 0; // how much has happened
  #landed = 0;
  readonly #isGated: boolean;

  /** @param isGated tracking is being switched on, and upstream has not let that pass yet */
  constructor(isGated: boolean) {
    this.#isGated = isGated;
    if (!isGated) return;
    const flight = flightOf([], false);
    this.#delivery.closeGate(flight);
    this.#sent.push({ flight, refused: false, departed: 0, landed: 0 });
  }

  do(step: Step): void {
    this.#at += 1;
    if (step.kind === 'depart') this.#depart(step.keys, step.reads, step.refused);
    else if (step.kind === 'land') this.#land();
    else if (step.kind === 'changed') this.#changed(step.key);
    else if (step.kind === 'changedAll') this.#changedAll();
    else this.#tick(step.ms);
  }

  /**
   * All replies come, all deadlines pass, and every key changes once more.
   *
   * @returns reads after which the client is misled
   */
  finish(): readonly string[] {
    while (this.#landed < this.#sent.length) this.do({ kind: 'land' });
    this.do({ kind: 'tick', ms: 1_000 });
    expect([this.#delivery.parkedCount, this.#delivery.hasDues]).toEqual([0, false]);
    for (const index of KEYS.keys()) this.do({ kind: 'changed', key: index });
    return this.#sent.flatMap((sent) => this.#misled(sent));
  }

  /** P1: a change after a read departed is told at or after the read's reply. */
  #misled(sent: Sent, changedBy = Number.POSITIVE_INFINITY): readonly string[] {
    if (sent.refused) return [];
    return sent.flight.readKeys.filter((key) => {
      const changed = this.#changes.some(
        (change) =>
          change.at > sent.departed && change.timeMs <= changedBy && (change.key ?? key) === key,
      );
      const told = this.#delivered.some(
        ({ at, what }) => at >= sent.landed && (what ?? key) === key,
      );
      return changed && !told;
    });
  }

  /** @returns reads that have misled the client for longer than any reply is waited for */
  overdue(): readonly string[] {
    const changedBy = this.#time - WAIT_MS - PARK_MS;
    const landed = this.#sent.slice(0, this.#landed);
    return landed.flatMap((sent) => this.#misled(sent, changedBy));
  }

  #depart(keys: readonly number[], reads: boolean, refused: boolean): void {
    const flight = flightOf(keys, reads);
    this.#delivery.depart(flight);
    for (const [index, key] of flight.readKeys.entries()) {
      if (this.#table.remember(key, READER)) this.#delivery.added(flight, index);
    }
    this.#sent.push({ flight, refused, departed: this.#at, landed: 0 });
  }

  #land(): void {
    const sent = this.#sent[this.#landed];
    if (sent === undefined) return;
    this.#landed += 1;
    sent.landed = this.#at;
    for (const key of this.#delivery.land(sent.flight, sent.refused)) {
      this.#table.forget(key, READER);
    }
  }

  #changed(index: number): void {
    const key = KEYS[index] ?? keyOf('');
    this.#changes.push({ at: this.#at, timeMs: this.#time, key });
    for (const _ of this.#table.take(key)) this.#delivery.changed(key, this.#time, WAIT_MS);
  }

  #changedAll(): void {
    this.#changes.push({ at: this.#at, timeMs: this.#time, key: undefined });
    this.#table.clear();
    this.#delivery.changedAll(this.#time, WAIT_MS);
  }

  #tick(ms: number): void {
    this.#time += ms;
    this.#delivery.tick(this.#time);
  }

  /** What leaves while the gate is closed reaches nobody. */
  #deliver(what: unknown): void {
    const isOpen = !this.#isGated || this.#landed > 0;
    if (isOpen) this.#delivered.push({ at: this.#at, what });
  }
}

function flightOf(keys: readonly number[], reads: boolean): Flight {
  const named = keys.map((key) => KEYS[key] ?? keyOf(''));
  const readKeys = reads ? named : [];
  const isSingle = reads && named.length === 1;
  return { keys: named, readKeys, isSingle, order: 0, parked: undefined, named: [], read: [] };
}

const key = fc.constantFrom(0, 0, 0, 1, 2); // mostly one, so that requests meet

/** @param refused how requests end */
function steps(refused: fc.Arbitrary<boolean>): fc.Arbitrary<Step[]> {
  const depart = fc.record({
    kind: fc.constant('depart' as const),
    keys: fc.array(key, { minLength: 1, maxLength: 2 }),
    reads: fc.boolean(),
    refused,
  });
  const changed = fc.record({ kind: fc.constant('changed' as const), key });
  const tick = fc.record({ kind: fc.constant('tick' as const), ms: fc.constantFrom(1, 5, 11, 40) });
  const land = fc.record({ kind: fc.constant('land' as const) });
  const rare = fc.record({ kind: fc.constant('changedAll' as const) });
  const step = fc.oneof(
    { weight: 6, arbitrary: depart },
    { weight: 5, arbitrary: changed },
    { weight: 5, arbitrary: land },
    { weight: 3, arbitrary: tick },
    { weight: 1, arbitrary: rare },
  );
  return fc.array(step, { minLength: 1, maxLength: 24, size: 'max' });
}

function misled(isGated: boolean, list: readonly Step[]): readonly string[] {
  const model = new Model(isGated);
  for (const step of list) model.do(step);
  return model.finish();
}

describe('whatever happens in whatever order, no tracked read is left to mislead', () => {
  test('where every request is executed', () => {
    fc.assert(
      fc.property(fc.boolean(), steps(fc.constant(false)), (isGated, list) => {
        expect(misled(isGated, list)).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  test('where some requests are refused', () => {
    fc.assert(
      fc.property(fc.boolean(), steps(fc.boolean()), (isGated, list) => {
        expect(misled(isGated, list)).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  test('for longer than a reply is waited for, though later requests block', () => {
    fc.assert(
      fc.property(steps(fc.constant(false)), (list) => {
        const model = new Model(false);
        for (const step of list) {
          model.do(step);
          if (step.kind === 'tick') expect(model.overdue()).toEqual([]);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
