import { describe, expect, test } from 'vitest';
import { Attribution } from '../../../src/invalidation/attribution.ts';

/** An attribution whose words are w0, w1 ..., the first of which names its channel. */
function attribution() {
  let words = 0;
  const ended: number[] = [];
  const made = new Attribution(() => `w${words++}`);
  return {
    made,
    ended,
    /** Expects a write of `writer`. @returns its word */
    expectOf: (writer: number) =>
      made.expect(
        writer,
        () => ended.push(writer),
        (key) => key === 'named',
      ),
  };
}

describe('attribution', () => {
  test('has a channel that nobody can guess, and expects nothing at first', () => {
    const { made } = attribution();
    expect(made.channel).toBe('__sidetrack__:w0');
    expect([made.isHeard, made.writer, made.expectedCount]).toEqual([false, undefined, 0]);
  });

  test('lasts from the first message to the second', () => {
    const { made, ended, expectOf } = attribution();
    const word = expectOf(7);
    expect([word, made.writer, made.expectedCount]).toEqual(['w1', undefined, 1]);
    made.heard(word);
    expect([made.writer, ended]).toEqual([7, []]);
    made.heard(word);
    expect([made.writer, ended, made.expectedCount]).toEqual([undefined, [7], 0]);
  });

  test('counts each word once', () => {
    const { made, ended, expectOf } = attribution();
    const word = expectOf(7);
    for (const _ of [1, 2, 3, 4]) made.heard(word);
    expect([made.writer, ended, made.expectedCount]).toEqual([undefined, [7], 0]);
  });

  test('knows no other words, not even that of its channel', () => {
    const { made, ended, expectOf } = attribution();
    const word = expectOf(7);
    for (const other of ['', 'w0', 'x', word.toUpperCase()]) made.heard(other);
    expect([made.writer, ended]).toEqual([undefined, []]);
    made.heard(word);
    made.heard('x');
    expect([made.writer, ended]).toEqual([7, []]);
  });

  test('keeps several writes apart', () => {
    const { made, ended, expectOf } = attribution();
    const [first, second, third] = [expectOf(7), expectOf(8), expectOf(7)];
    const writers: unknown[] = [];
    for (const word of [first, first, second, second, third, third]) {
      made.heard(word);
      writers.push(made.writer);
    }
    expect(writers).toEqual([7, undefined, 8, undefined, 7, undefined]);
    expect(ended).toEqual([7, 8, 7]);
  });
});

describe('a write that is forgotten', () => {
  test('is over, and its word means nothing any more', () => {
    const { made, ended, expectOf } = attribution();
    const word = expectOf(7);
    made.forget(word);
    made.forget(word);
    made.heard(word);
    expect([made.writer, ended, made.expectedCount]).toEqual([undefined, [7], 0]);
  });

  test('in its midst ends there', () => {
    const { made, ended, expectOf } = attribution();
    const word = expectOf(7);
    made.heard(word);
    made.forget(word);
    made.heard(word);
    expect([made.writer, ended]).toEqual([undefined, [7]]);
  });

  test('does not end another', () => {
    const { made, ended, expectOf } = attribution();
    const [current, other] = [expectOf(7), expectOf(8)];
    made.heard(current);
    made.forget(other);
    made.forget('x');
    expect([made.writer, ended]).toEqual([7, [8]]);
  });
});

describe('a gap', () => {
  test('ends all writes, each once', () => {
    const { made, ended, expectOf } = attribution();
    const words = [expectOf(7), expectOf(8), expectOf(9)];
    made.heard(words[1] as string);
    made.reset();
    made.reset();
    for (const word of words) {
      made.heard(word);
      made.forget(word);
    }
    expect([made.writer, ended, made.expectedCount]).toEqual([undefined, [7, 8, 9], 0]);
  });

  test('leaves alone what is expected because of its end', () => {
    const { made } = attribution();
    let again = '';
    made.expect(
      7,
      () => {
        again = made.expect(
          8,
          () => {},
          () => true,
        );
      },
      () => true,
    );
    made.reset();
    expect(made.expectedCount).toBe(1);
    made.heard(again);
    expect(made.writer).toBe(8);
  });

  test('tells which keys the write names that is heard now', () => {
    const { made, expectOf } = attribution();
    const word = expectOf(7);
    expect(made.declares('named')).toBe(false);
    made.heard(word);
    expect([made.declares('named'), made.declares('another')]).toEqual([true, false]);
    made.heard(word);
    expect(made.declares('named')).toBe(false);
  });
});
