import { describe, expect, test } from 'vitest';
import { HELD_MAX_BYTES } from '../../../src/client/requests.ts';
import { keyOf } from '../../../src/key.ts';
import { readSigns, SignReader } from '../../../src/upstream/signs.ts';
import { ALL, COMMANDS, OK, type Peer, pushOf, QUEUED, Rig } from '../../helpers/session-rig.ts';

/** First version that announces it, a request, its reply, and the keys that it says have changed. */
const TOLD: readonly (readonly [number, string, string, readonly string[]])[] = [
  [600, 'PERSIST k', ':1\r\n', ['k']],
  [600, 'PERSIST k', ':0\r\n', []],
  [600, 'MOVE k 5', ':1\r\n', ['k']],
  [600, 'MOVE k 5', ':0\r\n', []],
  [600, 'RESTORE k 0 x REPLACE', OK, ['k']],
  [600, 'RESTORE k 0 x', '-BUSYKEY Target key name already exists.\r\n', []],
  [600, 'RESTORE-ASKING k 0 x', OK, ['k']],
  [600, 'MIGRATE host 6379 k 0 100', OK, ['k']],
  [600, 'MIGRATE host 6379  0 100 KEYS k k3', OK, ['k', 'k3']],
  [600, 'MIGRATE host 6379 k 0 100', '+NOKEY\r\n', []],
  [600, 'MIGRATE host 6379  0 100 KEYS k k3', '-IOERR error or timeout\r\n', ['k', 'k3']],
  [600, 'MIGRATE host 6379 k 0 100', '-NOPERM no\r\n', []],
  [600, 'SINTERSTORE k k2 k3', ':0\r\n', ['k']],
  [600, 'SINTERSTORE k k2 k3', ':2\r\n', []],
  [600, 'SINTERSTORE k k2 k3', '-WRONGTYPE no\r\n', []],
  [300, 'LREM k 0 x', ':2\r\n', ['k']],
  [300, 'LREM k 0 x', ':0\r\n', []],
  [500, 'BLPOP k 0', '*2\r\n$1\r\nk\r\n$1\r\nv\r\n', ['k']],
  [500, 'BLPOP k k2 k3 0', '*2\r\n$2\r\nk2\r\n$1\r\nv\r\n', ['k2']],
  [500, 'BRPOP k k2 1', '*-1\r\n', []],
  [500, 'BRPOP k k2 1', '_\r\n', []],
  [500, 'BRPOPLPUSH k k2 0', '$1\r\nv\r\n', ['k']],
  [500, 'BRPOPLPUSH k k2 0', '$-1\r\n', []],
  [500, 'BLPOP k 0', '-WRONGTYPE no\r\n', []],
];

describe('what no notification tells is told at the reply', () => {
  test.for(TOLD)('until %i: %s, %j', ([until, line, reply, keys]) => {
    for (const version of [until - 1, undefined]) {
      const rig = new Rig({ version });
      const reader = rig.reader();
      const writer = rig.client();
      writer.send(...line.split(' '));
      expect(reader.take()).toBe('');
      writer.hears(reply);
      expect(writer.take()).toBe(reply);
      expect(reader.take()).toBe(keys.map((key) => pushOf(key)).join(''));
      expect(new Set(rig.counted)).toEqual(new Set(keys.map(() => 'write')));
    }
  });

  test.for(TOLD)('from %i on the request is not even looked at: %s', ([until, line]) => {
    const { session } = new Rig({ version: until }).client();
    const info = COMMANDS.findText(line.split(' ')[0]?.toLowerCase() ?? '');
    expect(info).toBeDefined();
    expect(session.holds(info)).toBe(false);
  });

  test('other requests of clients without tracking pass unread', () => {
    const { session } = new Rig({ version: undefined }).client();
    const held = ['get', 'set', 'lpop', 'sunionstore', 'rename', 'bzpopmin'].filter((name) =>
      session.holds(COMMANDS.findText(name)),
    );
    expect(held).toEqual([]);
  });

  test('one that is too long to be looked at may have changed every key', () => {
    const rig = new Rig({ version: 500 });
    const reader = rig.reader();
    const writer = rig.client();
    const value = Buffer.alloc(HELD_MAX_BYTES);
    const head = `*4\r\n$7\r\nRESTORE\r\n$1\r\nk\r\n$1\r\n0\r\n$${value.length}\r\n`;
    writer.session.fromClient(Buffer.from(head));
    writer.session.fromClient(value);
    writer.session.fromClient(Buffer.from('\r\n'));
    expect(reader.take()).toBe('');
    writer.hears(OK);
    expect(reader.take()).toBe(ALL);
  });

  test('the others hear of it before its client has the reply', () => {
    const rig = new Rig({ version: 500 });
    const reader = rig.reader();
    const writer = rig.client();
    rig.told.length = 0;
    writer.send('PERSIST', 'k');
    writer.hears(':1\r\n');
    expect(rig.told).toEqual([reader, writer]);
  });

  test('who watches prefixes hears of it as well', () => {
    const rig = new Rig({ version: 500 });
    const reader = rig.reader('BCAST', 'PREFIX', 'k');
    const writer = rig.client();
    writer.send('PERSIST', 'k');
    writer.hears(':1\r\n');
    expect(reader.take()).toBe(pushOf('k'));
  });
});

