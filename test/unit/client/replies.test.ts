import { describe, expect, test } from 'vitest';
import {
  KEEP,
  type Owed,
  PASS,
  PASS_BLOCKING,
  PASS_QUEUED,
  type Reply,
  SWALLOW,
} from '../../../src/client/ledger.ts';
import { KEPT_MAX_BYTES, ReplyReader } from '../../../src/client/replies.ts';
import { bulk } from '../../../src/resp/write.ts';
import { pushTo } from '../../helpers/pushing.ts';
import { cut, decodeReply, everyCut } from '../../helpers/resp.ts';
import { bytesOf } from '../../helpers/scan.ts';

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

/** A reader, what it has sent, and what its entries have been told. */
interface Rig {
  readonly reader: ReplyReader;
  readonly told: string[];
}

/** What upstream sends, what the client gets of it, and what the entries hear. */
interface Row {
  readonly name: string;
  readonly owed: (rig: Rig) => readonly Owed[];
  readonly from: string;
  readonly to: string;
  readonly told?: readonly string[];
  readonly prepare?: (rig: Rig) => void;
  /** Its frames can't be told apart by who doesn't know the requests. */
  readonly isPuzzling?: boolean;
  /** It holds a reply to nothing: the ledger must be empty when that comes. */
  readonly isUnasked?: boolean;
}

function pushOf(key: string): string {
  return `>2\r\n${bulk('invalidate')}*1\r\n${bulk(key)}`;
}

/** @returns an entry that tells what it is given to settle, and when it may act */
function telling(rig: Rig, name: string, over: Partial<Owed> = {}): Owed {
  const shown = (reply: Reply) =>
    reply.isNull === true
      ? 'null array'
      : (reply.bytes?.toString('latin1') ?? String.fromCharCode(reply.type));
  return owed({
    settle: (reply) => {
      rig.told.push(`${name} settles ${shown(reply)}`);
      return 'pass';
    },
    after: (reply) => void rig.told.push(`${name} after ${String.fromCharCode(reply.type)}`),
    ...over,
  });
}

const VALUES = [
  '+OK\r\n',
  '+\r\n',
  '-ERR no\r\n',
  ':-5\r\n',
  '$3\r\n\r\n$\r\n',
  '$0\r\n\r\n',
  '$-1\r\n',
  '*-1\r\n',
  '*0\r\n',
  '*2\r\n*1\r\n$1\r\na\r\n:1\r\n',
  '_\r\n',
  ',1.5\r\n',
  '#t\r\n',
  '(12345678901234567890\r\n',
  '=5\r\ntxt:a\r\n',
  '~1\r\n+a\r\n',
  '%1\r\n+a\r\n%0\r\n',
  '|1\r\n+a\r\n:1\r\n$1\r\nx\r\n',
  '*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n',
].join('');
const VALUE_COUNT = 19;

function times(count: number, entry: Owed): Owed[] {
  return Array.from({ length: count }, () => entry);
}

const MIXED = '+OK\r\n-ERR no\r\n:1\r\n*1\r\n+x\r\n';

const REPLIES: readonly Row[] = [
  { name: 'pass', owed: () => times(VALUE_COUNT, PASS), from: VALUES, to: VALUES },
  {
    name: 'pass, blocking',
    owed: () => times(VALUE_COUNT, PASS_BLOCKING),
    from: VALUES,
    to: VALUES,
  },
  {
    name: 'pass, kept',
    owed: () => times(VALUE_COUNT, owed({ keep: KEEP.all })),
    from: VALUES,
    to: VALUES,
  },
  { name: 'are swallowed', owed: () => times(VALUE_COUNT, SWALLOW), from: VALUES, to: '' },
  {
    name: 'pass and are swallowed in turn',
    owed: () => [PASS, SWALLOW, PASS, SWALLOW, SWALLOW, PASS],
    from: '+1\r\n+2\r\n+3\r\n$1\r\n4\r\n*1\r\n:5\r\n+6\r\n',
    to: '+1\r\n+3\r\n+6\r\n',
  },
  {
    name: 'are shown to entries that keep errors, where they are errors',
    owed: (rig) => times(4, telling(rig, 'e', { keep: KEEP.errors })),
    from: MIXED,
    to: MIXED,
    told: [
      'e settles +',
      'e after +',
      'e settles -ERR no\r\n',
      'e after -',
      'e settles :',
      'e after :',
      'e settles *',
      'e after *',
    ],
  },
  {
    name: 'are shown to entries that keep statuses, where they are statuses',
    owed: (rig) => times(4, telling(rig, 's', { keep: KEEP.statuses, after: () => {} })),
    from: MIXED,
    to: MIXED,
    told: ['s settles +OK\r\n', 's settles -', 's settles :', 's settles *'],
  },
  {
    name: 'are shown whole to entries that keep all',
    owed: (rig) => times(4, telling(rig, 'a', { keep: KEEP.all, after: () => {} })),
    from: MIXED,
    to: MIXED,
    told: [
      'a settles +OK\r\n',
      'a settles -ERR no\r\n',
      'a settles :1\r\n',
      'a settles *1\r\n+x\r\n',
    ],
  },
  {
    name: 'are dropped but for what is kept',
    owed: () => times(4, owed({ keep: KEEP.errors, drop: true })),
    from: MIXED,
    to: '-ERR no\r\n',
  },
  {
    name: 'are replaced, kept or dropped',
    owed: () => [
      owed({ keep: KEEP.all, settle: () => bytesOf('$1\r\nA\r\n') }),
      owed({ drop: true, settle: () => bytesOf('+B\r\n') }),
      PASS,
      owed({ drop: true, keep: KEEP.errors, settle: () => bytesOf('*0\r\n') }),
    ],
    from: '+1\r\n*2\r\n:1\r\n:2\r\n+3\r\n-ERR 4\r\n',
    to: '$1\r\nA\r\n+B\r\n+3\r\n*0\r\n',
  },
  {
    name: 'are kept and then dropped',
    owed: () => [owed({ keep: KEEP.all, settle: () => 'drop' }), PASS],
    from: '$3\r\nabc\r\n+2\r\n',
    to: '+2\r\n',
  },
  {
    name: 'have left before what follows from them is done',
    owed: ({ reader }) => [
      owed({ after: () => reader.write(bytesOf('+a\r\n')) }),
      owed({ keep: KEEP.all, after: () => reader.write(bytesOf('+b\r\n')) }),
      owed({
        drop: true,
        settle: () => bytesOf('+3\r\n'),
        after: () => reader.write(bytesOf('+c\r\n')),
      }),
    ],
    from: '$1\r\n1\r\n$1\r\n2\r\n$1\r\nx\r\n',
    to: '$1\r\n1\r\n+a\r\n$1\r\n2\r\n+b\r\n+3\r\n+c\r\n',
  },
  {
    name: 'pass, and pushes that nobody asked for between them answer none',
    owed: () => [PASS, PASS, owed({ keep: KEEP.all }), SWALLOW],
    from: '>1\r\n:9\r\n+1\r\n>2\r\n$10\r\ninvalidate\r\n_\r\n+2\r\n>1\r\n:8\r\n+3\r\n>1\r\n:7\r\n+4\r\n',
    to: '>1\r\n:9\r\n+1\r\n>2\r\n$10\r\ninvalidate\r\n_\r\n+2\r\n>1\r\n:8\r\n+3\r\n>1\r\n:7\r\n',
  },
  {
    name: 'are an error that nobody asked for',
    owed: () => [],
    from: '-ERR max number of clients reached\r\n',
    to: '-ERR max number of clients reached\r\n',
    isUnasked: true,
  },
];

