import { describe, expect, test } from 'vitest';
import { FOUND } from '../../../src/resp/found.ts';
import { LINE_MAX_BYTES, WORD_MAX_BYTES, WORDS_MAX_COUNT } from '../../../src/resp/header.ts';
import { NAME_MAX_BYTES } from '../../../src/resp/name.ts';
import { RequestScanner } from '../../../src/resp/request.ts';
import { request } from '../../../src/resp/write.ts';
import { cut, everyCut } from '../../helpers/resp.ts';
import {
  bytesOf,
  type ScannedRequest,
  scanRequests,
  slowScanRequests,
} from '../../helpers/scan.ts';

function words(name: string, bytes: string, ...rest: string[]): ScannedRequest {
  return { kind: 'words', bytes, name, words: rest };
}

function inline(line: string): ScannedRequest {
  return { kind: 'inline', bytes: line, name: '', words: [] };
}

function empty(bytes: string): ScannedRequest {
  return { kind: 'empty', bytes, name: '', words: [] };
}

const PING = '*1\r\n$4\r\nPING\r\n';
const GET = '*2\r\n$3\r\nGET\r\n$1\r\nk\r\n';
const LONG_NAME = 'N'.repeat(NAME_MAX_BYTES);

const ACCEPTED: readonly { name: string; text: string; requests: readonly ScannedRequest[] }[] = [
  { name: 'a name only', text: PING, requests: [words('ping', PING)] },
  { name: 'two words', text: GET, requests: [words('get', GET, 'k')] },
  {
    name: 'an empty word',
    text: '*3\r\n$3\r\nset\r\n$0\r\n\r\n$0\r\n\r\n',
    requests: [words('set', '*3\r\n$3\r\nset\r\n$0\r\n\r\n$0\r\n\r\n', '', '')],
  },
  {
    name: 'an empty name',
    text: '*2\r\n$0\r\n\r\n$1\r\na\r\n',
    requests: [words('', '*2\r\n$0\r\n\r\n$1\r\na\r\n', 'a')],
  },
  {
    name: 'an empty name only',
    text: '*1\r\n$0\r\n\r\n',
    requests: [words('', '*1\r\n$0\r\n\r\n')],
  },
  {
    name: 'words that look like headers',
    text: '*2\r\n$4\r\n*1\r\n\r\n$4\r\n$9\r\n\r\n',
    requests: [words('*1\r\n', '*2\r\n$4\r\n*1\r\n\r\n$4\r\n$9\r\n\r\n', '$9\r\n')],
  },
  {
    name: 'no byte but ASCII letters in lower case',
    text: '*1\r\n$4\r\n@[\xc4Z\r\n',
    requests: [words('@[\xc4z', '*1\r\n$4\r\n@[\xc4Z\r\n')],
  },
  {
    name: 'the longest name',
    text: `*1\r\n$64\r\n${LONG_NAME}\r\n`,
    requests: [words(LONG_NAME.toLowerCase(), `*1\r\n$64\r\n${LONG_NAME}\r\n`)],
  },
  {
    name: 'a name that is too long',
    text: `*2\r\n$65\r\n${LONG_NAME}x\r\n$1\r\na\r\n`,
    requests: [words('', `*2\r\n$65\r\n${LONG_NAME}x\r\n$1\r\na\r\n`, 'a')],
  },
  {
    name: 'wrong bytes behind headers and words',
    text: '*1\rX$4\rYPING??',
    requests: [words('ping', PING)],
  },
  {
    name: 'NUL behind a header and behind words',
    text: '*2\r\0$3\r\0GET\0\0$1\r\0k\r\0',
    requests: [words('get', GET, 'k')],
  },
  {
    name: 'CR CR behind words',
    text: '*1\r\r$4\r\rPING\r\r',
    requests: [words('ping', PING)],
  },
  {
    name: 'only LF behind a word, which takes a byte of the next request',
    text: '*1\r\n$4\r\nPING\n*1\r\n',
    requests: [words('ping', PING), inline('1\r\n')],
  },
  {
    name: 'NUL in a name',
    text: '*1\r\n$5\r\nPI\0NG\r\n',
    requests: [words('pi\x01ng', '*1\r\n$5\r\nPI\x01NG\r\n')],
  },
  {
    name: 'NUL in other words',
    text: '*2\r\n$3\r\nGET\r\n$3\r\na\0b\r\n',
    requests: [words('get', '*2\r\n$3\r\nGET\r\n$3\r\na\0b\r\n', 'a\0b')],
  },
  { name: 'count 0', text: '*0\r\n', requests: [empty('*0\r\n')] },
  { name: 'count 0 with a wrong LF', text: '*0\rX', requests: [empty('*0\r\n')] },
  { name: 'count -1', text: '*-1\r\n', requests: [empty('*-1\r\n')] },
  {
    name: 'the least count',
    text: '*-9223372036854775808\r\n',
    requests: [empty('*-9223372036854775808\r\n')],
  },
  { name: 'an inline request', text: 'GET k\r\n', requests: [inline('GET k\r\n')] },
  {
    name: 'inline requests',
    text: 'PING\nPING\r\n',
    requests: [inline('PING\n'), inline('PING\r\n')],
  },
  { name: 'inline: bare LF', text: '\n', requests: [inline('\n')] },
  { name: 'inline: an empty line', text: '\r\n', requests: [inline('\r\n')] },
  { name: 'inline: blanks', text: '  \t\r\r\n', requests: [inline('  \t\r\r\n')] },
  { name: 'inline: a blank before *', text: ' *1\r\n', requests: [inline(' *1\r\n')] },
  { name: 'inline: $4', text: '$4\r\n', requests: [inline('$4\r\n')] },
  { name: 'inline: a high byte', text: '\xff\n', requests: [inline('\xff\n')] },
  {
    name: 'forms that alternate',
    text: `PING\r\n${PING}*0\r\n\r\n${GET}x\n`,
    requests: [
      inline('PING\r\n'),
      words('ping', PING),
      empty('*0\r\n'),
      inline('\r\n'),
      words('get', GET, 'k'),
      inline('x\n'),
    ],
  },
  {
    name: 'a command that is repeated, and others between',
    text: `${GET}${GET}${PING}${PING}${GET}PING\r\n${GET}${GET}`,
    requests: [
      ...[words('get', GET, 'k'), words('get', GET, 'k'), words('ping', PING)],
      ...[words('ping', PING), words('get', GET, 'k'), inline('PING\r\n')],
      ...[words('get', GET, 'k'), words('get', GET, 'k')],
    ],
  },
  {
    name: 'the longest line',
    text: `${'a'.repeat(LINE_MAX_BYTES)}\n`,
    requests: [inline(`${'a'.repeat(LINE_MAX_BYTES)}\n`)],
  },
];