describe('inside MULTI', () => {
  function queued(rig: Rig): Peer {
    const writer = rig.client();
    writer.send('MULTI');
    writer.hears(OK);
    writer.send('PERSIST', 'k');
    writer.send('GET', 'other');
    writer.send('MOVE', 'k2', '5');
    writer.hears(QUEUED, QUEUED, QUEUED);
    writer.take();
    return writer;
  }

  test('it is told of at EXEC, by its own element', () => {
    const rig = new Rig({ version: 500 });
    const reader = rig.reader();
    const writer = queued(rig);
    writer.send('EXEC');
    expect(writer.session.flushing).toBe(true);
    expect(reader.take()).toBe('');
    const reply = '*3\r\n:1\r\n$1\r\nx\r\n:0\r\n';
    writer.hears(reply);
    expect(writer.take()).toBe(reply);
    expect(reader.take()).toBe(pushOf('k'));
    expect([rig.log.countOf('persist'), rig.log.countOf('move')]).toEqual([1, 1]);
    expect(rig.log.hasInFlight).toBe(false);
  });

  test.for([
    ['DISCARD', OK],
    ['EXEC', '*-1\r\n'],
    ['EXEC', '-EXECABORT no\r\n'],
  ] as const)('%s, %j: it was never executed', ([end, reply]) => {
    const rig = new Rig({ version: 500 });
    const reader = rig.reader();
    const writer = queued(rig);
    writer.send(end);
    writer.hears(reply);
    expect(reader.take()).toBe('');
    expect([rig.log.countOf('persist'), rig.log.hasInFlight]).toEqual([0, false]);
  });

  test("an EXEC that is lost may have been executed, and counts as nobody's", () => {
    const rig = new Rig({ version: 500 });
    const reader = rig.reader();
    const writer = queued(rig);
    writer.send('EXEC');
    writer.session.close();
    expect(reader.take()).toBe(pushOf('k') + pushOf('k2'));
    expect([rig.log.countOf('persist'), rig.log.hasInFlight]).toEqual([0, false]);
  });

  test('that upstream refused it is executed at once', () => {
    const rig = new Rig({ version: 500 });
    const reader = rig.reader();
    const writer = rig.client();
    writer.send('MULTI');
    writer.send('PERSIST', 'k');
    writer.hears('-NOPERM no\r\n', ':1\r\n');
    expect(reader.take()).toBe(pushOf('k'));
  });

  test('its own client is told behind the reply of EXEC', () => {
    const rig = new Rig({ version: 500 });
    const writer = rig.reader();
    writer.send('MULTI');
    writer.send('PERSIST', 'k');
    writer.send('EXEC');
    writer.hears(OK, QUEUED, '*1\r\n:1\r\n');
    expect(writer.take()).toBe(`${OK}${QUEUED}*1\r\n:1\r\n${pushOf('k')}`);
  });
});

