import { describe, expect, test } from 'vitest';
import { KEEP, Ledger, type Owed, PASS, PASS_BLOCKING } from '../../../src/client/ledger.ts';

function owed(over: Partial<Owed> = {}): Owed {
  return {
    keep: KEEP.none,
    drop: false,
    blocks: false,
    flushes: false,
    settle: () => 'pass',
    ...over,
  };
}

function entries(count: number): Owed[] {
  return Array.from({ length: count }, () => owed());
}

describe('a ledger', () => {
  test('is empty at first', () => {
    const ledger = new Ledger();
    expect([ledger.size, ledger.blocking, ledger.flushing]).toEqual([0, 0, 0]);
    expect(ledger.head).toBeUndefined();
  });

  test('is a defect of ours to shift when empty, also after use', () => {
    const ledger = new Ledger();
    const broken = expect.objectContaining({ code: 'LEDGER_BROKEN' });
    expect(() => ledger.shift()).toThrow(broken);
    ledger.push(PASS);
    ledger.shift();
    expect(ledger.head).toBeUndefined();
    expect(() => ledger.shift()).toThrow(broken);
  });

  test('takes many of one kind at once, and gives up those that are just passed on', () => {
    const ledger = new Ledger();
    const own = owed();
    for (let round = 0; round < 3; round++) {
      ledger.push(PASS, 5);
      ledger.push(own);
      ledger.push(PASS, 2_000);
      ledger.push(PASS_BLOCKING, 3);
      expect([ledger.size, ledger.blocking]).toEqual([2_009, 3]);
      expect([0, 4, 5, 6, 2_005, 2_006, 2_009].map((at) => ledger.isPass(at))).toEqual([
        true,
        true,
        false,
        true,
        true,
        false,
        false,
      ]);
      ledger.shiftPass(5);
      expect(ledger.shift()).toBe(own);
      ledger.shiftPass(2_000);
      for (let left = 3; left > 0; left--) expect(ledger.shift()).toBe(PASS_BLOCKING);
      expect([ledger.size, ledger.blocking, ledger.head]).toEqual([0, 0, undefined]);
      expect(ledger.shiftCount).toBe(2_009 * (round + 1));
    }
  });

  test.for([1, 7, 8, 9, 16, 17, 1_024, 1_025, 5_000])('keeps %i entries in order', (count) => {
    const ledger = new Ledger();
    const all = entries(count);
    for (const entry of all) ledger.push(entry);
    expect(ledger.size).toBe(count);
    expect(all.every((entry) => ledger.head === entry && ledger.shift() === entry)).toBe(true);
    expect([ledger.size, ledger.head]).toEqual([0, undefined]);
  });

  // The ring's first entry then lies at any place when it is full and has to grow.
  test.for([1, 3, 5, 7, 8, 13])('grows in order when its first entry is at place %i', (place) => {
    const ledger = new Ledger();
    const all = entries(place + 100);
    const out: Owed[] = [];
    for (let index = 0; index < place; index++) {
      ledger.push(all[index] as Owed);
      out.push(ledger.shift());
    }
    for (const entry of all.slice(place)) ledger.push(entry);
    expect(ledger.size).toBe(100);
    while (ledger.size > 0) out.push(ledger.shift());
    expect(out.every((entry, index) => entry === all[index])).toBe(true);
    expect(out).toHaveLength(all.length);
  });

  test('stays in order through many rounds of growing and emptying', () => {
    const ledger = new Ledger();
    const all = entries(9_000);
    let pushed = 0;
    let shifted = 0;
    for (let round = 1; pushed < all.length; round++) {
      for (let n = 0; n < round * 7 && pushed < all.length; n++) ledger.push(all[pushed++] as Owed);
      const leave = round % 5 === 0 ? 0 : round;
      while (ledger.size > leave) {
        if (ledger.shift() !== all[shifted++]) throw new Error(`entry ${shifted} is not in order`);
      }
    }
    expect(pushed - shifted).toBe(ledger.size);
  });

  test('counts the entries that block and those that flush', () => {
    const ledger = new Ledger();
    const flushing = owed({ flushes: true });
    const both = owed({ blocks: true, flushes: true });
    const counts = () => [ledger.size, ledger.blocking, ledger.flushing];
    for (const entry of [PASS, PASS_BLOCKING, flushing, both]) ledger.push(entry);
    expect(counts()).toEqual([4, 2, 2]);
    ledger.shift();
    expect(counts()).toEqual([3, 2, 2]);
    ledger.shift();
    expect(counts()).toEqual([2, 1, 2]);
    ledger.shift();
    expect(counts()).toEqual([1, 1, 1]);
    ledger.shift();
    expect(counts()).toEqual([0, 0, 0]);
  });

  test('tells each entry once, in order, that its reply is lost', () => {
    const ledger = new Ledger();
    const lost: number[] = [];
    const told = (index: number) =>
      owed({ blocks: true, flushes: true, lost: () => void lost.push(index) });
    for (let index = 0; index < 20; index++) ledger.push(index % 2 === 0 ? told(index) : PASS);
    ledger.abandon();
    expect(lost).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    expect([ledger.size, ledger.blocking, ledger.flushing]).toEqual([0, 0, 0]);
    ledger.abandon();
    expect(lost).toHaveLength(10);
  });

  test('does not call an entry lost whose reply has come', () => {
    const ledger = new Ledger();
    const lost: string[] = [];
    ledger.push(owed({ lost: () => void lost.push('answered') }));
    ledger.push(owed({ lost: () => void lost.push('unanswered') }));
    ledger.shift();
    ledger.abandon();
    expect(lost).toEqual(['unanswered']);
  });
});
