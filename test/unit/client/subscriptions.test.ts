import { describe, expect, test } from 'vitest';
import {
  arrayKindAt,
  countOf,
  isConfirmation,
  kindAt,
  monitorKindAt,
  pushKindAt,
  Subscriptions,
} from '../../../src/client/subscriptions.ts';
import { bytesOf } from '../../helpers/scan.ts';

const CONFIRMATIONS = [
  'subscribe',
  'psubscribe',
  'ssubscribe',
  'unsubscribe',
  'punsubscribe',
  'sunsubscribe',
] as const;

/** A frame, its kind, and from how many bytes on the kind can be told. */
interface Row {
  readonly frame: string;
  readonly kind: string;
  readonly bytesNeeded: number;
}

function named(lead: string, kind: string, rest: string): Row {
  const head = `${lead}\r\n$${kind.length}\r\n${kind}`;
  return { frame: `${head}\r\n${rest}`, kind, bytesNeeded: head.length };
}

const ROWS: readonly Row[] = [
  ...CONFIRMATIONS.flatMap((kind) => [
    named('*3', kind, '$1\r\na\r\n:1\r\n'),
    named('>3', kind, '$1\r\na\r\n:1\r\n'),
  ]),
  named('*3', 'message', '$1\r\na\r\n$1\r\nb\r\n'),
  named('>4', 'pmessage', '$1\r\n*\r\n$1\r\na\r\n$1\r\nb\r\n'),
  named('*3', 'smessage', '$1\r\na\r\n$1\r\nb\r\n'),
  named('*2', 'pong', '$0\r\n\r\n'),
  named('>2', 'invalidate', '_\r\n'),
  named('*1234567', 'x', '$1\r\na\r\n'),
  { frame: '*2\r\n$0\r\n\r\n:1\r\n', kind: '', bytesNeeded: 8 },
  { frame: '*-1\r\n', kind: '', bytesNeeded: 2 },
  { frame: '*2\r\n:1\r\n:2\r\n', kind: '', bytesNeeded: 5 },
  { frame: '*2\r\n*1\r\n:1\r\n:2\r\n', kind: '', bytesNeeded: 5 },
  { frame: '*1\r\n$-1\r\n', kind: '', bytesNeeded: 6 },
  { frame: '>1\r\n+subscribe\r\n', kind: '', bytesNeeded: 5 },
  {
    frame: `*2\r\n$60\r\n${'m'.repeat(60)}\r\n$1\r\na\r\n`,
    kind: '',
    bytesNeeded: '*2\r\n$60\r\n'.length,
  },
];

describe('the kind of a frame', () => {
  test.for(ROWS)('is told at every cut of $frame', ({ frame, kind, bytesNeeded }) => {
    for (let length = 1; length <= frame.length; length++) {
      const wanted = length < bytesNeeded ? undefined : kind;
      expect([length, kindAt(bytesOf(frame.slice(0, length)), 0)]).toEqual([length, wanted]);
    }
  });

  test.for(ROWS)('is told anywhere in a chunk: $frame', ({ frame, kind }) => {
    expect(kindAt(bytesOf(`+OK\r\n${frame}+message\r\n`), 5)).toBe(kind);
  });

  test('is push for a push of another shape, undefined while it is cut', () => {
    expect(pushKindAt(bytesOf('>1\r\n:1\r\n'), 0)).toBe('push');
    expect(pushKindAt(bytesOf('>2\r\n$10\r\ninvalidate\r\n_\r\n'), 0)).toBe('invalidate');
    expect(pushKindAt(bytesOf('>2\r\n$10\r\ninvali'), 0)).toBeUndefined();
  });

  test('of an array counts only where it is one of pub/sub', () => {
    expect(arrayKindAt(bytesOf('*2\r\n$4\r\npong\r\n$0\r\n\r\n'), 0)).toBe('');
    expect(arrayKindAt(bytesOf('*3\r\n$7\r\nmessage\r\n$1'), 0)).toBe('message');
    expect(arrayKindAt(bytesOf('*3\r\n$7\r\nmess'), 0)).toBeUndefined();
  });

  test('is a confirmation for six of them', () => {
    expect(CONFIRMATIONS.every(isConfirmation)).toBe(true);
    expect(['message', 'pong', '', 'SUBSCRIBE', 'invalidate'].some(isConfirmation)).toBe(false);
  });

  test('of an empty array is told without what follows it', () => {
    expect(kindAt(bytesOf('*0\r\n:1\r\n'), 0)).toBe('');
  });

  test('of an empty array at the end of a chunk is told', () => {
    expect(kindAt(bytesOf('*0\r\n'), 0)).toBe('');
  });
});

