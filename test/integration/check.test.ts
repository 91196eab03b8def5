import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { parseUpstream } from '../../src/address.ts';
import { type ExamineOptions, examine } from '../../src/doctor/examine.ts';
import { type Finding, type FindingId, isUsable } from '../../src/doctor/finding.ts';
import { startProxy } from '../helpers/proxy.ts';
import { RawClient, type Request, type Target } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';

/** What two addresses behind one name are played with. */
const NAME = 'several.invalid';
const ADDRESSES = [
  { address: '127.0.0.1', family: 4 },
  { address: '127.0.0.2', family: 4 },
];

vi.mock('node:dns/promises', async (original) => {
  const dns = await original<typeof import('node:dns/promises')>();
  const lookup = async (name: string, options?: { all?: boolean }) => {
    if (name !== NAME) return await dns.lookup(name, options ?? {});
    return options?.all ? ADDRESSES : ADDRESSES[0];
  };
  return { ...dns, lookup };
});

/** How long a server may take to be what a test waits for, in milliseconds. */
const POLL = { timeout: 20_000, interval: 20 } as const;

const NOTIFYING = ['--notify-keyspace-events', 'KA'];

/** Starts a Redis on TCP that ends with the test. */
async function startServer(...args: readonly string[]): Promise<RedisProcess> {
  const redis = await startRedis({ tcp: true, args });
  onTestFinished(() => redis.stop());
  return redis;
}

/** Connects past everything, and says `requests`, none of which may fail. */
async function connectTo(target: Target, ...requests: readonly Request[]): Promise<RawClient> {
  const client = await RawClient.connect(target);
  onTestFinished(() => client.close());
  for (const request of requests) {
    const answer = await client.call(request);
    if (answer.startsWith('-')) throw new Error(`${String(request)}: ${answer}`);
  }
  return client;
}

/** @returns a client of `redis` itself */
function direct(redis: RedisProcess, ...requests: readonly Request[]): Promise<RawClient> {
  return connectTo({ port: redis.port as number }, ...requests);
}

/** What was found, and how to look at it. */
interface Checked {
  readonly findings: readonly Finding[];
  of(id: FindingId): Finding;
  /** The states of what is not ok, by name. */
  readonly flaws: Readonly<Partial<Record<FindingId, string>>>;
  readonly usable: boolean;
}

async function check(
  url: string,
  options: Omit<ExamineOptions, 'upstream'> = {},
): Promise<Checked> {
  const upstream = parseUpstream(url, '--upstream');
  if (upstream.kind === 'embedded') throw new Error('tests start their own upstream');
  const findings = await examine({ upstream, ...options });
  const bad = findings.filter(({ state }) => state !== 'ok');
  return {
    findings,
    of: (id) => findings.find((finding) => finding.id === id) as Finding,
    flaws: Object.fromEntries(bad.map(({ id, state }) => [id, state])),
    usable: isUsable(findings),
  };
}

function withUser(redis: RedisProcess, login: string): string {
  return `redis://${login}@127.0.0.1:${redis.port}`;
}

function fixesOf({ fixes }: Finding): string {
  return fixes.map(({ where, how }) => `${where}: ${how}`).join('\n');
}

