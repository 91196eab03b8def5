import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import tls from 'node:tls';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createMetrics, type Metrics } from '../../src/admin/metrics.ts';
import { readConfig } from '../../src/config.ts';
import { examine } from '../../src/doctor/examine.ts';
import type { Flag } from '../../src/options.ts';
import { createProxy, type Proxy as StartedProxy } from '../../src/proxy.ts';
import { Authority, type Identity } from '../helpers/certificates.ts';
import { Fence } from '../helpers/fence.ts';
import { targetOf } from '../helpers/fixtures.ts';
import { encode, RawClient, type Target } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';

type Flags = { readonly [flag in Flag]?: string };
type Step = () => unknown;

const POLL = { timeout: 10_000, interval: 5 } as const;
const SECRET = 's3cret';

const perTest: Step[] = [];
const perFile: Step[] = [];

async function runAll(steps: Step[]): Promise<void> {
  for (const step of steps.splice(0).reverse()) await step();
}

afterEach(() => runAll(perTest));
afterAll(() => runAll(perFile));

/** Everything is signed by `ours`, or not. */
const ours = new Authority('ours');
const theirs = new Authority('theirs');
const server = ours.issue({ name: 'server', hosts: ['localhost', '127.0.0.1', 'redis.example'] });
const client = ours.issue({ name: 'client' });
const expired = ours.issue({ name: 'expired', hosts: ['localhost', '127.0.0.1'], days: -1 });

const folder = mkdtempSync(join(tmpdir(), 'sidetrack-tls-'));
perFile.push(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

/** @returns the path of a new file */
function fileOf(text: string): string {
  const path = join(folder, `${++files}.pem`);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

function filesOf({ cert, key }: Identity): { readonly cert: string; readonly key: string } {
  return { cert: fileOf(cert), key: fileOf(key) };
}

const OURS = fileOf(ours.cert);
const SERVER = filesOf(server);
const CLIENT = filesOf(client);

/** Listens on a free port for TLS alone, and for whoever comes. */
const TLS_LISTEN: Flags = {
  listen: 'off',
  'tls-listen': '127.0.0.1:0',
  'tls-cert-file': SERVER.cert,
  'tls-key-file': SERVER.key,
  'tls-auth-clients': 'no',
};

interface Running {
  readonly proxy: StartedProxy;
  readonly metrics: Metrics;
  /** Everything that it has logged. */
  readonly log: readonly string[];
  /** The port of each place where it listens. */
  readonly ports: readonly number[];
}

function portOf(address: string | undefined): number {
  return Number(/:(\d+)$/.exec(address ?? '')?.[1]);
}

function newProxy(flags: Flags): Omit<Running, 'ports'> {
  const given = { listen: '127.0.0.1:0', admin: 'off', ...flags };
  const config = readConfig({ flags: given, environment: {}, terminal: false });
  if (config.upstream.kind === 'embedded') throw new Error('tests start their own upstream');
  const log: string[] = [];
  const metrics = createMetrics();
  const logger = pino({ level: 'trace', base: null }, { write: (line) => log.push(line) });
  const proxy = createProxy({ ...config, upstream: config.upstream }, { logger, metrics });
  return { proxy, metrics, log };
}

/** Starts a proxy, which ends with the test. */
async function listening(flags: Flags, steps = perTest): Promise<Running> {
  const made = newProxy(flags);
  steps.push(() => made.proxy.stop());
  await made.proxy.start();
  return { ...made, ports: made.proxy.addresses.map(portOf) };
}

async function becomesReady({ proxy, log }: Running): Promise<void> {
  await vi.waitFor(() => {
    if (!proxy.ready.ok) throw new Error(`${proxy.ready.reason}\n${log.slice(-3).join('')}`);
  }, POLL);
}

async function ready(flags: Flags, steps = perTest): Promise<Running> {
  const running = await listening(flags, steps);
  await becomesReady(running);
  return running;
}

/** @returns where a proxy listens, which has one place for that */
function portFor({ proxy, ports }: Running, via: 'plain' | 'tls'): number {
  const at = proxy.addresses.findIndex((one) => one.startsWith('tls://') === (via === 'tls'));
  return ports[at] ?? 0;
}

/** Types forget that tls.connect has it. */
type DialOptions = tls.ConnectionOptions & { readonly allowHalfOpen?: boolean };

/** @returns a socket that has yet to be connected; trusts `ours` and brings no certificate */
function dial(port: number, options: DialOptions = {}): tls.TLSSocket {
  const socket = tls.connect({ host: 'localhost', port, ca: ours.cert, ...options });
  perTest.push(() => socket.destroy());
  socket.on('error', () => {});
  return socket;
}

/** @returns what one who asks PING is told until the connection ends, or has an answer */
async function pingOver(port: number, options: DialOptions = {}): Promise<string> {
  const socket = dial(port, options);
  let told = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    told += text;
    if (told.endsWith('\r\n')) socket.destroy();
  });
  socket.write('PING\r\n');
  await new Promise((resolve) => socket.once('close', resolve));
  return told;
}

