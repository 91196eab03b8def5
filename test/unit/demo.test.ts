import { describe, expect, test } from 'vitest';
import { ReplyError, ReplyReader } from '../../src/demo/reply-reader.ts';
import { STALE_AFTER_MS, Tally } from '../../src/demo/tally.ts';
import { heading, picture, plainLine, summary } from '../../src/demo/view.ts';

describe('the reply reader', () => {
  const FRAMES = [
    ['+OK\r\n', 'OK'],
    [':-7\r\n', -7],
    [',1.5\r\n', 1.5],
    ['#t\r\n', true],
    ['_\r\n', null],
    ['$-1\r\n', null],
    ['*-1\r\n', null],
    ['$0\r\n\r\n', ''],
    ['$4\r\na\r\nb\r\n', 'a\r\nb'],
    ['=6\r\ntxt:hi\r\n', 'hi'],
    ['(123456789012345678901\r\n', '123456789012345678901'],
    ['*2\r\n:1\r\n*1\r\n+x\r\n', [1, ['x']]],
    ['%1\r\n+a\r\n:1\r\n', ['a', 1]],
    ['~1\r\n+a\r\n', ['a']],
    ['|1\r\n+ttl\r\n:9\r\n$1\r\nv\r\n', 'v'],
    ['-ERR no\r\n', new ReplyError('ERR no')],
    ['!6\r\nERR no\r\n', new ReplyError('ERR no')],
  ] as const;

  test.for(FRAMES)('%j at every cut', ([bytes, value]) => {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = new ReplyReader();
      const frames = [
        ...reader.read(Buffer.from(bytes.slice(0, cut))),
        ...reader.read(Buffer.from(`${bytes.slice(cut)}>1\r\n+after\r\n`)),
      ];
      expect(frames).toEqual([
        { push: false, value },
        { push: true, value: ['after'] },
      ]);
    }
  });

  test('what is no reply is refused', () => {
    expect(() => new ReplyReader().read(Buffer.from('HTTP/1.1 200\r\n'))).toThrow(
      'begins with "H"',
    );
  });
});

describe('the tally', () => {
  test('the delay runs from the write to the invalidation of a key that was cached', () => {
    const tally = new Tally(0);
    tally.writing('a', true, 10);
    tally.wrote('a', 1, 11);
    tally.writing('b', false, 12);
    tally.wrote('b', 1, 13);
    tally.dropped('a', 14);
    tally.dropped('b', 15);
    expect(tally.snapshot(100)).toMatchObject({
      writes: 2,
      invalidations: 2,
      owed: 0,
      delayMs: { p50: 4, p99: 4, max: 4 },
      last: { key: 'a', delayMs: 4 },
    });
  });

  test('a cache is stale when it gives the old value long after the write', () => {
    const tally = new Tally(0);
    tally.wrote('a', 2, 10);
    tally.readCached('a', 1, 10 + STALE_AFTER_MS);
    expect(tally.snapshot(0).staleReads).toBe(0);
    tally.readCached('a', 1, 11 + STALE_AFTER_MS);
    tally.readCached('a', 2, 11 + STALE_AFTER_MS);
    expect(tally.snapshot(0).staleReads).toBe(1);
  });

  test('a read from Redis is stale when it gives less than was confirmed before', () => {
    const tally = new Tally(0);
    tally.readRedis(2, 2);
    tally.readRedis(1, 2);
    expect(tally.snapshot(0)).toMatchObject({ redisReads: 2, staleReads: 1 });
  });

  test('an entry that outlives the end is stale, and its invalidation is owed', () => {
    const tally = new Tally(0);
    tally.writing('a', true, 1);
    tally.wrote('a', 1, 2);
    tally.checkEntry('a', 0);
    expect(tally.snapshot(0)).toMatchObject({ staleReads: 1, owed: 1 });
  });

  test('an invalidation of everything settles what was owed', () => {
    const tally = new Tally(0);
    tally.writing('a', true, 1);
    tally.dropped(undefined, 2);
    expect(tally.snapshot(0)).toMatchObject({ owed: 0, dropAlls: 1, invalidations: 1 });
  });
});

test('everything the demo shows fits 80 columns', () => {
  const path = `unix:///${'deep/'.repeat(19)}s`;
  const setting = { proxy: '127.0.0.1:65535', redis: path, seconds: 3600 };
  const style = { colour: false };
  const now = {
    elapsedMs: 3_600_000,
    cachedReads: 18_000_000,
    redisReads: 144_000,
    writes: 144_000,
    invalidations: 144_000,
    dropAlls: 12,
    delayMs: { p50: 123.4, p99: 1234.5, max: 9999.9 },
    staleReads: 12_345,
    owed: 1,
    last: { key: 'sidetrack:demo:1234:49', delayMs: 9999 },
  };
  const lines = [
    ...heading(setting, style),
    ...picture(now, setting, style),
    plainLine(now),
    ...summary(now, style),
  ];
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(summary(now, style).join('\n')).toContain('99.2 %');
});