const QUIET: readonly Row[] = [
  {
    name: 'muted: nothing leaves, whatever the entry decides',
    prepare: ({ reader }) => {
      reader.muted = true;
    },
    owed: (rig) => [
      PASS,
      SWALLOW,
      owed({ keep: KEEP.all }),
      owed({ drop: true, settle: () => bytesOf('+x\r\n') }),
      telling(rig, 'k', { keep: KEEP.errors }),
    ],
    from: '$1\r\na\r\n+b\r\n+c\r\n+d\r\n-ERR e\r\n',
    to: '',
    told: ['k settles -ERR e\r\n', 'k after -'],
  },
  {
    name: 'muted: what an entry says itself leaves, and the rest once it is heard again',
    prepare: ({ reader }) => {
      reader.muted = true;
    },
    owed: ({ reader }) => [
      PASS,
      owed({
        keep: KEEP.statuses,
        settle: () => 'drop',
        after: () => {
          reader.muted = false;
          reader.write(bytesOf('+ON\r\n'));
        },
      }),
      PASS,
    ],
    from: ':1\r\n+OK\r\n:3\r\n',
    to: '+ON\r\n:3\r\n',
  },
  {
    name: 'muted: pushes leave all the same',
    prepare: ({ reader }) => {
      reader.muted = true;
      reader.protocol = 3;
    },
    owed: () => [PASS, PASS],
    from: ':1\r\n>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n:2\r\n>1\r\n:9\r\n',
    to: '>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n>1\r\n:9\r\n',
  },
  {
    name: 'one is skipped',
    prepare: ({ reader }) => {
      reader.skipNext = true;
    },
    owed: () => [PASS, PASS, PASS],
    from: '*2\r\n$1\r\na\r\n+b\r\n:2\r\n:3\r\n',
    to: ':2\r\n:3\r\n',
  },
  {
    name: 'one is skipped, kept or answered here',
    owed: ({ reader }) => {
      const skip = owed({
        drop: true,
        after: () => {
          reader.skipNext = true;
        },
      });
      const answered = owed({ drop: true, settle: () => bytesOf('+x\r\n') });
      return [
        skip,
        owed({ keep: KEEP.all }),
        PASS,
        skip,
        answered,
        answered,
        skip,
        SWALLOW,
        PASS,
        PASS,
      ];
    },
    from: '+1\r\n+2\r\n+3\r\n+4\r\n+5\r\n+6\r\n+7\r\n+8\r\n+9\r\n+10\r\n',
    to: '+3\r\n+x\r\n+10\r\n', // what is swallowed was no request of the client's
  },
  {
    name: 'one is skipped, and the push before it is not',
    prepare: ({ reader }) => {
      reader.skipNext = true;
      reader.protocol = 3;
    },
    owed: () => [PASS, PASS],
    from: '>1\r\n:9\r\n:1\r\n:2\r\n',
    to: '>1\r\n:9\r\n:2\r\n',
  },
];

const LINE = '+1700000000.123456 [0 127.0.0.1:5000] "SET" "k" "+OK"\r\n';

