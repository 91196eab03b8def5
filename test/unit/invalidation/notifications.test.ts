import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changedKey, isNotification, PATTERN } from '../../../src/invalidation/notifications.ts';
import { keyOf } from '../../../src/key.ts';
import { bytesOf } from '../../helpers/scan.ts';

/** A message as a server writes it in RESP2, by hand. */
function messageOf(channel: string, event: string, pattern = PATTERN): string {
  return (
    `*4\r\n$8\r\npmessage\r\n$${pattern.length}\r\n${pattern}\r\n` +
    `$${channel.length}\r\n${channel}\r\n$${event.length}\r\n${event}\r\n`
  );
}

function notification(key: string, event = 'set', db: number | string = 0): string {
  return messageOf(`__keyspace@${db}__:${key}`, event);
}

/** @returns the changed key, wherever the frame stands in the chunk */
function keyIn(frame: string): string | undefined {
  const keys = ['', ':1\r\n'].map((before) => {
    const chunk = bytesOf(`${before}${frame}*4\r\n$8\r\npmessage\r\n`);
    const [from, end] = [before.length, before.length + frame.length];
    expect(isNotification(chunk, from, end)).toBe(true);
    return changedKey(chunk, from, end);
  });
  expect(keys[1]).toBe(keys[0]);
  return keys[0];
}

const KEYS = [
  'k',
  '',
  'user:1',
  ':',
  '_',
  '__',
  '__:',
  '__:k',
  '__keyspace@0__:k',
  'k\r\n$3\r\ndel\r\n',
  '\r',
  '\n',
  '\r\n',
  '\0',
  'a\0b',
  '\xff\xfe\x80',
  '\xc3\xa9',
  '$1',
  '*4\r\n$8\r\npmessage\r\n',
  'xsetid',
  '0',
  'x'.repeat(9),
  'x'.repeat(90),
  'x'.repeat(985),
  'x'.repeat(100_000),
];

describe('a notification', () => {
  test.for(KEYS)('tells the key %j', (key) => {
    expect(keyIn(notification(key))).toBe(keyOf(key));
    expect(keyIn(notification(key, 'xsetid'))).toBeUndefined();
  });

  test.for([0, 1, 9, 10, 15, 255, 99_999, 2_147_483_647])('tells the key of database %i', (db) => {
    for (const key of ['k', '', '_', '7__:']) {
      expect(keyIn(notification(key, 'del', db))).toBe(keyOf(key));
    }
  });

  test('tells any key', () => {
    const byte = fc.integer({ min: 0, max: 255 }).map((value) => String.fromCharCode(value));
    const odd = fc.constantFrom('_', ':', '@', '\r', '\n', '$', '0');
    const key = fc.string({ unit: fc.oneof(byte, odd), maxLength: 30 });
    fc.assert(
      fc.property(key, fc.nat(), (text, db) => {
        expect(keyIn(notification(text, 'set', db))).toBe(keyOf(text));
      }),
      { numRuns: 200 },
    );
  });
});

const SILENT = [
  'keymiss',
  'xsetid',
  'xgroup-setid',
  'xgroup-destroy',
  'xgroup-createconsumer',
  'xgroup-delconsumer',
];

const TELLING = [
  'set',
  'del',
  'expire',
  'expired',
  'evicted',
  'new',
  'rename_from',
  'rename_to',
  'xadd',
  'xdel',
  'xtrim',
  'xgroup-create',
  'xsetids',
  'xgroup-destroyed',
  'keymisses',
  'k',
  'x',
  '',
  'XSETID',
  'keymiss\0',
];

describe('an event', () => {
  test.for(SILENT)('changes nothing: %j', (event) => {
    expect(keyIn(notification('k', event))).toBeUndefined();
  });

  test.for(TELLING)('changes the key: %j', (event) => {
    expect(keyIn(notification('k', event))).toBe('k');
  });
});

describe('other frames are no notifications', () => {
  const rows = [
    messageOf('__keyspace@0__:k', 'set', '__keyspace@0__:*'),
    messageOf('__keyspace@0__:k', 'set', '__keyevent@*__:'),
    messageOf('__keyspace@0__:k', 'set').replace('*4', '>4'),
    messageOf('__keyspace@0__:k', 'set').replace('pmessage', 'smessage'),
    `*3\r\n$10\r\npsubscribe\r\n$${PATTERN.length}\r\n${PATTERN}\r\n:1\r\n`,
    '*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n',
    '*2\r\n$4\r\npong\r\n$0\r\n\r\n',
    '+OK\r\n',
    '-ERR no\r\n',
    '',
  ];

  test.for(rows)('%j', (frame) => {
    const chunk = bytesOf(frame + notification('k'));
    expect(isNotification(chunk, 0, frame.length)).toBe(false);
  });

  test('nor is a frame that ends inside what all notifications begin with', () => {
    const whole = bytesOf(notification('k'));
    const headBytes = `*4\r\n$8\r\npmessage\r\n$15\r\n${PATTERN}\r\n$`.length;
    for (let end = 0; end <= headBytes; end++) expect(isNotification(whole, 0, end)).toBe(false);
    expect(isNotification(whole, 0, headBytes + 1)).toBe(true);
  });

  test('nor is a channel that ends before its key', () => {
    expect(keyIn(messageOf('__keyspace@0__', 'set'))).toBeUndefined();
    expect(keyIn(messageOf('__keyspace@0', 'set'))).toBeUndefined();
  });
});
