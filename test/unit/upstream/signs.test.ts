import { describe, expect, test } from 'vitest';
import { readSigns, SignReader } from '../../../src/upstream/signs.ts';
import { SilentCall, SilentLog } from '../../../src/upstream/silent.ts';

/** What INFO says of a master on which commands were called so often. */
function master(calls: Readonly<Record<string, number>> = {}, more = 'master_replid:aaaa'): string {
  const lines = Object.entries(calls).map(
    ([name, count]) => `cmdstat_${name}:calls=${count},usec=1`,
  );
  return `# Commandstats\r\n${lines.join('\r\n')}\r\n# Replication\r\nrole:master\r\n${more}\r\n`;
}

/** @param backlog where it begins, how much it holds, and how much it may hold */
function replica(link: string, offset: number, sync = 0, backlog = [0, 0, 9]): string {
  const [from, length, size] = backlog;
  const fields = [
    `master_link_status:${link}`,
    `master_sync_in_progress:${sync}`,
    `repl_backlog_first_byte_offset:${from}`,
    `repl_backlog_histlen:${length}`,
    `repl_backlog_size:${size}`,
  ];
  return `role:slave\r\n${fields.join('\r\n')}\r\nslave_repl_offset:${offset}\r\nmaster_replid:aaaa\r\n`;
}

/** @returns what each look but the first has found */
function looks(infos: readonly string[], log = new SilentLog()): (string | undefined)[] {
  const reader = new SignReader(log);
  return infos
    .map((info) => {
      reader.asking();
      return reader.look(readSigns(info));
    })
    .slice(1);
}

const FLUSHED = 'FLUSHALL was executed for somebody else';

