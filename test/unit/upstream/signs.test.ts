import { describe, expect, test } from 'vitest';
import { readSigns, SignReader } from '../../../src/upstream/signs.ts';
import { SilentLog } from '../../../src/upstream/silent.ts';

/** What INFO says of a master on which commands were called so often. */
function master(calls: Readonly<Record<string, number>> = {}, more = 'master_replid:aaaa'): string {
  const lines = Object.entries(calls).map(
    ([name, count]) => `cmdstat_${name}:calls=${count},usec=1`,
  );
  return `# Commandstats\r\n${lines.join('\r\n')}\r\n# Replication\r\nrole:master\r\n${more}\r\n`;
}

function replica(link: string, offset: number, sync = 0): string {
  const fields = [`master_link_status:${link}`, `master_sync_in_progress:${sync}`];
  return `role:slave\r\n${fields.join('\r\n')}\r\nslave_repl_offset:${offset}\r\nmaster_replid:aaaa\r\n`;
}

/** @returns what each look but the first has found */
function looks(infos: readonly string[], log = new SilentLog()): (string | undefined)[] {
  const reader = new SignReader(log);
  return infos.map((info) => reader.look(readSigns(info))).slice(1);
}

const FLUSHED = 'FLUSHALL was executed for somebody else';

describe('a silent command', () => {
  test.for([
    ['that somebody else has sent is found', [{}, { flushall: 1 }], [FLUSHED]],
    ['is found once', [{ flushall: 3 }, { flushall: 5 }, { flushall: 5 }], [FLUSHED, undefined]],
    ['of before the first look is none', [{ flushall: 3 }, { flushall: 3 }], [undefined]],
    ['is told from others', [{ get: 1 }, { get: 99 }], [undefined]],
    ['of any kind counts', [{}, { swapdb: 1 }], ['SWAPDB was executed for somebody else']],
  ] as const)('%s', ([, calls, found]) => {
    expect(looks(calls.map((each) => master(each)))).toEqual(found);
  });

  test('of ours is no news, whenever its reply comes', () => {
    const log = new SilentLog();
    const reader = new SignReader(log);
    const look = (calls: number) => reader.look(readSigns(master({ flushall: calls })));
    look(7);
    log.sent('flushall');
    expect([look(7), look(8)]).toEqual([undefined, undefined]); // on its way; executed
    log.settled('flushall', true);
    expect([look(8), look(8), look(9)]).toEqual([undefined, undefined, FLUSHED]);
  });

  test('of ours that was refused hides none of others for long', () => {
    const log = new SilentLog();
    const reader = new SignReader(log);
    const look = (calls: number) => reader.look(readSigns(master({ flushall: calls })));
    look(0);
    log.sent('flushall');
    expect(look(1)).toBeUndefined(); // might be ours
    log.settled('flushall', false);
    expect(look(1)).toBe(FLUSHED);
  });

  test('of ours that went down with its connection hides at most two looks', () => {
    const log = new SilentLog();
    const reader = new SignReader(log);
    const look = (calls: number) => reader.look(readSigns(master({ flushall: calls })));
    look(0);
    log.sent('flushall');
    log.settled('flushall', true); // lost, and never executed
    expect([look(0), look(0), look(1)]).toEqual([undefined, undefined, FLUSHED]);
  });

  test('that old servers announce not yet counts by the version', () => {
    const infos = [master({ restore: 1, lrem: 1 }), master({ restore: 2, lrem: 2 })];
    const found = (version: number) => {
      const log = new SilentLog();
      log.learn(version);
      return looks(infos, log)[0];
    };
    expect([found(208), found(500), found(600)]).toEqual([
      'LREM was executed for somebody else',
      'RESTORE was executed for somebody else',
      undefined,
    ]);
  });
});

describe('a data set that was replaced', () => {
  test.for([
    [
      'counters that went down',
      [master({ get: 5 }), master({ get: 4 })],
      'the counters of upstream were reset',
    ],
    [
      'another history',
      [master(), master({}, 'master_replid:bbbb')],
      'upstream follows another history of writes',
    ],
    ['a master that became a replica', [master(), replica('up', 1)], 'upstream is now a slave'],
    [
      'a link that came up',
      [replica('down', 1), replica('up', 9)],
      'upstream has synchronised with its master',
    ],
    [
      'a load from the master that ended',
      [replica('up', 1, 1), replica('up', 9)],
      'upstream has synchronised with its master',
    ],
    [
      'an offset that went back',
      [replica('up', 9), replica('up', 3)],
      'upstream has gone back in its history of writes',
    ],
    ['a link that went down: its data stay', [replica('up', 9), replica('down', 9)], undefined],
    ['a replica that follows', [replica('up', 9), replica('up', 99)], undefined],
  ] as const)('%s', ([, infos, found]) => {
    expect(looks(infos)).toEqual([found]);
  });

  test('begins the counting anew', () => {
    const infos = [{ flushall: 9 }, { flushall: 2 }, { flushall: 2 }, { flushall: 3 }];
    expect(looks(infos.map((calls) => master(calls))).slice(1)).toEqual([undefined, FLUSHED]);
  });
});