const BAD_NUMBERS = ['', '-', '+1', ' 1', '1 ', '01', '00', '-0', '-01', '1.0', '0x1', '1-', '--1'];
const TOO_GREAT = ['9223372036854775808', '18446744073709551617', '1'.repeat(400)];
const HEADER_FULL = '1'.repeat(LINE_MAX_BYTES - 1);

const REFUSED: readonly { readonly text: string; readonly refusal: string }[] = [
  ...[...BAD_NUMBERS, ...TOO_GREAT, '-9223372036854775809', `${WORDS_MAX_COUNT + 1}`].map(
    (number) => ({ text: `*${number}\r\n`, refusal: 'invalid multibulk length' }),
  ),
  ...[...BAD_NUMBERS, ...TOO_GREAT, '-1', `${WORD_MAX_BYTES + 1}`].map((number) => ({
    text: `*1\r\n$${number}\r\n`,
    refusal: 'invalid bulk length',
  })),
  { text: '*1\n$4\r\n', refusal: 'invalid multibulk length' },
  { text: '*1\r\nPING\r\n', refusal: "expected '$', got 'P'" },
  { text: '*1\r\n\xff\r\n', refusal: "expected '$', got '\xff'" },
  { text: '*1\r\n\r\n', refusal: "expected '$', got ' '" },
  { text: '*1\r\n\n1\r\n', refusal: "expected '$', got ' '" },
  { text: `*2\r\n$4\r\nPING\r\n:1\r\n`, refusal: "expected '$', got ':'" },
  { text: '*\0', refusal: 'too big mbulk count string' },
  { text: '*1\0\r\n', refusal: 'too big mbulk count string' },
  { text: '*1\r\n\0', refusal: 'too big bulk count string' },
  { text: '*1\r\n$4\0\r\n', refusal: 'too big bulk count string' },
  { text: `*${HEADER_FULL}1`, refusal: 'too big mbulk count string' },
  { text: `*${HEADER_FULL}1\r\n`, refusal: 'too big mbulk count string' },
  { text: `*${HEADER_FULL}\r\n`, refusal: 'invalid multibulk length' },
  { text: `*1\r\n$${HEADER_FULL}1`, refusal: 'too big bulk count string' },
  { text: `*1\r\n$${HEADER_FULL}\r\n`, refusal: 'invalid bulk length' },
  { text: '\0', refusal: 'too big inline request' },
  { text: 'PING\0\r\n', refusal: 'too big inline request' },
  { text: `a${'a'.repeat(LINE_MAX_BYTES)}`, refusal: 'too big inline request' },
  { text: `${'a'.repeat(LINE_MAX_BYTES)}\r\n`, refusal: 'too big inline request' },
];