/** Passes on what it gets, over TLS, so that clients who speak none can be used. */
async function tunnelTo(port: number, options: DialOptions = {}): Promise<Target> {
  const tunnel = createServer({ allowHalfOpen: true }, (near) => {
    const far = dial(port, { allowHalfOpen: true, ...options });
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  }).listen(0, '127.0.0.1');
  await once(tunnel, 'listening');
  perTest.push(() => tunnel.close());
  const address = tunnel.address();
  return { port: typeof address === 'object' ? (address?.port ?? 0) : 0 };
}

async function connected(target: Target): Promise<RawClient> {
  const raw = await RawClient.connect(target);
  perTest.push(() => raw.close());
  return raw;
}

/** @returns a client of that port, with TLS or without */
async function clientOf(port: number, via: 'plain' | 'tls'): Promise<RawClient> {
  return connected(via === 'tls' ? await tunnelTo(port) : { port });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

interface TlsRedis {
  /** With a Unix socket for plain connections. */
  readonly redis: RedisProcess;
  readonly port: number;
}

/** Starts a Redis that lets in whoever has a certificate of `ours`, and knows the password. */
async function startTlsRedis(): Promise<TlsRedis> {
  const own = ['--tls-cert-file', SERVER.cert, '--tls-key-file', SERVER.key];
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    const listen = ['--tls-port', `${port}`, '--tls-ca-cert-file', OURS, '--bind', '127.0.0.1'];
    try {
      const redis = await startRedis({ args: [...listen, ...own, '--user', ...USER.split(' ')] });
      return { redis, port };
    } catch (error) {
      if (tries === 3 || !/Address already in use/.test(String(error))) throw error;
    }
  }
}

/** Another than the default one, so that helpers can look into that Redis without a password. */
const USER = `app on >${SECRET} ~* &* +@all`;

/** @returns flags for a proxy in front of such a Redis */
function upstreamFlags(port: number, more: Flags = {}): Flags {
  const upstream = `rediss://app:${SECRET}@localhost:${port}`;
  return { upstream, ...UPSTREAM_TLS, ...more };
}

const UPSTREAM_TLS: Flags = {
  'upstream-tls-ca': OURS,
  'upstream-tls-cert': CLIENT.cert,
  'upstream-tls-key': CLIENT.key,
};

const HAS_TLS = await startRedis({ args: ['--tls-port', '0'] }).then(
  async (redis) => {
    await redis.stop();
    return true;
  },
  () => false,
);
if (!HAS_TLS) console.warn('redis-server is built without TLS: such upstreams are not tested');

let plainRedis: RedisProcess;
let tlsRedis: TlsRedis;

beforeAll(async () => {
  plainRedis = await startRedis();
  perFile.push(() => plainRedis.stop());
  if (!HAS_TLS) return;
  tlsRedis = await startTlsRedis();
  perFile.push(() => tlsRedis.redis.stop());
});

test.runIf(HAS_TLS)(
  '--inject-auth: a client without TLS and password uses such a Redis',
  async () => {
    const { ports } = await ready(upstreamFlags(tlsRedis.port, { 'inject-auth': 'local' }));
    const raw = await connected({ port: ports[0] as number });
    expect(await raw.pipeline(['ACL WHOAMI', 'RESET', 'ACL WHOAMI', 'HELLO 3'])).toEqual([
      ...['"app"', '+RESET', '"app"', expect.stringContaining('"proto" :3')],
    ]);
    await raw.pipeline(['CLIENT TRACKING ON', 'GET injected']);
    await (await connected(targetOf(tlsRedis.redis))).call('SET injected 1');
    expect(await raw.sawPushes(1)).toEqual(['>["invalidate" *["injected"]]']);
  },
);

