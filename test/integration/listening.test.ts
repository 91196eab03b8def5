import { once } from 'node:events';
import { existsSync, linkSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test as plain, vi } from 'vitest';
import { parseListens } from '../../src/address.ts';
import { test as base, targetOf } from '../helpers/fixtures.ts';
import { type ProxyOverrides, type RunningProxy, startProxy } from '../helpers/proxy.ts';
import { encode, RawClient, type Request, type Target } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';

const POLL = { timeout: 10_000, interval: 5 } as const;
const WARN = 40;
const REFUSAL = '-ERR max number of clients reached\r\n';

const cleanup: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

async function connected(target: Target): Promise<RawClient> {
  const client = await RawClient.connect(target);
  cleanup.push(() => client.close());
  return client;
}

async function redisWith(...args: readonly string[]): Promise<RedisProcess> {
  const redis = await startRedis({ args });
  cleanup.push(() => redis.stop());
  return redis;
}

async function proxyWith(upstream: string, overrides: ProxyOverrides): Promise<RunningProxy> {
  const proxy = await startProxy(upstream, overrides);
  cleanup.push(() => proxy.stop());
  return proxy;
}

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sidetrack-listen-'));
  cleanup.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** @returns what was logged about connections that were turned away */
function refusalsOf({ log }: RunningProxy): readonly unknown[] {
  return log.filter(({ level }) => level >= WARN).map(({ reason }) => reason);
}

/** @returns the value of a metric as it is scraped */
async function metric({ metrics }: RunningProxy, name: string): Promise<number> {
  const line = (await metrics.expose()).text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1));
}

describe.each(['redis', 'proxy'] as const)('the most clients of %s', (via) => {
  plain(
    'one more is told so and disconnected, whatever it says; one less and it is let in',
    async () => {
      const redis = await redisWith(...(via === 'redis' ? ['--maxclients', '2'] : []));
      const proxy = via === 'proxy' ? await proxyWith(redis.url, { maxClients: 2 }) : undefined;
      const target = proxy?.target ?? targetOf(redis);
      const [first, second] = [await connected(target), await connected(target)];
      for (const client of [first, second]) expect(await client.call('PING')).toBe('+PONG');
      // Redis ends with a reset if something was said, in which its reason may be lost. We do not.
      const said = via === 'redis' ? [''] : ['', 'PING\r\n', '*1\r\n$4\r\nPI', 'x'.repeat(100_000)];
      for (const bytes of said) {
        const third = await connected(target);
        if (bytes !== '') third.send(bytes);
        expect(await third.expectClose()).toBe(REFUSAL);
      }
      expect(await first.call('PING')).toBe('+PONG');
      second.close();
      await vi.waitFor(async () => {
        const next = await connected(target);
        expect(await next.call('PING')).toBe('+PONG');
      }, POLL);
      if (proxy === undefined) return;
      const { refusedMaxClients } = proxy.metrics.counts;
      const name = 'sidetrack_connections_refused_total{reason="max_clients"}';
      expect(await metric(proxy, name)).toBe(refusedMaxClients);
      expect(refusedMaxClients).toBeGreaterThanOrEqual(4);
      expect(refusalsOf(proxy)).toEqual(['there are 2 clients']);
    },
  );
});

plain('of a crowd that comes at once, all who are too many are told so', async () => {
  const redis = await redisWith();
  const { target } = await proxyWith(redis.url, { maxClients: 5 });
  const crowd = await Promise.all(Array.from({ length: 300 }, () => connected(target)));
  const refused = () => crowd.filter(({ bytes }) => bytes.toString() === REFUSAL);
  await vi.waitFor(() => expect(refused()).toHaveLength(295), POLL);
  const others = crowd.filter(({ bytes }) => bytes.length === 0);
  const answers = await Promise.all(others.map((client) => client.call('PING')));
  expect(answers).toEqual(new Array(5).fill('+PONG'));
});

plain('where file descriptors are few, fewer clients are let in', async () => {
  const limits = existsSync('/proc/self/limits') ? readFileSync('/proc/self/limits', 'utf8') : '';
  const limit = Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Number.NaN);
  const redis = await redisWith();
  const proxy = await proxyWith(redis.url, { maxClients: 2 ** 31 - 1 });
  const notice = proxy.log.find(({ msg }) => msg.includes('file descriptors'));
  if (Number.isNaN(limit)) expect(notice).toBeUndefined();
  else expect(notice).toMatchObject({ maxClients: Math.floor((limit - 128) / 2) });
});

