import { describe, expect, test } from 'vitest';
import { environmentName, readConfig } from '../../src/config.ts';
import { nearest } from '../../src/nearest.ts';
import { type Flag, OPTIONS } from '../../src/options.ts';

const DEFAULTS = {
  listen: [{ kind: 'tcp', host: '127.0.0.1', port: 6380 }],
  tls: undefined,
  upstream: { kind: 'embedded' },
  admin: { kind: 'tcp', host: '127.0.0.1', port: 9380 },
  maxClients: 10_000,
  timeoutSeconds: 0,
  tcpKeepaliveMs: 300_000,
  connectTimeoutMs: 5_000,
  proxyProtocol: false,
  injectAuth: 'off',
  advertiseVersion: 'auto',
  source: 'events',
  notifyConfig: 'auto',
  probeKeyPrefix: 'sidetrack:probe:',
  trackingTableMaxKeys: 1_000_000,
  watchIntervalMs: 250,
  bcastAcl: 'filter',
  redirectCleanup: true,
  blind: 'invalidate',
  fenceWrites: false,
  outputLimit: { hardBytes: 33_554_432, softBytes: 8_388_608, softMs: 60_000 },
  drainTimeoutMs: 10_000,
  logLevel: 'info',
  logFormat: 'json',
} as const;

const TLS_LISTEN = {
  'tls-listen': '7000',
  'tls-cert-file': 'c.pem',
  'tls-key-file': 'k.pem',
} as const;
const OPEN_TLS = { ...TLS_LISTEN, 'tls-auth-clients': 'no' } as const;