const UNFINISHED = [
  '*',
  '*1',
  '*1\r',
  '*1\r\nPING',
  '*1\r\nPING\n',
  '*1\r\n$4\r\nPING',
  '*2\r\n$4\r\nPING\r\n',
  `*${WORDS_MAX_COUNT}\r\n`,
  `*1\r\n$${WORD_MAX_BYTES}\r\n`,
  'PING',
  'PING\r',
  `*${HEADER_FULL}`,
  `*1\r\n$${HEADER_FULL}`,
  'a'.repeat(LINE_MAX_BYTES),
] as const;

/** Long rows are cut into fewer pieces, for each piece here costs as much as all bytes so far. */
function cutsOf(text: string): Buffer[][] {
  const bytes = bytesOf(text);
  return bytes.length < 1_000 ? everyCut(bytes) : [[bytes], cut(bytes, [997])];
}

function shown(text: string): string {
  return text.length > 100 ? `${text.slice(0, 40)}... (${text.length})` : text;
}

describe('requests', () => {
  test.for(ACCEPTED)('with $name are read', ({ text, requests }) => {
    for (const pieces of cutsOf(text)) {
      expect(scanRequests(pieces)).toEqual({ requests, midRequest: false, refusal: undefined });
    }
  });

  test.for(ACCEPTED)('with $name leave the bytes behind them alone', ({ text, requests }) => {
    const all = [...requests, words('get', GET, 'k')];
    for (const pieces of cutsOf(`${text}${GET}*`)) {
      expect(scanRequests(pieces)).toEqual({ requests: all, midRequest: true, refusal: undefined });
    }
  });

  test.for(REFUSED.map((row) => ({ ...row, name: shown(row.text) })))(
    'like $name are refused: $refusal',
    ({ text, refusal }) => {
      for (const pieces of cutsOf(text)) {
        expect(scanRequests(pieces)).toEqual({ requests: [], midRequest: true, refusal });
      }
      for (const pieces of cutsOf(`${PING}${text}${PING}`)) {
        expect(scanRequests(pieces)).toMatchObject({ requests: [words('ping', PING)], refusal });
      }
    },
  );

  test.for(UNFINISHED.map((text) => ({ text, name: shown(text) })))(
    'like $name wait for more',
    ({ text }) => {
      for (const pieces of cutsOf(text)) {
        expect(scanRequests(pieces)).toEqual({
          requests: [],
          midRequest: true,
          refusal: undefined,
        });
      }
    },
  );

  test('of every row are read as the slow parser reads them', () => {
    for (const { text } of [...ACCEPTED, ...REFUSED]) {
      expect(scanRequests([bytesOf(text)])).toEqual(slowScanRequests(bytesOf(text)));
    }
  });

  test('with NUL in the subcommand are mended where that is asked for', () => {
    const text = '*3\r\n$6\r\nCLIENT\r\n$6\r\nID\0\0ab\r\n$2\r\n\0c\r\n';
    const mended = text.replace('ID\0\0ab', 'ID\x01\x01ab');
    for (const pieces of everyCut(bytesOf(text))) {
      expect(scanRequests(pieces, { mendSubcommand: true }).requests).toEqual([
        words('client', mended, 'ID\x01\x01ab', '\0c'),
      ]);
    }
  });

  test('with a great many words keep where each lies', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => `word${index}`);
    const bytes = request('DEL', ...many);
    const { requests } = scanRequests([bytes, bytesOf(GET)]);
    expect(requests.map((found) => found.words)).toEqual([many, ['k']]);
  });

  test('with words beyond 2 GiB keep where each lies', () => {
    const scanner = new RequestScanner();
    const head = bytesOf('*3\r\n$3\r\nSET\r\n');
    expect(scanner.advance(head)).toBe(FOUND.name);
    scanner.keepWords = true;
    expect(scanner.advance(head)).toBe(FOUND.more);
    scanner.nextChunk(head.length);
    const header = bytesOf('$5000000000\r\n');
    expect(scanner.advance(header)).toBe(FOUND.more);
    expect(scanner.bounds.start(1)).toBe(head.length + header.length);
    expect(scanner.bounds.end(1)).toBe(head.length + header.length + 5_000_000_000);
  });

  test('do not keep words that nobody asked for', () => {
    const scanner = new RequestScanner();
    const bytes = bytesOf(`${GET}${GET}`);
    expect(scanner.advance(bytes)).toBe(FOUND.name);
    scanner.keepWords = true;
    expect(scanner.advance(bytes)).toBe(FOUND.end);
    expect(scanner.advance(bytes)).toBe(FOUND.name);
    expect(scanner.keepWords).toBe(false);
    expect(scanner.mendSubcommand).toBe(false);
  });

  test('keep a name that comes in pieces apart from those of other clients', () => {
    const [slow, other] = [new RequestScanner(), new RequestScanner()];
    const nameOf = ({ name, nameLength }: RequestScanner) =>
      Buffer.from(name.subarray(0, nameLength)).toString('latin1');
    expect(slow.advance(bytesOf('*1\r\n$4\r\nPI'))).toBe(FOUND.more);
    expect(other.advance(bytesOf(GET))).toBe(FOUND.name);
    expect(nameOf(other)).toBe('get');
    slow.nextChunk(10);
    expect(slow.advance(bytesOf('NG\r\n'))).toBe(FOUND.name);
    expect(nameOf(slow)).toBe('ping');
    expect(nameOf(other)).toBe('get');
  });

  test('of one word are told in two steps, even at the end of a chunk', () => {
    const scanner = new RequestScanner();
    const bytes = bytesOf(PING);
    expect(scanner.advance(bytes)).toBe(FOUND.name);
    expect(scanner.midRequest).toBe(true);
    expect(scanner.at).toBe(bytes.length);
    expect(scanner.advance(bytes)).toBe(FOUND.end);
    expect(scanner.midRequest).toBe(false);
    expect(scanner.advance(bytes)).toBe(FOUND.more);
  });

  test('that are empty lines take time in proportion to their number', { timeout: 1_000 }, () => {
    const scanner = new RequestScanner();
    const bytes = Buffer.alloc(500_000, '\n');
    let count = 0;
    while (scanner.advance(bytes) === FOUND.inline) count += 1;
    expect(count).toBe(bytes.length);
  });
});