const LINE = '+1700000000.123456 [0 127.0.0.1:5000] "PING"\r\n';
const MONITOR_ROWS: readonly { frame: string; kind: string; bytesNeeded: number }[] = [
  { frame: LINE, kind: 'monitor', bytesNeeded: '+1700000000.123456 ['.length },
  { frame: '+OK\r\n', kind: '', bytesNeeded: 5 },
  { frame: '+\r\n', kind: '', bytesNeeded: 3 },
  { frame: '+1700000000.123456\r\n', kind: '', bytesNeeded: 20 },
  { frame: '+1700000000.12345 [0 x]\r\n', kind: '', bytesNeeded: 24 },
  { frame: '+a status that is no line of it\r\n', kind: '', bytesNeeded: 24 },
];

test.for(MONITOR_ROWS)('a line of MONITOR is told at every cut: $frame', (row) => {
  for (let length = 1; length <= row.frame.length; length++) {
    const wanted = length < row.bytesNeeded ? undefined : row.kind;
    const told = monitorKindAt(bytesOf(`x${row.frame.slice(0, length)}`), 1);
    expect([length, told]).toEqual([length, wanted]);
  }
});

test.for([
  ['*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n', 1],
  ['*3\r\n$9\r\nsubscribe\r\n$3\r\n:9:\r\n:12\r\n', 12],
  ['*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n', 0],
  ['>3\r\n$11\r\nunsubscribe\r\n_\r\n:100000\r\n', 100_000],
] as const)('the count of a confirmation is read: %s', ([frame, count]) => {
  expect(countOf(bytesOf(frame))).toBe(count);
});

describe('subscriptions', () => {
  /** Frames to leave of channels, patterns and shard channels. */
  function left(subscriptions: Subscriptions): readonly number[] {
    const kinds = ['unsubscribe', 'punsubscribe', 'sunsubscribe'];
    return kinds.map((kind) => subscriptions.framesToLeave(kind));
  }

  function confirmedBy(...confirmations: readonly (readonly [string, number])[]): Subscriptions {
    const subscriptions = new Subscriptions();
    for (const [kind, count] of confirmations) subscriptions.confirm(kind, count);
    return subscriptions;
  }

  test('are none at first: one frame answers each way to leave', () => {
    expect(confirmedBy().active).toBe(false);
    expect(left(confirmedBy())).toEqual([1, 1, 1]);
  });

  test('of channels and patterns are counted as one sum, of shards apart', () => {
    const subscriptions = confirmedBy(
      ['subscribe', 1],
      ['subscribe', 2],
      ['psubscribe', 3],
      ['subscribe', 4],
      ['psubscribe', 5],
      ['ssubscribe', 1],
      ['ssubscribe', 2],
      ['ssubscribe', 3],
      ['ssubscribe', 4],
    );
    expect(left(subscriptions)).toEqual([3, 2, 4]);
  });

  test('that exist already, or never did, change nothing', () => {
    const subscriptions = confirmedBy(
      ['subscribe', 1],
      ['subscribe', 1],
      ['unsubscribe', 1],
      ['psubscribe', 2],
      ['psubscribe', 2],
      ['psubscribe', 3],
      ['punsubscribe', 3],
    );
    expect(left(subscriptions)).toEqual([1, 2, 1]);
  });

  test('end one by one', () => {
    const subscriptions = confirmedBy(['subscribe', 1], ['psubscribe', 2], ['ssubscribe', 1]);
    const active: boolean[] = [];
    for (const [kind, count] of [
      ['unsubscribe', 1],
      ['sunsubscribe', 0],
      ['punsubscribe', 0],
    ] as const) {
      subscriptions.confirm(kind, count);
      active.push(subscriptions.active);
    }
    expect(active).toEqual([true, true, false]);
  });

  test('of patterns end apart from those of channels', () => {
    const subscriptions = confirmedBy(
      ['subscribe', 1],
      ['subscribe', 2],
      ['subscribe', 3],
      ['psubscribe', 4],
      ['psubscribe', 5],
      ['punsubscribe', 4],
      ['punsubscribe', 3],
      ['unsubscribe', 2],
    );
    expect(left(subscriptions)).toEqual([2, 1, 1]);
  });

  test('are cleared by RESET', () => {
    const subscriptions = confirmedBy(['subscribe', 1], ['psubscribe', 2], ['ssubscribe', 3]);
    subscriptions.clear();
    expect(subscriptions.active).toBe(false);
    expect(left(subscriptions)).toEqual([1, 1, 1]);
    subscriptions.confirm('psubscribe', 1);
    expect(subscriptions.active).toBe(true);
  });
});
