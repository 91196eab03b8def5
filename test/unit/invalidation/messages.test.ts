import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProxyError } from '../../../src/errors.ts';
import { MessageReader } from '../../../src/invalidation/messages.ts';
import {
  changedKey,
  isNotification,
  isRemoval,
  messageOf,
  PATTERN,
} from '../../../src/invalidation/notifications.ts';
import { decode } from '../../../src/resp/decode.ts';
import { FrameScanner } from '../../../src/resp/scanner.ts';
import { bytesOf } from '../../helpers/scan.ts';

/** What a subscriber hears, one line for each thing, and the code of what ends it. */
interface Heard {
  readonly lines: readonly string[];
  readonly code: string | undefined;
}

/** @returns what a reader makes of the pieces of one byte string */
function heardFrom(pieces: readonly Buffer[], unconcerned = ''): Heard {
  const lines: string[] = [];
  const hears = {
    concerns: (chunk: Buffer, from: number, to: number) =>
      chunk.toString('latin1', from, to) !== unconcerned,
    changed: (key: string, removed: boolean) => lines.push(changed(key, removed)),
    said: (payload: string) => lines.push(`said ${payload}`),
    endOfBatch: () => {},
  };
  const reader = new MessageReader(hears, (chunk, from, end) => {
    lines.push(answered(decode(chunk.subarray(from, end))));
  });
  // All pieces come in one buffer, as they do from the socket.
  const buffer = Buffer.alloc(Math.max(0, ...pieces.map(({ length }) => length)));
  try {
    for (const piece of pieces) {
      piece.copy(buffer);
      reader.feed(buffer.subarray(0, piece.length));
      buffer.fill('!');
    }
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    return { lines, code: error.code };
  }
  return { lines, code: undefined };
}

/** The same of all bytes at once, each frame found by the scanner. */
function slowlyHeardFrom(bytes: Buffer, unconcerned = ''): Heard {
  const lines: string[] = [];
  const scanner = new FrameScanner();
  try {
    let from = 0;
    for (let end = scanner.next(bytes, 0); end !== -1; end = scanner.next(bytes, from)) {
      const line = lineOf(bytes, from, end, unconcerned);
      if (line !== undefined) lines.push(line);
      from = end;
    }
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    return { lines, code: error.code };
  }
  return { lines, code: undefined };
}

function lineOf(bytes: Buffer, from: number, end: number, unconcerned: string): string | undefined {
  if (isNotification(bytes, from, end)) {
    const key = changedKey(bytes, from, end);
    if (key === undefined || key === unconcerned) return undefined;
    return changed(key, isRemoval(bytes, end));
  }
  const message = messageOf(bytes, from, end);
  return message === undefined ? answered(decode(bytes.subarray(from, end))) : `said ${message}`;
}

function changed(key: string, removed: boolean): string {
  return `${removed ? 'removed' : 'changed'} ${JSON.stringify(key)}`;
}

function answered(value: unknown): string {
  return `answer ${JSON.stringify(value instanceof Error ? value.message : value)}`;
}

function arrayOf(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
}

function notification(key: string, event = 'set', db = 0): string {
  return arrayOf('pmessage', PATTERN, `__keyspace@${db}__:${key}`, event);
}

/** Where the channel of `notification('k')` begins. */
const CHANNEL = '$16\r\n__keyspace@0';

const SHORT_KEYS = ['k', '', '_', '__:', 'user:1', '\r\n$3\r\nset\r\n', '\0\xff', 'y'.repeat(9)];
const EVENTS = ['set', 'expired', 'evicted', 'xadd', 'xsetid', 'xgroup-create', 'keymiss', 'e', ''];

