import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { examine } from '../../src/doctor/examine.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import type { Flag } from '../../src/options.ts';
import { Authority, type CertificateOptions } from '../helpers/certificates.ts';
import { freePort } from '../helpers/free-port.ts';
import { startRedis } from '../helpers/redis.ts';

type Flags = { readonly [flag in Flag]?: string };

const folder = mkdtempSync(join(tmpdir(), 'sidetrack-check-tls-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ours = new Authority('ours');
const theirs = new Authority('theirs');
const HERE = ['localhost', '127.0.0.1'];
const OURS = join(folder, 'ours.pem');
writeFileSync(OURS, ours.cert);

/** Starts a TLS server that says nothing, and ends with the test. @returns its port */
async function serve(
  options: Partial<CertificateOptions> & { readonly by?: Authority } & tls.TlsOptions = {},
): Promise<number> {
  const { by = ours, hosts = HERE, days = 2, fromDay = -1, ...more } = options;
  const identity = by.issue({ name: 'server', hosts, days, fromDay });
  const server = tls.createServer({ ...identity, ...more });
  server.on('tlsClientError', () => {}); // whoever does not like what it is shown
  server.on('secureConnection', (socket) => socket.on('error', () => {}));
  onTestFinished(() => {
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** @returns what is found of the connection, which is all that there is when it fails */
async function check(upstream: string, flags: Flags = {}): Promise<Finding> {
  const given = { upstream, ...flags };
  const config = readConfig({ flags: given, environment: {}, terminal: false });
  if (config.upstream.kind === 'embedded') throw new Error('tests start their own upstream');
  const findings = await examine({ upstream: config.upstream, deadlineMs: 300 });
  expect(findings.map(({ id, state }) => [id, state])).toEqual([['connection', 'missing']]);
  return findings[0] as Finding;
}

const TRUSTING: Flags = { 'upstream-tls-ca': OURS };
const DEMANDING = { requestCert: true, rejectUnauthorized: true, ca: ours.cert } as const;

test.for([
  [
    'signed by somebody else',
    { by: theirs },
    "--upstream-tls-ca=FILE, with the certificate (PEM) of who has signed the server's",
  ],
  [
    'expired',
    { days: -1 },
    'give the server a new certificate; if it has one, set the clock of this machine',
  ],
  ['not in force yet', { fromDay: 1 }, 'set the clocks of the server and of this machine'],
  [
    'for another host',
    { hosts: ['redis.example'] },
    '--upstream-tls-sni=NAME, with a name that the certificate is for',
  ],
  [
    'good, but ours is missing',
    DEMANDING,
    '--upstream-tls-cert and --upstream-tls-key: the server wants to see a certificate',
  ],
  [
    'good, but ours is missing (TLS 1.2)',
    { ...DEMANDING, maxVersion: 'TLSv1.2' },
    '--upstream-tls-cert and --upstream-tls-key: the server wants to see a certificate',
  ],
  [
    'good, but the protocol is old',
    { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    'let the server speak TLS 1.2 or newer',
  ],
] as const)('a certificate that is %s', async ([, options, how]) => {
  const { found, fixes } = await check(`rediss://127.0.0.1:${await serve(options)}`, TRUSTING);
  expect(found).toContain(': TLS: ');
  expect(fixes.map((fix) => fix.how)).toEqual([how]);
});

/** @returns the paths of a new certificate and its key */
function filesOf(by: Authority, name: string): { readonly cert: string; readonly key: string } {
  const { cert, key } = by.issue({ name, hosts: HERE });
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  return files;
}

/** Starts a Redis for TLS. @returns its port; undefined where redis-server is built without TLS */
async function startTlsRedis(): Promise<number | undefined> {
  const { cert, key } = filesOf(ours, 'redis');
  const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', OURS];
  const port = await freePort();
  try {
    const args = ['--tls-port', `${port}`, '--bind', '127.0.0.1', ...files];
    const redis = await startRedis({ args });
    onTestFinished(() => redis.stop());
    return port;
  } catch (error) {
    if (/tls-port|TLS/i.test(String(error))) return undefined;
    throw error;
  }
}

test('our certificate is not trusted', async ({ skip }) => {
  const port = await startTlsRedis();
  skip(port === undefined, 'redis-server is built without TLS');
  const { cert, key } = filesOf(theirs, 'client');
  const flags = { ...TRUSTING, 'upstream-tls-cert': cert, 'upstream-tls-key': key };
  const { fixes } = await check(`rediss://127.0.0.1:${port}`, flags);
  expect(fixes.map(({ how }) => how)).toEqual([
    '--upstream-tls-cert and --upstream-tls-key, with a certificate that the server trusts',
  ]);
});

test.for(['', 'me:s3cret@'])(
  'TLS is asked for, and the server speaks none (rediss://%s)',
  async (login) => {
    const redis = await startRedis({ tcp: true });
    onTestFinished(() => redis.stop());
    const finding = await check(`rediss://${login}127.0.0.1:${redis.port}`, TRUSTING);
    expect(finding.fixes).toEqual([
      {
        where: 'sidetrack',
        how: '--upstream redis://...: the server speaks no TLS at this port',
      },
    ]);
    expect(JSON.stringify(finding)).not.toContain('s3cret');
  },
);

test.for([
  ['', {}],
  ['me:s3cret@', {}],
  ['', DEMANDING],
] as const)(
  'TLS is not asked for, and the server speaks it (redis://%s)',
  async ([login, options]) => {
    const finding = await check(`redis://${login}127.0.0.1:${await serve(options)}`);
    expect(finding.fixes).toEqual([
      { where: 'sidetrack', how: '--upstream rediss://...: the server speaks TLS at this port' },
    ]);
  },
);

test('a server that speaks TLS and is no Redis is not taken for a plain one', async () => {
  const { fixes } = await check(`rediss://127.0.0.1:${await serve()}`, TRUSTING);
  expect(fixes.map(({ how }) => how)).toEqual([
    'see whether the address is right, the server runs, and no firewall is in between',
  ]);
});