describe('a Redis that has all there is', () => {
  test('with notifications on, has no flaw', async () => {
    const redis = await startServer(...NOTIFYING);
    const { flaws, usable, of, findings } = await check(redis.url);
    expect(flaws).toEqual({});
    expect(usable).toBe(true);
    expect(findings).toHaveLength(21);
    expect(of('server').found).toBe('Redis');
    expect(of('version').found).toMatch(/^\d+\.\d+\.\d+$/);
    expect(of('notifications').found).toBe('notify-keyspace-events AK');
    expect(of('role').found).toBe('master');
  });

  test('keeps nothing of a check: no setting, no connection, no key', async () => {
    const redis = await startServer(...NOTIFYING);
    const client = await direct(redis);
    await client.call('CONFIG SET notify-keyspace-events KAn');
    const before = await client.call('CONFIG GET *');
    await client.call('CONFIG RESETSTAT');
    await check(redis.url);
    expect(await client.call('CONFIG GET *')).toBe(before);
    expect(await client.call('INFO commandstats')).not.toMatch(/cmdstat_config\|set/);
    await vi.waitFor(async () => {
      expect(await client.call('DBSIZE')).toBe(':0');
      expect((await client.call('CLIENT LIST')).match(/id=/g)).toHaveLength(1);
    }, POLL);
  });

  test('as it is installed, works, for the proxy adds what is missing', async () => {
    const redis = await startServer();
    const { flaws, usable, of } = await check(redis.url);
    expect(flaws).toEqual({ notifications: 'limited', proof: 'untried' });
    expect(usable).toBe(true);
    expect(of('notifications').found).toBe("notify-keyspace-events '' lacks KA");
    const fixes = fixesOf(of('notifications'));
    for (const line of [
      'redis.conf: notify-keyspace-events KA',
      'redis-cli: CONFIG SET notify-keyspace-events KA',
      'Memorystore: gcloud redis instances update NAME --update-redis-config notify-keyspace-events=KA',
      'Heroku: heroku redis:keyspace-notifications NAME --config KA',
    ]) {
      expect(fixes.split('\n')).toContain(line);
    }
  });

  test.for(['check', 'skip'] as const)(
    'as it is installed, does not work with --notify-config=%s',
    async (notifyConfig) => {
      const redis = await startServer('--notify-keyspace-events', 'Ex');
      const { of, usable } = await check(redis.url, { notifyConfig });
      expect(of('notifications').state).toBe('missing');
      expect(of('notifications').found).toBe("notify-keyspace-events 'xE' lacks KA");
      expect(of('notifications').consequence).toContain(`--notify-config=${notifyConfig}`);
      expect(usable).toBe(false);
    },
  );

  test('with little room for subscriptions, is warned of', async () => {
    const redis = await startServer(
      ...NOTIFYING,
      '--client-output-buffer-limit',
      'pubsub 1mb 256kb 10',
    );
    const { flaws, of } = await check(redis.url);
    expect(flaws).toEqual({ 'output-buffer': 'limited' });
    expect(of('output-buffer').found).toBe('1 MiB, or 0.3 MiB for 10 s');
    expect(fixesOf(of('output-buffer'))).toContain('pubsub 32mb 8mb 60');
    const client = await direct(redis);
    await client.call(['CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 0 0 0']);
    expect((await check(redis.url)).of('output-buffer').state).toBe('ok');
  });
});

/** What taking a right away does, and what gives it back. */
const RIGHTS: readonly (readonly [string, Partial<Record<FindingId, string>>, string])[] = [
  ['-config|get', { 'config-get': 'limited', notifications: 'untried' }, '+config|get'],
  ['-config|set', { 'config-set': 'limited' }, '+config|set'],
  ['-acl|dryrun', { 'config-set': 'untried' }, ''],
  ['-command', { command: 'limited' }, '+command'],
  ['-info', { version: 'limited', info: 'limited', cluster: 'untried', nodes: 'untried' }, '+info'],
  ['-psubscribe', { psubscribe: 'missing', proof: 'untried' }, '+psubscribe'],
  ['-subscribe', { subscribe: 'limited' }, '+subscribe'],
  ['-publish', { publish: 'limited' }, '+publish'],
  ['-client|id', { 'client-id': 'limited' }, '+client|id'],
  ['-acl|getuser', { 'acl-getuser': 'limited' }, '+acl|getuser'],
  ['-set', { proof: 'untried' }, '+set'],
  ['-client|tracking', {}, ''],
  ['-hello', {}, ''],
  ['-ping', { connection: 'missing' }, '+ping'],
];

describe('a user who has every right but one', () => {
  test.for(RIGHTS)('%s', async ([rule, states, gives]) => {
    const redis = await startServer(...NOTIFYING);
    const admin = await direct(redis, `ACL SETUSER few on >pw ~* &* +@all ${rule}`);
    const url = withUser(redis, 'few:pw');
    const { flaws, findings } = await check(url);
    expect(flaws).toMatchObject(states);
    const fixes = findings.map(fixesOf).join('\n');
    if (gives === '') return;
    expect(fixes).toContain(`ACL: ACL SETUSER few ${gives === '+ping' ? 'on +ping' : gives}`);
    await admin.call(`ACL SETUSER few ${gives}`);
    expect((await check(url)).flaws).toEqual({});
  });

  test('no channel of notifications: the exact pattern is what is missing', async () => {
    const redis = await startServer(...NOTIFYING);
    await direct(redis, 'ACL SETUSER few on >pw ~* resetchannels +@all');
    const { flaws, of, usable } = await check(withUser(redis, 'few:pw'));
    expect(flaws).toMatchObject({
      psubscribe: 'missing',
      subscribe: 'limited',
      publish: 'limited',
    });
    expect(fixesOf(of('psubscribe'))).toBe('ACL: ACL SETUSER few &__keyspace@*__:*');
    expect(usable).toBe(false);
  });

  test('notifications are off and the user may not switch them on', async () => {
    const redis = await startServer();
    await direct(redis, 'ACL SETUSER few on >pw ~* &* +@all -config|set');
    const { of, usable } = await check(withUser(redis, 'few:pw'));
    expect(of('config-set').state).toBe('limited');
    expect(of('notifications').state).toBe('missing');
    expect(usable).toBe(false);
  });
});

