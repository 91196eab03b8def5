import { list } from '@ioredis/commands';
import { describe, expect, test } from 'vitest';
import { type CommandInfo, CommandTable } from '../../../src/commands/table.ts';

const builtin = CommandTable.builtin();

function find(table: CommandTable, name: string): CommandInfo | undefined {
  const scratch = Buffer.alloc(64, 'x');
  scratch.write(name, 'latin1');
  return table.find(scratch, name.length);
}

/** A COMMAND entry as servers up to 5.0 send it. */
function oldEntry(name: string, flags: string, first: number, last: number, step = 1): unknown[] {
  return [name, -1, flags.split(' '), first, last, step];
}

/** A COMMAND entry as servers from 7.0 on send it. */
function newEntry(
  name: string,
  flags: string,
  range: readonly [number, number, number],
  subs: unknown[] = [],
): unknown[] {
  return [name, -1, flags.split(' '), ...range, ['@all'], [], [], subs];
}

describe('find', () => {
  test('finds every command by its bytes, whatever stands behind them', () => {
    for (const name of list) {
      expect(find(builtin, name)?.name).toBe(name);
      expect(find(builtin, name)).toBe(builtin.findText(name));
    }
  });

  test('finds nothing else', () => {
    const others = ['', 'g', 'ge', 'gett', 'GET', 'get\0', 'constructor', '__proto__', 'toString'];
    for (const name of [...others, 'x'.repeat(64), `get${'\0'.repeat(40)}`]) {
      expect(find(builtin, name)).toBeUndefined();
      expect(builtin.findText(name)).toBeUndefined();
    }
  });

  test('a length beyond the buffer is no command', () => {
    expect(builtin.find(Buffer.from('get'), 10)).toBeUndefined();
    expect(builtin.find(Buffer.from('get'), 1_000_000_000)).toBeUndefined();
  });
});

const TRACKED =
  `get mget strlen getrange substr exists type ttl pttl expiretime pexpiretime touch dump
  object memory getbit bitcount bitpos bitfield_ro lrange llen lindex lpos sort_ro hget hgetall hmget
  hlen hkeys hvals hscan hrandfield hexists hstrlen httl hexpiretime smembers sismember smismember
  scard sinter sunion sdiff sintercard srandmember sscan zrange zrangebyscore zrangebylex zrevrange
  zscore zmscore zcard zcount zrank zrevrank zunion zinter zdiff zintercard zrandmember zscan
  georadius_ro georadiusbymember_ro geosearch geopos geodist geohash pfcount xrange xrevrange xlen
  xread xinfo xpending lcs stralgo eval evalsha fcall eval_ro evalsha_ro fcall_ro`.split(/\s+/);

const UNTRACKED =
  `scan keys randomkey dbsize debug watch command bitfield bitop setbit sort blpop lmove
  getex getdel getset set incr append spop sinterstore zunionstore zrangestore rename copy move migrate
  georadius georadiusbymember pfmerge pfadd pfdebug xreadgroup xclaim xautoclaim xack xgroup subscribe
  psubscribe publish ssubscribe spublish lolwut client config ping restore`.split(/\s+/);

const BLOCKING =
  `blpop brpop brpoplpush blmove blmpop bzpopmin bzpopmax bzmpop xread xreadgroup wait
  waitaof`.split(/\s+/);

const CONTAINERS =
  `client config object memory xinfo xgroup acl cluster command script function latency
  module pubsub slowlog debug stralgo`.split(/\s+/);

describe('what the built-in commands mean', () => {
  test.for(TRACKED)('%s is tracked', (name) => expect(builtin.findText(name)?.reads).toBe(true));
  test.for(UNTRACKED)('%s is not', (name) => expect(builtin.findText(name)?.reads).toBe(false));
  test.for(BLOCKING)('%s may wait', (name) => expect(builtin.findText(name)?.blocks).toBe(true));
  test.for(CONTAINERS)('%s has subcommands', (name) => {
    expect(builtin.findText(name)?.container).toBe(true);
  });

  test('what does not wait, has no subcommands', () => {
    for (const name of ['get', 'lmove', 'lpop', 'zmpop', 'xadd', 'eval', 'multi', 'exec']) {
      expect(builtin.findText(name)).toMatchObject({ blocks: false, container: false });
    }
  });

  test('writes are those with the flag, scripts, and containers that write keys', () => {
    for (const name of 'set del sort getex bitfield xreadgroup xgroup eval fcall flushall'.split(
      ' ',
    )) {
      expect([name, builtin.findText(name)?.writes]).toEqual([name, true]);
    }
    for (const name of 'get eval_ro fcall_ro pfcount publish object function script'.split(' ')) {
      expect([name, builtin.findText(name)?.writes]).toEqual([name, false]);
    }
  });

  test('each has its role', () => {
    expect(builtin.findText('post')?.role).toBe('closing');
    expect(builtin.findText('host:')?.role).toBe('closing');
    expect(builtin.findText('ssubscribe')).toMatchObject({
      role: 'subscribe',
      keys: { kind: 'none' },
    });
    expect(builtin.findText('get')?.role).toBe('plain');
  });
});