/** What a client does before it is silent, and whether it is disconnected for that. */
const IDLE: readonly (readonly [
  name: string,
  requests: readonly Request[],
  end: 'ends' | 'stays',
])[] = [
  ['has said nothing', [], 'ends'],
  ['has asked something', ['PING'], 'ends'],
  ['tracks', ['HELLO 3', 'CLIENT TRACKING ON', 'GET k'], 'ends'],
  ['has unsubscribed', ['SUBSCRIBE c', 'UNSUBSCRIBE c'], 'ends'],
  ['is inside MULTI', ['MULTI', 'GET k'], 'ends'],
  ['watches', ['WATCH k'], 'ends'],
  ['wants no evictions', ['CLIENT NO-EVICT ON'], 'ends'],
  ['has subscribed', ['SUBSCRIBE c'], 'stays'],
  ['has subscribed in RESP3', ['HELLO 3', 'SUBSCRIBE c'], 'stays'],
  ['has subscribed to a pattern', ['PSUBSCRIBE c*'], 'stays'],
  ['has subscribed to a shard channel', ['SSUBSCRIBE c'], 'stays'],
];

/** The same, for requests that have no answer at first. */
const UNANSWERED: readonly (readonly [name: string, bytes: string, end: 'ends' | 'stays'])[] = [
  ['is in the middle of a request', '*2\r\n$3\r\nGET\r\n$1', 'ends'],
  ['wants no replies', 'CLIENT REPLY OFF\r\nPING\r\n', 'ends'],
  ['is blocked', 'BLPOP nothing 0\r\n', 'stays'],
  ['is blocked, with more behind', 'BLPOP nothing 0\r\nPING\r\n', 'stays'],
  ['monitors', 'MONITOR\r\n', 'stays'],
  ['monitors, and hears nothing', 'CLIENT REPLY OFF\r\nMONITOR\r\n', 'stays'],
  ['is a replica', 'SYNC\r\n', 'stays'],
];

/** Has a client ask for something whenever it has been answered, until it is closed. */
function chatter(client: RawClient): void {
  const timer = setInterval(() => client.send('PING\r\n'), 100);
  client.socket.on('close', () => clearInterval(timer));
}

describe.each(['redis', 'proxy'] as const)('the idle timeout of %s', (via) => {
  plain('ends who is silent, and nobody who waits', async () => {
    const redis = await redisWith(...(via === 'redis' ? ['--timeout', '1'] : []));
    const proxy = via === 'proxy' ? await proxyWith(redis.url, { timeoutSeconds: 1 }) : undefined;
    const target = proxy?.target ?? targetOf(redis);
    const rows: { name: string; end: string; client: RawClient }[] = [];
    const add = async (name: string, end: string) => {
      const client = await connected(target);
      rows.push({ name, end, client });
      return client;
    };
    for (const [name, requests, end] of IDLE) {
      const client = await add(name, end);
      for (const request of requests) expect(await client.call(request)).not.toMatch(/^-/);
    }
    for (const [name, bytes, end] of UNANSWERED) (await add(name, end)).send(bytes);
    chatter(await add('talks', 'stays'));
    const told = await add('says nothing, but is told', 'stays');
    await told.pipeline(['HELLO 3', 'CLIENT TRACKING ON BCAST']);
    const writer = await connected(targetOf(redis));
    const writing = setInterval(() => writer.send('INCR told\r\n'), 100);
    cleanup.push(() => clearInterval(writing));
    const [ends, stays] = ['ends', 'stays'].map((end) => rows.filter((row) => row.end === end));
    await Promise.all((ends ?? []).map(({ client }) => client.expectClose()));
    // One who came later is gone, too: so whoever should be has gone.
    await (await connected(target)).expectClose();
    expect((stays ?? []).filter(({ client }) => client.ended).map(({ name }) => name)).toEqual([]);
    if (proxy === undefined) return;
    expect(proxy.metrics.counts.idleClients).toBe((ends?.length ?? 0) + 1);
    expect(await metric(proxy, 'sidetrack_idle_clients_total')).toBe((ends?.length ?? 0) + 1);
  });

  plain('ends who does not take its replies', async () => {
    const redis = await redisWith(...(via === 'redis' ? ['--timeout', '1'] : []));
    const proxy = via === 'proxy' ? await proxyWith(redis.url, { timeoutSeconds: 1 }) : undefined;
    const writer = await connected(targetOf(redis));
    await writer.call(['SET', 'large', Buffer.alloc(16 * 1_048_576)]);
    chatter(writer);
    const slow = await connected(proxy?.target ?? targetOf(redis));
    await slow.call('CLIENT SETNAME slow');
    slow.socket.pause();
    slow.send('GET large\r\n');
    await vi.waitFor(async () => {
      const looker = await connected(targetOf(redis));
      expect(await looker.call('CLIENT LIST')).not.toContain('name=slow');
    }, POLL);
  });
});