/** Removes a command, as managed services do. */
function without(command: string): readonly string[] {
  return ['--rename-command', command, ''];
}

describe('a server from which a command was taken away', () => {
  test('CONFIG: changes of every type prove the notifications', async () => {
    const redis = await startServer(...NOTIFYING, ...without('CONFIG'));
    const { flaws, of, usable } = await check(redis.url);
    expect(flaws).toEqual({
      'config-get': 'limited',
      'config-set': 'limited',
      notifications: 'untried',
      'output-buffer': 'untried',
    });
    expect(of('proof').found).toBe(
      'changes were announced: strings, expiry, lists, sets, hashes, sorted sets, streams; ' +
        'evictions cannot be tried',
    );
    expect(fixesOf(of('config-get'))).toBe(
      'redis.conf: delete the line: rename-command CONFIG ...',
    );
    expect(usable).toBe(true);
    const client = await direct(redis);
    await vi.waitFor(async () => expect(await client.call('DBSIZE')).toBe(':0'), POLL);
  });

  const PARTS = [
    ['Kg$lshzte', 'of expiry not every change was announced'],
    ['Kg$lszxte', 'of hashes not every change was announced'],
    ['Kg$lshzxe', 'of streams not every change was announced'],
    ['K$', 'of strings, expiry, lists, sets, hashes, sorted sets, streams not every'],
    ['Ex', 'a key that was changed was not announced'],
    ['', 'a key that was changed was not announced'],
  ] as const;

  test.for(PARTS)('CONFIG, and notifications are %s', async ([flags, found]) => {
    const redis = await startServer('--notify-keyspace-events', flags, ...without('CONFIG'));
    const { of, usable } = await check(redis.url);
    expect(of('proof').found).toContain(found);
    expect(of('proof').state).toBe('missing');
    expect(fixesOf(of('proof'))).toContain('parameter notify-keyspace-events = KA');
    expect(usable).toBe(false);
  });

  test('CONFIG, and the user may write the probe key only', async () => {
    const redis = await startServer(...NOTIFYING, ...without('CONFIG'));
    const rule = '+@all -@write +set %W~sidetrack:probe:* &*';
    await direct(redis, `ACL SETUSER few on >pw ${rule}`);
    const { of, usable } = await check(withUser(redis, 'few:pw'));
    expect(of('proof').state).toBe('limited');
    expect(of('proof').found).toBe(
      'announced: strings, expiry; not tried: lists, sets, hashes, sorted sets, streams',
    );
    expect(usable).toBe(true);
  });

  test('CONFIG, and the user may write nothing', async () => {
    const redis = await startServer(...NOTIFYING, ...without('CONFIG'));
    await direct(redis, 'ACL SETUSER few on >pw +@all resetkeys &*');
    const url = withUser(redis, 'few:pw');
    const blind = await check(url);
    expect(blind.of('proof').state).toBe('missing');
    expect(fixesOf(blind.of('proof'))).toContain('ACL SETUSER few ~sidetrack:probe:*');
    expect(fixesOf(blind.of('proof'))).toContain('--notify-config=skip');
    expect((await check(url, { notifyConfig: 'skip' })).usable).toBe(true);
  });

  const COMMANDS = [
    ['COMMAND', { command: 'limited' }],
    ['INFO', { info: 'limited', version: 'limited', silent: 'limited', nodes: 'untried' }],
    ['HELLO', { protocol: 'limited' }],
    ['CLIENT', { 'client-id': 'limited' }],
    ['ACL', { 'acl-getuser': 'limited', 'config-set': 'untried' }],
    ['PUBLISH', { publish: 'limited' }],
  ] as const;

  test.for(COMMANDS)('%s: the proxy works with a limit', async ([command, states]) => {
    const redis = await startServer(...NOTIFYING, ...without(command));
    const { flaws, usable } = await check(redis.url);
    expect(flaws).toMatchObject(states);
    expect(usable).toBe(true);
  });

  test('PSUBSCRIBE: the proxy does not work', async () => {
    const redis = await startServer(...NOTIFYING, ...without('PSUBSCRIBE'));
    expect((await check(redis.url)).usable).toBe(false);
  });
});

