import { describe, expect, test } from 'vitest';
import type { RequestHandler, Step } from '../../../src/client/handler.ts';
import { HELD_MAX_BYTES, RequestReader } from '../../../src/client/requests.ts';
import { type CommandInfo, CommandTable } from '../../../src/commands/table.ts';
import { request } from '../../../src/resp/write.ts';
import { everyCut } from '../../helpers/resp.ts';
import { bytesOf } from '../../helpers/scan.ts';

const TABLE = CommandTable.builtin();

/** What becomes of held requests, by command name; the others are not held. */
type Plan = Readonly<Record<string, Step | ((reader: RequestReader) => Step)>>;

/** @returns word 0 of a whole request */
function nameIn(bytes: string): string {
  const from = bytes.indexOf('\r\n', bytes.indexOf('$')) + 2;
  return bytes.slice(from, bytes.indexOf('\r\n', from));
}

/** Tells what it is told, and holds what the plan names. */
class Handler implements RequestHandler {
  isStranger = false;
  readonly reader = new RequestReader(this);
  readonly told: string[] = [];
  readonly sent: string[] = [];
  readonly #plan: Plan;
  readonly #sendsLong: boolean;

  constructor(plan: Plan = {}, sendsLong = true) {
    this.#plan = plan;
    this.#sendsLong = sendsLong;
  }

  find(name: Uint8Array, length: number): CommandInfo | undefined {
    return TABLE.find(name, length);
  }

  holds(info: CommandInfo | undefined): boolean {
    return info !== undefined && info.name in this.#plan;
  }

  passed(info: CommandInfo | undefined, count: number): void {
    for (let left = count; left > 0; left--) this.told.push(`passed ${info?.name}`);
  }

  held(info: CommandInfo, words: Parameters<RequestHandler['held']>[1]): Step {
    const texts = Array.from({ length: words.count - 1 }, (_, index) => words.text(index + 1));
    const name = nameIn(words.bytes().toString('latin1'));
    this.told.push(`held ${info.name}: ${[name, ...texts].join('|')}`);
    const whole = words.bytes().toString('latin1');
    if (whole !== text(name, ...texts)) this.told.push(`instead of ${JSON.stringify(whole)}`);
    const plan = this.#plan[info.name] ?? 'forward';
    return typeof plan === 'string' ? plan : plan(this.reader);
  }

  tooLong(info: CommandInfo | undefined): boolean {
    this.told.push(`too long ${info?.name}`);
    return this.#sendsLong;
  }

  empty(): void {
    this.told.push('empty');
  }

  malformed(text: string): void {
    this.told.push(`malformed: ${text}`);
  }

  send(bytes: Buffer): void {
    this.sent.push(bytes.toString('latin1'));
  }
}

function fed(pieces: readonly Buffer[], plan: Plan): Handler {
  const handler = new Handler(plan);
  for (const piece of pieces) handler.reader.feed(piece);
  return handler;
}

function text(...words: readonly string[]): string {
  return request(...words).toString('latin1');
}

const PING = text('PING');
const GET = text('GET', 'k');
const SET = text('SET', 'k', 'v\r\n$1');
const STAND_IN = text('CLIENT', 'GETNAME');

/** What the client sends, what upstream gets, and what the handler hears. */
interface Row {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly told: readonly string[];
  readonly plan?: Plan;
}

