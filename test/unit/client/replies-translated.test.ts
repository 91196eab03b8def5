import { describe, expect, test } from 'vitest';
import { KEEP, type Owed, PASS, PASS_FENCED, SWALLOW } from '../../../src/client/ledger.ts';
import { consequent } from '../../../src/client/owed.ts';
import { KEPT_MAX_BYTES, ReplyReader } from '../../../src/client/replies.ts';
import type { Rule } from '../../../src/translate/rules.ts';
import { pushTo } from '../../helpers/pushing.ts';
import { decodeReply, everyCut } from '../../helpers/resp.ts';
import { bytesOf } from '../../helpers/scan.ts';
import { ruleFor } from '../../helpers/translate.ts';

/** An entry, and how its reply is translated. */
type Entry = readonly [owed: Owed, rule?: Rule | undefined];

/** What upstream sends in RESP2, and what a client of RESP3 gets. */
interface Row {
  readonly name: string;
  readonly owed: () => readonly Entry[];
  readonly from: string;
  readonly to: string;
  readonly prepare?: (reader: ReplyReader) => void;
}

const HGETALL = ruleFor('HGETALL h');
const ZSCORE = ruleFor('ZSCORE z a');
const ZPOPMIN = ruleFor('ZPOPMIN z 2');
const PUSH = ruleFor('SUBSCRIBE ch');

const EXEC = () => consequent({}, { opens: 'slots' });

function transaction(...queued: readonly Entry[]) {
  return (reader: ReplyReader) => {
    reader.transaction.begin();
    for (const [owed, rule] of queued) reader.transaction.queue({ ...owed, rule });
  };
}

const QUEUED: Owed = { ...PASS, slot: false };

const ROWS: readonly Row[] = [
  {
    name: 'replies of each kind, with and without a rule',
    owed: () => [[PASS], [PASS, HGETALL], [PASS], [PASS, ZSCORE], [PASS], [PASS, ZPOPMIN], [PASS]],
    from:
      '$-1\r\n*2\r\n$1\r\nf\r\n$2\r\nab\r\n*-1\r\n$3\r\n1.5\r\n+OK\r\n' +
      '*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$3\r\ninf\r\n*2\r\n:1\r\n$-1\r\n',
    to:
      '_\r\n%1\r\n$1\r\nf\r\n$2\r\nab\r\n_\r\n,1.5\r\n+OK\r\n' +
      '*2\r\n*2\r\n$1\r\na\r\n,1\r\n*2\r\n$1\r\nb\r\n,inf\r\n*2\r\n:1\r\n_\r\n',
  },
  {
    name: 'errors in the place of what has a rule',
    owed: () => [[PASS, HGETALL], [PASS_FENCED, ZSCORE], [PASS]],
    from: '-ERR a\r\n-WRONGTYPE b\r\n$1\r\nx\r\n',
    to: '-ERR a\r\n-WRONGTYPE b\r\n$1\r\nx\r\n',
  },
  {
    name: 'what is kept, dropped, or answered in its place',
    owed: () => [
      [consequent({}, { keep: KEEP.all }), HGETALL],
      [SWALLOW],
      [consequent({ settle: () => bytesOf('*2\r\n$-1\r\n:1\r\n') }, { keep: KEEP.all }), HGETALL],
      [
        consequent(
          { settle: () => bytesOf('*2\r\n$1\r\nk\r\n$-1\r\n') },
          { keep: KEEP.all, patches: true },
        ),
        HGETALL,
      ],
    ],
    from: '*2\r\n$1\r\nf\r\n$-1\r\n*-1\r\n*0\r\n*0\r\n',
    to: '%1\r\n$1\r\nf\r\n_\r\n*2\r\n$-1\r\n:1\r\n%1\r\n$1\r\nk\r\n_\r\n',
  },
  {
    name: 'a transaction, element by element',
    owed: () => [[EXEC()], [PASS]],
    prepare: transaction([QUEUED, HGETALL], [QUEUED], [QUEUED, ZPOPMIN], [QUEUED, ZSCORE]),
    from: '*4\r\n*2\r\n$1\r\nf\r\n$1\r\n1\r\n*-1\r\n*0\r\n-ERR x\r\n$-1\r\n',
    to: '*4\r\n%1\r\n$1\r\nf\r\n$1\r\n1\r\n_\r\n*0\r\n-ERR x\r\n_\r\n',
  },
  {
    name: 'a transaction that WATCH has ended',
    owed: () => [[EXEC()], [PASS]],
    prepare: transaction([QUEUED, HGETALL]),
    from: '*-1\r\n$-1\r\n',
    to: '_\r\n_\r\n',
  },
  {
    name: 'a transaction, of which some is not for the client',
    owed: () => [[EXEC()], [PASS]],
    prepare: transaction([SWALLOW], [QUEUED, ZSCORE], [SWALLOW]),
    from: '*3\r\n:0\r\n$4\r\n-inf\r\n:0\r\n*-1\r\n',
    to: '*1\r\n,-inf\r\n_\r\n',
  },
  {
    name: 'a write that was wrapped in a transaction',
    owed: () => [
      [SWALLOW],
      [
        consequent(
          { settle: () => 'drop' },
          { opens: 'always', bare: true, drop: true, elements: [SWALLOW, PASS, SWALLOW] },
        ),
        ZPOPMIN,
      ],
      [PASS],
    ],
    from: '+OK\r\n*3\r\n:1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n:1\r\n$-1\r\n',
    to: '*1\r\n*2\r\n$1\r\na\r\n,1\r\n_\r\n',
  },
  {
    name: 'confirmations of what was never subscribed to',
    owed: () => [
      [consequent({}, { confirms: 'unsubscribe', framesLeft: 2 }), PUSH],
      [consequent({}, { confirms: 'punsubscribe', framesLeft: undefined }), PUSH],
      [PASS],
    ],
    from:
      '*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:0\r\n' +
      '*3\r\n$12\r\npunsubscribe\r\n$-1\r\n:0\r\n$-1\r\n',
    to:
      '>3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n>3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:0\r\n' +
      '>3\r\n$12\r\npunsubscribe\r\n_\r\n:0\r\n_\r\n',
  },
];