describe.each(['plain', ...(HAS_TLS ? ['tls'] : [])])('with an upstream by %s', (upstream) => {
  let running: Running;
  let redis: RedisProcess;

  beforeAll(async () => {
    redis = upstream === 'tls' ? tlsRedis.redis : plainRedis;
    const flags = upstream === 'tls' ? upstreamFlags(tlsRedis.port) : { upstream: redis.url };
    running = await ready({ ...TLS_LISTEN, listen: '127.0.0.1:0', ...flags }, perFile);
  });

  /** @returns one that upstream has let in */
  async function enter(via: 'plain' | 'tls'): Promise<RawClient> {
    const raw = await clientOf(portFor(running, via), via);
    await raw.pipeline([upstream === 'tls' ? `HELLO 3 AUTH app ${SECRET}` : 'HELLO 3']);
    return raw;
  }

  describe.each(['plain', 'tls'] as const)('and a client by %s', (via) => {
    test('changes are told, of the own and of others', async () => {
      const reader = await enter(via);
      const target = via === 'tls' ? await tunnelTo(portFor(running, via)) : undefined;
      const fence = await Fence.open(target ?? { port: portFor(running, via) }, targetOf(redis));
      perTest.push(() => fence.close());
      await reader.pipeline(['CLIENT TRACKING ON', 'GET a', 'GET b', 'SET a 1']);
      await (await connected(targetOf(redis))).call('SET b 1');
      await fence.pass(reader);
      expect(reader.pushes.toSorted()).toEqual([
        '>["invalidate" *["a"]]',
        '>["invalidate" *["b"]]',
      ]);
    });

    test('long values pass both ways, whole', async () => {
      const port = portFor(running, via);
      const raw = via === 'tls' ? dial(port) : connect(port, '127.0.0.1');
      perTest.push(() => raw.destroy());
      const value = Buffer.alloc(
        10_000_000,
        Buffer.from(Array.from({ length: 251 }, (_, byte) => byte)),
      );
      const told: Buffer[] = [];
      raw.on('data', (chunk: Buffer) => told.push(chunk));
      if (upstream === 'tls') raw.write(encode(`AUTH app ${SECRET}`));
      raw.write(encode(['SET', 'long', value]));
      raw.end(Buffer.concat([encode('GET long'), encode('DEL long')]));
      await once(raw, 'end');
      const replies = [
        Buffer.from(`${upstream === 'tls' ? '+OK\r\n' : ''}+OK\r\n$${value.length}\r\n`),
        value,
        Buffer.from('\r\n:1\r\n'),
      ];
      expect(Buffer.concat(told).equals(Buffer.concat(replies))).toBe(true);
    });

    test('who has shut down its side gets what it has asked for', async () => {
      const raw = await enter(via);
      const from = raw.bytes.length;
      raw.send(Buffer.concat([encode('ECHO one'), encode(['ECHO', 'x'.repeat(100_000)])]));
      raw.end();
      const told = (await raw.expectClose()).slice(from);
      expect(told).toBe(`$3\r\none\r\n$100000\r\n${'x'.repeat(100_000)}\r\n`);
    });
  });

  test('nothing that is secret is logged', () => {
    const logged = running.log.join('');
    expect(logged).not.toContain(SECRET);
    expect(logged).not.toContain('PRIVATE KEY');
  });
});

/** Who comes, and from whom it is let in. */
const CALLERS = [
  ['the right certificate', client, ['yes', 'no', 'optional']],
  ['a certificate of another authority', theirs.issue({ name: 'client' }), ['no']],
  ['a certificate that has expired', expired, ['no']],
  ['no certificate', undefined, ['no', 'optional']],
] as const;

describe.each(['yes', 'no', 'optional'] as const)('with --tls-auth-clients=%s', (authClients) => {
  let running: Running;

  beforeAll(async () => {
    const auth = { 'tls-auth-clients': authClients, 'tls-ca-cert-file': OURS };
    running = await ready({ ...TLS_LISTEN, ...auth, upstream: plainRedis.url }, perFile);
  });

  test.for(CALLERS)('%s', async ([, identity, welcome]) => {
    const isWelcome = (welcome as readonly string[]).includes(authClients);
    const from = running.metrics.counts.connections;
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const options = { ...identity, minVersion: version, maxVersion: version };
      expect(await pingOver(portFor(running, 'tls'), options)).toBe(isWelcome ? '+PONG\r\n' : '');
    }
    expect(running.metrics.counts.connections - from).toBe(isWelcome ? 2 : 0);
  });
});