describe('with --source=writes', () => {
  const writes = { source: 'writes' } as const;

  test('an upstream without notifications is usable', async () => {
    const redis = await startServer(...without('CONFIG'), ...without('PSUBSCRIBE'));
    expect((await check(redis.url)).usable).toBe(false);
    const { flaws, usable, of, findings } = await check(redis.url, writes);
    expect(flaws).toEqual({ notifications: 'limited' });
    expect(of('notifications').consequence).toContain('through this proxy');
    expect(usable).toBe(true);
    expect(findings).toHaveLength(21);
  });

  test('notifications are not looked for: no key is written, and CONFIG is not used', async () => {
    const redis = await startServer(...NOTIFYING);
    const client = await direct(redis);
    await check(redis.url, writes);
    expect(await client.call('INFO commandstats')).not.toMatch(/cmdstat_(set|config\|)/);
  });

  test('what matters all the same is said', async () => {
    const redis = await startServer(...without('INFO'));
    const { flaws } = await check(redis.url, writes);
    expect(flaws).toMatchObject({ info: 'limited', silent: 'limited', nodes: 'untried' });
  });

  test('a replica is not usable: its master writes past the proxy', async () => {
    const master = await startServer();
    const replica = await startServer('--replicaof', '127.0.0.1', `${master.port}`);
    const { of, usable } = await check(replica.url, writes);
    expect(of('role').state).toBe('missing');
    expect(usable).toBe(false);
  });
});

describe('an upstream that cannot be asked', () => {
  test('wants a password', async () => {
    const redis = await startServer('--requirepass', 'secret', ...NOTIFYING);
    const none = await check(redis.url);
    expect(none.flaws).toEqual({ connection: 'missing' });
    expect(none.of('connection').found).toContain('NOAUTH');
    expect(fixesOf(none.of('connection'))).toContain('USER:PASSWORD');
    const wrong = await check(withUser(redis, ':guess'));
    expect(wrong.of('connection').found).toContain('WRONGPASS');
    expect(JSON.stringify(wrong.findings)).not.toContain('guess');
    const right = await check(withUser(redis, ':secret'));
    expect(right.flaws).toEqual({});
    expect(JSON.stringify(right.findings)).not.toContain('secret');
  });

  test('has no password, and is given one', async () => {
    const redis = await startServer(...NOTIFYING);
    const { of } = await check(withUser(redis, ':needless'));
    expect(fixesOf(of('connection'))).toContain('leave out the password');
  });

  test('is not there', async () => {
    const server = await startServer();
    await server.stop();
    const { of, findings } = await check(server.url);
    expect(findings).toHaveLength(1);
    expect(of('connection').found).toContain('ECONNREFUSED');
    expect(of('connection').state).toBe('missing');
    expect((await check('unix:///nowhere/redis.sock')).of('connection').found).toContain('ENOENT');
  });

  test('has a name that nobody knows', async () => {
    const { of } = await check('redis://nobody.invalid');
    expect(of('connection').found).toContain('nobody.invalid');
  });

  test('is no Redis', async () => {
    const port = await listen((socket) =>
      socket.on('data', () => socket.write('HTTP/1.1 400\r\n')),
    );
    const { of } = await check(`redis://127.0.0.1:${port}`);
    expect(of('connection').found).toContain('not RESP');
    expect(fixesOf(of('connection'))).toContain('see what listens');
  });

  test('is silent', async () => {
    const port = await listen((socket) => socket.resume());
    const { of } = await check(`redis://127.0.0.1:${port}`, { deadlineMs: 100 });
    expect(of('connection').found).toContain('no answer to PING within 100 ms');
  });

  test('is lost while it is asked: what is known is kept', async () => {
    const redis = await startServer(...NOTIFYING);
    let count = 0;
    const port = await listen((socket) => {
      count += 1;
      if (count > 2)
        socket.destroy(); // the connection that says HELLO
      else join(socket, redis.port as number);
    });
    const { of } = await check(`redis://127.0.0.1:${port}`);
    expect(of('connection').state).toBe('missing');
    expect(of('version').state).toBe('ok');
  });
});

