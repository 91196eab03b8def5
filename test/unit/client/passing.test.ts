import { describe, expect, test } from 'vitest';
import { HELD_MAX_BYTES } from '../../../src/client/requests.ts';
import type { SourceKind } from '../../../src/config.ts';
import { keyOf } from '../../../src/key.ts';
import { request } from '../../../src/resp/write.ts';
import { ALL, COMMANDS, OK, pushOf, QUEUED, Rig } from '../../helpers/session-rig.ts';

/** @returns what somebody gets who has read `keys`, when they change one by one */
function pushesOf(keys: readonly string[]): string {
  return keys.map((key) => pushOf(key)).join('');
}

/** A request, its reply, and the keys of which it tells; 'all': of every key. */
const TOLD: readonly (readonly [string, string, readonly string[] | 'all'])[] = [
  ['SET k v', OK, ['k']],
  ['SET k v', '-NOAUTH Authentication required.\r\n', []],
  ['SET k v', '-READONLY no\r\n', []],
  ['INCR k', ':1\r\n', ['k']],
  // What an error of a server means is not asked any further.
  ['INCR k', '-WRONGTYPE no\r\n', ['k']],
  ['HSET k f v', ':0\r\n', ['k']],
  ['MSET k 1 k3 3', OK, ['k', 'k3']],
  ['DEL k k2 k3', ':3\r\n', ['k', 'k2', 'k3']],
  ['RENAME k k2', OK, ['k', 'k2']],
  ['COPY k k2', ':1\r\n', ['k2']],
  ['SORT k', '*0\r\n', []],
  ['SORT k STORE k2', ':1\r\n', ['k2']],
  ['GEORADIUS k 0 0 1 m', '*0\r\n', []],
  ['GEORADIUS k 0 0 1 m STORE k3', ':1\r\n', ['k3']],
  ['SUNIONSTORE k k2 k3', ':1\r\n', ['k']],
  ['ZUNIONSTORE k 2 k2 k3', ':1\r\n', ['k']],
  ['BITOP AND k k2 k3', ':1\r\n', ['k']],
  ['LMOVE k k2 LEFT LEFT', '$1\r\nv\r\n', ['k', 'k2']],
  ['LPOP k 2', '*2\r\n$2\r\nk2\r\n$1\r\nv\r\n', ['k']],
  ['XGROUP CREATE k g $', OK, ['k']],
  ['XGROUP HELP', '*0\r\n', []],
  ['BLPOP k k2 k3 0', '*2\r\n$2\r\nk2\r\n$1\r\nv\r\n', ['k2']],
  ['BLPOP k 0', '*2\r\n$1\r\nk\r\n$1\r\nv\r\n', ['k']],
  ['BLPOP k k2 1', '*-1\r\n', []],
  ['BZPOPMIN k k2 1', '_\r\n', []],
  ['BZPOPMIN k k2 1', '*3\r\n$2\r\nk2\r\n$1\r\nm\r\n,1.5\r\n', ['k2']],
  ['ZMPOP 2 k k2 MIN', '*2\r\n$1\r\nk\r\n*1\r\n*2\r\n$1\r\nm\r\n,1\r\n', ['k']],
  ['BLMOVE k k2 LEFT LEFT 1', '$1\r\nv\r\n', ['k', 'k2']],
  ['BRPOPLPUSH k k2 1', '$-1\r\n', []],
  ['XREADGROUP GROUP g c STREAMS k >', '*1\r\n*2\r\n$1\r\nk\r\n*0\r\n', ['k']],
  ['EVAL s 2 k k2', ':1\r\n', ['k', 'k2']],
  ['EVAL s 1 k', '-NOPERM told by a script that has written\r\n', ['k']],
  ['EVALSHA s 1 k', '-NOSCRIPT No matching script. Please use EVAL.\r\n', []],
  ['EVAL s 0', ':1\r\n', 'all'],
  ['EVAL s 0', '-ERR half done\r\n', 'all'],
  ['EVAL s 0', '-NOAUTH Authentication required.\r\n', []],
  ['FCALL f 0', "-NOPERM this user has no permissions to run the 'fcall' command\r\n", []],
  ['FCALL f 0', '+done\r\n', 'all'],
  ['EVAL_RO s 0', ':1\r\n', []],
  ['EVAL_RO s 1 k', ':1\r\n', []],
  ['NO.SUCH k', '+done\r\n', 'all'],
  ['NO.SUCH k', "-ERR unknown command 'NO.SUCH', with args beginning with: 'k' \r\n", []],
  ['GET k', '$1\r\nv\r\n', []],
  ['FLUSHALL', OK, 'all'],
];

