import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { answers, becomesReady, runProgram, startProgram } from '../helpers/program.ts';
import { type ProxyOverrides, type RunningProxy, startProxy } from '../helpers/proxy.ts';
import { encode, RawClient, type Request, type Target } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';

const SECRET = 's3cret-pässword';
const NOAUTH = '-NOAUTH Authentication required.';
const REFUSED = '-ERR the upstream Redis does not let the proxy in, nor whom it logs in';
const POLL = { timeout: 10_000, interval: 5 } as const;
const LOCKED = ['--requirepass', SECRET];

const folder = mkdtempSync(join(tmpdir(), 'sidetrack-inject-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(...args: readonly string[]): Promise<RedisProcess> {
  const redis = await startRedis({ tcp: true, args });
  onTestFinished(() => redis.stop());
  return redis;
}

async function connect(target: Target, ...requests: readonly Request[]): Promise<RawClient> {
  const client = await RawClient.connect(target);
  onTestFinished(() => client.close());
  await client.pipeline(requests);
  return client;
}

/** @returns a client of `redis` itself */
function direct(redis: RedisProcess): Promise<RawClient> {
  return connect({ port: redis.port as number }, ['AUTH', Buffer.from(SECRET)]);
}

/** @param login as in a URL */
async function proxyFor(
  redis: RedisProcess,
  login: string,
  overrides: ProxyOverrides = {},
): Promise<RunningProxy> {
  const url = redis.url.replace('://', `://${login}@`);
  const proxy = await startProxy(url, { injectAuth: 'local', ...overrides });
  onTestFinished(() => proxy.stop());
  return proxy;
}

const PASSWORD = encodeURIComponent(SECRET);

describe('a client that knows no password', () => {
  test('is let in, in the database of the URL, and tracks', async () => {
    const redis = await start(...LOCKED);
    const admin = await direct(redis);
    const url = redis.url.replace('://', `://:${PASSWORD}@`);
    const proxy = await startProxy(`${url}/3`, { injectAuth: 'local' });
    onTestFinished(() => proxy.stop());
    const client = await connect(proxy.target);
    expect(await client.pipeline(['SET k 1', 'GET k', 'HELLO 3'])).toEqual([
      '+OK',
      '"1"',
      expect.stringContaining('"proto" :3'),
    ]);
    expect(await client.call('CLIENT INFO')).toContain(' db=3 ');
    await client.pipeline(['CLIENT TRACKING ON', 'GET k']);
    await admin.pipeline(['SELECT 3', 'SET k 2']);
    expect(await client.sawPushes(1)).toEqual(['>["invalidate" *["k"]]']);
  });

  test('has the rights of the user of the URL', async () => {
    const redis = await start(...LOCKED);
    const admin = await direct(redis);
    await admin.call(['ACL', 'SETUSER', 'app', 'on', '>pw', '&*', '+@all', '-flushall', '~app:*']);
    const proxy = await proxyFor(redis, 'app:pw', { notifyConfig: 'skip' });
    const client = await connect(proxy.target, 'HELLO 3', 'CLIENT TRACKING ON BCAST');
    expect(await client.call('ACL WHOAMI')).toBe('"app"');
    expect(await client.call('FLUSHALL')).toMatch(/^-NOPERM/);
    await admin.pipeline(['CONFIG SET notify-keyspace-events KA', 'SET other 1', 'SET app:k 1']);
    expect(await client.sawPushes(1)).toEqual(['>["invalidate" *["app:k"]]']);
  });

  test('is let in by a server that wants no password', async () => {
    const redis = await start();
    const proxy = await proxyFor(redis, ':needless', { unready: true });
    expect(await (await connect(proxy.target)).call('PING')).toBe('+PONG');
    expect(proxy.ready.reason).toContain('without any password configured');
  });

  test('may log in as somebody else, or try to', async () => {
    const redis = await start(...LOCKED);
    await (await direct(redis)).call('ACL SETUSER own on >own ~* &* +@all');
    const proxy = await proxyFor(redis, `:${PASSWORD}`);
    const client = await connect(proxy.target);
    expect(
      await client.pipeline([
        'AUTH own no',
        'ACL WHOAMI',
        'AUTH own own',
        'ACL WHOAMI',
        'HELLO 3 AUTH own own',
        'ACL WHOAMI',
      ]),
    ).toEqual([
      expect.stringMatching(/^-WRONGPASS/),
      '"default"',
      '+OK',
      '"own"',
      expect.stringContaining('"proto" :3'),
      '"own"',
    ]);
  });

  test('is a stranger without the flag', async () => {
    const redis = await start(...LOCKED);
    const proxy = await proxyFor(redis, `:${PASSWORD}`, { injectAuth: 'off' });
    expect(await (await connect(proxy.target)).call('GET k')).toBe(NOAUTH);
  });
});

describe('RESET', () => {
  test('is followed by a login, before anything else', async () => {
    const redis = await start(...LOCKED);
    const proxy = await proxyFor(redis, `:${PASSWORD}`);
    const client = await connect(proxy.target);
    const requests = ['SET k 1', 'RESET', 'GET k', 'MULTI', 'RESET', 'GET k', 'RESET', 'GET k'];
    expect(await client.pipeline(requests)).toEqual([
      ...['+OK', '+RESET', '"1"', '+OK', '+RESET', '"1"', '+RESET', '"1"'],
    ]);
  });

  test('begins in the database of the URL, as the user of the URL', async () => {
    const redis = await start(...LOCKED);
    await (await direct(redis)).call('ACL SETUSER app on >pw ~* &* +@all');
    const url = redis.url.replace('://', '://app:pw@');
    const proxy = await startProxy(`${url}/2`, { injectAuth: 'local' });
    onTestFinished(() => proxy.stop());
    const client = await connect(proxy.target);
    const own = ['AUTH', 'default', Buffer.from(SECRET)];
    const asked = [own, 'ACL WHOAMI', 'RESET', 'SELECT 5', 'ACL WHOAMI', 'CLIENT INFO'];
    const told = await client.pipeline(asked);
    expect(told.slice(0, -1)).toEqual(['+OK', '"default"', '+RESET', '+OK', '"app"']);
    expect(told.at(-1)).toContain(' db=5 ');
    await client.call('RESET');
    expect(await client.call('CLIENT INFO')).toContain(' db=2 ');
  });

  test('ends subscriptions, MONITOR and CLIENT REPLY OFF as ever', async () => {
    const redis = await start(...LOCKED);
    const proxy = await proxyFor(redis, `:${PASSWORD}`);
    for (const state of ['SUBSCRIBE ch', 'MONITOR']) {
      const client = await connect(proxy.target, state, 'RESET');
      expect(await client.call('GET none')).toBe('$-1');
    }
    const quiet = await connect(proxy.target);
    quiet.send(Buffer.concat(['CLIENT REPLY OFF', 'PING', 'RESET', 'GET none'].map(encode)));
    await vi.waitFor(() => expect(quiet.answers).toEqual(['+RESET', '$-1']), POLL);
  });

  test('with a password that is not right any more ends the connection', async () => {
    const redis = await start(...LOCKED);
    const proxy = await proxyFor(redis, `:${PASSWORD}`);
    const client = await connect(proxy.target, 'SET k 1');
    await (await direct(redis)).call('CONFIG SET requirepass another');
    client.send(Buffer.concat(['RESET', 'GET k'].map(encode)));
    expect(await client.expectClose()).toBe(`+OK\r\n+RESET\r\n${REFUSED}\r\n`);
  });
});

describe('an upstream without HELLO', () => {
  const OLD = [...LOCKED, '--rename-command', 'HELLO', ''];

  test('is subscribed to by somebody whom the proxy has logged in', async () => {
    const redis = await start(...OLD);
    const admin = await direct(redis);
    const proxy = await proxyFor(redis, `:${PASSWORD}`);
    const client = await connect(proxy.target, 'HELLO 3', 'SUBSCRIBE ch');
    await client.pipeline(['SET k 1', 'CLIENT TRACKING ON', 'GET k']);
    await admin.pipeline(['PUBLISH ch x', 'SET k 2']);
    const pushes = await client.sawPushes(2);
    expect([...pushes].sort()).toEqual(['>["invalidate" *["k"]]', '>["message" "ch" "x"]']);
  });

  test('is let in by one that wants no password', async () => {
    const redis = await start('--rename-command', 'HELLO', '');
    const proxy = await proxyFor(redis, ':needless', { unready: true });
    const client = await connect(proxy.target, 'HELLO 3', 'SUBSCRIBE ch');
    await (await connect({ port: redis.port as number })).call('PUBLISH ch x');
    expect(await client.sawPushes(1)).toEqual(['>["message" "ch" "x"]']);
  });

  test('nor RESET: it is logged in again all the same', async () => {
    const redis = await start(...OLD, '--rename-command', 'RESET', '');
    const admin = await direct(redis);
    await admin.call('ACL SETUSER app on >pw ~* &* +@all');
    const proxy = await proxyFor(redis, 'app:pw');
    const client = await connect(proxy.target, 'HELLO 3');
    const own = ['AUTH', 'default', Buffer.from(SECRET)];
    expect(await client.pipeline([own, 'ACL WHOAMI', 'RESET', 'ACL WHOAMI'])).toEqual([
      ...['+OK', '"default"', '+RESET', '"app"'],
    ]);
    await client.pipeline(['HELLO 3', 'SUBSCRIBE ch']);
    await admin.call('PUBLISH ch x');
    expect(await client.sawPushes(1)).toEqual(['>["message" "ch" "x"]']);
    expect(await admin.call('CLIENT LIST')).toMatch(/cmd=subscribe user=app/);
  });
});

test('a wrong password: each client is told so, and the log seldom', async () => {
  const redis = await start(...LOCKED);
  const proxy = await proxyFor(redis, ':wrong-s3cret', { unready: true });
  for (let count = 0; count < 3; count++) {
    const client = await connect(proxy.target);
    client.send(encode('SET k 1'));
    expect(await client.expectClose()).toBe(`${REFUSED}\r\n`);
  }
  const told = proxy.log.filter(({ msg }) => msg === 'upstream refuses to log a client in');
  expect(told).toHaveLength(1);
  expect(told[0]?.reason).toMatch(/^WRONGPASS/);
  expect(proxy.metrics.counts.upstreamErrorsLane).toBe(3);
  expect(JSON.stringify(proxy.log)).not.toContain('s3cret');
  expect(await (await direct(redis)).call('GET k')).toBe('$-1');
});

test('more clients than upstream takes: its own words are passed on', async () => {
  const redis = await start(...LOCKED);
  const proxy = await proxyFor(redis, `:${PASSWORD}`);
  await (await direct(redis)).call('CONFIG SET maxclients 1');
  const client = await connect(proxy.target);
  expect(await client.expectClose()).toMatch(/^-ERR max number of clients/);
});

describe('the program', () => {
  function fileWith(text: string): string {
    const file = join(folder, `${Math.random()}`);
    writeFileSync(file, text);
    return file;
  }

  async function program(redis: RedisProcess, ...words: readonly string[]) {
    const flags = ['--upstream', redis.url, '--log-level', 'trace', ...words];
    const proxy = await startProgram(flags);
    onTestFinished(async () => {
      proxy.child.kill('SIGKILL');
      await proxy.ended;
    });
    await becomesReady(proxy);
    return proxy;
  }

  test('takes over a password that has changed at SIGHUP', async () => {
    const redis = await start(...LOCKED);
    const file = fileWith(`${SECRET}\n`);
    const flags = ['--upstream-password-file', file, '--inject-auth', 'local'];
    const proxy = await program(redis, ...flags);
    const before = await connect({ port: proxy.port }, 'SET k 1');
    const admin = await direct(redis);
    await admin.call('CONFIG SET requirepass n3w-secret');
    writeFileSync(file, 'n3w-secret\n');
    const late = await connect({ port: proxy.port });
    late.send(encode('GET k'));
    expect(await late.expectClose()).toBe(`${REFUSED}\r\n`);
    proxy.child.kill('SIGHUP');
    await proxy.printed(/the password was read again/);
    expect(await (await connect({ port: proxy.port })).call('GET k')).toBe('"1"');
    expect(await before.call('GET k')).toBe('"1"');
    await admin.call('CLIENT KILL TYPE pubsub'); // its own connections log in with it, too
    await vi.waitFor(async () => {
      const page = await (await answers(proxy.admin, '/metrics')).text();
      expect(page).toMatch(/^sidetrack_blind_spells_total\{reason="connection"\} [1-9]/m);
    }, POLL);
    await becomesReady(proxy);
    rmSync(file);
    proxy.child.kill('SIGHUP');
    await proxy.printed(/stay as they were|stays as it was/);
    expect(await (await connect({ port: proxy.port })).call('GET k')).toBe('"1"');
    expect(proxy.text).not.toMatch(/n3w-secret|s3cret/);
  });

  test.for([
    ['right', SECRET],
    ['wrong', 'an0ther'],
  ] as const)('shows a %s password nowhere', async ([, password]) => {
    const redis = await start(...LOCKED);
    const flags = ['--upstream-password-file', fileWith(password), '--inject-auth', 'local'];
    const words = ['--upstream', redis.url, '--log-level', 'trace', ...flags];
    const proxy = await startProgram(words);
    onTestFinished(async () => {
      proxy.child.kill('SIGKILL');
      await proxy.ended;
    });
    const client = await connect({ port: proxy.port });
    client.send(Buffer.concat(['HELLO 3', 'GET k', 'RESET', 'GET k', 'QUIT'].map(encode)));
    const heard = await client.expectClose();
    const config = await runProgram(['config', ...words]).ended;
    expect(config.stdout).toMatch(/inject-auth: local +# flag: --inject-auth/);
    const pages = ['/metrics', '/readyz'].map((path) => answers(proxy.admin, path));
    const texts = await Promise.all(pages.map(async (page) => (await page).text()));
    proxy.child.kill('SIGTERM');
    const { code, stdout, stderr } = await proxy.ended;
    expect(code).toBe(0);
    const seen = [heard, config.stdout, config.stderr, stdout, stderr, ...texts].join('\n');
    expect(seen).not.toMatch(/s3cret|an0ther/);
    expect(Buffer.from(seen, 'latin1').toString()).not.toContain(SECRET);
  });

  const WITH = ['--upstream', 'redis://:x@127.0.0.1:1', '--inject-auth'];

  test.for([
    [[...WITH, 'local', '--listen', '0.0.0.0:0'], '0.0.0.0:0 may be reached by other machines'],
    [[...WITH, 'local', '--listen', '0,[::]:0'], '[::]:0 may be reached by other machines'],
    [[...WITH, 'local', '--listen', 'redis.example:0'], 'redis.example:0 may be reached'],
    [['--upstream', 'redis://h', '--inject-auth', 'local'], 'there is no password'],
    [['--inject-auth', 'local'], 'there is no password'],
    [[...WITH, ''], "'' is not accepted: off, local, anyone"],
    [[...WITH, 'on'], "'on' is not accepted: off, local, anyone"],
  ] as const)('refuses %j', async ([words, why]) => {
    const { code, stdout, stderr } = await runProgram(words).ended;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^sidetrack: --inject-auth: .*\n$/);
    expect(stderr).toContain(why);
  });

  test.for([
    ['local', '127.0.0.1:0,[::1]:0,localhost:0,127.1.2.3:0'],
    ['local', join(folder, 'redis.sock')],
    ['anyone', '0.0.0.0:0'],
  ] as const)('accepts %s at %s', async ([kind, places]) => {
    const run = runProgram([...WITH, kind, '--listen', places, '--admin', 'off']);
    await run.printed(/listening on/);
    run.child.kill('SIGKILL');
    await run.ended;
  });
});