/** @returns a server that is no Redis, and what it has heard */
async function impostor(options: tls.TlsOptions): Promise<{ port: number; heard: string[] }> {
  const heard: string[] = [];
  const listener = tls.createServer(options, (socket) => {
    heard.push(`name: ${socket.servername}`);
    socket.on('error', () => {});
    socket.on('data', (chunk) => heard.push(chunk.toString('latin1')));
  });
  const open = new Set<Socket>();
  listener.on('connection', (socket: Socket) => open.add(socket));
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  perTest.push(() => {
    listener.close();
    for (const socket of open) socket.destroy();
  });
  const address = listener.address();
  return { port: typeof address === 'object' ? (address?.port ?? 0) : 0, heard };
}

describe('an upstream whose certificate does not fit', () => {
  const otherName = ours.issue({ name: 'localhost', hosts: ['elsewhere.example'] });
  const nobody = theirs.issue({ name: 'server', hosts: ['localhost'] });
  const old: tls.TlsOptions = {
    ...server,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  };

  test.for([
    ['of another authority', nobody, 'TLS: its certificate is signed by nobody that is trusted'],
    ['expired', expired, 'TLS: its certificate has expired'],
    [
      'for another host',
      otherName,
      'TLS: its certificate is for DNS:elsewhere.example, not for localhost (--upstream-tls-sni)',
    ],
    ['with an old version of TLS', old, 'TLS: '],
  ] as const)('%s: nothing is said to it', async ([, options, reason]) => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { port, heard } = await impostor({ maxVersion, ...options });
      const running = await listening(upstreamFlags(port));
      const raw = await connected({ port: running.ports[0] ?? 0 });
      raw.send(encode(`AUTH ${SECRET}`));
      expect(await raw.expectClose()).toBe('-ERR the upstream Redis cannot be reached\r\n');
      await vi.waitFor(() => expect(running.proxy.ready.reason).toContain(reason), POLL);
      expect(heard.filter((said) => !said.startsWith('name: '))).toEqual([]);
      raw.close();
      expect(running.log.join('')).not.toContain(SECRET);
    }
  });

  test('any will do if that is asked for', async () => {
    const { port, heard } = await impostor(nobody);
    await listening(upstreamFlags(port, { 'upstream-tls-insecure': 'on' }));
    await vi.waitFor(() => expect(heard.join('')).toContain(SECRET), POLL);
  });

  test.for([
    ['localhost', undefined, 'localhost'],
    ['127.0.0.1', undefined, 'false'],
    ['127.0.0.1', 'redis.example', 'redis.example'],
    ['localhost', '127.0.0.1', 'false'],
  ] as const)('%s with --upstream-tls-sni %s is asked for as %s', async ([host, sni, name]) => {
    const { port, heard } = await impostor(server);
    const more = sni === undefined ? {} : { 'upstream-tls-sni': sni };
    const running = await listening({
      ...upstreamFlags(port, more),
      upstream: `rediss://app:${SECRET}@${host}:${port}`,
    });
    await vi.waitFor(() => expect(heard.join('')).toContain(SECRET), POLL);
    const raw = await connected({ port: running.ports[0] ?? 0 });
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(3), POLL);
    raw.close();
    expect(new Set(heard.filter((said) => said.startsWith('name: ')))).toEqual(
      new Set([`name: ${name}`]),
    );
  });

  test('one that never shakes hands is given up', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const open = new Set<Socket>();
    silent.on('connection', (socket) => open.add(socket));
    perTest.push(() => {
      silent.close();
      for (const socket of open) socket.destroy();
    });
    const address = silent.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const running = await listening(upstreamFlags(port, { 'connect-timeout': '50' }));
    const raw = await connected({ port: running.ports[0] ?? 0 });
    expect(await raw.expectClose()).toBe('-ERR the upstream Redis cannot be reached\r\n');
    expect(running.log.join('')).toContain('no TLS handshake within 50 ms');
  });

  test('one that ends the connection is told of', async () => {
    const listener = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    perTest.push(() => listener.close());
    const address = listener.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const { proxy } = await listening(upstreamFlags(port));
    const reason = 'TLS: it closed the connection before the end of the handshake';
    await vi.waitFor(() => expect(proxy.ready.reason).toBe(reason), POLL);
  });
});