/** @returns the reader after all pieces, and what it has sent */
function read(row: Row, pieces: readonly Buffer[], between: (reader: ReplyReader) => void) {
  const sent: Buffer[] = [];
  const reader = new ReplyReader({
    send: (bytes) => sent.push(Buffer.from(bytes)),
    begin: () => {},
  });
  reader.protocol = 3;
  reader.translates = true;
  row.prepare?.(reader);
  for (const [owed, rule] of row.owed()) {
    reader.ledger.rule = rule;
    reader.ledger.push(owed);
    reader.ledger.rule = undefined;
  }
  for (const piece of pieces) {
    between(reader);
    reader.feed(piece);
  }
  return { reader, text: Buffer.concat(sent).toString('latin1') };
}

/** @returns the bytes of each frame */
function framesOf(bytes: Buffer): string[] {
  const frames: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + (decodeReply(bytes.subarray(at))?.end ?? bytes.length);
    frames.push(bytes.toString('latin1', at, end));
    at = end;
  }
  return frames;
}

describe('replies of RESP2 reach a client of RESP3', () => {
  test.for(ROWS)('$name', (row) => {
    for (const pieces of everyCut(bytesOf(row.from))) {
      const { reader, text } = read(row, pieces, () => {});
      expect(text).toBe(row.to);
      expect(reader.ledger.size).toBe(0);
      expect(reader.midReply).toBe(false);
    }
  });

  test.for(ROWS)('$name; with pushes, which never stand inside one', (row) => {
    const push = bytesOf('>2\r\n+push\r\n:1\r\n');
    for (const pieces of everyCut(bytesOf(row.from))) {
      const { text } = read(row, pieces, (reader) => pushTo(reader, push));
      const frames = framesOf(bytesOf(text));
      const isPush = (frame: string) => frame === push.toString('latin1');
      expect(frames.filter((frame) => !isPush(frame)).join('')).toBe(row.to);
      expect(frames.filter(isPush)).toHaveLength(pieces.length);
    }
  });
});

