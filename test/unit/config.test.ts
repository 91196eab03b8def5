import { describe, expect, test } from 'vitest';
import { environmentName, type Flag, nearest, OPTIONS, readConfig } from '../../src/config.ts';

const DEFAULTS = {
  listen: { kind: 'tcp', host: '127.0.0.1', port: 6380 },
  upstream: { kind: 'embedded' },
  admin: { kind: 'tcp', host: '127.0.0.1', port: 9380 },
  advertiseVersion: 'auto',
  notifyConfig: 'auto',
  trackingTableMaxKeys: 1_000_000,
  watchIntervalMs: 250,
  bcastAcl: 'filter',
  redirectCleanup: true,
  logLevel: 'info',
  logFormat: 'json',
} as const;

function read(
  flags: { readonly [flag in Flag]?: string } = {},
  environment: Record<string, string> = {},
  terminal = false,
) {
  return readConfig({ flags, environment, terminal });
}

describe('settings', () => {
  test('the defaults need nothing', () => {
    expect(read()).toEqual(DEFAULTS);
  });

  test('a flag outweighs the variable, which outweighs the default', () => {
    const environment = { SIDETRACK_LISTEN: '7001', SIDETRACK_LOG_LEVEL: 'warn' };
    const config = read({ listen: '7002' }, environment);
    expect(config.listen).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 7002 });
    expect(config.logLevel).toBe('warn');
  });

  test('every flag has its variable', () => {
    const names = OPTIONS.map(({ flag }) => environmentName(flag));
    expect(names).toEqual([
      'SIDETRACK_LISTEN',
      'SIDETRACK_UPSTREAM',
      'SIDETRACK_ADMIN',
      'SIDETRACK_ADVERTISE_VERSION',
      'SIDETRACK_NOTIFY_CONFIG',
      'SIDETRACK_TRACKING_TABLE_MAX_KEYS',
      'SIDETRACK_WATCH_INTERVAL',
      'SIDETRACK_REDIRECT_CLEANUP',
      'SIDETRACK_BCAST_ACL',
      'SIDETRACK_LOG_LEVEL',
      'SIDETRACK_LOG_FORMAT',
    ]);
  });

  test('an empty variable and a variable that is not ours change nothing', () => {
    const kubernetes = {
      SIDETRACK_PORT: 'tcp://10.0.0.1:6380',
      SIDETRACK_SERVICE_HOST: '10.0.0.1',
    };
    expect(read({}, { SIDETRACK_UPSTREAM: '', ...kubernetes })).toEqual(DEFAULTS);
  });

  test('the log is pretty on a terminal unless json is asked for', () => {
    expect(read({}, {}, true).logFormat).toBe('pretty');
    expect(read({ 'log-format': 'json' }, {}, true).logFormat).toBe('json');
    expect(read({ 'log-format': 'pretty' }).logFormat).toBe('pretty');
  });

  test.for([
    [{ admin: 'off' }, { admin: undefined }],
    [{ admin: '0' }, { admin: { kind: 'tcp', host: '127.0.0.1', port: 0 } }],
    [{ 'advertise-version': 'upstream' }, { advertiseVersion: 'upstream' }],
    [{ 'advertise-version': '7.2.4' }, { advertiseVersion: '7.2.4' }],
    [{ 'notify-config': 'skip' }, { notifyConfig: 'skip' }],
    [{ 'tracking-table-max-keys': '0' }, { trackingTableMaxKeys: 0 }],
  ] as const)('%j is understood', ([flags, expected]) => {
    expect(read(flags)).toEqual({ ...DEFAULTS, ...expected });
  });

  test.for([
    [{ 'advertise-version': '7.2' }, "--advertise-version: '7.2' is not accepted: auto, upstream"],
    [{ 'notify-config': 'yes' }, "--notify-config: 'yes' is not accepted: auto, check, skip"],
    [{ 'tracking-table-max-keys': '-1' }, 'a whole number, 0 or more'],
    [{ 'tracking-table-max-keys': '1e6' }, 'a whole number, 0 or more'],
    [{ 'log-level': 'loud' }, 'trace, debug, info, warn, error, fatal, silent'],
    [{ 'log-format': 'xml' }, 'auto, json, pretty'],
    [{ admin: 'nowhere' }, "--admin: 'nowhere' has no port"],
    [{ listen: '' }, '--listen'],
  ] as const)('%j is refused', ([flags, message]) => {
    expect(() => read(flags)).toThrow(message);
  });

  test('what a variable says wrong is said under its own name', () => {
    expect(() => read({}, { SIDETRACK_LOG_LEVEL: 'loud' })).toThrow(/^SIDETRACK_LOG_LEVEL: 'loud'/);
  });
});

describe('the name that was meant', () => {
  const known = ['listen', 'upstream', 'admin', 'log-level', 'tracking-table-max-keys'];

  test.for([
    ['lisen', 'listen'],
    ['upsteram', 'upstream'],
    ['loglevel', 'log-level'],
    ['tracking-table', 'tracking-table-max-keys'],
    ['zzzzzz', undefined],
    ['x', undefined],
  ] as const)('%s is %s', ([word, meant]) => {
    expect(nearest(word, known)).toBe(meant);
  });
});