describe.runIf(HAS_TLS)('a Redis that wants a certificate', () => {
  test('turns away who has none, and says so', async () => {
    const upstream = `rediss://app:${SECRET}@127.0.0.1:${tlsRedis.port}`;
    const { proxy } = await listening({ upstream, 'upstream-tls-ca': OURS });
    const reason = /^TLS: .*certificate required/;
    await vi.waitFor(() => expect(proxy.ready.reason).toMatch(reason), POLL);
  });

  test('is examined over TLS', async () => {
    const flags = upstreamFlags(tlsRedis.port);
    const { upstream } = readConfig({ flags, environment: {}, terminal: false });
    if (upstream.kind !== 'tls') throw new Error('no TLS');
    const findings = await examine({ upstream });
    const states = new Map(findings.map(({ id, state }) => [id, state]));
    expect(states.get('connection')).toBe('ok');
    expect(states.get('nodes')).toBe('ok');
    const tlsAlone = { ...upstream.tls, files: { ...upstream.tls.files, ca: undefined } };
    const distrusted = await examine({ upstream: { ...upstream, tls: tlsAlone } });
    expect(JSON.stringify(distrusted)).toContain('signed by nobody that is trusted');
    expect(JSON.stringify([findings, distrusted])).not.toContain(SECRET);
  });

  test('is followed when its certificates change, and no client is lost', async () => {
    const own = await startTlsRedis();
    perTest.push(() => own.redis.stop());
    const [ca, cert, key] = [fileOf(ours.cert), fileOf(client.cert), fileOf(client.key)];
    const running = await ready(
      upstreamFlags(own.port, {
        'upstream-tls-ca': ca,
        'upstream-tls-cert': cert,
        'upstream-tls-key': key,
      }),
    );
    const target = { port: running.ports[0] ?? 0 };
    const stays = await connected(target);
    expect(await stays.call(`AUTH app ${SECRET}`)).toBe('+OK');
    const next = theirs.issue({ name: 'next', hosts: ['localhost'] });
    const [nextCa, nextServer] = [fileOf(theirs.cert), filesOf(next)];
    const redis = await connected(targetOf(own.redis));
    const set = `CONFIG SET tls-ca-cert-file ${nextCa} tls-cert-file ${nextServer.cert}`;
    expect(await redis.call(`${set} tls-key-file ${nextServer.key}`)).toBe('+OK');
    const refused = await connected(target);
    expect(await refused.expectClose()).toBe('-ERR the upstream Redis cannot be reached\r\n');
    const { cert: nextCert, key: nextKey } = theirs.issue({ name: 'client' });
    for (const [path, text] of [
      [ca, theirs.cert],
      [cert, nextCert],
      [key, nextKey],
    ] as const) {
      writeFileSync(path, text);
    }
    running.proxy.reload();
    const joins = await connected(target);
    expect(await joins.call(`AUTH app ${SECRET}`)).toBe('+OK');
    expect(await stays.call('PING')).toBe('+PONG');
  });
});