const MONITORED: readonly Row[] = [
  {
    name: 'lines pass, owed or not, and answer nothing',
    prepare: ({ reader }) => {
      reader.monitoring = true;
    },
    owed: (rig) => [telling(rig, 's', { keep: KEEP.statuses }), PASS],
    from: `${LINE}${LINE}+OK\r\n${LINE}$1\r\nx\r\n${LINE}`,
    to: `${LINE}${LINE}+OK\r\n${LINE}$1\r\nx\r\n${LINE}`,
    told: ['s settles +OK\r\n', 's after +'],
  },
  {
    name: 'no line passes while replies are muted',
    prepare: ({ reader }) => {
      reader.monitoring = true;
      reader.muted = true;
    },
    owed: () => [PASS],
    from: `${LINE}+OK\r\n${LINE}`,
    to: '',
  },
  {
    name: 'nothing is a line before MONITOR',
    owed: () => [SWALLOW],
    from: LINE,
    to: '',
  },
];

describe.for([
  ['replies', REPLIES],
  ['quiet', QUIET],
  ['monitor', MONITORED],
] as const)('%s', ([, rows]) => {
  test.for(rows)('$name', (row) => {
    expectRow(row);
  });
});

const P = pushOf('k');
const NULL_ARRAY = '*-1\r\n';

/** The entries for MULTI and EXEC as far as the reader goes. */
function multi({ reader }: Rig): Owed {
  return owed({ keep: KEEP.statuses, after: () => reader.transaction.begin() });
}

function exec(rig: Rig, opens: 'always' | 'slots'): Owed {
  const { reader, told } = rig;
  const told2 = telling(rig, 'exec', { keep: KEEP.errors });
  return {
    ...told2,
    opens,
    after: () => {
      told.push('exec after');
      reader.transaction.end();
    },
  };
}

const REPLACED = owed({
  keep: KEEP.errors | KEEP.statuses,
  drop: true,
  settle: () => bytesOf('+x\r\n'),
});
const QUEUED3 = '+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n';
const ELEMENTS = '*2\r\n$1\r\na\r\n:1\r\n+e\r\n$1\r\nb\r\n';