describe('with --source=writes a write is told at its reply', () => {
  test.for(TOLD)('%s, %j', ([line, reply, keys]) => {
    const rig = new Rig({ source: 'writes' });
    const reader = rig.reader();
    const writer = rig.client();
    writer.send(...line.split(' '));
    expect(reader.take()).toBe('');
    writer.hears(reply);
    expect(writer.take()).toBe(reply);
    expect(reader.take()).toBe(keys === 'all' ? ALL : pushesOf(keys));
    const reason = line === 'FLUSHALL' ? 'flush' : 'write';
    expect(new Set(rig.counted)).toEqual(new Set(keys.length > 0 ? [reason] : []));
  });

  test('the others hear of it before its client has the reply', () => {
    const rig = new Rig({ source: 'writes' });
    const reader = rig.reader();
    const writer = rig.client();
    rig.told.length = 0;
    writer.send('SET', 'k', 'v');
    writer.send('GET', 'k');
    writer.hears(OK, '$1\r\nv\r\n');
    expect(rig.told).toEqual([reader, writer]);
    expect(writer.take()).toBe(`${OK}$1\r\nv\r\n`);
  });

  test('its own client is told behind the reply', () => {
    const writer = new Rig({ source: 'writes' }).reader();
    writer.send('SET', 'k', 'v');
    writer.hears(OK);
    expect(writer.take()).toBe(`${OK}${pushOf('k')}`);
    writer.send('EVAL', 's', '0');
    writer.hears('*1\r\n:1\r\n');
    expect(writer.take()).toBe(`*1\r\n:1\r\n${ALL}`);
  });

  test('its own client keeps what it has read behind it', () => {
    const rig = new Rig({ source: 'writes' });
    const writer = rig.reader();
    writer.send('SET', 'k', 'v');
    writer.send('GET', 'k');
    writer.hears(OK, '$1\r\nv\r\n');
    writer.take();
    rig.client().send('DEL', 'k');
    rig.tracker.changed(keyOf('k'), 'write');
    expect(writer.take()).toBe(pushOf('k'));
  });

  test('a reader whose reply is on its way is told behind it', () => {
    const rig = new Rig({ source: 'writes' });
    const reader = rig.reader();
    const writer = rig.client();
    reader.send('GET', 'k');
    writer.send('SET', 'k', 'v');
    writer.hears(OK);
    expect(reader.take()).toBe('');
    reader.hears('$3\r\nold\r\n');
    expect(reader.take()).toBe(`$3\r\nold\r\n${pushOf('k')}`);
  });

  test('who watches prefixes hears of it, in one piece', () => {
    const rig = new Rig({ source: 'writes' });
    const bcast = rig.reader('BCAST', 'PREFIX', 'k');
    const writer = rig.client();
    writer.send('MSET', 'k', '1', 'other', '2', 'k2', '3');
    writer.hears(OK);
    expect(bcast.take()).toBe(pushOf('k', 'k2'));
  });

  test('one that is too long to be looked at may have changed every key', () => {
    const rig = new Rig({ source: 'writes' });
    const reader = rig.reader();
    const writer = rig.client();
    writer.session.fromClient(Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${HELD_MAX_BYTES}\r\n`));
    writer.session.fromClient(Buffer.alloc(HELD_MAX_BYTES));
    writer.session.fromClient(Buffer.from('\r\n'));
    expect(reader.take()).toBe('');
    writer.hears(OK);
    expect(reader.take()).toBe(ALL);
    writer.send('SET', 'k', 'v');
    writer.hears(OK);
    expect(reader.take()).toBe('');
  });

  test('the watch is told of those that it counts', () => {
    const rig = new Rig({ source: 'writes', version: 500 });
    const reader = rig.reader();
    const writer = rig.client();
    writer.send('SINTERSTORE', 'k', 'k2');
    expect(rig.log.hasInFlight).toBe(true);
    // Announced elsewhere, it is told here.
    writer.hears(':2\r\n');
    expect(reader.take()).toBe(pushOf('k'));
    expect([rig.log.countOf('sinterstore'), rig.log.hasInFlight]).toEqual([1, false]);
  });
});

describe('inside MULTI', () => {
  test('each is told by its own element', () => {
    const rig = new Rig({ source: 'writes' });
    const reader = rig.reader();
    const writer = rig.client();
    writer.send('MULTI');
    writer.send('SET', 'k', '1');
    writer.send('GET', 'k2');
    writer.send('SET', 'k3', '1');
    writer.send('BLPOP', 'k2', '0');
    writer.hears(OK, QUEUED, QUEUED, QUEUED, QUEUED);
    writer.send('EXEC');
    writer.take();
    expect(writer.session.flushing).toBe(true);
    const reply = '*4\r\n+OK\r\n$1\r\nx\r\n-OOM no\r\n*-1\r\n';
    writer.hears(reply);
    expect(writer.take()).toBe(reply);
    expect(reader.take()).toBe(pushOf('k'));
  });

  test('what nobody understands may have changed every key', () => {
    const rig = new Rig({ source: 'writes' });
    const reader = rig.reader();
    const writer = rig.client();
    writer.send('MULTI');
    writer.send('NO.SUCH', 'k');
    writer.hears(OK, QUEUED);
    expect(reader.take()).toBe('');
    writer.send('EXEC');
    writer.hears('*1\r\n+done\r\n');
    expect(reader.take()).toBe(ALL);
  });

  test.for([
    ['DISCARD', OK],
    ['EXEC', '*-1\r\n'],
    ['EXEC', '-EXECABORT no\r\n'],
  ] as const)('%s, %j: it was never executed', ([end, reply]) => {
    const rig = new Rig({ source: 'writes' });
    const reader = rig.reader();
    const writer = rig.client();
    writer.send('MULTI');
    writer.send('SET', 'k', '1');
    writer.send('EVAL', 's', '0');
    writer.hears(OK, QUEUED, QUEUED);
    writer.send(end);
    writer.hears(reply);
    writer.session.close();
    expect(reader.take()).toBe('');
  });

  test('that upstream refused it is executed at once', () => {
    const rig = new Rig({ source: 'writes' });
    const reader = rig.reader();
    const writer = rig.client();
    writer.send('MULTI');
    writer.send('SET', 'k', '1');
    writer.hears('-NOPERM no\r\n', OK);
    expect(reader.take()).toBe(pushOf('k'));
  });

  test('a script is read and written by its own client, and told of once', () => {
    const rig = new Rig({ source: 'writes' });
    const writer = rig.reader();
    writer.send('MULTI');
    writer.send('EVAL', 's', '1', 'k');
    writer.send('EXEC');
    writer.hears(OK, QUEUED, '*1\r\n:1\r\n');
    expect(writer.take()).toBe(`${OK}${QUEUED}*1\r\n:1\r\n${pushOf('k')}`);
    expect(writer.counts.extraInvalidations).toBe(0);
  });
});

describe('NOLOOP', () => {
  test('spares the writer, whoever may publish', () => {
    const rig = new Rig({ source: 'writes' });
    const reader = rig.reader();
    const writer = rig.reader('NOLOOP');
    const bcast = rig.reader('BCAST', 'NOLOOP');
    writer.send('SET', 'k', 'v');
    expect(writer.sent.endsWith(request('SET', 'k', 'v').toString('latin1'))).toBe(true);
    writer.hears(OK);
    expect(writer.take()).toBe(OK);
    expect(reader.take()).toBe(pushOf('k'));
    expect(bcast.take()).toBe(pushOf('k'));
    bcast.send('SET', 'k2', 'v');
    bcast.hears(OK);
    expect(bcast.take()).toBe(OK);
    expect(writer.take()).toBe(pushOf('k2'));
    expect(writer.counts.unattributedWrites).toBe(0);
  });

  test("spares it nothing of another's write whose reply comes later", () => {
    const rig = new Rig({ source: 'writes' });
    const writer = rig.reader('NOLOOP');
    const other = rig.client();
    other.send('APPEND', 'k', 'x');
    writer.send('APPEND', 'k', 'y');
    writer.hears(':2\r\n'); // executed behind the other, and heard of before
    other.hears(':1\r\n');
    expect(writer.take()).toBe(`:2\r\n${pushOf('k')}`);
  });

  test('does not spare it a pop that may have waited', () => {
    const rig = new Rig({ source: 'writes' });
    const writer = rig.reader('NOLOOP');
    writer.send('BLPOP', 'k', '0');
    writer.hears('*2\r\n$1\r\nk\r\n$1\r\nv\r\n');
    expect(writer.take()).toBe(`*2\r\n$1\r\nk\r\n$1\r\nv\r\n${pushOf('k')}`);
    expect(writer.counts.unattributedWrites).toBe(1);
  });
});

describe('a lane that ends', () => {
  test('may have executed what it was asked, or may do so yet', () => {
    const rig = new Rig({ source: 'writes' });
    const reader = rig.reader();
    const writer = rig.client();
    writer.send('SET', 'k', 'v');
    expect(writer.session.flushing).toBe(true); // worth waiting for, if the client leaves
    writer.session.close();
    expect(reader.take()).toBe(pushOf('k'));
    reader.send('GET', 'k');
    reader.hears('$3\r\nold\r\n');
    reader.take();
    rig.answers();
    expect(reader.take()).toBe(pushOf('k'));
  });

  test('is not kept for a pop that waits', () => {
    const rig = new Rig({ source: 'writes' });
    const writer = rig.client();
    writer.send('BLPOP', 'k', '0');
    expect([writer.session.flushing, writer.session.replies.ledger.blocking]).toEqual([false, 1]);
  });
});

describe('a fence', () => {
  test('is raised when the reply is whole, and all has been told when it is passed', async () => {
    const rig = new Rig({ source: 'writes' });
    const reader = rig.reader();
    const writer = rig.client({ fenced: true });
    writer.send('GETSET', 'k', 'v');
    writer.hears('$3\r\nol');
    expect(rig.fences).toEqual([]);
    writer.hears('d\r\n');
    expect(rig.fences).toHaveLength(1);
    expect(reader.take()).toBe(pushOf('k'));
    expect(writer.take()).toBe('');
    rig.fences[0]?.();
    expect(writer.take()).toBe('$3\r\nold\r\n');
  });

  test('behind EXEC finds told what its elements would tell', () => {
    const rig = new Rig({ source: 'writes' });
    const reader = rig.reader();
    const writer = rig.client({ fenced: true });
    writer.send('MULTI');
    writer.send('SET', 'k', '1');
    writer.send('SET', 'k2', '1');
    writer.send('EXEC');
    writer.hears(OK, QUEUED, QUEUED, '*2\r\n+OK\r\n');
    expect(rig.fences).toHaveLength(1);
    expect(reader.take()).toBe(pushOf('k') + pushOf('k2'));
    reader.send('GET', 'k2');
    reader.hears('$1\r\n1\r\n');
    reader.take();
    writer.hears('+OK\r\n');
    expect(reader.take()).toBe('');
  });
});

describe('with --source=both', () => {
  test('a write is told at its reply, and what nobody understands by its notifications alone', () => {
    const rig = new Rig({ source: 'both' });
    const reader = rig.reader();
    const writer = rig.client();
    writer.send('SET', 'k', 'v');
    expect(writer.session.flushing).toBe(false); // it will be announced
    writer.hears(OK);
    expect(reader.take()).toBe(pushOf('k'));
    rig.tracker.changed(keyOf('k'), 'write');
    expect(reader.take()).toBe('');
    writer.send('EVAL', 's', '0');
    writer.send('NO.SUCH', 'k');
    writer.hears(':1\r\n', '+done\r\n');
    expect(reader.take()).toBe('');
  });

  test('a NOLOOP client has its writes attributed, and is spared them', () => {
    const rig = new Rig({ source: 'both' });
    const reader = rig.reader();
    const writer = rig.reader('NOLOOP');
    writer.send('SET', 'k', 'v');
    expect(writer.sent).toContain('PUBLISH');
    writer.hears(OK, QUEUED, QUEUED, QUEUED, `*3\r\n:0\r\n${OK}:0\r\n`);
    expect(writer.take()).toBe(OK);
    expect(reader.take()).toBe(''); // its notification is on its way
  });
});

test('with --source=events writes of clients without tracking pass unread', () => {
  const heldWith = (source: SourceKind) => {
    const { session } = new Rig({ source }).client();
    const names = ['get', 'set', 'eval', 'sort', 'rename'];
    return names.filter((name) => session.holds(COMMANDS.findText(name)));
  };
  expect(heldWith('both')).toEqual(['set', 'eval', 'sort', 'rename']);
  expect(heldWith('events')).toEqual([]);
});