plain('who has subscribed on a second connection stays', async () => {
  const redis = await redisWith('--rename-command', 'HELLO', '');
  const { target } = await proxyWith(redis.url, { timeoutSeconds: 1 });
  const client = await connected(target);
  await client.pipeline(['HELLO 3']);
  await client.call('SUBSCRIBE c');
  await (await connected(target)).expectClose();
  await (await connected(target)).expectClose();
  expect(client.ended).toBe(false);
  await (await connected(targetOf(redis))).call('PUBLISH c hello');
  expect(await client.sawPushes(1)).toEqual(['>["message" "c" "hello"]']);
});

/** @returns the timer of an established TCP connection to a port here, as Linux shows it */
function timerOf(port: number): { readonly kind: string; readonly seconds: number } | undefined {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const row = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find((words) => words[1]?.endsWith(local) && words[3] === '01');
  const [kind = '', when = ''] = row?.[5]?.split(':') ?? [];
  return row && { kind, seconds: Number.parseInt(when, 16) / 100 };
}

describe.runIf(existsSync('/proc/net/tcp'))('TCP', () => {
  plain.for([
    [300_000, '02'],
    [40_000, '02'],
    [0, '00'],
  ] as const)(
    'asks after %d ms of silence whether a client lives',
    async ([tcpKeepaliveMs, kind]) => {
      const redis = await redisWith();
      const { target } = await proxyWith(redis.url, { tcpKeepaliveMs });
      await (await connected(target)).call('PING');
      const port = 'port' in target ? target.port : 0;
      await vi.waitFor(() => expect(timerOf(port)?.kind).toBe(kind), POLL);
      const seconds = timerOf(port)?.seconds ?? 0;
      expect(seconds).toBeLessThanOrEqual(tcpKeepaliveMs / 1_000);
      expect(seconds).toBeGreaterThanOrEqual(tcpKeepaliveMs / 1_000 - POLL.timeout / 1_000);
    },
  );
});

plain('a connection to upstream that does not open in time is given up', async () => {
  const redis = await startRedis({ tcp: true, args: ['--tcp-backlog', '1'] });
  cleanup.push(() => redis.stop());
  const proxy = await proxyWith(redis.url, { connectTimeoutMs: 50 });
  redis.kill('SIGSTOP'); // the system still opens two connections for it
  const clients = await Promise.all(Array.from({ length: 6 }, () => connected(proxy.target)));
  const ended = () => clients.filter((client) => client.ended).map(({ bytes }) => String(bytes));
  await vi.waitFor(
    () => expect(ended()).toContain('-ERR the upstream Redis cannot be reached\r\n'),
    POLL,
  );
  expect(proxy.log.map(({ reason }) => reason)).toContain('no connection within 50 ms');
  expect(proxy.metrics.counts.refusedUpstream).toBeGreaterThan(0);
});

const HAS_IPV6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

/** @returns a port that was free a moment ago */
async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

/** @returns what PING gets at `place`, an address as it is printed */
async function pingAt(place: string): Promise<string> {
  const port = /:(\d+)$/.exec(place)?.[1];
  const host = place.slice(0, place.lastIndexOf(':')).replace(/[[\]]/g, '');
  const socket = port === undefined ? connect(place) : connect(Number(port), host);
  cleanup.push(() => socket.destroy());
  socket.write('PING\r\n');
  const [answer] = await once(socket, 'data');
  return String(answer);
}

