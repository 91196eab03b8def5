import { describe, expect, test } from 'vitest';
import { AGGREGATE_MAX_COUNT, BULK_MAX_BYTES, FrameScanner } from '../../../src/resp/scanner.ts';
import { decodeReply, everyCut } from '../../helpers/resp.ts';
import { bytesOf, scanFrames } from '../../helpers/scan.ts';

const DEEP = 8_000;

const FRAMES = [
  { name: 'a status', text: '+OK\r\n' },
  { name: 'an empty status', text: '+\r\n' },
  { name: 'a status with a bare LF', text: '+a\nb\r\n' },
  { name: 'an error', text: '-ERR no\r\n' },
  { name: 'an empty error', text: '-\r\n' },
  { name: 'an error that begins with minus', text: '--MY Err\r\n' },
  { name: 'an integer', text: ':-9223372036854775808\r\n' },
  { name: 'a bulk string', text: '$5\r\nhello\r\n' },
  { name: 'a bulk string that holds CR LF', text: '$6\r\n\r\n+x\r\n\r\n' },
  { name: 'an empty bulk string', text: '$0\r\n\r\n' },
  { name: 'a bulk string with zeros in front of its length', text: '$0000000000003\r\nabc\r\n' },
  { name: 'a null bulk string', text: '$-1\r\n' },
  { name: 'an array', text: '*3\r\n:1\r\n$1\r\na\r\n+b\r\n' },
  { name: 'an empty array', text: '*0\r\n' },
  { name: 'a null array', text: '*-1\r\n' },
  { name: 'arrays in arrays', text: '*2\r\n*1\r\n*0\r\n*2\r\n$-1\r\n*-1\r\n' },
  { name: 'a null', text: '_\r\n' },
  { name: 'a double', text: ',-1.5e-9\r\n' },
  { name: 'an infinite double', text: ',-inf\r\n' },
  { name: 'a boolean', text: '#t\r\n' },
  { name: 'a big number', text: '(3492890328409238509324850943850943825024385\r\n' },
  { name: 'a big number that is none', text: '(12  34\r\n' },
  { name: 'a verbatim string', text: '=8\r\ntxt:some\r\n' },
  { name: 'a set', text: '~2\r\n+a\r\n+b\r\n' },
  { name: 'an empty set', text: '~0\r\n' },
  { name: 'a map', text: '%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n' },
  { name: 'an empty map', text: '%0\r\n' },
  { name: 'a push', text: '>3\r\n+message\r\n+channel\r\n$2\r\nhi\r\n' },
  { name: 'an empty push', text: '>0\r\n' },
  { name: 'an attribute and its value', text: '|1\r\n+ttl\r\n:3600\r\n$1\r\na\r\n' },
  { name: 'an empty attribute and its value', text: '|0\r\n+OK\r\n' },
  { name: 'two attributes and their value', text: '|0\r\n|1\r\n+a\r\n+b\r\n*1\r\n:1\r\n' },
  { name: 'an attribute inside an array', text: '*2\r\n:1\r\n|1\r\n+a\r\n+b\r\n:2\r\n' },
  { name: 'an attribute inside an attribute', text: '|1\r\n|1\r\n+a\r\n+b\r\n+c\r\n*0\r\n:1\r\n' },
  { name: 'an attribute before a push', text: '|1\r\n+a\r\n+b\r\n>1\r\n+c\r\n' },
  { name: 'a push inside an array', text: '*1\r\n>2\r\n+message\r\n+a\r\n:1\r\n' },
  { name: 'a push deeper inside', text: '*1\r\n*1\r\n>1\r\n+a\r\n>1\r\n*1\r\n:5\r\n:1\r\n' },
  { name: 'a push inside an attribute', text: '|1\r\n+a\r\n>1\r\n+b\r\n+c\r\n+OK\r\n' },
  { name: 'very deep arrays', text: `${'*1\r\n'.repeat(DEEP)}-ERR stack limit\r\n` },
  { name: 'deep maps', text: `${'%1\r\n+k\r\n'.repeat(500)}_\r\n` },
] as const;

const BROKEN = [
  ...['!3\r\nERR\r\n', 'OK\r\n', '\r\n', '\0', ';4\r\n', '.\r\n', '*1\r\nx'].map((text) => ({
    text,
    code: 'FRAME_BAD_TYPE',
  })),
  ...['$\r\n', '$-\r\n', '$-2\r\n', '$-0\r\n', '$-01\r\n', '$--1\r\n', '$1-\r\n', '$ 1\r\n'].map(
    (text) => ({ text, code: 'FRAME_BAD_LENGTH' }),
  ),
  ...['$+1\r\n', '$?\r\n', '*?\r\n', '%?\r\n', '*-2\r\n', '~-1\r\n', '%-1\r\n', '>-1\r\n'].map(
    (text) => ({ text, code: 'FRAME_BAD_LENGTH' }),
  ),
  ...['|-1\r\n', '=-1\r\n', '*1\n', '$1a\r\n', '$1\n'].map((text) => ({
    text,
    code: 'FRAME_BAD_LENGTH',
  })),
  ...['+OK\rX', '+OK\r\r\n', ':1\rX', '$3\rX', '*1\rX', '$3\r\nabcd\r\n', '$3\r\nabc\n'].map(
    (text) => ({ text, code: 'FRAME_NO_CRLF' }),
  ),
  ...['$3\r\nabc\rX', '$0\r\nX', '$0\r\n\rX', '*1\r\n$1\r\na\r\r'].map((text) => ({
    text,
    code: 'FRAME_NO_CRLF',
  })),
  ...[
    `$${BULK_MAX_BYTES + 1}\r\n`,
    `*${AGGREGATE_MAX_COUNT + 1}\r\n`,
    `%${AGGREGATE_MAX_COUNT + 1}\r\n`,
    '$1000000000000000\r\n',
    `$${'9'.repeat(40)}`,
  ].map((text) => ({ text, code: 'FRAME_TOO_LARGE' })),
] as const;