const ROWS = [
  { name: 'notifications', text: SHORT_KEYS.map((key) => notification(key)).join('') },
  { name: 'events', text: EVENTS.map((event) => notification('k', event, 15)).join('') },
  {
    name: 'a key that looks like a notification',
    text: notification(notification('inner')) + arrayOf('message', 'c', notification('inner')),
  },
  {
    name: 'what stands between',
    text:
      arrayOf('pong', '') +
      notification('a') +
      arrayOf('message', '__sidetrack__:x', 'word') +
      notification('b') +
      `*3\r\n$10\r\npsubscribe\r\n$${PATTERN.length}\r\n${PATTERN}\r\n:1\r\n` +
      '-ERR no\r\n' +
      notification('c') +
      '+PONG\r\n',
  },
  {
    name: 'what resembles a notification',
    text:
      arrayOf('pmessage', '__keyspace@0__:*', '__keyspace@0__:k', 'set') +
      arrayOf('smessages', PATTERN, '__keyspace@0__:k', 'set') +
      arrayOf('pmessage', PATTERN, '__keyspace@0__', 'set') +
      notification('k').replace(CHANNEL, '$000000016\r\n__keyspace@0') +
      notification('k').replace(CHANNEL, '$0000000016\r\n__keyspace@0') +
      notification('k').replace('$3\r\nset', ':3') +
      notification('k').replace('$3\r\nset', '+set') +
      notification('end'),
  },
  { name: 'no RESP behind one', text: `${notification('k')}?\r\n` },
  { name: 'no RESP where its event is due', text: notification('k').replace('$3', '!3') },
  {
    name: 'a channel that ends too late',
    text: notification('k').replace(CHANNEL, '$17\r\n__keyspace@0'),
  },
  { name: 'an event that ends too late', text: notification('k').replace('$3', '$4') },
  {
    name: 'a length that is none',
    text: notification('k').replace(CHANNEL, '$1x\r\n__keyspace@0'),
  },
  {
    name: 'a CR that is none',
    text: notification('k').replace(CHANNEL, '$16\n\n__keyspace@0'),
  },
] as const;

describe('a reader of messages', () => {
  test.for(ROWS)('hears the same wherever chunks are cut: $name', ({ text }) => {
    const bytes = bytesOf(text);
    const wanted = slowlyHeardFrom(bytes);
    expect(heardFrom([bytes])).toEqual(wanted);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(heardFrom([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(wanted);
    }
    for (const size of [1, 2, 3, 7, 64]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      expect(heardFrom(pieces)).toEqual(wanted);
    }
  });

  test('takes chunks from anywhere in their memory', () => {
    const before = notification('k');
    const other = arrayOf('pmessage', '__keyspace@0__:*', '__keyspace@0__:k', 'set');
    const text = before + other + notification('l');
    const memory = Buffer.alloc(text.length, text, 'latin1'); // begins with what is not of the chunk
    const lines: string[] = [];
    const changed = (key: string) => lines.push(key);
    const reader = new MessageReader({ changed, said() {}, endOfBatch() {} }, () => {
      lines.push('answer');
    });
    reader.feed(memory.subarray(before.length));
    expect(lines).toEqual(['answer', 'l']);
  });

  test('tells no change that concerns nobody', () => {
    const bytes = bytesOf(['a', 'b', 'a', 'c'].map((key) => notification(key)).join(''));
    expect(heardFrom([bytes], 'a').lines).toEqual(['changed "b"', 'changed "c"']);
  });

  test('tells the end of each chunk, and nothing of one that is no RESP', () => {
    let ends = 0;
    const endOfBatch = () => {
      ends += 1;
    };
    const reader = new MessageReader({ changed() {}, said() {}, endOfBatch }, () => {});
    reader.feed(bytesOf(notification('k').repeat(3)));
    reader.feed(bytesOf(notification('k').slice(0, 20)));
    expect(ends).toBe(2);
    expect(() => reader.feed(bytesOf('?'))).toThrow(ProxyError);
    expect(ends).toBe(2);
  });

  test('hears what the slow way hears, whatever the bytes', () => {
    const byte = fc.integer({ min: 0, max: 255 }).map((value) => String.fromCharCode(value));
    const odd = fc.constantFrom('_', ':', '@', '\r', '\n', '$', '*', '0', '3');
    const text = fc.string({ unit: fc.oneof(byte, odd), maxLength: 40 });
    const event = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...EVENTS) }, text);
    const frame = fc.oneof(
      { weight: 6, arbitrary: fc.tuple(text, event, fc.nat(15)).map((a) => notification(...a)) },
      fc.array(text, { maxLength: 3 }).map((words) => arrayOf('message', 'c', ...words)),
      fc.array(text, { maxLength: 5 }).map((words) => arrayOf(...words)),
      fc.constantFrom('+PONG\r\n', ':1\r\n', '-ERR no\r\n', '$-1\r\n', '*0\r\n'),
    );
    const harm = fc.record({ at: fc.nat(), drop: fc.nat(2), text: fc.oneof(byte, odd) });
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.option(harm, { freq: 2 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        (frames, harmed, cuts) => {
          const bytes = bytesOf(damage(frames.join(''), harmed));
          const wanted = slowlyHeardFrom(bytes, 'k');
          const ends = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
          const pieces = [0, ...ends].map((from, index) => bytes.subarray(from, ends[index]));
          expect(heardFrom(pieces, 'k')).toEqual(wanted);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

function damage(
  text: string,
  harm: { readonly at: number; readonly drop: number; readonly text: string } | null,
): string {
  if (harm === null) return text;
  const at = harm.at % (text.length + 1);
  return text.slice(0, at) + harm.text + text.slice(at + harm.drop);
}