describe('several places to listen', () => {
  plain.runIf(HAS_IPV6)('serve the same Redis', async () => {
    const redis = await redisWith();
    const socket = join(freshFolder(), 's.sock');
    const listen = parseListens(`127.0.0.1:0, [::1]:0, ${socket}, 127.0.0.1:0`, '--listen');
    const proxy = await startProxy(redis.url, { listen });
    expect(proxy.addresses.map((place) => place.replace(/\d+$/, 'n'))).toEqual([
      '127.0.0.1:n',
      '[::1]:n',
      socket,
      '127.0.0.1:n',
    ]);
    expect(new Set(proxy.addresses).size).toBe(4);
    for (const place of proxy.addresses) expect(await pingAt(place)).toBe('+PONG\r\n');
    await proxy.stop();
    for (const place of proxy.addresses) await expect(pingAt(place)).rejects.toThrow();
    expect(existsSync(socket)).toBe(false);
  });

  plain.runIf(HAS_IPV6)('may be all of IPv4 and all of IPv6, at one port', async () => {
    const redis = await redisWith();
    const port = await freePort();
    for (const places of [`[::]:${port}`, `[::]:${port},0.0.0.0:${port}`]) {
      const proxy = await startProxy(redis.url, { listen: parseListens(places, '--listen') });
      expect(await pingAt(`127.0.0.1:${port}`)).toBe('+PONG\r\n');
      expect(await pingAt(`[::1]:${port}`)).toBe('+PONG\r\n');
      await proxy.stop();
    }
  });

  plain('are all left if one is taken', async () => {
    const redis = await redisWith();
    const folder = freshFolder();
    const [free, taken] = [join(folder, 'free.sock'), join(folder, 'taken.sock')];
    await proxyWith(redis.url, { listen: parseListens(taken, '--listen') });
    const again = startProxy(redis.url, { listen: parseListens(`${free},${taken}`, '--listen') });
    await expect(again).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: `cannot listen on ${taken}: it is in use already (choose another place with --listen)`,
    });
    expect(existsSync(free)).toBe(false);
    expect(await pingAt(taken)).toBe('+PONG\r\n');
  });

  plain('replace the socket that a dead process has left, and nothing else', async () => {
    const redis = await redisWith();
    const folder = freshFolder();
    const [left, file] = [join(folder, 'left.sock'), join(folder, 'file')];
    const dead: Server = createServer().listen(`${left}.first`);
    await once(dead, 'listening');
    linkSync(`${left}.first`, left);
    dead.close();
    await once(dead, 'close');
    expect(existsSync(left)).toBe(true);
    await proxyWith(redis.url, { listen: parseListens(left, '--listen') });
    expect(await pingAt(left)).toBe('+PONG\r\n');
    writeFileSync(file, 'precious');
    const onFile = startProxy(redis.url, { listen: parseListens(file, '--listen') });
    await expect(onFile).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
    expect(readFileSync(file, 'utf8')).toBe('precious');
  });
});

const test = base.extend<{ $file: { behind: RunningProxy } }>({
  behind: [
    async ({ redis }, use) => {
      const proxy = await startProxy(redis.url, { proxyProtocol: true });
      await use(proxy);
      await proxy.stop();
    },
    { scope: 'file' },
  ],
});

const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_TCP4 = Buffer.concat([
  V2,
  Buffer.from([0x21, 0x11, 0, 19, 203, 0, 113, 7, 10, 0, 0, 1, 0x14, 0x03, 0x18, 0xeb]),
  Buffer.from('04000411223344', 'hex'), // a TLV
]);
const V2_LOCAL = Buffer.concat([V2, Buffer.from([0x20, 0, 0, 0])]);
const V1_TCP6 = Buffer.from('PROXY TCP6 2001:db8::1 ::1 5123 6379\r\n');

