import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseListen,
  parseUpstream,
  printListen,
  printUpstream,
  UPSTREAM_FORMS,
  withoutSecrets,
} from '../../src/address.ts';
import { ProxyError } from '../../src/errors.ts';
import { listenFailure } from '../../src/listen.ts';

const nobody = { user: undefined, password: undefined, db: 0 };

describe('a place to listen', () => {
  test.for([
    ['127.0.0.1:6380', { kind: 'tcp', host: '127.0.0.1', port: 6380 }],
    ['localhost:0', { kind: 'tcp', host: 'localhost', port: 0 }],
    ['6380', { kind: 'tcp', host: '127.0.0.1', port: 6380 }],
    ['[::1]:6380', { kind: 'tcp', host: '::1', port: 6380 }],
    ['[::]:65535', { kind: 'tcp', host: '::', port: 65_535 }],
    ['/run/sidetrack.sock', { kind: 'unix', path: '/run/sidetrack.sock' }],
    ['./s.sock', { kind: 'unix', path: './s.sock' }],
    ['unix:///run/s.sock', { kind: 'unix', path: '/run/s.sock' }],
    ['fd:3', { kind: 'fd', fd: 3 }],
  ] as const)('%s is understood', ([text, address]) => {
    expect(parseListen(text, '--listen')).toEqual(address);
  });

  test.for([
    ['', 'names no host'],
    ['host', 'has no port'],
    [':6380', 'all interfaces: 0.0.0.0:6380 or [::]:6380'],
    ['*:6380', 'all interfaces'],
    ['host:65536', 'no port from 0 to 65535'],
    ['host:1x', 'no port'],
    ['host:', 'no port'],
    ['-1', 'no port'],
    ['::1:6380', 'IPv6 address without brackets'],
    ['[::1', 'IPv6 address without brackets'],
    ['[nope]:1', 'no IPv6 address between its brackets'],
    ['[::1]', 'has no port'],
    ['a b:1', 'characters in it that no host name has'],
    ['redis://host:1', 'is a URL'],
    ['/tmp/', 'names no socket file'],
    [`/${'x'.repeat(107)}`, 'longer path than a socket may have'],
    ['/tmp/a\nb', 'control characters'],
    ['fd:2', 'no descriptor of 3 or more'],
    ['fd:', 'no descriptor'],
    ['fd:3x', 'no descriptor'],
  ] as const)('%j is refused: %s', ([text, why]) => {
    const error = refusal(() => parseListen(text, '--listen'));
    expect(error.message).toMatch(/^--listen: '/);
    expect(error.message).toContain(why);
    expect(error.message).toContain('accepted: host:port, [v6]:port, port');
    expect(error.message).not.toContain('\n');
  });
});

describe('an upstream', () => {
  test.for([
    ['embedded', { kind: 'embedded' }],
    ['redis://h', { kind: 'tcp', host: 'h', port: 6379, ...nobody }],
    ['REDIS://h:7', { kind: 'tcp', host: 'h', port: 7, ...nobody }],
    ['redis://h:7/', { kind: 'tcp', host: 'h', port: 7, ...nobody }],
    ['redis://[::1]', { kind: 'tcp', host: '::1', port: 6379, ...nobody }],
    ['redis://[::1]:7/2', { kind: 'tcp', host: '::1', port: 7, ...nobody, db: 2 }],
    ['redis://h/2147483647', { kind: 'tcp', host: 'h', port: 6379, ...nobody, db: 2 ** 31 - 1 }],
    ['redis://:p@h', { kind: 'tcp', host: 'h', port: 6379, ...nobody, password: 'p' }],
    ['redis://u@h', { kind: 'tcp', host: 'h', port: 6379, user: 'u', password: '', db: 0 }],
    ['redis://@h', { kind: 'tcp', host: 'h', port: 6379, ...nobody }],
    [
      'redis://u%40x:p%2F%25@h:1/15',
      { kind: 'tcp', host: 'h', port: 1, user: 'u@x', password: 'p/%', db: 15 },
    ],
    [
      'redis://u:p@/:?#q@h:1',
      { kind: 'tcp', host: 'h', port: 1, user: 'u', password: 'p@/:?#q', db: 0 },
    ],
    ['unix:///run/redis.sock', { kind: 'unix', path: '/run/redis.sock', ...nobody }],
    ['unix://redis.sock?db=3', { kind: 'unix', path: 'redis.sock', ...nobody, db: 3 }],
    ['unix:///a@b.sock', { kind: 'unix', path: '/a@b.sock', ...nobody }],
    ['unix:///a%3Fb', { kind: 'unix', path: '/a?b', ...nobody }],
    ['unix://u@r.sock', { kind: 'unix', path: 'r.sock', user: 'u', password: '', db: 0 }],
    ['unix://u:p@/r.sock', { kind: 'unix', path: '/r.sock', user: 'u', password: 'p', db: 0 }],
  ] as const)('%s is understood', ([text, address]) => {
    expect(parseUpstream(text, '--upstream')).toEqual(address);
  });

  test.for([
    ['', 'has no redis:// or unix://'],
    ['127.0.0.1:6379', 'has no redis:// or unix://'],
    ['rediss://u:s3cret@h:port', 'has no port'],
    ['rediss://u:s3cret@', 'names no host'],
    ['http://u:s3cret@h', 'is of a kind that is not known (http://)'],
    ['redis://', 'names no host'],
    ['redis://u:s3cret@', 'names no host'],
    ['redis://u:s3cret@h:0', 'no port from 1 to 65535'],
    ['redis://u:s3cret@h/x', 'a database that is not a number'],
    ['redis://u:s3cret@h/2147483648', 'has a database above 2147483647'],
    ['unix://u:s3cret@/r.sock?db=99999999999', 'has a database above 2147483647'],
    ['redis://u:s3cret@h/1?x=1', 'has a ? or # part'],
    ['redis://u:s3cret%@h', 'has a % that is not followed by two hex digits'],
    ['redis://u:s3cret@::1', 'IPv6 address without brackets'],
    ['unix://', 'names no socket file'],
    ['unix:///r.sock?x=1', 'has a ? part that is not ?db=n'],
    ['unix:///r.sock?db=', 'has a ? part that is not ?db=n'],
  ] as const)('%j is refused: %s', ([text, why]) => {
    const error = refusal(() => parseUpstream(text, 'SIDETRACK_UPSTREAM'));
    expect(error.message).toMatch(/^SIDETRACK_UPSTREAM: '/);
    expect(error.message).toContain(why);
    expect(error.message).toContain(`accepted: ${UPSTREAM_FORMS}`);
    expect(error.message).not.toContain('s3cret');
  });

  test('any text is understood or refused, and a password is never shown', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string().map((rest) => `redis://user:s3cret@${rest}`),
      fc.string().map((rest) => `unix://user:s3cret@${rest}`),
    );
    fc.assert(
      fc.property(text, (value) => {
        const shown = printedOrRefused(value);
        expect(shown).not.toContain('s3cret');
        expect(shown).not.toContain('\n');
      }),
    );
  });
});