describe('listening for TLS', () => {
  test('no older version than 1.2 is spoken', async () => {
    const running = await ready({ ...TLS_LISTEN, upstream: plainRedis.url });
    const old = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const port = portFor(running, 'tls');
    expect(await pingOver(port, { ...old, maxVersion: 'TLSv1.1' })).toBe('');
    expect(await pingOver(port, { ...old, maxVersion: 'TLSv1.2' })).toBe('+PONG\r\n');
  });

  test('who speaks no TLS is told nothing, and the log has one line', async () => {
    const running = await ready({ ...TLS_LISTEN, upstream: plainRedis.url });
    const warnings = () => running.log.filter((line) => line.includes('"level":40'));
    const looker = await connected({ port: portFor(running, 'tls') });
    looker.end();
    expect(await looker.expectClose()).toBe('');
    expect(warnings()).toEqual([]);
    for (let count = 0; count < 3; count++) {
      const raw = await connected({ port: portFor(running, 'tls') });
      raw.send('PING\r\nPING\r\n');
      expect(await raw.expectClose()).not.toContain('PONG');
    }
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]).toMatch(/TLS: .*"a connection is turned away"/);
    expect(running.metrics.counts.connections).toBe(0);
  });

  test('is possible beside plain places, on Unix sockets too', async () => {
    const path = join(folder, 's.sock');
    const running = await ready({
      ...TLS_LISTEN,
      listen: '127.0.0.1:0',
      'tls-listen': `127.0.0.1:0,${path}`,
      upstream: plainRedis.url,
    });
    const addresses = running.proxy.addresses.map((one) => one.replace(/\d+$/, 'n'));
    expect(addresses).toEqual(['127.0.0.1:n', 'tls://127.0.0.1:n', `tls://${path}`]);
    const socket = tls.connect({ path, servername: 'localhost', ca: ours.cert });
    perTest.push(() => socket.destroy());
    socket.write('PING\r\n');
    expect(String((await once(socket, 'data'))[0])).toBe('+PONG\r\n');
  });

  test('the header of a load balancer comes before the handshake', async () => {
    const flags = { ...TLS_LISTEN, upstream: plainRedis.url, 'proxy-protocol': 'on' };
    const running = await ready(flags);
    for (const cut of ['together', 'in pieces'] as const) {
      const socket = connect(portFor(running, 'tls'), '127.0.0.1');
      perTest.push(() => socket.destroy());
      await once(socket, 'connect');
      // What TLS says first is kept, so that it can go with the header.
      const tunnel = createServer().listen(0, '127.0.0.1');
      await once(tunnel, 'listening');
      perTest.push(() => tunnel.close());
      const inside = dial(portOf(`:${(tunnel.address() as { port: number }).port}`));
      const [near] = (await once(tunnel, 'connection')) as [Socket];
      const [hello] = (await once(near, 'data')) as [Buffer];
      const first = Buffer.concat([Buffer.from('PROXY TCP4 10.0.0.1 10.0.0.2 5 6\r\n'), hello]);
      if (cut === 'together') socket.write(first);
      else await trickle(socket, first);
      near.pipe(socket).pipe(near);
      inside.write('PING\r\n');
      expect(String((await once(inside, 'data'))[0])).toBe('+PONG\r\n');
    }
    expect(running.log.filter((line) => line.includes('"client":"10.0.0.1:5"'))).toHaveLength(2);
  });

  test('who has not shaken hands counts as a client, and has 5 s for it', async () => {
    const flags = { ...TLS_LISTEN, upstream: plainRedis.url, 'max-clients': '2' };
    const running = await ready(flags);
    const port = portFor(running, 'tls');
    const silent = await connected({ port });
    const slow = await connected({ port });
    slow.send(Buffer.of(22, 3, 1));
    await vi.waitFor(async () => expect(await pingOver(port)).toBe(''), POLL);
    expect(running.metrics.counts.refusedMaxClients).toBeGreaterThan(0);
    expect(await Promise.all([silent.expectClose(), slow.expectClose()])).toHaveLength(2);
    expect(running.log.join('')).toContain('TLS: no handshake within 5000 ms');
    const two = [dial(port), dial(port)];
    await Promise.all(two.map((socket) => once(socket, 'secureConnect')));
    expect(await pingOver(port)).toBe('');
    two[0]?.destroy();
    await vi.waitFor(async () => expect(await pingOver(port)).toBe('+PONG\r\n'), POLL);
  });

  test('nobody is waited for when the proxy stops', async () => {
    const running = await ready({ ...TLS_LISTEN, upstream: plainRedis.url });
    const raw = await connected({ port: portFor(running, 'tls') });
    raw.send(Buffer.of(22, 3, 1));
    const inside = dial(portFor(running, 'tls'));
    await once(inside, 'secureConnect');
    await running.proxy.stop();
    await raw.expectClose();
    expect(running.log.filter((line) => line.includes('turned away'))).toEqual([]);
  });

  test('who talks is not idle, and who is silent is', async () => {
    const running = await ready({ ...TLS_LISTEN, upstream: plainRedis.url, timeout: '1' });
    const port = portFor(running, 'tls');
    const [talks, silent] = [await clientOf(port, 'tls'), await clientOf(port, 'tls')];
    const timer = setInterval(() => talks.send('PING\r\n'), 100);
    perTest.push(() => clearInterval(timer));
    await silent.expectClose();
    expect(talks.ended).toBe(false);
  });

  test('new certificates are shown to new clients, and no client is lost', async () => {
    const own = { cert: fileOf(server.cert), key: fileOf(server.key), ca: fileOf(ours.cert) };
    const running = await ready({
      ...TLS_LISTEN,
      'tls-cert-file': own.cert,
      'tls-key-file': own.key,
      'tls-ca-cert-file': own.ca,
      'tls-auth-clients': 'yes',
      upstream: plainRedis.url,
    });
    const port = portFor(running, 'tls');
    const stays = await connected(await tunnelTo(port, client));
    expect(await stays.call('PING')).toBe('+PONG');
    const next = theirs.issue({ name: 'next', hosts: ['localhost'] });
    writeFileSync(own.cert, next.cert);
    running.proxy.reload(); // the key is still the old one
    expect(running.log.join('')).toContain('certificates stay as they were');
    expect(await pingOver(port, client)).toBe('+PONG\r\n');
    writeFileSync(own.key, next.key);
    writeFileSync(own.ca, theirs.cert);
    running.proxy.reload();
    const newcomer = theirs.issue({ name: 'newcomer' });
    expect(await pingOver(port, { ...newcomer, ca: theirs.cert })).toBe('+PONG\r\n');
    expect(await pingOver(port, { ...client, ca: theirs.cert })).toBe('');
    expect(await pingOver(port, { ...newcomer, ca: ours.cert })).toBe('');
    expect(await stays.call('PING')).toBe('+PONG');
    expect(running.log.join('')).not.toContain('PRIVATE KEY');
  });
});