const HEADERS = [
  ['v1', V1_TCP6, '[2001:db8::1]:5123'],
  ['v1 UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), 'unknown'],
  ['v2', V2_TCP4, '203.0.113.7:5123'],
  ['v2 LOCAL', V2_LOCAL, 'unknown'],
] as const;

const NO_HEADERS = [
  ['a request', encode('PING'), 'no PROXY protocol header'],
  ['an inline request', Buffer.from('PING\r\n'), 'no PROXY protocol header'],
  ['half a header, then the end', V2_TCP4.subarray(0, 20), 'the end inside'],
  ['a malformed v1', Buffer.from('PROXY TCP4 x y 1 2\r\n'), 'wrong addresses'],
  ['a malformed v2', Buffer.concat([V2, Buffer.from([0x31, 0x11, 0, 0])]), 'another version'],
] as const;

/** Writes each byte by itself. */
async function trickle(socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    await new Promise((resolve) => socket.write(Buffer.of(byte), resolve));
    await turn();
  }
}

describe('behind a load balancer', () => {
  test.for(HEADERS)(
    '%s is no part of what the client says',
    async ([, header, address], { behind }) => {
      const value = Buffer.alloc(300_000, 'v');
      const from = behind.log.length;
      const whole = await connected(behind.target);
      whole.send(
        Buffer.concat([header, encode(['ECHO', value]), encode('PING'), Buffer.from('PI')]),
      );
      whole.send('NG\r\n');
      whole.end();
      await whole.expectClose();
      expect(whole.answers).toEqual([`"${value.toString()}"`, '+PONG', '+PONG']);
      const pieces = await connected(behind.target);
      await trickle(pieces.socket, Buffer.concat([header, encode('PING')]));
      await pieces.sawFrames(1);
      expect(pieces.answers).toEqual(['+PONG']);
      const clients = behind.log.slice(from).filter(({ msg }) => msg === 'client accepted');
      expect(clients.map(({ level, client }) => [level, client])).toEqual([
        [20, address],
        [20, address],
      ]);
    },
  );

  plain.for(NO_HEADERS)('%s ends the connection', async ([, bytes, reason]) => {
    const redis = await redisWith();
    const proxy = await proxyWith(redis.url, { proxyProtocol: true });
    for (let count = 1; count <= 3; count++) {
      const client = await connected(proxy.target);
      client.send(bytes);
      client.end();
      expect(await client.expectClose()).toBe('');
      expect(proxy.metrics.counts.refusedProxyHeader).toBe(count);
    }
    const name = 'sidetrack_connections_refused_total{reason="proxy_header"}';
    expect(await metric(proxy, name)).toBe(3);
    expect(refusalsOf(proxy)).toEqual([expect.stringContaining(reason)]);
    expect(proxy.metrics.counts.connections).toBe(0);
  });

  test('who only looks whether somebody listens is no trouble', async ({ behind }) => {
    const from = behind.metrics.counts.refusedProxyHeader;
    const looker = await connected(behind.target);
    looker.end();
    expect(await looker.expectClose()).toBe('');
    expect(behind.metrics.counts.refusedProxyHeader).toBe(from);
  });

  plain(
    'who never says whom it brings is disconnected, and counts as a client before',
    async () => {
      const redis = await redisWith();
      const proxy = await proxyWith(redis.url, { proxyProtocol: true, maxClients: 2 });
      const [silent, slow] = [await connected(proxy.target), await connected(proxy.target)];
      slow.send('PROXY TCP4');
      expect(await (await connected(proxy.target)).expectClose()).toBe(REFUSAL);
      expect(await Promise.all([silent.expectClose(), slow.expectClose()])).toEqual(['', '']);
      expect(proxy.metrics.counts.refusedProxyHeader).toBe(2);
      expect(refusalsOf(proxy)).toContain('no PROXY protocol header within 5000 ms');
      const client = await connected(proxy.target);
      client.send(Buffer.concat([V2_LOCAL, encode('PING')]));
      await client.sawFrames(1);
    },
  );

  plain('nobody is waited for when the proxy stops', async () => {
    const redis = await redisWith();
    const proxy = await proxyWith(redis.url, { proxyProtocol: true });
    const client = await connected(proxy.target);
    client.send('PROXY');
    await proxy.stop();
    expect(await client.expectClose()).toBe('');
    expect(proxy.metrics.counts.refusedProxyHeader).toBe(0); // its deadline had not passed
  });
});
