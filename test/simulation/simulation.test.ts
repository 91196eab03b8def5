import { describe, expect, test } from 'vitest';
import { runSeed, tellFailure } from './run.ts';
import { setupOf } from './schedule.ts';
import { shrink } from './shrink.ts';
import { BrokenFrame, FrameReader } from './wire.ts';

/** How many schedules are run, and where they begin. `npm run test:simulation` runs others. */
const RUNS = 10_000;
const FIRST_SEED = 1;

describe('whatever arrives in whatever order', () => {
  test(`${RUNS} schedules keep every promise`, () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
      const failure = runSeed(seed);
      if (failure !== undefined) expect.fail(tellFailure(shrink(failure)));
    }
  });

  test('a seed is the same run each time', () => {
    expect(setupOf(7)).toEqual(setupOf(7));
    expect(setupOf(7)).not.toEqual(setupOf(8));
  });
});

describe('the eyes of the simulated client', () => {
  const read = (text: string) => {
    const reader = new FrameReader();
    const frames: string[] = [];
    for (const byte of Buffer.from(text)) {
      reader.feed(Buffer.from([byte]), ({ raw }) => frames.push(raw));
    }
    return frames;
  };

  test('see a push between replies', () => {
    const push = '>2\r\n$10\r\ninvalidate\r\n_\r\n';
    expect(read(`+OK\r\n${push}:1\r\n`)).toEqual(['+OK\r\n', push, ':1\r\n']);
  });

  test('see a push inside a reply', () => {
    expect(() => read('*2\r\n:1\r\n>1\r\n$1\r\nx\r\n:2\r\n')).toThrow(BrokenFrame);
  });

  test('see a body that something was written into', () => {
    expect(() => read('$4\r\nab>1\r\n_\r\ncd\r\n')).toThrow(BrokenFrame);
  });
});