const EXECUTED: readonly Row[] = [
  {
    name: 'without slots passes as one frame',
    owed: (rig) => [multi(rig), PASS_QUEUED, PASS_QUEUED, PASS_QUEUED, exec(rig, 'slots'), PASS],
    from: `${QUEUED3}*3\r\n${ELEMENTS}:5\r\n`,
    to: `${QUEUED3}*3\r\n${ELEMENTS}:5\r\n`,
    told: ['exec settles *', 'exec after'],
  },
  {
    name: 'opened without slots passes, too',
    owed: (rig) => [multi(rig), PASS_QUEUED, PASS_QUEUED, PASS_QUEUED, exec(rig, 'always'), PASS],
    from: `${QUEUED3}*3\r\n${ELEMENTS}:5\r\n`,
    to: `${QUEUED3}*3\r\n${ELEMENTS}:5\r\n`,
    told: ['exec settles *', 'exec after'],
  },
  ...(['first', 'middle', 'last'] as const).map((place, at): Row => {
    const elements = ['*2\r\n$1\r\na\r\n:1\r\n', '+e\r\n', '$1\r\nb\r\n'];
    const entries = times(3, PASS_QUEUED);
    entries[at] = REPLACED;
    return {
      name: `gives the ${place} element to its slot`,
      owed: (rig) => [multi(rig), ...entries, exec(rig, 'slots'), PASS],
      from: `${QUEUED3}*3\r\n${elements.join('')}:5\r\n`,
      to: `${QUEUED3}*3\r\n${elements.with(at, '+x\r\n').join('')}:5\r\n`,
      told: ['exec settles *', 'exec after'],
    };
  }),
  {
    name: 'concludes each slot at its element, then EXEC',
    owed: (rig) => [
      multi(rig),
      telling(rig, 'a', { keep: KEEP.statuses }),
      PASS_QUEUED,
      telling(rig, 'b', { keep: KEEP.all }),
      exec(rig, 'slots'),
    ],
    from: `${QUEUED3}*3\r\n-ERR 1\r\n$1\r\n2\r\n*1\r\n:3\r\n`,
    to: `${QUEUED3}*3\r\n-ERR 1\r\n$1\r\n2\r\n*1\r\n:3\r\n`,
    told: [
      'a settles -',
      'a after -',
      'b settles *1\r\n:3\r\n',
      'b after *',
      'exec settles *',
      'exec after',
    ],
  },
  {
    name: 'of nothing is over with its header',
    owed: (rig) => [multi(rig), exec(rig, 'always'), PASS],
    from: '+OK\r\n*0\r\n:1\r\n',
    to: '+OK\r\n*0\r\n:1\r\n',
    told: ['exec settles *', 'exec after'],
  },
  {
    name: 'of a changed WATCH is the null array',
    owed: (rig) => [multi(rig), REPLACED, exec(rig, 'slots'), PASS],
    from: `+OK\r\n+QUEUED\r\n${NULL_ARRAY}:1\r\n`,
    to: `+OK\r\n+QUEUED\r\n${NULL_ARRAY}:1\r\n`,
    told: ['exec settles null array', 'exec after'],
  },
  {
    name: 'of a changed WATCH is null in RESP3',
    owed: (rig) => [multi(rig), REPLACED, exec(rig, 'always'), PASS],
    from: '+OK\r\n+QUEUED\r\n_\r\n:1\r\n',
    to: '+OK\r\n+QUEUED\r\n_\r\n:1\r\n',
    told: ['exec settles _', 'exec after'],
  },
  {
    name: 'that is refused is one error',
    owed: (rig) => [multi(rig), REPLACED, exec(rig, 'always'), PASS],
    from: '+OK\r\n-ERR unknown\r\n-EXECABORT because\r\n:1\r\n',
    to: '+OK\r\n+x\r\n-EXECABORT because\r\n:1\r\n',
    told: ['exec settles -EXECABORT because\r\n', 'exec after'],
  },
  {
    name: 'does not count a request that was refused among its elements',
    owed: (rig) => [
      multi(rig),
      telling(rig, 'no', { keep: 3 }),
      PASS_QUEUED,
      REPLACED,
      exec(rig, 'slots'),
    ],
    from: '+OK\r\n-ERR arity\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n:2\r\n',
    to: '+OK\r\n-ERR arity\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n+x\r\n',
    told: ['no settles -ERR arity\r\n', 'no after -', 'exec settles *', 'exec after'],
  },
  {
    name: 'does not take a value that reads QUEUED for more than it is, before or behind it',
    owed: (rig) => {
      const get = telling(rig, 'get', { keep: KEEP.statuses });
      return [get, multi(rig), PASS_QUEUED, exec(rig, 'slots'), get];
    },
    from: '+QUEUED\r\n+OK\r\n+QUEUED\r\n*1\r\n+QUEUED\r\n+QUEUED\r\n',
    to: '+QUEUED\r\n+OK\r\n+QUEUED\r\n*1\r\n+QUEUED\r\n+QUEUED\r\n',
    told: [
      'get settles +QUEUED\r\n',
      'get after +',
      'exec settles *',
      'exec after',
      'get settles +QUEUED\r\n',
      'get after +',
    ],
  },
  {
    name: 'is dropped with all its elements while muted, which their slots still see',
    prepare: ({ reader }) => {
      reader.muted = true;
    },
    owed: (rig) => [
      multi(rig),
      PASS_QUEUED,
      telling(rig, 'a', { keep: KEEP.all }),
      REPLACED,
      exec(rig, 'slots'),
    ],
    from: `${QUEUED3}*3\r\n${ELEMENTS}`,
    to: '',
    told: ['a settles +e\r\n', 'a after +', 'exec settles *', 'exec after'],
  },
  {
    name: 'does not show what of it is ours',
    owed: (rig) => {
      const ours = telling(rig, 'ours', {
        keep: KEEP.errors | KEEP.statuses,
        drop: true,
        hidden: true,
        settle: () => 'drop',
      });
      return [multi(rig), ours, PASS_QUEUED, REPLACED, ours, exec(rig, 'slots'), PASS];
    },
    from: `+OK\r\n${'+QUEUED\r\n'.repeat(4)}*4\r\n:1\r\n$1\r\na\r\n+e\r\n:1\r\n:5\r\n`,
    to: `+OK\r\n${'+QUEUED\r\n'.repeat(2)}*2\r\n$1\r\na\r\n+x\r\n:5\r\n`,
    told: ['ours after :', 'ours after :', 'exec settles *', 'exec after'],
  },
  {
    name: 'is as empty as the client left it',
    owed: (rig) => {
      const ours = owed({ keep: 3, drop: true, hidden: true, settle: () => 'drop' });
      return [multi(rig), ours, ours, exec(rig, 'slots'), PASS];
    },
    from: '+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n:1\r\n:5\r\n',
    to: '+OK\r\n*0\r\n:5\r\n',
    told: ['exec settles *', 'exec after'],
  },
  {
    name: 'is the null array with and without what is ours',
    owed: (rig) => {
      const ours = owed({ keep: 3, drop: true, hidden: true, settle: () => 'drop' });
      return [multi(rig), ours, ours, exec(rig, 'slots'), PASS];
    },
    from: `+OK\r\n+QUEUED\r\n+QUEUED\r\n${NULL_ARRAY}:5\r\n`,
    to: `+OK\r\n${NULL_ARRAY}:5\r\n`,
    told: ['exec settles null array', 'exec after'],
  },
  ...['$1\r\na\r\n', '*2\r\n:1\r\n*0\r\n', '-WRONGTYPE no\r\n', '+OK\r\n'].map(
    (element): Row => ({
      name: `of ours gives nothing but the one element ${JSON.stringify(element)}`,
      owed: (rig) => [
        PASS,
        telling(rig, 'ours', {
          keep: KEEP.errors,
          drop: true,
          opens: 'always',
          bare: true,
          elements: [SWALLOW, telling(rig, 'own', { after: () => {} }), SWALLOW],
        }),
        PASS,
      ],
      from: `:1\r\n*3\r\n:0\r\n${element}:0\r\n:2\r\n`,
      to: `:1\r\n${element}:2\r\n`,
      told: [`own settles ${element.charAt(0)}`, 'ours settles *', 'ours after *'],
    }),
  ),
  {
    name: 'may hold the pushes of a PUBLISH inside it',
    prepare: ({ reader }) => {
      reader.protocol = 3;
    },
    owed: (rig) => [multi(rig), PASS_QUEUED, REPLACED, exec(rig, 'slots'), PASS],
    from: `+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n>1\r\n:9\r\n:1\r\n>1\r\n:8\r\n:2\r\n:3\r\n`,
    to: `+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n>1\r\n:9\r\n:1\r\n>1\r\n:8\r\n+x\r\n:3\r\n`,
    told: ['exec settles *', 'exec after'],
  },
];