/** As a flag names one. */
function file(name: string, text: string) {
  return { name, text, origin: 'flag' };
}

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
    expect(config.listen).toEqual([{ kind: 'tcp', host: '127.0.0.1', port: 7002 }]);
    expect(config.logLevel).toBe('warn');
  });

  test('every flag has its variable', () => {
    const names = OPTIONS.map(({ flag }) => environmentName(flag));
    expect(names).toEqual([
      'SIDETRACK_LISTEN',
      'SIDETRACK_TLS_LISTEN',
      'SIDETRACK_TLS_CERT_FILE',
      'SIDETRACK_TLS_KEY_FILE',
      'SIDETRACK_TLS_CA_CERT_FILE',
      'SIDETRACK_TLS_AUTH_CLIENTS',
      'SIDETRACK_UPSTREAM',
      'SIDETRACK_UPSTREAM_PASSWORD_FILE',
      'SIDETRACK_CONTROL_USER',
      'SIDETRACK_CONTROL_PASSWORD_FILE',
      'SIDETRACK_INJECT_AUTH',
      'SIDETRACK_UPSTREAM_TLS_CA',
      'SIDETRACK_UPSTREAM_TLS_CERT',
      'SIDETRACK_UPSTREAM_TLS_KEY',
      'SIDETRACK_UPSTREAM_TLS_SNI',
      'SIDETRACK_UPSTREAM_TLS_INSECURE',
      'SIDETRACK_ADMIN',
      'SIDETRACK_MAX_CLIENTS',
      'SIDETRACK_TIMEOUT',
      'SIDETRACK_TCP_KEEPALIVE',
      'SIDETRACK_CONNECT_TIMEOUT',
      'SIDETRACK_PROXY_PROTOCOL',
      'SIDETRACK_ADVERTISE_VERSION',
      'SIDETRACK_SOURCE',
      'SIDETRACK_NOTIFY_CONFIG',
      'SIDETRACK_PROBE_KEY_PREFIX',
      'SIDETRACK_TRACKING_TABLE_MAX_KEYS',
      'SIDETRACK_WATCH_INTERVAL',
      'SIDETRACK_REDIRECT_CLEANUP',
      'SIDETRACK_BCAST_ACL',
      'SIDETRACK_BLIND',
      'SIDETRACK_FENCE_WRITES',
      'SIDETRACK_CLIENT_OUTPUT_BUFFER_LIMIT',
      'SIDETRACK_DRAIN_TIMEOUT',
      'SIDETRACK_LOG_LEVEL',
      'SIDETRACK_LOG_FORMAT',
      'SIDETRACK_CONFIG',
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
    [
      { listen: '0, [::1]:7001 ,/run/s.sock,0' },
      {
        listen: [
          { kind: 'tcp', host: '127.0.0.1', port: 0 },
          { kind: 'tcp', host: '::1', port: 7001 },
          { kind: 'unix', path: '/run/s.sock' },
          { kind: 'tcp', host: '127.0.0.1', port: 0 },
        ],
      },
    ],
    [
      { ...TLS_LISTEN, listen: 'OFF', 'tls-auth-clients': 'no' },
      {
        listen: [],
        tls: {
          listen: [{ kind: 'tcp', host: '127.0.0.1', port: 7000 }],
          files: {
            cert: file('--tls-cert-file', 'c.pem'),
            key: file('--tls-key-file', 'k.pem'),
            ca: undefined,
          },
          authClients: 'no',
        },
      },
    ],
    [
      { ...TLS_LISTEN, 'tls-listen': '0,/s.sock', 'tls-ca-cert-file': 'ca.pem' },
      {
        tls: {
          listen: [
            { kind: 'tcp', host: '127.0.0.1', port: 0 },
            { kind: 'unix', path: '/s.sock' },
          ],
          files: {
            cert: file('--tls-cert-file', 'c.pem'),
            key: file('--tls-key-file', 'k.pem'),
            ca: file('--tls-ca-cert-file', 'ca.pem'),
          },
          authClients: 'yes',
        },
      },
    ],
    [
      { upstream: 'rediss://h' },
      {
        upstream: {
          kind: 'tls',
          host: 'h',
          port: 6379,
          user: undefined,
          password: undefined,
          db: 0,
          tls: {
            files: { cert: undefined, key: undefined, ca: undefined },
            serverName: 'h',
            insecure: false,
          },
        },
      },
    ],
    [
      {
        upstream: 'REDISS://u:p@h:7/2',
        'upstream-tls-ca': 'ca.pem',
        'upstream-tls-cert': 'c.pem',
        'upstream-tls-key': 'k.pem',
        'upstream-tls-sni': 'redis.example',
        'upstream-tls-insecure': 'on',
      },
      {
        upstream: {
          kind: 'tls',
          host: 'h',
          port: 7,
          user: 'u',
          password: 'p',
          db: 2,
          tls: {
            files: {
              cert: file('--upstream-tls-cert', 'c.pem'),
              key: file('--upstream-tls-key', 'k.pem'),
              ca: file('--upstream-tls-ca', 'ca.pem'),
            },
            serverName: 'redis.example',
            insecure: true,
          },
        },
      },
    ],
    [{ 'max-clients': '1' }, { maxClients: 1 }],
    [{ timeout: '2147483647' }, { timeoutSeconds: 2_147_483_647 }],
    [{ 'tcp-keepalive': '0' }, { tcpKeepaliveMs: 0 }],
    [{ 'connect-timeout': '1' }, { connectTimeoutMs: 1 }],
    [{ 'proxy-protocol': 'on' }, { proxyProtocol: true }],
    [{ admin: 'off' }, { admin: undefined }],
    [{ admin: '0' }, { admin: { kind: 'tcp', host: '127.0.0.1', port: 0 } }],
    [{ blind: 'refuse' }, { blind: 'refuse' }],
    [{ 'fence-writes': 'on' }, { fenceWrites: true }],
    [
      { 'client-output-buffer-limit': '1k 2KB 3' },
      { outputLimit: { hardBytes: 1_000, softBytes: 2_048, softMs: 3_000 } },
    ],
    [
      { 'client-output-buffer-limit': ' 0  0 0 ' },
      { outputLimit: { hardBytes: 0, softBytes: 0, softMs: 0 } },
    ],
    [{ 'advertise-version': 'upstream' }, { advertiseVersion: 'upstream' }],
    [{ 'advertise-version': '7.2.4' }, { advertiseVersion: '7.2.4' }],
    [{ source: 'writes' }, { source: 'writes' }],
    [{ 'notify-config': 'skip' }, { notifyConfig: 'skip' }],
    [{ 'probe-key-prefix': 'ours:' }, { probeKeyPrefix: 'ours:' }],
    [{ 'tracking-table-max-keys': '0' }, { trackingTableMaxKeys: 0 }],
  ] as const)('%j is understood', ([flags, expected]) => {
    expect(read(flags)).toEqual({ ...DEFAULTS, ...expected });
  });

  test.for([
    [{ 'advertise-version': '7.2' }, "--advertise-version: '7.2' is not accepted: auto, upstream"],
    [{ 'notify-config': 'yes' }, "--notify-config: 'yes' is not accepted: auto, check, skip"],
    [{ 'probe-key-prefix': '' }, "--probe-key-prefix: '' is not accepted: any text but none"],
    [{ 'tracking-table-max-keys': '-1' }, 'a whole number, 0 or more'],
    [{ 'tracking-table-max-keys': '1e6' }, 'a whole number, 0 or more'],
    [{ 'log-level': 'loud' }, 'trace, debug, info, warn, error, fatal, silent'],
    [{ 'log-format': 'xml' }, 'auto, json, pretty'],
    [{ admin: 'nowhere' }, "--admin: 'nowhere' has no port"],
    [{ listen: '' }, '--listen'],
    [{ listen: '6380,nowhere' }, "--listen: 'nowhere' has no port"],
    [{ listen: '6380,' }, "--listen: '' names no host"],
    [{ listen: '6380, 127.0.0.1:6380' }, '--listen: 127.0.0.1:6380 is named twice'],
    [{ listen: '/s.sock,unix:///s.sock' }, '--listen: /s.sock is named twice'],
    [{ listen: 'off' }, '--listen: off needs --tls-listen, or nobody could connect'],
    [{ 'tls-listen': '7000' }, '--tls-listen: needs --tls-cert-file and --tls-key-file'],
    [
      { ...TLS_LISTEN, 'tls-listen': 'nowhere' },
      '--tls-auth-clients: yes needs --tls-ca-cert-file',
    ],
    [{ ...TLS_LISTEN, 'tls-auth-clients': 'optional' }, '--tls-auth-clients: optional needs'],
    [{ ...TLS_LISTEN, 'tls-auth-clients': 'on' }, "'on' is not accepted: yes, no, optional"],
    [{ ...OPEN_TLS, 'tls-listen': 'off' }, "--tls-listen: 'off' has no port"],
    [{ ...OPEN_TLS, listen: '7000' }, '--tls-listen: 127.0.0.1:7000 is in --listen too'],
    [{ 'tls-key-file': 'k' }, '--tls-key-file: does nothing without --tls-listen'],
    [{ 'upstream-tls-ca': 'ca' }, '--upstream-tls-ca: needs --upstream rediss://...'],
    [
      { upstream: 'redis://h', 'upstream-tls-insecure': 'on' },
      '--upstream-tls-insecure: needs --upstream rediss://...',
    ],
    [
      { upstream: 'rediss://h', 'upstream-tls-cert': 'c' },
      '--upstream-tls-cert: needs --upstream-tls-key',
    ],
    [
      { upstream: 'rediss://h', 'upstream-tls-key': 'k' },
      '--upstream-tls-key: needs --upstream-tls-cert',
    ],
    [
      { upstream: 'rediss://h', 'upstream-tls-sni': 'a b' },
      "--upstream-tls-sni: 'a b' is no host name",
    ],
    [{ 'max-clients': '0' }, "--max-clients: '0' is not accepted: 1 to 2147483647 clients"],
    [{ timeout: '2147483648' }, '0 to 2147483647 seconds'],
    [{ timeout: '1s' }, '0 to 2147483647 seconds'],
    [{ 'tcp-keepalive': '-1' }, '0 to 32767 seconds'],
    [{ 'connect-timeout': '0' }, '1 to 3600000 milliseconds'],
    [{ 'proxy-protocol': 'v2' }, "--proxy-protocol: 'v2' is not accepted: on, off"],
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