/** Writes each byte by itself. */
async function trickle(socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    await new Promise((resolve) => socket.write(Buffer.of(byte), resolve));
    await turn();
  }
}

describe('files that will not do are said in one line', () => {
  const garbage = fileOf('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  const empty = fileOf('');
  const other = filesOf(theirs.issue({ name: 'other' }));
  const late = filesOf(ours.issue({ name: 'late', fromDay: 1, days: 3 }));
  const expiredFiles = filesOf(expired);
  const sealed = fileOf(
    createPrivateKey(server.key)
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: SECRET })
      .toString(),
  );
  const locked = fileOf(server.key);
  chmodSync(locked, 0);
  const isRoot = process.getuid?.() === 0; // who may read everything

  test.for([
    ['no file', { 'tls-cert-file': '/nowhere' }, "--tls-cert-file: '/nowhere' cannot be read: no"],
    ['a folder', { 'tls-cert-file': folder }, 'cannot be read: illegal operation on a directory'],
    ['an empty file', { 'tls-cert-file': empty }, `'${empty}' holds no certificate (PEM)`],
    ['a key for a certificate', { 'tls-cert-file': SERVER.key }, 'holds no certificate (PEM)'],
    ['garbage', { 'tls-cert-file': garbage }, `'${garbage}' holds a broken certificate`],
    [
      'an expired certificate',
      { 'tls-cert-file': expiredFiles.cert, 'tls-key-file': expiredFiles.key },
      'holds a certificate that expired on ',
    ],
    [
      'a certificate of tomorrow',
      { 'tls-cert-file': late.cert, 'tls-key-file': late.key },
      'holds a certificate that is not valid before ',
    ],
    [
      'a key of another certificate',
      { 'tls-key-file': other.key },
      `--tls-key-file: '${other.key}' is not the key of the certificate in '${SERVER.cert}'`,
    ],
    ['a certificate for a key', { 'tls-key-file': SERVER.cert }, 'holds no private key (PEM)'],
    ['a locked key', { 'tls-key-file': sealed }, 'holds a key that wants a passphrase'],
    ...(isRoot
      ? []
      : [['no right to read', { 'tls-key-file': locked }, 'cannot be read: permission denied']]),
    ['no authority', { 'tls-ca-cert-file': empty }, `--tls-ca-cert-file: '${empty}' holds no`],
    [
      'a broken authority of the upstream',
      { upstream: 'rediss://:s3cret@h', 'upstream-tls-ca': garbage },
      `--upstream-tls-ca: '${garbage}' holds a broken certificate`,
    ],
    [
      'a wrong key for the upstream',
      {
        upstream: 'rediss://:s3cret@h',
        'upstream-tls-cert': CLIENT.cert,
        'upstream-tls-key': other.key,
      },
      `--upstream-tls-key: '${other.key}' is not the key of`,
    ],
  ] as readonly (readonly [string, Flags, string])[])('%s', ([, flags, message]) => {
    const said = refusalOf({ ...TLS_LISTEN, upstream: 'redis://h', ...flags });
    expect(said).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(said.message).toContain(message);
    expect(said.message).not.toMatch(/\n|s3cret|PRIVATE/);
  });

  function refusalOf(flags: Flags): Error {
    try {
      newProxy(flags);
    } catch (error) {
      return error as Error;
    }
    throw new Error('it was accepted');
  }
});