/** @returns the port of a server that ends with the test */
async function listen(
  serve: (socket: Socket) => void,
  port = 0,
  host = '127.0.0.1',
): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  }).listen(port, host);
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function join(socket: Socket, port: number): void {
  const far = connect({ port, host: '127.0.0.1' });
  far.on('error', () => {});
  far.on('close', () => socket.destroy());
  socket.on('close', () => far.destroy());
  socket.pipe(far).pipe(socket);
}

describe('what stands behind the address', () => {
  test('a replica: no change can be made there', async () => {
    const master = await startServer(...NOTIFYING, '--repl-diskless-sync-delay', '0');
    const replica = await startServer(
      ...NOTIFYING,
      '--replicaof',
      '127.0.0.1',
      String(master.port),
    );
    const client = await direct(replica);
    await vi.waitFor(async () => {
      expect(await client.call('INFO replication')).toContain('master_link_status:up');
    }, POLL);
    const up = await check(replica.url);
    expect(up.flaws).toEqual({ role: 'limited', proof: 'untried' });
    expect(up.of('role').found).toBe('replica, read-only');
    expect(up.of('proof').found).toBe('no change tried: the upstream is a read-only replica');
    expect(up.usable).toBe(true);
    await client.call('CONFIG SET replica-read-only no');
    expect((await check(replica.url)).of('proof').state).toBe('ok');
    await master.stop();
    await vi.waitFor(async () => {
      const { of } = await check(replica.url);
      expect(of('role').found).toBe('replica, link to its master down');
    }, POLL);
  });

  test('a node of a cluster, with and without keys', async () => {
    const redis = await startServer(...NOTIFYING, '--cluster-enabled', 'yes');
    const bare = await check(redis.url);
    expect(bare.flaws).toEqual({ cluster: 'limited', proof: 'untried' });
    expect(bare.of('proof').found).toContain('CLUSTERDOWN');
    const client = await direct(redis, 'CLUSTER ADDSLOTSRANGE 0 16383');
    await vi.waitFor(async () => {
      expect(await client.call('CLUSTER INFO')).toContain('cluster_state:ok');
    }, POLL);
    const { flaws, usable } = await check(redis.url);
    expect(flaws).toEqual({ cluster: 'limited' });
    expect(usable).toBe(true);
  });

  test('two nodes behind one balancer', async () => {
    const nodes = [await startServer(...NOTIFYING), await startServer(...NOTIFYING)];
    let count = 0;
    const port = await listen((socket) => {
      count += 1;
      join(socket, nodes[count % 2]?.port as number);
    });
    const { of, usable } = await check(`redis://127.0.0.1:${port}`);
    expect(of('nodes').state).toBe('missing');
    expect(of('nodes').found).toBe('2 nodes answer at one address');
    expect(usable).toBe(false);
  });

  test('a name with two addresses, first with one node and then with two', async () => {
    const first = await startServer(...NOTIFYING);
    const url = `redis://${NAME}:${first.port}`;
    expect((await check(url)).of('nodes').state).toBe('ok');
    const second = await startServer(...NOTIFYING);
    await listen((socket) => join(socket, second.port as number), first.port, '127.0.0.2');
    const { of, usable } = await check(url);
    expect(of('nodes').state).toBe('limited');
    expect(of('nodes').found).toBe('2 nodes behind one name');
    expect(usable).toBe(true);
  });
});

/** The page's rules for the proxy's own user, with a password in it: with CONFIG, and without. */
const RULES = [
  ...readFileSync(new URL('../../docs/upstreams.md', import.meta.url), 'utf8').matchAll(
    /^ACL SETUSER sidetrack .*$/gm,
  ),
].map(([line]) => line.replace('PASSWORD', 'pw').split(' '));

const CASES = [
  { name: 'with CONFIG', rule: RULES[0] ?? [], args: [] },
  { name: 'without CONFIG', rule: RULES[1] ?? [], args: NOTIFYING },
] as const;

const INVALIDATE_K = '>["invalidate" *["k"]]';
const INVALIDATE_ALL = '>["invalidate" _]';