const PASSED: readonly Row[] = [
  {
    name: 'pass',
    from: `${PING}${GET}${SET}${text('NOSUCH', 'a')}`,
    to: `${PING}${GET}${SET}${text('NOSUCH', 'a')}`,
    told: ['passed ping', 'passed get', 'passed set', 'passed undefined'],
  },
  {
    name: 'pass with an empty name, empty words, and one word',
    from: `${text('')}${text('', 'a')}${text('SET', '', '')}${PING}`,
    to: `${text('')}${text('', 'a')}${text('SET', '', '')}${PING}`,
    told: ['passed undefined', 'passed undefined', 'passed set', 'passed ping'],
  },
  {
    name: 'pass with line ends that every server reads alike',
    from: '*2\rX$3\rYGET??$1\r\0k--*1\r\n$4\r\nPING\n\n',
    to: `${GET}${PING}`,
    told: ['passed get', 'passed ping'],
  },
  {
    name: 'pass without a NUL in the names that servers look up',
    from: `${text('GE\0T', 'k\0')}${text('CLIENT', 'GET\0NAME', '\0')}${text('GET', '\0')}`,
    to: `${text('GE\x01T', 'k\0')}${text('CLIENT', 'GET\x01NAME', '\0')}${text('GET', '\0')}`,
    told: ['passed undefined', 'passed client', 'passed get'],
  },
  {
    name: 'pass together where neighbours are alike, whatever their line ends',
    from: `${GET}${text('GET', 'kk')}*2\r\n$3\r\nGET\r\n$1\r\0k--${GET}${PING}${PING}${text('GET', '')}${GET}`,
    to: `${GET}${text('GET', 'kk')}${GET}${GET}${PING}${PING}${text('GET', '')}${GET}`,
    told: ['get', 'get', 'get', 'get', 'ping', 'ping', 'get', 'get'].map(
      (name) => `passed ${name}`,
    ),
  },
  {
    name: 'pass one by one where the next word is looked at',
    from: text('CLIENT', 'GET\0NAME') + text('CLIENT', 'GET\0NAME') + text('CLIENT', 'ID'),
    to: text('CLIENT', 'GET\x01NAME') + text('CLIENT', 'GET\x01NAME') + text('CLIENT', 'ID'),
    told: ['passed client', 'passed client', 'passed client'],
  },
  {
    name: 'of no words go nowhere',
    from: `*0\r\n${PING}*-1\r\n*-5\rX${GET}`,
    to: `${PING}${GET}`,
    told: ['empty', 'passed ping', 'empty', 'empty', 'passed get'],
  },
];

const HELD: readonly Row[] = [
  {
    name: 'go on where they stand',
    plan: { get: 'forward' },
    from: `${PING}${GET}${SET}${GET}`,
    to: `${PING}${GET}${SET}${GET}`,
    told: ['passed ping', 'held get: GET|k', 'passed set', 'held get: GET|k'],
  },
  {
    name: 'show all words, of any bytes',
    plan: { mget: 'forward' },
    from: text('mGeT', '', '\r\n', '*1\r\n$4\r\nPING\r\n', '\0\xff', 'x'.repeat(100)),
    to: text('mGeT', '', '\r\n', '*1\r\n$4\r\nPING\r\n', '\0\xff', 'x'.repeat(100)),
    told: [`held mget: mGeT||\r\n|*1\r\n$4\r\nPING\r\n|\0\xff|${'x'.repeat(100)}`],
  },
  {
    name: 'show more words than are kept room for at first',
    plan: { mget: 'forward' },
    from: text('MGET', ...Array.from({ length: 50 }, (_, index) => `${index}`)) + PING,
    to: text('MGET', ...Array.from({ length: 50 }, (_, index) => `${index}`)) + PING,
    told: [
      `held mget: MGET|${Array.from({ length: 50 }, (_, index) => index).join('|')}`,
      'passed ping',
    ],
  },
  {
    name: 'of one word are held, too',
    plan: { ping: 'forward', multi: 'done' },
    from: `${PING}${text('MULTI')}${PING}`,
    to: `${PING}${PING}`,
    told: ['held ping: PING', 'held multi: MULTI', 'held ping: PING'],
  },
  {
    name: 'are dealt with and go nowhere',
    plan: { get: 'done' },
    from: `${GET}${PING}${GET}${GET}${SET}${GET}`,
    to: `${PING}${SET}`,
    told: [
      'held get: GET|k',
      'passed ping',
      'held get: GET|k',
      'held get: GET|k',
      'passed set',
      'held get: GET|k',
    ],
  },
  {
    name: 'are replaced in their place',
    plan: {
      client: (reader) => {
        reader.send(bytesOf(STAND_IN));
        return 'done';
      },
    },
    from: `${PING}${text('CLIENT', 'TRACKING', 'ON')}${GET}`,
    to: `${PING}${STAND_IN}${GET}`,
    told: ['passed ping', 'held client: CLIENT|TRACKING|ON', 'passed get'],
  },
  {
    name: 'follow what is sent before them',
    plan: {
      get: (reader) => {
        reader.send(bytesOf(PING));
        return 'forward';
      },
    },
    from: `${SET}${GET}${SET}`,
    to: `${SET}${PING}${GET}${SET}`,
    told: ['passed set', 'held get: GET|k', 'passed set'],
  },
  {
    name: 'show mended names',
    plan: { client: 'forward' },
    from: text('CLIENT', 'TRACK\0ING', 'ON\0'),
    to: text('CLIENT', 'TRACK\x01ING', 'ON\0'),
    told: ['held client: CLIENT|TRACK\x01ING|ON\0'],
  },
];