describe('a frame', () => {
  test.for(FRAMES)('$name ends where it ends', ({ text }) => {
    const whole = bytesOf(text);
    for (const pieces of everyCut(whole)) {
      expect(scanFrames(pieces)).toEqual({
        ends: [whole.length],
        midFrame: false,
        code: undefined,
      });
    }
  });

  test.for(FRAMES)('$name ends where the next begins', ({ text }) => {
    const bytes = bytesOf(`${text}${text}+a`);
    const ends = [text.length, 2 * text.length];
    for (const pieces of everyCut(bytes)) {
      expect(scanFrames(pieces)).toEqual({ ends, midFrame: true, code: undefined });
    }
  });

  test.for(FRAMES)('$name is not whole before its last byte', ({ text }) => {
    const step = Math.ceil(text.length / 60);
    for (let length = 1; length < text.length; length += step) {
      const scanner = new FrameScanner();
      expect(scanner.next(bytesOf(text.slice(0, length)), 0)).toBe(-1);
      expect(scanner.midFrame).toBe(true);
      expect(scanner.next(bytesOf(text.slice(length)), 0)).toBe(text.length - length);
      expect(scanner.midFrame).toBe(false);
    }
  });

  test.for(FRAMES.filter(({ text }) => text.length < DEEP))(
    '$name is what the slow decoder reads',
    ({ text }) => {
      expect(decodeReply(bytesOf(text))?.end).toBe(text.length);
    },
  );

  test('of the greatest lengths is begun', () => {
    for (const text of [`$${BULK_MAX_BYTES}\r\n`, `*${AGGREGATE_MAX_COUNT}\r\n`]) {
      expect(scanFrames([bytesOf(text)])).toEqual({ ends: [], midFrame: true, code: undefined });
    }
  });

  test('longer than its chunks streams through', () => {
    const scanner = new FrameScanner();
    const chunk = Buffer.alloc(65_536, '$');
    expect(scanner.next(bytesOf(`$${chunk.length * 16}\r\n`), 0)).toBe(-1);
    for (let i = 0; i < 16; i++) expect(scanner.next(chunk, 0)).toBe(-1);
    expect(scanner.next(bytesOf('\r\n:1\r\n'), 0)).toBe(2);
  });
});

describe('a broken frame', () => {
  test.for(BROKEN)('$text throws $code', ({ text, code }) => {
    for (const pieces of everyCut(bytesOf(text))) expect(scanFrames(pieces).code).toBe(code);
    for (const pieces of everyCut(bytesOf(`:1\r\n*1\r\n${text}`))) {
      expect(scanFrames(pieces)).toMatchObject({ ends: [4], code });
    }
  });

  test('of more nested elements than can be counted throws FRAME_TOO_LARGE', () => {
    const chunk = bytesOf(`%${AGGREGATE_MAX_COUNT}\r\n`.repeat(4_096));
    const chunks = new Array<Buffer>(257).fill(chunk);
    expect(scanFrames(chunks)).toMatchObject({ ends: [], code: 'FRAME_TOO_LARGE' });
  });
});

describe('headerOnly', () => {
  const ROWS = [
    { text: '*2\r\n', rest: ':1\r\n+a\r\n', elements: 2 },
    { text: '*0\r\n', rest: '', elements: 0 },
    { text: '*-1\r\n', rest: '', elements: -1 },
    { text: '%2\r\n', rest: '+a\r\n+b\r\n+c\r\n*1\r\n:1\r\n', elements: 4 },
    { text: '~1\r\n', rest: '*1\r\n*1\r\n:1\r\n', elements: 1 },
    { text: '>2\r\n', rest: '+a\r\n+b\r\n', elements: 2 },
    { text: '|1\r\n+a\r\n*1\r\n+b\r\n*2\r\n', rest: ':1\r\n:2\r\n', elements: 2 },
    { text: '|0\r\n*1\r\n', rest: ':1\r\n', elements: 1 },
    { text: '|1\r\n+a\r\n*1\r\n+b\r\n+OK\r\n', rest: '', elements: 0 },
    { text: '-EXECABORT x\r\n', rest: '', elements: 0 },
    { text: '_\r\n', rest: '', elements: 0 },
    { text: '$-1\r\n', rest: '', elements: 0 },
    { text: '$1\r\na\r\n', rest: '', elements: 0 },
  ] as const;

  test.for(ROWS)('ends $text with its header', ({ text, rest, elements }) => {
    const ends = [text.length];
    for (let at = text.length; at < text.length + rest.length; ) {
      at = decodeReply(bytesOf(text + rest), at)?.end ?? Number.NaN;
      ends.push(at);
    }
    for (const pieces of everyCut(bytesOf(text + rest))) {
      const scanner = new FrameScanner();
      scanner.elements = 77;
      scanner.headerOnly = true;
      expect(scanFrames(pieces, scanner)).toEqual({ ends, midFrame: false, code: undefined });
      expect(scanner).toMatchObject({ elements, headerOnly: false });
    }
  });
});