/** A log, and looks at how often FLUSHALL was executed. */
function watching() {
  const log = new SilentLog();
  const reader = new SignReader(log);
  return {
    ask: () => reader.asking(),
    answer: (flushall: number) => reader.look(readSigns(master({ flushall }))),
    look: (flushall: number) => {
      reader.asking();
      return reader.look(readSigns(master({ flushall })));
    },
    send: () => {
      const call = new SilentCall(log, 'flushall');
      call.send();
      return call;
    },
  };
}

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
    const { look, send } = watching();
    look(7);
    const call = send();
    expect(look(7)).toBeUndefined(); // on its way
    call.settle(true);
    expect([look(8), look(8), look(9)]).toEqual([undefined, undefined, FLUSHED]);
  });

  test('of ours that is executed before its reply comes is no news either', () => {
    const { look, send } = watching();
    look(7);
    const call = send();
    expect(look(8)).toBeUndefined();
    call.settle(true);
    expect([look(8), look(9)]).toEqual([undefined, FLUSHED]);
  });

  test('of ours that was refused hides none of others for long', () => {
    const { look, send } = watching();
    look(0);
    const call = send();
    expect(look(1)).toBeUndefined(); // might be ours
    call.settle(false);
    expect(look(1)).toBe(FLUSHED);
  });

  test('of ours that goes down with its connection hides none of others', () => {
    const { look, send } = watching();
    look(0);
    send().lose();
    expect([look(0), look(1), look(1)]).toEqual([undefined, FLUSHED, undefined]);
  });

  test('of ours that was executed before its connection went down is told once', () => {
    const { look, send } = watching();
    look(0);
    const call = send();
    expect(look(1)).toBeUndefined();
    call.lose();
    expect([look(1), look(1)]).toEqual([FLUSHED, undefined]);
  });

  test('of ours whose reply does not come is told at the second look, once', () => {
    const { look, send } = watching();
    look(0);
    const call = send();
    expect([look(1), look(1), look(1)]).toEqual([undefined, FLUSHED, undefined]);
    call.settle(true); // it comes after all, and changes nothing
    expect([look(1), look(2)]).toEqual([undefined, FLUSHED]);
  });

  test('of ours that is stuck on its way hides none of others', () => {
    const { look, send } = watching();
    look(0);
    const call = send();
    expect([look(1), look(1)]).toEqual([undefined, FLUSHED]); // that was somebody else's
    expect(look(2)).toBe(FLUSHED); // ours at last, which was given up
    call.settle(false);
    expect([look(2), look(3)]).toEqual([undefined, FLUSHED]);
  });

  test('of ours is forgotten with the counters', () => {
    const { look, send } = watching();
    look(5);
    const call = send();
    expect(look(1)).toBe('the counters of upstream were reset');
    expect(look(1)).toBe(FLUSHED); // it had not been executed, for all that is known
    call.settle(true);
    expect(look(1)).toBeUndefined();
  });

  test('of ours between the question and its answer is no sign of anything, however often', () => {
    const { ask, answer, look, send } = watching();
    look(5);
    for (let count = 5; count < 12; count++) {
      ask();
      send().settle(true); // executed when upstream had answered
      expect(answer(count)).toBeUndefined();
    }
    expect(look(12)).toBeUndefined();
    expect(look(13)).toBe(FLUSHED);
  });

  test('of ours that was never executed, though it seemed so, hides at most two looks', () => {
    const { look, send } = watching();
    look(0);
    send().settle(true);
    expect([look(0), look(0), look(1)]).toEqual([undefined, undefined, FLUSHED]);
  });

  test('of ours that seemed to be executed does not hide others while more of ours are sent', () => {
    const { look, send } = watching();
    look(0);
    send().settle(true); // never executed
    const found: (string | undefined)[] = [];
    for (let calls = 1; calls <= 4; calls++) {
      send().settle(true);
      send(); // is executed behind the look
      found.push(look(calls));
    }
    expect(found.at(-1)).toBeUndefined();
    expect(look(9)).toBe(FLUSHED);
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

describe('CONFIG SET', () => {
  const found = (version: number | undefined, ours = 0) => {
    const log = new SilentLog();
    log.learn(version);
    const reader = new SignReader(log);
    const look = (calls: number) =>
      reader.look(readSigns(master({ 'config|set': calls, 'config|get': calls })));
    look(0);
    for (let sent = 0; sent < ours; sent++) new SilentCall(log, 'config|set').send();
    return look(1);
  };

  test.for([
    ['by somebody else is found', 700, 0, 'CONFIG SET was executed for somebody else'],
    ['is found where the version is not known', undefined, 0, 'CONFIG SET was executed'],
    ['of ours is none', 700, 1, undefined],
    ['is not looked for before 7.0, which counts CONFIG GET as well', 602, 0, undefined],
  ] as const)('%s', ([, version, ours, reason]) => {
    if (reason === undefined) expect(found(version, ours)).toBeUndefined();
    else expect(found(version, ours)).toContain(reason);
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
    [
      'a backlog that was made anew',
      [replica('up', 9, 0, [1, 8, 50]), replica('up', 99, 0, [90, 9, 50])],
      'upstream has synchronised in full with its master',
    ],
    [
      'a full backlog that was made anew',
      [replica('up', 99, 0, [40, 50, 50]), replica('up', 99, 0, [100, 0, 50])],
      'upstream has synchronised in full with its master',
    ],
    [
      'a backlog that grows',
      [replica('up', 9, 0, [1, 8, 50]), replica('up', 30, 0, [1, 29, 50])],
      undefined,
    ],
    [
      'a full backlog that moves on',
      [replica('up', 99, 0, [40, 50, 50]), replica('up', 199, 0, [140, 50, 50])],
      undefined,
    ],
    [
      "a master's backlog, which comes and goes",
      ['10', '20'].map((from) => master({}, `master_replid:a\r\nrepl_backlog_histlen:${from}`)),
      undefined,
    ],
  ] as const)('%s', ([, infos, found]) => {
    expect(looks(infos)).toEqual([found]);
  });

  test('begins the counting anew', () => {
    const infos = [{ flushall: 9 }, { flushall: 2 }, { flushall: 2 }, { flushall: 3 }];
    expect(looks(infos.map((calls) => master(calls))).slice(1)).toEqual([undefined, FLUSHED]);
  });
});