const INLINE: readonly Row[] = [
  {
    name: 'are written as words',
    from: 'PING\r\nget  k\nset k "a b\\r\\n\\x00"\r\nPI"NG"\n',
    to: `${PING}${text('get', 'k')}${text('set', 'k', 'a b\r\n\0')}${PING}`,
    told: ['passed ping', 'passed get', 'passed set', 'passed ping'],
  },
  {
    name: 'keep an empty word, and only one CR belongs to the line end',
    from: `set k ""\r\nPING\r\r\n`,
    to: `${text('set', 'k', '')}${PING}`,
    told: ['passed set', 'passed ping'],
  },
  {
    name: 'stand between others',
    from: `${GET}PING\r\n${GET}get k\n${PING}`,
    to: `${GET}${PING}${GET}${text('get', 'k')}${PING}`,
    told: ['passed get', 'passed ping', 'passed get', 'passed get', 'passed ping'],
  },
  {
    name: 'without words go nowhere',
    from: `\r\n\n${PING}   \r\n\t\r\r\n${GET}\n`,
    to: `${PING}${GET}`,
    told: ['empty', 'empty', 'passed ping', 'empty', 'empty', 'passed get', 'empty'],
  },
  {
    name: 'are held and go on as words',
    plan: { get: 'forward' },
    from: `PING\r\nget 'a b'\r\n${PING}`,
    to: `${PING}${text('get', 'a b')}${PING}`,
    told: ['passed ping', 'held get: get|a b', 'passed ping'],
  },
  {
    name: 'are dealt with, and what is sent for them stands in their place',
    plan: {
      client: (reader) => {
        reader.send(bytesOf(STAND_IN));
        return 'done';
      },
    },
    from: `${PING}client tracking on\r\n${GET}`,
    to: `${PING}${STAND_IN}${GET}`,
    told: ['passed ping', 'held client: client|tracking|on', 'passed get'],
  },
  {
    name: 'have no NUL in the names that servers look up',
    from: '"GE\\x00T" k\r\nclient "get\\x00name"\r\n',
    to: `${text('GE\x01T', 'k')}${text('client', 'get\x01name')}`,
    told: ['passed undefined', 'passed client'],
  },
];

const STOPPED: readonly Row[] = [
  {
    name: 'are not read behind one that ends the connection',
    plan: {
      quit: (reader) => {
        reader.send(bytesOf(text('QUIT')));
        return 'stop';
      },
    },
    from: `${PING}${text('QUIT')}${GET}${PING}nonsense\0`,
    to: `${PING}${text('QUIT')}`,
    told: ['passed ping', 'held quit: QUIT'],
  },
];

const BROKEN: readonly Row[] = [
  ['*x\r\n', 'invalid multibulk length'],
  ['*2147483648\r\n', 'invalid multibulk length'],
  ['*1\r\n+PING\r\n', "expected '$', got '+'"],
  ['*1\r\n$-1\r\n', 'invalid bulk length'],
  ['"PING\r\n', 'unbalanced quotes in request'],
  ['PI\0NG\r\n', 'too big inline request'],
  ['*1\0', 'too big mbulk count string'],
  ['*1\r\n$4\0', 'too big bulk count string'],
].map(([bad = '', why = '']): Row => {
  return {
    name: `end with ${JSON.stringify(bad)}`,
    plan: { get: 'forward' },
    from: `${PING}${GET}${bad}${GET}${PING}`,
    to: `${PING}${GET}`,
    told: ['passed ping', 'held get: GET|k', `malformed: ${why}`],
  };
});