describe('an upstream', () => {
  test('with the dirty flags and wrong ranges of 2.8 changes nothing', () => {
    const table = CommandTable.fromUpstream([
      oldEntry('auth', 'readonly noscript', 0, 0, 0),
      oldEntry('watch', 'readonly', 1, -1),
      oldEntry('brpop', 'write', 1, 1),
      oldEntry('exists', 'readonly', 1, 1),
      oldEntry('sort', 'readonly', 1, 1),
      oldEntry('object', 'readonly', 2, 2),
      oldEntry('memory', 'readonly', 0, 0, 0),
      oldEntry('xread', 'readonly movablekeys', 1, 1),
    ]);
    for (const name of ['auth', 'watch', 'brpop', 'exists', 'sort', 'object', 'memory', 'xread']) {
      expect(table.findText(name)).toEqual(builtin.findText(name));
    }
  });

  test('adds the commands of its modules, of any age, as text or as bytes', () => {
    const table = CommandTable.fromUpstream([
      oldEntry('JSON.GET', 'readonly', 1, 1),
      newEntry('json.mget', 'readonly', [1, -2, 1]),
      [Buffer.from('ts.add'), -3, [Buffer.from('write')], 1, 1, 1],
      ['bf.reserve', -3, new Set(['write', 'blocking']), 1, 1, 1],
      newEntry('ft.search', 'readonly', [0, 0, 0]),
    ]);
    const range = { kind: 'range', first: 1, last: 1, step: 1 };
    expect(find(table, 'json.get')).toMatchObject({ reads: true, writes: false, keys: range });
    expect(table.findText('json.mget')?.keys).toEqual({ ...range, last: -2 });
    expect(table.findText('ts.add')).toMatchObject({ reads: false, writes: true, keys: range });
    expect(table.findText('bf.reserve')).toMatchObject({ writes: true, blocks: true });
    expect(table.findText('ft.search')).toMatchObject({ reads: false, keys: { kind: 'none' } });
    expect(find(table, 'get')).toEqual(builtin.findText('get'));
  });

  test('of 7.0 or newer knows its commands better than we do', () => {
    const table = CommandTable.fromUpstream([
      newEntry('get', 'readonly', [1, -1, 1]),
      newEntry('newsort', 'write movablekeys', [1, 1, 1]),
    ]);
    expect(table.findText('get')?.keys).toMatchObject({ last: -1 });
    expect(table.findText('newsort')?.keys).toMatchObject({ kind: 'range', first: 1 });
  });

  test('is corrected where it is wrong at any age', () => {
    const table = CommandTable.fromUpstream([
      newEntry('ssubscribe', 'pubsub', [1, -1, 1]),
      newEntry('spublish', 'pubsub', [1, 1, 1]),
      newEntry('sort', 'write movablekeys', [1, 1, 1]),
      newEntry('blpop', 'write', [1, -2, 1]),
    ]);
    for (const name of ['ssubscribe', 'spublish', 'sort', 'blpop']) {
      expect(table.findText(name)).toEqual(builtin.findText(name));
    }
  });

  test('tells subcommands apart, and without them a container stays as we know it', () => {
    const subs = [
      newEntry('shelf|look', 'readonly', [2, 2, 1]),
      newEntry('shelf|put', 'write', [2, 2, 1]),
      newEntry('shelf|help', 'loading', [0, 0, 0]),
      'nonsense',
    ];
    const table = CommandTable.fromUpstream([
      newEntry('shelf', '', [0, 0, 0], subs),
      newEntry('object', '', [0, 0, 0]),
    ]);
    const shelf = table.findText('shelf');
    expect(shelf).toMatchObject({ reads: true, writes: true, container: true });
    const found = shelf?.keys.kind === 'sub' ? [...shelf.keys.subs] : [];
    expect(found.map(([name, { reads }]) => [name, reads])).toEqual([
      ['look', true],
      ['put', false],
      ['help', false],
    ]);
    expect(table.findText('object')).toEqual(builtin.findText('object'));
  });

  test.for([
    undefined,
    null,
    'OK',
    new Error('NOPERM'),
    [],
    [null, 7, 'get', [], {}, [[]], ['x'], ['', -1, [], 1, 1, 1], [7, -1, [], 1, 1, 1]],
    [
      ['a', -1, [], '1', 1, 1],
      ['b', -1, [], 1, Number.NaN, 1],
      ['c', -1, [], 1, 1, Infinity],
    ],
  ])('that says nothing of use is passed over: %j', (reply) => {
    const table = CommandTable.fromUpstream(reply);
    for (const name of ['a', 'b', 'c', 'x', '']) expect(find(table, name)).toBeUndefined();
    expect(find(table, 'get')).toEqual(builtin.findText('get'));
  });

  test('that reports odd positions gets no keys, or those that there are', () => {
    const table = CommandTable.fromUpstream([
      newEntry('m.zero', 'readonly', [1, 1, 0]),
      newEntry('m.minus', 'readonly', [-1, -1, 1]),
      ['m.noflags', -1, null, 1, 1, 1],
    ]);
    expect(table.findText('m.zero')?.keys.kind).toBe('none');
    expect(table.findText('m.minus')?.keys.kind).toBe('none');
    expect(table.findText('m.noflags')).toMatchObject({ reads: false, keys: { kind: 'range' } });
  });
});