describe('the reply of EXEC', () => {
  test.for(EXECUTED)('$name', (row) => {
    expectRow(row);
  });

  test('is skipped as a whole', () => {
    for (const pieces of everyCut(bytesOf(`*3\r\n${ELEMENTS}:5\r\n`))) {
      const row = { name: '', from: '', to: '' };
      const { reader, sent } = started({
        ...row,
        owed: (rig) => [multi(rig), REPLACED, PASS_QUEUED, REPLACED, exec(rig, 'slots'), PASS],
      });
      reader.feed(bytesOf(QUEUED3));
      reader.skipNext = true;
      for (const piece of pieces) reader.feed(piece);
      expect(Buffer.concat(sent).toString('latin1')).toBe(`${QUEUED3}:5\r\n`);
    }
  });
});

/** A confirmation as a server writes it in either protocol. */
function confirmed(protocol: 2 | 3, kind: string, channel: string | null, count: number): string {
  const none = protocol === 3 ? '_\r\n' : '$-1\r\n';
  const lead = protocol === 3 ? '>' : '*';
  return `${lead}3\r\n${bulk(kind)}${channel === null ? none : bulk(channel)}:${count}\r\n`;
}

function message(protocol: 2 | 3, channel: string, text: string): string {
  return `${protocol === 3 ? '>' : '*'}3\r\n${bulk('message')}${bulk(channel)}${bulk(text)}`;
}

function subscribing(rig: Rig, kind: string, framesLeft: number | undefined): Owed {
  return telling(rig, kind, { keep: 3, confirms: kind, framesLeft });
}

function pubSub(protocol: 2 | 3): readonly Row[] {
  const frame = (kind: string, channel: string | null, count: number) =>
    confirmed(protocol, kind, channel, count);
  const said = message(protocol, 'a', 'x\r\n:1\r\n');
  const prepare = ({ reader }: Rig) => {
    reader.protocol = protocol;
  };
  const row = (name: string, owedOf: Row['owed'], from: string, told: readonly string[]): Row => ({
    name,
    prepare,
    owed: owedOf,
    from,
    to: from,
    told,
  });
  const lead = protocol === 3 ? '>' : '*';
  const done = (kind: string) => [`${kind} settles ${lead}`, `${kind} after ${lead}`];
  return [
    row(
      'a request is over with its last confirmation, messages between them',
      (rig) => [subscribing(rig, 'subscribe', 3), PASS],
      `${frame('subscribe', 'a', 1)}${said}${frame('subscribe', 'b', 2)}${frame('subscribe', 'a', 2)}${said}+PONG\r\n${said}`,
      done('subscribe'),
    ),
    row(
      'UNSUBSCRIBE of everything is over with the last channel',
      (rig) => [
        subscribing(rig, 'subscribe', 2),
        subscribing(rig, 'psubscribe', 1),
        subscribing(rig, 'unsubscribe', undefined),
        PASS,
      ],
      `${frame('subscribe', 'a', 1)}${frame('subscribe', 'b', 2)}${frame('psubscribe', '*', 3)}` +
        `${frame('unsubscribe', 'b', 2)}${said}${frame('unsubscribe', 'a', 1)}:1\r\n`,
      [...done('subscribe'), ...done('psubscribe'), ...done('unsubscribe')],
    ),
    row(
      'UNSUBSCRIBE of everything where there is nothing is one frame',
      (rig) => [
        subscribing(rig, 'unsubscribe', undefined),
        subscribing(rig, 'punsubscribe', undefined),
        subscribing(rig, 'sunsubscribe', undefined),
        PASS,
      ],
      `${frame('unsubscribe', null, 0)}${frame('punsubscribe', null, 0)}${frame('sunsubscribe', null, 0)}:1\r\n`,
      [...done('unsubscribe'), ...done('punsubscribe'), ...done('sunsubscribe')],
    ),
    row(
      'patterns and shard channels are left apart',
      (rig) => [
        subscribing(rig, 'subscribe', 1),
        subscribing(rig, 'psubscribe', 2),
        subscribing(rig, 'ssubscribe', 2),
        subscribing(rig, 'punsubscribe', undefined),
        subscribing(rig, 'sunsubscribe', undefined),
        subscribing(rig, 'unsubscribe', undefined),
        PASS,
      ],
      `${frame('subscribe', 'a', 1)}${frame('psubscribe', 'p', 2)}${frame('psubscribe', 'q', 3)}` +
        `${frame('ssubscribe', 's', 1)}${frame('ssubscribe', 't', 2)}${frame('punsubscribe', 'q', 2)}` +
        `${frame('punsubscribe', 'p', 1)}${frame('sunsubscribe', 's', 1)}${frame('sunsubscribe', 't', 0)}` +
        `${frame('unsubscribe', 'a', 0)}*1\r\n:1\r\n`,
      [
        ...done('subscribe'),
        ...done('psubscribe'),
        ...done('ssubscribe'),
        ...done('punsubscribe'),
        ...done('sunsubscribe'),
        ...done('unsubscribe'),
      ],
    ),
    row(
      'one error answers all channels',
      (rig) => [subscribing(rig, 'subscribe', 3), PASS],
      `-NOPERM no channel\r\n*1\r\n:1\r\n`,
      ['subscribe settles -NOPERM no channel\r\n', 'subscribe after -'],
    ),
    row(
      'a channel that is taken away answers nobody',
      (rig) => [subscribing(rig, 'ssubscribe', 1), telling(rig, 'ping', { keep: KEEP.statuses })],
      `${frame('ssubscribe', 's', 1)}${frame('sunsubscribe', 's', 0)}+PONG\r\n`,
      [...done('ssubscribe'), 'ping settles +PONG\r\n', 'ping after +'],
    ),
    {
      ...row('muted: confirmations and messages leave, replies do not', () => [], '', []),
      prepare: (rig) => {
        prepare(rig);
        rig.reader.muted = true;
      },
      owed: (rig) => [subscribing(rig, 'subscribe', 1), PASS],
      from: `${frame('subscribe', 'a', 1)}${said}+PONG\r\n${said}`,
      to: `${frame('subscribe', 'a', 1)}${said}${said}`,
      told: done('subscribe'),
    },
    {
      ...row(
        'inside EXEC one element may be many frames, or as many as there are',
        (rig) => [
          multi(rig),
          subscribing(rig, 'subscribe', 2),
          PASS_QUEUED,
          subscribing(rig, 'unsubscribe', undefined),
          subscribing(rig, 'unsubscribe', undefined),
          PASS_QUEUED,
          exec(rig, 'slots'),
          PASS,
        ],
        `+OK\r\n${'+QUEUED\r\n'.repeat(5)}*5\r\n${frame('subscribe', 'a', 1)}${frame('subscribe', 'b', 2)}` +
          `${said}${protocol === 3 ? '+PONG\r\n' : '*2\r\n$4\r\npong\r\n$0\r\n\r\n'}` +
          `${frame('unsubscribe', 'b', 1)}${frame('unsubscribe', 'a', 0)}${frame('unsubscribe', null, 0)}` +
          `${protocol === 3 ? '_' : '$-1'}\r\n:7\r\n`,
        [
          ...done('subscribe'),
          ...done('unsubscribe'),
          ...done('unsubscribe'),
          'exec settles *',
          'exec after',
        ],
      ),
      // The elements that RESP3 calls pushes count as elements here.
      isPuzzling: protocol === 3,
    },
  ];
}