describe.for([
  ['requests', PASSED],
  ['held requests', HELD],
  ['inline requests', INLINE],
  ['requests', STOPPED],
  ['requests', BROKEN],
] as const)('%s', ([, rows]) => {
  test.for(rows)('$name', (row) => {
    const wanted = `${row.to}\n${row.told.join('\n')}`;
    for (const pieces of everyCut(bytesOf(row.from))) {
      const handler = fed(pieces, row.plan ?? {});
      const shown = `${handler.sent.join('')}\n${handler.told.join('\n')}`;
      // Thousands of cuts are compared, and an assertion is slow.
      if (shown !== wanted) expect(shown).toBe(wanted);
    }
  });
});

describe('a chunk', () => {
  function sentFor(chunk: string, plan: Plan = {}): string[] {
    return fed([bytesOf(chunk)], plan).sent;
  }

  test('that passes whole leaves as itself', () => {
    const sent: Buffer[] = [];
    const handler = new Handler({ get: 'forward' });
    handler.send = (bytes) => void sent.push(bytes);
    const chunk = bytesOf(PING + GET + SET + GET);
    handler.reader.feed(chunk);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toBe(chunk);
  });

  test('leaves in as few ranges as there are gaps', () => {
    const chunk = `${PING}${SET}${GET}${GET}${PING}${SET}`;
    expect(sentFor(chunk, { get: 'done' })).toEqual([`${PING}${SET}`, `${PING}${SET}`]);
  });

  test('leaves with the beginning of a request that is not held', () => {
    expect(sentFor(`${PING}*2\r\n$3\r\nGET\r\n$9\r\nab`)).toEqual([
      `${PING}*2\r\n$3\r\nGET\r\n$9\r\nab`,
    ]);
  });

  test('leaves without the beginning of a request that may be held', () => {
    const plan = { get: 'forward' } as const;
    expect(sentFor(`${PING}*2\r\n$3\r\nGET\r\n$9\r\nab`, plan)).toEqual([PING]);
    expect(sentFor(`${PING}*2\r\n$3\r\nGE`, plan)).toEqual([PING]);
  });

  test('of a long request that is not held streams through', () => {
    const pieces = ['*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$9\r\n01', '234', '567', '8\r', `\n${PING}`];
    expect(fed(pieces.map(bytesOf), {}).sent).toEqual(pieces);
  });
});

describe('a request that is waited for', () => {
  const AUTH = text('AUTH', 'p');
  const plan: Plan = {
    auth: (reader) => {
      reader.send(bytesOf(AUTH));
      return 'wait';
    },
  };

  test('keeps all behind it unread, at every cut', () => {
    for (const pieces of everyCut(bytesOf(`${PING}${AUTH}${GET}get k\r\n${SET}`))) {
      const { reader, sent, told } = fed(pieces, plan);
      expect(reader.waiting).toBe(true);
      expect(sent.join('')).toBe(PING + AUTH);
      expect(told).toEqual(['passed ping', 'held auth: AUTH|p']);
      reader.resume();
      expect(reader.waiting).toBe(false);
      expect(sent.join('')).toBe(PING + AUTH + GET + text('get', 'k') + SET);
      expect(told.slice(2)).toEqual(['passed get', 'passed get', 'passed set']);
    }
  });

  test('may be followed by another one', () => {
    for (const pieces of everyCut(bytesOf(AUTH + PING + AUTH + GET))) {
      const { reader, sent } = fed(pieces, plan);
      const states = [sent.join('')];
      reader.resume();
      states.push(sent.join(''));
      expect(reader.waiting).toBe(true);
      reader.resume();
      states.push(sent.join(''));
      expect(states).toEqual([AUTH, AUTH + PING + AUTH, AUTH + PING + AUTH + GET]);
      expect(reader.waiting).toBe(false);
    }
  });

  test('may be resumed in the middle of the next request', () => {
    for (const pieces of everyCut(bytesOf(GET + PING))) {
      const { reader, sent, told } = fed([bytesOf(AUTH)], { ...plan, get: 'forward' });
      for (const [index, piece] of pieces.entries()) {
        reader.feed(piece);
        if (index === 0) reader.resume();
      }
      expect(sent.join('')).toBe(AUTH + GET + PING);
      expect(told).toEqual(['held auth: AUTH|p', 'held get: GET|k', 'passed ping']);
    }
  });

  test('lets the rest be taken as it came', () => {
    for (const pieces of everyCut(bytesOf(`${AUTH}\0anything`))) {
      const { reader, sent } = fed(pieces, plan);
      expect(Buffer.concat(reader.takeRest()).toString('latin1')).toBe('\0anything');
      expect([reader.takeRest(), reader.waiting]).toEqual([[], false]);
      expect(sent.join('')).toBe(AUTH);
    }
  });

  test('leaves nothing to take where nothing has come', () => {
    expect(fed([bytesOf(AUTH)], plan).reader.takeRest()).toEqual([]);
  });

  test('goes no further once the reader is stopped', () => {
    const { reader, sent, told } = fed([bytesOf(AUTH + PING)], plan);
    reader.stop();
    reader.resume();
    reader.feed(bytesOf(GET));
    expect(sent.join('')).toBe(AUTH);
    expect(told).toEqual(['held auth: AUTH|p']);
  });
});

