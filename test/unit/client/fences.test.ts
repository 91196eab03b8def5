import { describe, expect, test } from 'vitest';
import { Fences, type Listener } from '../../../src/client/fences.ts';

/** A client that says when it has been told. */
class Party implements Listener {
  readonly released: (() => void)[] = [];
  readonly told: (() => void)[] = [];
  cuts = 0;

  whenReleased(run: () => void): void {
    this.released.push(run);
  }

  whenTold(run: () => void): void {
    this.told.push(run);
  }

  cutOff(): void {
    this.cuts += 1;
    for (const run of [...this.released.splice(0), ...this.told.splice(0)]) run();
  }

  release(): void {
    for (const run of this.released.splice(0)) run();
  }

  tell(): void {
    for (const run of this.told.splice(0)) run();
  }
}

/** Fences, the questions to the source, and what has been passed. */
class Rig {
  readonly questions: ((heard: boolean) => void)[] = [];
  readonly passed: string[] = [];
  /** How many had been passed whenever what had been told was sent. */
  readonly flushedAt: number[] = [];
  settledCount = 0;
  readonly settled = () => void this.settledCount++;
  readonly limits = new Set<() => void>();
  parties: Party[] = [];
  isBlind = false;
  readonly fences = new Fences({
    sync: (done) => this.questions.push(done),
    isBlind: () => this.isBlind,
    listeners: () => this.parties,
    flush: () => this.flushedAt.push(this.passed.length),
    limit: (run) => {
      this.limits.add(run);
      return () => this.limits.delete(run);
    },
  });

  raise(...names: readonly string[]): void {
    for (const name of names) this.fences.raise(() => this.passed.push(name), this.settled);
  }

  answer(heard = true): void {
    this.questions.shift()?.(heard);
  }
}

describe('a fence', () => {
  test('that is passed with others of the same client settles once', () => {
    const rig = new Rig();
    rig.raise('a');
    rig.raise('b', 'c');
    rig.answer();
    expect(rig.settledCount).toBe(1);
    rig.answer();
    expect([rig.settledCount, rig.passed]).toEqual([2, ['a', 'b', 'c']]);
  });

  test('is passed behind what has been told in the same turn', () => {
    const rig = new Rig();
    rig.raise('a', 'b');
    rig.answer();
    expect(rig.flushedAt).toEqual([0]);
    rig.answer();
    expect([rig.flushedAt, rig.passed]).toEqual([
      [0, 1],
      ['a', 'b'],
    ]);
  });

  test('is passed when the source has answered', () => {
    const rig = new Rig();
    rig.raise('a');
    expect([rig.questions.length, rig.passed]).toEqual([1, []]);
    rig.answer();
    expect(rig.passed).toEqual(['a']);
  });

  test('that is raised while a question is under way shares the next one', () => {
    const rig = new Rig();
    rig.raise('a', 'b', 'c');
    expect(rig.questions.length).toBe(1);
    rig.answer();
    expect([rig.questions.length, rig.passed]).toEqual([1, ['a']]);
    rig.answer();
    expect([rig.questions.length, rig.passed]).toEqual([0, ['a', 'b', 'c']]);
  });

  test('waits for what waits for a reply, and then for the end of a reply', () => {
    const rig = new Rig();
    const party = new Party();
    rig.parties = [party];
    rig.raise('a');
    rig.answer();
    const later = new Party(); // what is released reaches it, and meets a reply half sent
    rig.parties = [party, later];
    party.release();
    expect(rig.passed).toEqual([]);
    party.tell();
    expect(rig.passed).toEqual([]);
    later.tell();
    expect(rig.passed).toEqual(['a']);
    expect(rig.limits.size).toBe(0);
  });

  test('waits for no one who came later', () => {
    const rig = new Rig();
    const party = new Party();
    rig.parties = [party];
    rig.raise('a');
    rig.answer();
    party.release();
    rig.parties = [party, new Party()];
    party.tell();
    expect(rig.passed).toEqual(['a']);
  });

  test('cuts off whoever keeps it waiting too long', () => {
    const rig = new Rig();
    const [quick, stuck] = [new Party(), new Party()];
    rig.parties = [quick, stuck];
    rig.raise('a');
    rig.answer();
    quick.release();
    for (const run of [...rig.limits]) run();
    expect([quick.cuts, stuck.cuts, rig.passed]).toEqual([0, 1, []]);
    quick.tell();
    stuck.tell();
    expect(rig.passed).toEqual(['a']);
  });

  test('is passed at once while the source is lost', () => {
    const rig = new Rig();
    rig.isBlind = true;
    rig.raise('a');
    expect([rig.questions.length, rig.passed]).toEqual([0, ['a']]);
  });

  test('whose question is lost waits until everybody has been told so', () => {
    const rig = new Rig();
    rig.raise('a');
    rig.answer(false);
    expect(rig.passed).toEqual([]);
    rig.raise('b');
    rig.answer(false);
    rig.isBlind = true;
    rig.fences.blinded();
    expect(rig.passed).toEqual(['a', 'b']);
    rig.fences.blinded();
    expect(rig.passed).toEqual(['a', 'b']);
  });

  test('whose loss is told before its question fails waits no longer than that', () => {
    const rig = new Rig();
    rig.raise('a', 'b');
    rig.isBlind = true;
    rig.fences.blinded();
    rig.answer(false);
    rig.answer(false);
    expect(rig.passed).toEqual(['a', 'b']);
  });
});