describe('a reply of RESP2 that is longer than may be kept', () => {
  const BYTES = KEPT_MAX_BYTES + 1_000;
  const TEXT = 'x'.repeat(BYTES);
  const PART = 'y'.repeat(1_000_003);
  const SETTINGS = 17;
  const SETTING = `$1\r\na\r\n$${PART.length}\r\n${PART}\r\n$1\r\nb\r\n`;

  const LONG = [
    {
      name: 'CLIENT LIST',
      from: `$${BYTES}\r\n${TEXT}\r\n`,
      to: `=${BYTES + 4}\r\ntxt:${TEXT}\r\n`,
    },
    {
      name: 'CONFIG GET *',
      from: `*${SETTINGS * 4}\r\n${`${SETTING}$-1\r\n`.repeat(SETTINGS)}`,
      to: `%${SETTINGS * 2}\r\n${`${SETTING}_\r\n`.repeat(SETTINGS)}`,
    },
    {
      name: 'LMPOP 1 k LEFT',
      from: `*${SETTINGS * 4}\r\n${`${SETTING}$-1\r\n`.repeat(SETTINGS)}`,
      to: `*${SETTINGS * 4}\r\n${`${SETTING}_\r\n`.repeat(SETTINGS)}`,
    },
    { name: 'GETDEL k', from: `$${BYTES}\r\n${TEXT}\r\n`, to: `$${BYTES}\r\n${TEXT}\r\n` },
  ] as const;

  /** From one chunk for all to many; the limit lies inside bodies, headers and between them. */
  const CHUNKS_BYTES = [Number.POSITIVE_INFINITY, 2 ** 20, 65_536, 65_521, 40_009];

  const lenient = () => consequent({}, { keep: KEEP.all, lenient: true, patches: true });

  /** @returns what the client gets of `from`, which comes in chunks of that length */
  function streamed(reader: ReplyReader, sent: Buffer[], from: string, chunkBytes: number): Buffer {
    const bytes = bytesOf(from);
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      reader.feed(bytes.subarray(at, at + chunkBytes));
    }
    expect(reader.ledger.size).toBe(0);
    return Buffer.concat(sent);
  }

  function begin(): { readonly reader: ReplyReader; readonly sent: Buffer[] } {
    const sent: Buffer[] = [];
    const reader = new ReplyReader({ send: (bytes) => sent.push(bytes), begin: () => {} });
    reader.protocol = 3;
    reader.translates = true;
    return { reader, sent };
  }

  test.for(LONG)('streams through where that may be: $name', ({ name, from, to }) => {
    for (const chunkBytes of CHUNKS_BYTES) {
      const { reader, sent } = begin();
      reader.ledger.push(PASS);
      reader.ledger.push({ ...lenient(), rule: ruleFor(name) });
      reader.ledger.push(PASS);
      const got = streamed(reader, sent, `$-1\r\n${from}$-1\r\n`, chunkBytes);
      expect(got.equals(bytesOf(`_\r\n${to}_\r\n`)), `${chunkBytes}`).toBe(true);
    }
  });

  test.for(LONG)('streams through as an element of EXEC: $name', ({ name, from, to }) => {
    const { reader, sent } = begin();
    transaction([lenient(), ruleFor(name)], [QUEUED])(reader);
    reader.ledger.push(EXEC());
    const got = streamed(reader, sent, `*2\r\n${from}$-1\r\n`, 65_521);
    expect(got.equals(bytesOf(`*2\r\n${to}_\r\n`))).toBe(true);
  });

  test('goes nowhere where replies are off', () => {
    const { reader, sent } = begin();
    reader.muted = true;
    reader.ledger.push({ ...lenient(), rule: ruleFor('CLIENT LIST') });
    expect(streamed(reader, sent, LONG[0].from, 65_521)).toHaveLength(0);
  });

  test('ends the connection where it must be seen whole', () => {
    const { reader, sent } = begin();
    reader.ledger.push(consequent({}, { keep: KEEP.all }));
    const tooLarge = expect.objectContaining({ code: 'FRAME_TOO_LARGE' });
    expect(() => streamed(reader, sent, LONG[0].from, 65_521)).toThrow(tooLarge);
  });
});