describe('its own client', () => {
  test('is told behind the reply', () => {
    const writer = new Rig({ version: 500 }).reader();
    writer.send('PERSIST', 'k');
    writer.hears(':1\r\n');
    expect(writer.take()).toBe(`:1\r\n${pushOf('k')}`);
  });

  test('that has read the key behind it keeps the read', () => {
    const rig = new Rig({ version: 500 });
    const writer = rig.reader();
    writer.send('PERSIST', 'k');
    writer.send('GET', 'k');
    writer.hears(':1\r\n');
    writer.hears('$1\r\nv\r\n');
    writer.take();
    rig.tracker.changed(keyOf('k'), 'write');
    expect(writer.take()).toBe(pushOf('k'));
  });

  test('is spared with NOLOOP, and the others are not', () => {
    const rig = new Rig({ version: 500 });
    const reader = rig.reader();
    const writer = rig.reader('NOLOOP');
    expect(writer.session.noloop.attributes).toBe(true);
    writer.send('PERSIST', 'k');
    expect(writer.sent.endsWith('$7\r\nPERSIST\r\n$1\r\nk\r\n')).toBe(true);
    writer.hears(':1\r\n');
    expect(writer.take()).toBe(':1\r\n');
    expect(reader.take()).toBe(pushOf('k'));
    expect(writer.counts.unattributedWrites).toBe(1);
    // Somebody else's change reaches it.
    rig.tracker.changed(keyOf('k'), 'write');
    expect(writer.take()).toBe(pushOf('k'));
  });
});

describe('a lane that ends', () => {
  test('may have executed what it was asked', () => {
    const rig = new Rig({ version: 500 });
    const reader = rig.reader();
    const writer = rig.client();
    writer.send('SINTERSTORE', 'k', 'k2');
    expect(writer.session.flushing).toBe(true); // worth waiting for, if the client leaves
    writer.session.close();
    expect(reader.take()).toBe(pushOf('k'));
  });

  test('is not kept for a pop that waits, which may have been served', () => {
    const rig = new Rig({ version: 400 });
    const reader = rig.reader();
    const writer = rig.client();
    writer.send('BLPOP', 'k', '0');
    expect([writer.session.flushing, writer.session.replies.ledger.blocking]).toEqual([false, 1]);
    writer.session.close();
    expect(reader.take()).toBe(pushOf('k'));
  });
});

describe('the watch', () => {
  /** @returns what a look finds when upstream has executed `name` so often */
  function watch(rig: Rig, name: string): (calls: number) => string | undefined {
    const reader = new SignReader(rig.log);
    const look = (calls: number) =>
      reader.look(readSigns(`cmdstat_${name}:calls=${calls},usec=1\r\nrole:master\r\n`));
    look(0);
    return look;
  }

  test('raises no alarm for what was seen passing, and one for what was not', () => {
    const rig = new Rig({ version: 500 });
    const look = watch(rig, 'persist');
    const writer = rig.client();
    writer.send('PERSIST', 'k');
    expect(look(1)).toBeUndefined(); // executed, and the reply is on its way
    writer.hears(':0\r\n');
    expect(look(1)).toBeUndefined();
    expect(look(2)).toBe('PERSIST was executed for somebody else');
  });

  test('is not led astray by what was refused', () => {
    const rig = new Rig({ version: 500 });
    const look = watch(rig, 'move');
    const writer = rig.client();
    writer.send('MOVE', 'k', '5');
    writer.hears('-NOAUTH Authentication required.\r\n');
    expect(look(1)).toBe('MOVE was executed for somebody else');
  });

  test('does not count pops', () => {
    const rig = new Rig({ version: 400 });
    const look = watch(rig, 'blpop');
    rig.client().send('BLPOP', 'k', '0');
    expect(rig.log.hasInFlight).toBe(false);
    expect(look(5)).toBeUndefined();
  });
});
