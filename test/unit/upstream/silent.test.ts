import { describe, expect, test } from 'vitest';
import { CONFIG_SET, SilentCall, SilentLog } from '../../../src/upstream/silent.ts';

const POPS = ['blpop', 'brpop', 'brpoplpush'];
const BEFORE_6 = ['persist', 'move', 'restore', 'restore-asking', 'migrate', 'sinterstore'];

/** @returns which of `names` may change their keys unannounced at a version */
function hidden(version: number | undefined, names: readonly string[]): readonly string[] {
  const log = new SilentLog();
  log.learn(version);
  return names.filter((name) => log.hides(name));
}

describe('commands that change the keys they name unannounced', () => {
  const all = [...BEFORE_6, 'lrem', ...POPS];
  test.for([
    [undefined, all],
    [208, all],
    [302, [...BEFORE_6, ...POPS]],
    [400, [...BEFORE_6, ...POPS]],
    [500, BEFORE_6],
    [600, []],
    [704, []],
  ] as const)('of version %s', ([version, names]) => {
    expect(hidden(version, all)).toEqual(names);
  });

  test('are not those that change a database, nor any other', () => {
    expect(hidden(undefined, ['flushall', 'flushdb', 'swapdb', 'debug', 'get', 'lpop'])).toEqual(
      [],
    );
  });

  test('all count while the version is not known', () => {
    const log = new SilentLog();
    expect(all.filter((name) => log.hides(name))).toEqual(all);
  });
});

test('the watch counts no pops: what they take from is announced', () => {
  expect(new SilentLog().names.filter((name) => POPS.includes(name))).toEqual([]);
});

test.for([
  [undefined, true],
  [602, false],
  [700, true],
] as const)('the watch counts CONFIG SET from 7.0 on: %s', ([version, isCounted]) => {
  const log = new SilentLog();
  log.learn(version);
  expect(log.watched.includes(CONFIG_SET)).toBe(isCounted);
  expect(log.names).not.toContain(CONFIG_SET); // it changes no data itself
  expect(log.watched).toEqual([...log.names, ...(isCounted ? [CONFIG_SET] : [])]);
});

describe('a call', () => {
  /** @returns the log, and a call that was sent */
  function sent() {
    const log = new SilentLog();
    const call = new SilentCall(log, 'flushall');
    call.send();
    return { log, call, state: () => [log.countOf('flushall'), log.inFlightOf('flushall')] };
  }

  test('is none before it is sent', () => {
    const log = new SilentLog();
    const call = new SilentCall(log, 'flushall');
    expect(log.countOf('flushall')).toBe(0);
    call.settle(false);
    call.send();
    expect([log.countOf('flushall'), log.hasInFlight]).toEqual([0, false]);
  });

  test.for([
    ['executed', 1],
    ['refused', 0],
    ['lost', 0],
  ] as const)('counts as ours while it is in flight; then if it was %s: %i', ([outcome, count]) => {
    const { log, call, state } = sent();
    expect(state()).toEqual([1, 1]);
    log.looked();
    expect(state()).toEqual([1, 1]);
    if (outcome === 'lost') call.lose();
    else call.settle(outcome === 'executed');
    expect(state()).toEqual([count, 0]);
    expect(log.hasInFlight).toBe(false);
  });

  test.for(['executed', 'refused', 'lost'] as const)(
    'in flight at two looks is disowned, though it was then %s',
    (outcome) => {
      const { log, call, state } = sent();
      log.looked();
      log.looked();
      expect(state()).toEqual([0, 0]);
      if (outcome === 'lost') call.lose();
      else call.settle(outcome === 'executed');
      log.looked();
      expect(state()).toEqual([0, 0]);
    },
  );

  test('of another name is left alone', () => {
    const { log, state } = sent();
    log.looked();
    const other = new SilentCall(log, 'swapdb');
    other.send();
    log.looked();
    expect(state()).toEqual([0, 0]);
    expect([log.countOf('swapdb'), log.inFlightOf('swapdb')]).toEqual([1, 1]);
  });
});
