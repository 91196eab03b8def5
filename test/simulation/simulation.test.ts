import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MUTATIONS } from './mutations.ts';
import { replay, runSeed, tellFailure } from './run.ts';
import { setupOf } from './schedule.ts';
import { shrink } from './shrink.ts';
import { HOPS, type Hop, type Setup, type Step } from './steps.ts';
import { BrokenFrame, encode, FrameReader } from './wire.ts';

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

describe('what the simulated client makes of silence', () => {
  const setup: Setup = {
    seed: 0,
    clients: [{ target: undefined, isListener: false, protocol: 3, output: undefined }],
    hasPassword: false,
    knowsTracking: true,
    asksForAccess: false,
    db: 0,
    secret: undefined,
    maxKeys: 0,
    fences: 'never',
  };
  const send = (...requests: string[]): Step => ({
    kind: 'send',
    client: 0,
    requests: requests.map((request) => request.split(' ')),
  });
  const move = (hop: Hop, count = 0): Step => ({ kind: 'move', client: 0, hop, count });
  const there = HOPS.map((hop) => move(hop));

  test('a MULTI that the proxy asks its own question in is not the client', () => {
    const standIn = encode(['CLIENT', 'TRACKING', 'OFF']);
    const multi = encode(['MULTI']);
    const steps = [
      ...[send('HELLO 3'), ...there, send('CLIENT REPLY OFF'), ...there],
      ...[send('CLIENT TRACKING ON BCAST NOLOOP'), send('MULTI'), move('client to proxy')],
      // Redis gets the stand-in and the MULTI of the question; then a push comes.
      ...[move('proxy to Redis', standIn.length + multi.length), { kind: 'notice' } as const],
      ...[move('Redis to proxy'), move('proxy to client')],
    ];
    expect(replay(setup, steps)?.message).toBeUndefined();
  });

  test('its own MULTI is over though nothing follows it', () => {
    const steps = [send('HELLO 3'), ...there, send('CLIENT REPLY OFF', 'MULTI'), ...there];
    expect(replay(setup, steps)?.message).toBeUndefined();
  });
});

test.for(MUTATIONS)('the sources have what a mutation changes: $name', ({ edits }) => {
  for (const { file, from } of edits) {
    const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    expect(source.split(from).length - 1, `${file} holds once: ${from}`).toBe(1);
  }
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