test('what is sent while nothing is being read goes at once', () => {
  const handler = fed([bytesOf(PING)], {});
  handler.reader.send(bytesOf(GET));
  handler.reader.feed(bytesOf(SET));
  expect(handler.sent).toEqual([PING, GET, SET]);
});

describe('a request that is too long to be held', () => {
  const piece = Buffer.alloc(2 ** 20, 'x');
  const pieceCount = HELD_MAX_BYTES / piece.length;
  const bodyBytes = piece.length * pieceCount;

  /** Feeds PING and then a GET whose key is as long as all that may be held. */
  function feedLong(sendsLong: boolean, head = `*2\r\n$3\r\nGET\r\n$${bodyBytes}\r\n`) {
    const handler = new Handler({ get: 'forward' }, sendsLong);
    let bytesSent = 0;
    handler.send = (bytes) => {
      bytesSent += bytes.length;
    };
    handler.reader.feed(bytesOf(PING + head));
    for (let n = 0; n < pieceCount; n++) handler.reader.feed(piece);
    handler.reader.feed(bytesOf(`\r\n${PING}`));
    return { told: handler.told, bytesSent, whole: PING.length * 2 + head.length + bodyBytes + 2 };
  }

  test('streams on, every byte once', () => {
    const { told, bytesSent, whole } = feedLong(true);
    expect(told).toEqual(['passed ping', 'too long get', 'passed get', 'passed ping']);
    expect(bytesSent).toBe(whole);
  });

  test('ends the connection where it must not go on unseen', () => {
    const { told, bytesSent } = feedLong(false);
    expect(told).toEqual(['passed ping', 'too long get', 'malformed: invalid bulk length']);
    expect(bytesSent).toBe(PING.length);
  });

  test('goes on as it comes where its name is too long to be a command', () => {
    const { told, bytesSent, whole } = feedLong(true, `*1\r\n$${bodyBytes}\r\n`);
    expect(told.at(-1)).toBe('passed ping');
    expect(bytesSent).toBe(whole);
  });

  test('is one alone: many that are held add up to nothing', () => {
    const handler = new Handler({ get: 'done' });
    for (let n = 0; n <= pieceCount; n++) {
      handler.reader.feed(bytesOf(`*2\r\n$3\r\nGET\r\n$${piece.length + 1}\r\n`));
      handler.reader.feed(piece);
      handler.reader.feed(bytesOf('x\r\n'));
    }
    expect(handler.told.filter((line) => !line.startsWith('held get'))).toEqual([]);
  });

  test('is held as long as it is not', () => {
    const length = 2 ** 16;
    const key = 'x'.repeat(length);
    const handler = fed(
      [bytesOf(`*2\r\n$3\r\nGET\r\n$${length}\r\n`), bytesOf(key), bytesOf('\r\n')],
      { get: 'forward' },
    );
    expect(handler.told).toEqual([`held get: GET|${key}`]);
    expect(handler.sent).toEqual([text('GET', key)]);
  });
});