describe.for([2, 3] as const)('pub/sub in RESP%i', (protocol) => {
  test.for(pubSub(protocol))('$name', (row) => {
    expectRow(row);
  });
});

test('an array that reads like a message is a reply where none can come', () => {
  const text = message(2, 'a', 'b');
  expectRow({ name: '', owed: () => [SWALLOW, PASS], from: text + text, to: text });
});

test('a reply that reads like a message is a reply in RESP3', () => {
  const text = message(2, 'a', 'b');
  expectRow({
    name: '',
    prepare: ({ reader }) => {
      reader.protocol = 3;
    },
    owed: (rig) => [subscribing(rig, 'subscribe', 1), SWALLOW, PASS],
    from: confirmed(3, 'subscribe', 'a', 1) + text + text,
    to: confirmed(3, 'subscribe', 'a', 1) + text,
    told: ['subscribe settles >', 'subscribe after >'],
  });
});

/** Feeds the row at every cut: as it is, with bytes behind it, and with a push after each piece. */
function expectRow(row: Row): void {
  const wanted = shownEnd(row.to, row.told ?? [], 0);
  for (const pieces of everyCut(bytesOf(row.from))) {
    const { reader, sent, told } = started(row);
    for (const piece of pieces) reader.feed(piece);
    expectSame(shownEnd(textOf(sent), told, reader.ledger.size, reader.midReply), wanted);
  }
  expectBytesBehind(row);
  expectPushes(row);
}

/** Thousands of cuts are compared, and an assertion is slow. */
function expectSame(shown: string, wanted: string): void {
  if (shown !== wanted) expect(shown).toBe(wanted);
}

function shownEnd(sent: string, told: readonly string[], size: number, midReply = false): string {
  return `${sent}\n${told.join('\n')}\n${size} owed${midReply ? ', in the middle of one' : ''}`;
}

function textOf(sent: readonly Buffer[]): string {
  return Buffer.concat(sent).toString('latin1');
}

function started(row: Row): Rig & { readonly sent: Buffer[] } {
  const sent: Buffer[] = [];
  const reader = new ReplyReader({ send: (bytes) => void sent.push(bytes), begin: () => {} });
  const rig = { reader, sent, told: [] as string[] };
  row.prepare?.(rig);
  // Those that the row's own rows need are there as soon as the first byte comes.
  for (const entry of row.owed(rig)) reader.ledger.push(entry);
  return rig;
}

/** @returns the bytes whole, and in pieces of 1, 2 and 3 */
function evenCuts(text: string): Buffer[][] {
  return [text.length, 1, 2, 3].map((size) => cut(bytesOf(text), [size]));
}

function expectBytesBehind(row: Row): void {
  if (row.isUnasked === true) return;
  const behind = '$6\r\nbehind\r\n';
  for (const pieces of evenCuts(row.from + behind)) {
    const { reader, sent } = started(row);
    let seen = 0;
    reader.ledger.push(owed({ keep: KEEP.all, after: () => void seen++ }));
    for (const piece of pieces) reader.feed(piece);
    expectSame(textOf(sent), row.to + (reader.muted ? '' : behind));
    expectSame(`${reader.ledger.size} owed, ${seen} seen`, '0 owed, 1 seen');
  }
}

