import { describe, expect, test } from 'vitest';
import { keyOf } from '../../../src/key.ts';
import {
  bulk,
  error,
  integer,
  invalidation,
  request,
  status,
  trackingInfo,
} from '../../../src/resp/write.ts';
import { decodeReply, parseRequests } from '../../helpers/resp.ts';

const ROWS = [
  { name: 'a status', bytes: status('OK'), text: '+OK\r\n' },
  { name: 'an error', bytes: error('ERR syntax error'), text: '-ERR syntax error\r\n' },
  { name: 'an error with a high byte', bytes: error("ERR '\xff'"), text: "-ERR '\xff'\r\n" },
  { name: 'an integer', bytes: integer(42), text: ':42\r\n' },
  { name: 'a negative integer', bytes: integer(-1), text: ':-1\r\n' },
  {
    name: 'the greatest exact integer',
    bytes: integer(Number.MAX_SAFE_INTEGER),
    text: ':9007199254740991\r\n',
  },
  {
    name: 'an invalidation',
    bytes: invalidation(keyOf('user:1'), 3),
    text: '>2\r\n$10\r\ninvalidate\r\n*1\r\n$6\r\nuser:1\r\n',
  },
  {
    name: 'an invalidation of a key of odd bytes',
    bytes: invalidation(keyOf('\0\r\n\xff'), 3),
    text: '>2\r\n$10\r\ninvalidate\r\n*1\r\n$4\r\n\0\r\n\xff\r\n',
  },
  {
    name: 'an invalidation of the empty key',
    bytes: invalidation(keyOf(''), 3),
    text: '>2\r\n$10\r\ninvalidate\r\n*1\r\n$0\r\n\r\n',
  },
  {
    name: 'the invalidation of everything',
    bytes: invalidation(undefined, 3),
    text: '>2\r\n$10\r\ninvalidate\r\n_\r\n',
  },
  {
    name: 'TRACKINGINFO of RESP3, off',
    bytes: trackingInfo({ flags: ['off'], redirect: -1, prefixes: [] }, 3),
    text: '%3\r\n$5\r\nflags\r\n~1\r\n$3\r\noff\r\n$8\r\nredirect\r\n:-1\r\n$8\r\nprefixes\r\n*0\r\n',
  },
  {
    name: 'TRACKINGINFO of RESP2, off',
    bytes: trackingInfo({ flags: ['off'], redirect: -1, prefixes: [] }, 2),
    text: '*6\r\n$5\r\nflags\r\n*1\r\n$3\r\noff\r\n$8\r\nredirect\r\n:-1\r\n$8\r\nprefixes\r\n*0\r\n',
  },
  {
    name: 'TRACKINGINFO of RESP3, with prefixes',
    bytes: trackingInfo({ flags: ['on', 'bcast'], redirect: 0, prefixes: ['a:', '\xff'] }, 3),
    text:
      '%3\r\n$5\r\nflags\r\n~2\r\n$2\r\non\r\n$5\r\nbcast\r\n$8\r\nredirect\r\n:0\r\n' +
      '$8\r\nprefixes\r\n*2\r\n$2\r\na:\r\n$1\r\n\xff\r\n',
  },
  {
    name: 'TRACKINGINFO of RESP2, redirected',
    bytes: trackingInfo({ flags: ['on', 'optin'], redirect: 12, prefixes: [] }, 2),
    text:
      '*6\r\n$5\r\nflags\r\n*2\r\n$2\r\non\r\n$5\r\noptin\r\n$8\r\nredirect\r\n:12\r\n' +
      '$8\r\nprefixes\r\n*0\r\n',
  },
] as const;

describe('a reply', () => {
  test.for(ROWS)('that is $name has exactly these bytes', ({ bytes, text }) => {
    expect(bytes.toString('latin1')).toBe(text);
    expect(decodeReply(bytes)?.end).toBe(bytes.length);
  });

  test('keeps each byte of a bulk string', () => {
    expect(bulk('a\xff\r\n')).toBe('$4\r\na\xff\r\n\r\n');
    expect(bulk('')).toBe('$0\r\n\r\n');
  });

  test('is encoded anew for each key in turn', () => {
    const [a, b] = [keyOf('a'), keyOf('b')];
    const keys = [a, a, b, a, b, b].map((key) => invalidation(key, 3).toString('latin1').at(-3));
    expect(keys.join('')).toBe('aababb');
  });
});

describe('a request', () => {
  const REQUESTS = [
    { words: ['PING'], text: '*1\r\n$4\r\nPING\r\n' },
    { words: ['GET', Buffer.from([0x6b, 0xff])], text: '*2\r\n$3\r\nGET\r\n$2\r\nk\xff\r\n' },
    { words: ['ECHO', '\xff\0'], text: '*2\r\n$4\r\nECHO\r\n$2\r\n\xff\0\r\n' },
    { words: ['SET', 'k', ''], text: '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n' },
    { words: [], text: '*0\r\n' },
  ] as const;

  test.for(REQUESTS)('has exactly these bytes: $text', ({ words, text }) => {
    const bytes = request(...words);
    expect(bytes.toString('latin1')).toBe(text);
    expect(parseRequests(bytes)).toMatchObject({ end: bytes.length, refusal: undefined });
  });
});
