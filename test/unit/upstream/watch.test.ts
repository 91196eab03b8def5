import { describe, expect, test } from 'vitest';
import { SilentLog } from '../../../src/upstream/silent.ts';
import { Watch } from '../../../src/upstream/watch.ts';

const INFO = 'cmdstat_ping:calls=1,usec=1\r\nrole:master\r\n';

/** What one look is answered; undefined where it is refused. */
interface Answer {
  readonly info?: string | undefined;
  readonly flags?: string | undefined;
}

const ALL: Answer = { info: INFO, flags: 'AK' };
const NO_INFO: Answer = { flags: 'AK' };
const NO_COUNTERS: Answer = { info: 'role:master\r\n', flags: 'AK' };
const NO_CONFIG: Answer = { info: INFO };

/** A watch that is given one answer after the other. */
function watchOf(answers: readonly Answer[], checksFlags = true) {
  const left = [...answers];
  const told: string[] = [];
  const look = async () => {
    const { info, flags } = left.shift() ?? {};
    return { info, flags };
  };
  const watch = new Watch(
    { look },
    {
      intervalMs: 250,
      checksFlags,
      version: 700,
      log: new SilentLog(),
      silentChange: (reason) => told.push(reason),
      sightless: (reason) => told.push(reason),
    },
  );
  return { watch, told };
}

describe('what looks may see', () => {
  test.for([
    ['all', ALL, []],
    ['no INFO', NO_INFO, ['INFO is refused to the proxy']],
    ['no counters', NO_COUNTERS, ['INFO commandstats is empty']],
    ['no CONFIG', NO_CONFIG, ['CONFIG GET is refused to the proxy']],
    ['nothing', {}, ['INFO is refused to the proxy', 'CONFIG GET is refused to the proxy']],
  ] as const)('is told once while it stays so: %s', async ([, answer, reasons]) => {
    const { watch, told } = watchOf([answer, answer, answer]);
    for (let look = 0; look < 3; look++) await watch.look();
    expect(told).toEqual(reasons);
  });

  test.for([
    ['INFO is taken away', ALL, NO_INFO, 'INFO is refused to the proxy'],
    ['INFO is given back', NO_INFO, ALL, 'no longer so: INFO is refused to the proxy'],
    ['its counters are', ALL, NO_COUNTERS, 'INFO commandstats is empty'],
    ['CONFIG is taken away', ALL, NO_CONFIG, 'CONFIG GET is refused to the proxy'],
    ['CONFIG is given back', NO_CONFIG, ALL, 'no longer so: CONFIG GET is refused to the proxy'],
  ] as const)('and when it changes, all begins anew: %s', async ([, first, then, message]) => {
    const { watch } = watchOf([first, first, then]);
    await watch.look();
    await watch.look();
    await expect(watch.look()).rejects.toMatchObject({ code: 'UPSTREAM_REFUSED', message });
  });

  test('is no matter where CONFIG is not to be used', async () => {
    const { watch, told } = watchOf([NO_CONFIG, NO_CONFIG], false);
    await watch.look();
    await watch.look();
    expect(told).toEqual([]);
  });
});

test('narrowed notifications end all, and nothing else is told beside', async () => {
  const flushed = `cmdstat_flushall:calls=1,usec=1\r\n${INFO}`;
  const { watch, told } = watchOf([ALL, { info: flushed, flags: 'K$' }]);
  await watch.look();
  await expect(watch.look()).rejects.toMatchObject({ code: 'NOTIFICATIONS_UNAVAILABLE' });
  expect(told).toEqual([]);
});