/** Pushes stand between the client's frames, in order, and none is lost (P2). */
function expectPushes(row: Row): void {
  for (const pieces of evenCuts(row.from)) {
    const { reader, sent } = started(row);
    const pushes: string[] = [];
    for (const [index, piece] of pieces.entries()) {
      reader.feed(piece);
      const push = pushOf(`push ${index}`);
      const isFree = !reader.midReply;
      const sentBefore = sent.length;
      pushes.push(push);
      pushTo(reader, bytesOf(push));
      expectSame(textOf(sent.slice(sentBefore)), isFree ? push : '');
    }
    if (row.isPuzzling === true) continue;
    const frames = framesOf(Buffer.concat(sent));
    expectSame(frames.filter((frame) => frame.includes('push ')).join(''), pushes.join(''));
    expectSame(frames.filter((frame) => !frame.includes('push ')).join(''), row.to);
  }
}

/** @returns whole frames, each with the pushes that stand inside it */
function framesOf(bytes: Buffer): string[] {
  const frames: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = decodeReply(bytes, at)?.end ?? Number.NaN;
    frames.push(bytes.toString('latin1', at, end));
    at = end;
  }
  return frames;
}

describe('ranges', () => {
  function sentFor(pieces: readonly string[], ...entries: readonly Owed[]): string[] {
    const sent: string[] = [];
    const reader = new ReplyReader({
      send: (bytes) => void sent.push(bytes.toString('latin1')),
      begin: () => {},
    });
    for (const entry of entries) reader.ledger.push(entry);
    for (const piece of pieces) reader.feed(bytesOf(piece));
    return sent;
  }

  test('of a whole chunk leave as the chunk itself', () => {
    const sent: Buffer[] = [];
    const reader = new ReplyReader({ send: (bytes) => void sent.push(bytes), begin: () => {} });
    for (const entry of times(3, PASS)) reader.ledger.push(entry);
    const chunk = bytesOf('+1\r\n$1\r\n2\r\n*1\r\n:3\r\n');
    reader.feed(chunk);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toBe(chunk);
  });

  test('that are neighbours are joined, around what is dropped', () => {
    expect(sentFor(['+1\r\n+2\r\n+3\r\n+4\r\n+5\r\n'], PASS, PASS, SWALLOW, PASS, PASS)).toEqual([
      '+1\r\n+2\r\n',
      '+4\r\n+5\r\n',
    ]);
  });

  test('of different kinds of entries are joined', () => {
    const keeps = owed({ keep: KEEP.errors });
    expect(sentFor(['+1\r\n:2\r\n+3\r\n'], PASS, keeps, PASS_BLOCKING)).toEqual([
      '+1\r\n:2\r\n+3\r\n',
    ]);
  });

  test('of a long reply stream on as they come', () => {
    const pieces = ['$10\r\n01', '234', '56789\r', '\n+2\r\n'];
    expect(sentFor(pieces, PASS, PASS)).toEqual(pieces);
  });

  test('of elements leave before the rest of EXEC has come', () => {
    const sent: string[] = [];
    const reader = new ReplyReader({
      send: (bytes) => void sent.push(bytes.toString('latin1')),
      begin: () => {},
    });
    reader.ledger.push(owed({ opens: 'always' }));
    reader.feed(bytesOf('*2\r\n:1\r\n'));
    expect(sent.join('')).toBe('*2\r\n:1\r\n');
    expect(reader.midReply).toBe(true);
  });
});

describe('a push', () => {
  function reading(piece: string, entry: Owed = PASS) {
    const sent: string[] = [];
    const reader = new ReplyReader({
      send: (bytes) => void sent.push(bytes.toString('latin1')),
      begin: () => {},
    });
    reader.protocol = 3;
    reader.ledger.push(entry);
    reader.feed(bytesOf(piece));
    return { reader, sent };
  }

  test('waits for the end of a reply and leaves right behind it', () => {
    const { reader, sent } = reading('$3\r\na');
    pushTo(reader, bytesOf(P));
    expect(sent.join('')).toBe('$3\r\na');
    reader.ledger.push(PASS);
    reader.feed(bytesOf('bc\r\n:2\r\n'));
    expect(sent.join('')).toBe(`$3\r\nabc\r\n${P}:2\r\n`);
  });

  test('leaves at once behind whole replies', () => {
    const { reader, sent } = reading(':1\r\n');
    pushTo(reader, bytesOf(P));
    expect(sent.join('')).toBe(`:1\r\n${P}`);
  });

  test('leaves before a frame of which the client has got nothing', () => {
    const { reader, sent } = reading(':1\r\n>3\r\n$7\r\nmess');
    pushTo(reader, bytesOf(P));
    reader.feed(bytesOf('age\r\n$1\r\na\r\n$1\r\nb\r\n'));
    expect(sent.join('')).toBe(`:1\r\n${P}>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n`);
  });

  test('that an entry sends stands behind its reply and behind those that have waited', () => {
    const { reader, sent } = reading(
      '$3\r\na',
      owed({ keep: KEEP.errors, after: () => pushTo(reader, bytesOf('>1\r\n:2\r\n')) }),
    );
    pushTo(reader, bytesOf('>1\r\n:1\r\n'));
    reader.feed(bytesOf('bc\r\n'));
    expect(sent.join('')).toBe('$3\r\nabc\r\n>1\r\n:1\r\n>1\r\n:2\r\n');
  });

  test('that a slot of EXEC sends waits for the end of the array', () => {
    const { reader, sent } = reading('+OK\r\n');
    reader.transaction.begin();
    const slot = (push: string) => owed({ keep: 3, after: () => pushTo(reader, bytesOf(push)) });
    for (const entry of [slot('>1\r\n:1\r\n'), slot('>1\r\n:2\r\n')]) reader.ledger.push(entry);
    reader.ledger.push(owed({ opens: 'slots' }));
    reader.feed(bytesOf('+QUEUED\r\n+QUEUED\r\n*2\r\n+a\r\n+b\r\n'));
    expect(sent.join('').slice('+OK\r\n+QUEUED\r\n+QUEUED\r\n'.length)).toBe(
      '*2\r\n+a\r\n+b\r\n>1\r\n:1\r\n>1\r\n:2\r\n',
    );
  });
});