describe.each(CASES)('the least rights that docs/upstreams.md gives, $name', ({ rule, args }) => {
  const start = async () => {
    const redis = await startServer(...args);
    const admin = await direct(redis, rule);
    const proxy = await startProxy(withUser(redis, 'sidetrack:pw'));
    onTestFinished(() => proxy.stop());
    const reader = await connectTo(proxy.target, 'HELLO 3');
    return { redis, admin, proxy, reader };
  };

  test('tracking by key', async () => {
    const { admin, proxy, reader } = await start();
    await reader.pipeline(['CLIENT TRACKING ON', 'GET k']);
    await admin.call('SET k 1');
    expect(await reader.sawPushes(1)).toEqual([INVALIDATE_K]);
    expect(proxy.log.filter(({ level }) => level > 40)).toEqual([]);
  });

  test('BCAST names what the client may read, and nothing else', async () => {
    const { admin, proxy, reader } = await start();
    await admin.call('ACL SETUSER some on nopass &* +@all ~k');
    await reader.pipeline(['AUTH some x', 'CLIENT TRACKING ON BCAST']);
    await admin.pipeline(['SET hidden 1', 'SET k 1']);
    expect(await reader.sawPushes(1)).toEqual([INVALIDATE_K]);
    const full = await connectTo(proxy.target, 'HELLO 3', 'CLIENT TRACKING ON BCAST PREFIX h');
    await admin.call('SET hidden 2');
    expect(await full.sawPushes(1)).toEqual(['>["invalidate" *["hidden"]]']);
  });

  test('NOLOOP does not tell of own writes', async () => {
    const { admin, reader, proxy } = await start();
    await reader.pipeline(['CLIENT TRACKING ON NOLOOP', 'GET k', 'SET k own', 'GET k']);
    await admin.call('SET k theirs');
    expect(await reader.sawPushes(1)).toEqual([INVALIDATE_K]);
    await reader.call('GET last');
    await admin.call('SET last 1');
    expect(await reader.sawPushes(2)).toEqual([INVALIDATE_K, '>["invalidate" *["last"]]']);
    expect(proxy.metrics.counts.unattributedWrites).toBe(0);
  });

  test('the watch finds a flush that did not pass here', async () => {
    const { admin, reader } = await start();
    await reader.pipeline(['CLIENT TRACKING ON', 'GET k']);
    await admin.call('FLUSHALL');
    expect(await reader.sawPushes(1)).toEqual([INVALIDATE_ALL]);
  });

  test('a blind spell is told of, and ends', async () => {
    const { admin, proxy, reader } = await start();
    await reader.pipeline(['CLIENT TRACKING ON', 'GET k']);
    await admin.call('CLIENT KILL TYPE pubsub');
    expect(await reader.sawPushes(2)).toEqual([INVALIDATE_ALL, INVALIDATE_ALL]);
    await proxy.becomes('ready');
    await reader.call('GET k');
    await admin.call('SET k 1');
    expect((await reader.sawPushes(3)).at(-1)).toBe(INVALIDATE_K);
  });

  const FORBIDDEN = [
    'GET k',
    'SET k 1',
    'GET sidetrack:probe:x',
    'DEL sidetrack:probe:x',
    'KEYS *',
    'SCAN 0',
    'PUBLISH __sidetrack__:x y',
    'PSUBSCRIBE *',
    'SUBSCRIBE news',
    'CLIENT LIST',
    'CLIENT KILL TYPE normal',
    'ACL LIST',
    'ACL SETUSER sidetrack ~*',
    'CONFIG REWRITE',
    'CONFIG RESETSTAT',
    'EVAL return 0',
    'FLUSHALL',
    'MONITOR',
    'DEBUG SLEEP 0',
    'SHUTDOWN NOSAVE',
  ];

  test('give nothing more', async () => {
    const { redis } = await start();
    const user = await direct(redis, 'AUTH sidetrack pw');
    for (const request of FORBIDDEN) expect(await user.call(request)).toMatch(/^-NOPERM/);
    const hasConfig = rule.includes('+config|get');
    const answer = await user.call('CONFIG GET maxmemory');
    expect(answer.startsWith('-NOPERM')).toBe(!hasConfig);
  });

  const NEEDED = rule.filter((word) => /^[+&]/.test(word) && word !== '+config|set');

  test.for(NEEDED)('need %s', async (word) => {
    const redis = await startServer(...NOTIFYING);
    await direct(redis, rule);
    const url = withUser(redis, 'sidetrack:pw');
    const all = await check(url);
    expect(all.usable).toBe(true);
    await direct(
      redis,
      rule.filter((one) => one !== word),
    );
    expect((await check(url)).flaws).not.toEqual(all.flaws);
  });
});