describe('printed', () => {
  test.for([
    ['redis://h', 'redis://h:6379'],
    ['redis://:p@[::1]:7/2', 'redis://:***@[::1]:7/2'],
    ['redis://a%40b:p@h', 'redis://a%40b:***@h:6379'],
    ['unix://u:p@/r.sock?db=1', 'unix://u:***@/r.sock?db=1'],
    ['embedded', 'embedded'],
  ] as const)('%s as %s', ([text, shown]) => {
    expect(printUpstream(parseUpstream(text, '--upstream'))).toBe(shown);
  });

  test.for([
    ['6380', undefined, '127.0.0.1:6380'],
    ['[::1]:0', 7, '[::1]:7'],
    ['/run/s.sock', undefined, '/run/s.sock'],
    ['fd:3', undefined, 'fd:3'],
  ] as const)('%s, really on port %s, as %s', ([text, port, shown]) => {
    expect(printListen(parseListen(text, '--listen'), port)).toBe(shown);
  });

  test('secrets are hidden wherever a URL stands in the text', () => {
    expect(withoutSecrets('redis://u:p@x@h')).toBe('redis://***@h');
    expect(withoutSecrets('Unknown argument: redis://u:p@h')).toBe('***@h');
  });

  test('a port in use is said in one line that names the way out', () => {
    const cause = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' });
    const error = listenFailure('--listen', parseListen('6380', '--listen'), cause);
    expect(error.code).toBe('LISTEN_FAILED');
    expect(error.message).toBe(
      'cannot listen on 127.0.0.1:6380: it is in use already (choose another place with --listen)',
    );
  });
});

function refusal(act: () => unknown): ProxyError {
  try {
    act();
  } catch (error) {
    if (error instanceof ProxyError && error.code === 'CONFIG_INVALID') return error;
    throw error;
  }
  throw new Error('was not refused');
}

function printedOrRefused(text: string): string {
  try {
    return printUpstream(parseUpstream(text, '--upstream'));
  } catch (error) {
    if (error instanceof ProxyError && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
}