describe('a lane out of sync', () => {
  const outOfSync = expect.objectContaining({ code: 'LANE_OUT_OF_SYNC' });

  test.for(['+OK\r\n', ':1\r\n', '$1\r\na\r\n', '*0\r\n', '_\r\n', '%0\r\n'])(
    'is known by a reply that nobody asked for: %s',
    (frame) => {
      for (const pieces of everyCut(bytesOf(frame))) {
        const reader = new ReplyReader({ send: () => {}, begin: () => {} });
        expect(() => pieces.map((piece) => reader.feed(piece))).toThrow(outOfSync);
      }
    },
  );

  test('is known by one reply too many', () => {
    const reader = new ReplyReader({ send: () => {}, begin: () => {} });
    reader.ledger.push(PASS);
    reader.feed(bytesOf('+1\r\n'));
    expect(() => reader.feed(bytesOf('+2\r\n'))).toThrow(outOfSync);
  });

  test('is known by a status that is no line of MONITOR', () => {
    const reader = new ReplyReader({ send: () => {}, begin: () => {} });
    reader.monitoring = true;
    reader.feed(bytesOf(LINE));
    expect(() => reader.feed(bytesOf('+OK\r\n'))).toThrow(outOfSync);
  });

  test.for([
    ['+OK\rX', 'FRAME_NO_CRLF'],
    ['?', 'FRAME_BAD_TYPE'],
    ['$x\r\n', 'FRAME_BAD_LENGTH'],
    ['$1\r\nabc', 'FRAME_NO_CRLF'],
  ] as const)('is known by what is no frame: %s', ([frame, code]) => {
    const reader = new ReplyReader({ send: () => {}, begin: () => {} });
    reader.ledger.push(owed({ keep: KEEP.all }));
    expect(() => reader.feed(bytesOf(frame))).toThrow(expect.objectContaining({ code }));
  });
});

describe('a reply that is longer than may be kept', () => {
  const piece = Buffer.alloc(2 ** 20, 'x');
  const pieceCount = KEPT_MAX_BYTES / piece.length + 1;
  const header = bytesOf(`$${piece.length * pieceCount}\r\n`);

  function feedAll(entry: Owed): number {
    let bytesSent = 0;
    const reader = new ReplyReader({
      send: (bytes: Buffer) => {
        bytesSent += bytes.length;
      },
      begin: () => {},
    });
    reader.ledger.push(entry);
    reader.feed(header);
    for (let n = 0; n < pieceCount; n++) reader.feed(piece);
    reader.feed(bytesOf('\r\n'));
    return bytesSent;
  }

  test('ends the connection where it must be seen whole', () => {
    const tooLarge = expect.objectContaining({ code: 'FRAME_TOO_LARGE' });
    expect(() => feedAll(owed({ keep: KEEP.all }))).toThrow(tooLarge);
  });

  test('streams through, every byte once, where that may be', () => {
    let settled: Reply | undefined;
    const entry = owed({
      keep: KEEP.all,
      lenient: true,
      settle: (reply) => {
        settled = reply;
        return 'pass';
      },
    });
    expect(feedAll(entry)).toBe(header.length + piece.length * pieceCount + 2);
    expect(settled).toEqual({ type: header[0], bytes: undefined });
  });

  test('streams through where only errors must be', () => {
    const whole = header.length + piece.length * pieceCount + 2;
    expect(feedAll(owed({ keep: KEEP.errors }))).toBe(whole);
    expect(feedAll(owed({ keep: KEEP.errors, drop: true }))).toBe(0);
  });
});

describe('defects', () => {
  test('a SUBSCRIBE uses up CLIENT REPLY SKIP, though its confirmations are sent', () => {
    const frames = confirmed(3, 'subscribe', 'a', 1);
    expectRow({
      name: '',
      prepare: ({ reader }) => {
        reader.protocol = 3;
        reader.skipNext = true;
      },
      owed: (rig) => [subscribing(rig, 'subscribe', 1), PASS],
      from: `${frames}+PONG\r\n`,
      to: `${frames}+PONG\r\n`,
      told: ['subscribe settles >', 'subscribe after >'],
    });
  });

  test('an empty array behind a SUBSCRIBE inside EXEC leaves when it is whole', () => {
    const text = `+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n${confirmed(2, 'subscribe', 'a', 1)}*0\r\n`;
    const sent: Buffer[] = [];
    const reader = new ReplyReader({ send: (bytes) => void sent.push(bytes), begin: () => {} });
    const rig = { reader, told: [] };
    const entries = [multi(rig), subscribing(rig, 'subscribe', 1), PASS_QUEUED, exec(rig, 'slots')];
    for (const entry of entries) reader.ledger.push(entry);
    reader.feed(bytesOf(text));
    expect(Buffer.concat(sent).toString('latin1')).toBe(text);
  });
});
