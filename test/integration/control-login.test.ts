import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createProxy, type EmbeddedProxy, type ProxyOptions } from '../../src/index.ts';
import { answers, becomesReady, runProgram, startProgram } from '../helpers/program.ts';
import { RawClient, type Request, type Target } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';

const POLL = { timeout: 10_000, interval: 10 } as const;

const APP_SECRET = 'app-s3cret';
const CONTROL_SECRET = 'ctl-s3crét';

/** Rights of an application, and none of those that the proxy needs for itself. */
const APP =
  `ACL SETUSER app reset on >${APP_SECRET} ~app:* &__sidetrack__:* +@all ` +
  '-config -info -command -psubscribe -acl|getuser -flushall';

/** The page's rules for the proxy's own user: with CONFIG, and without. */
const RULES = [
  ...readFileSync(new URL('../../docs/upstreams.md', import.meta.url), 'utf8').matchAll(
    /^ACL SETUSER sidetrack (.*)$/gm,
  ),
].map(([, rights = '']) => `ACL SETUSER ctl ${rights.replace('PASSWORD', CONTROL_SECRET)}`);

const folder = mkdtempSync(join(tmpdir(), 'sidetrack-control-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** @returns the path of a new file, which ends its line */
function fileWith(text: string): string {
  const file = join(folder, `${Math.random()}`);
  writeFileSync(file, `${text}\n`);
  return file;
}

interface Scene {
  readonly redis: RedisProcess;
  /** A client of Redis itself, who may do everything. */
  readonly admin: RawClient;
}

/** Starts a Redis that has the users `app` and `ctl`. */
async function scene(rule = RULES[0] ?? '', ...args: readonly string[]): Promise<Scene> {
  const redis = await startRedis({ tcp: true, args: ['--requirepass', 'root', ...args] });
  onTestFinished(() => redis.stop());
  const admin = await connect({ port: redis.port as number }, 'AUTH root', APP);
  expect(await admin.call(bytesOf(rule))).toBe('+OK');
  return { redis, admin };
}

/** Words go out as latin1, and a password is UTF-8. */
function bytesOf(line: string): readonly Buffer[] {
  return line.split(' ').map((word) => Buffer.from(word));
}

async function connect(target: Target, ...requests: readonly Request[]): Promise<RawClient> {
  const client = await RawClient.connect(target);
  onTestFinished(() => client.close());
  await client.pipeline(requests);
  return client;
}

function asApp({ url }: RedisProcess): string {
  return url.replace('://', `://app:${APP_SECRET}@`);
}

/** A proxy in this process, by the options of the library. */
async function started(options: ProxyOptions): Promise<{ proxy: EmbeddedProxy; target: Target }> {
  const proxy = createProxy(options);
  onTestFinished(() => proxy.stop());
  const sighted = once(proxy, 'sighted');
  await proxy.start();
  await sighted;
  return { proxy, target: { port: Number(/\d+$/.exec(proxy.address)?.[0]) } };
}

/** @returns the users of all connections of a Redis but that of `admin`, sorted */
async function usersAt({ admin }: Scene): Promise<readonly string[]> {
  const own = /^:(\d+)$/.exec(await admin.call('CLIENT ID'))?.[1];
  const list = await admin.call('CLIENT LIST');
  const users = list.matchAll(/id=(\d+) addr=.*? user=(\S+)/g);
  return [...users].flatMap(([, id, user = '']) => (id === own ? [] : [user])).sort();
}

describe.each([
  { name: 'with CONFIG', rule: RULES[0] ?? '', args: [] },
  { name: 'without', rule: RULES[1] ?? '', args: ['--notify-keyspace-events', 'KA'] },
])('a user for the proxy and another for its clients, $name', ({ rule, args }) => {
  test('each has what it needs, and no more', async () => {
    const at = await scene(rule, ...args);
    const { proxy, target } = await started({
      upstream: asApp(at.redis),
      injectAuth: 'local',
      controlUser: 'ctl',
      controlPasswordFile: fileWith(CONTROL_SECRET),
      watchInterval: 20,
    });
    const client = await connect(target, 'HELLO 3', 'CLIENT TRACKING ON', 'GET app:k');
    expect(await client.call('ACL WHOAMI')).toBe('"app"');
    await at.admin.call('SET app:k 1');
    expect(await client.sawPushes(1)).toEqual(['>["invalidate" *["app:k"]]']);
    // Whoever subscribes, looks and asks is ctl; the only connection of app is its client's.
    await vi.waitFor(async () => expect(await usersAt(at)).toEqual(['app', 'ctl', 'ctl']), POLL);
    // What BCAST may name is asked for by ctl, and is what app may read.
    const watching = await connect(target, 'HELLO 3', 'CLIENT TRACKING ON BCAST');
    await at.admin.pipeline(['SET hidden 1', 'SET app:seen 1']);
    expect(await watching.sawPushes(1)).toEqual(['>["invalidate" *["app:seen"]]']);
    expect(await watching.call('SET app:own 1')).toBe('+OK');
    // A fenced write, and a flush that did not pass here.
    await client.pipeline(['CLIENT FENCE-WRITES ON', 'SET app:fenced 1', 'GET app:k']);
    await at.admin.call('FLUSHALL');
    await client.until(() => client.pushes.includes('>["invalidate" _]'), 'the flush');
    // A new subscription logs in as the one before.
    const sighted = once(proxy, 'sighted');
    await at.admin.call('CLIENT KILL TYPE pubsub');
    await sighted;
    expect(await at.admin.call('ACL LOG')).not.toContain('app');
  });
});

test('clients that log in by themselves: the proxy is not who --upstream names', async () => {
  const at = await scene();
  const { target } = await started({
    upstream: asApp(at.redis),
    controlUser: 'ctl',
    controlPasswordFile: fileWith(CONTROL_SECRET),
  });
  const client = await connect(target);
  expect(await client.call('GET app:k')).toMatch(/^-NOAUTH/);
  await client.pipeline([`AUTH app ${APP_SECRET}`, 'GET app:k']);
  await vi.waitFor(async () => expect(await usersAt(at)).toEqual(['app', 'ctl', 'ctl']), POLL);
});

test('a password without a user is that of the default user', async () => {
  const at = await scene();
  await started({ upstream: asApp(at.redis), controlPasswordFile: fileWith('root') });
  await vi.waitFor(async () => expect(await usersAt(at)).toEqual(['default', 'default']), POLL);
});

describe('the program', () => {
  async function program(words: readonly string[], environment: Record<string, string> = {}) {
    const proxy = await startProgram(['--log-level', 'trace', ...words], environment);
    onTestFinished(async () => {
      proxy.child.kill('SIGKILL');
      await proxy.ended;
    });
    return proxy;
  }

  test('says that the login is wrong, and which one', async () => {
    const { redis } = await scene();
    const flags = ['--upstream', asApp(redis), '--inject-auth', 'local', '--control-user', 'ctl'];
    const words = [...flags, '--control-password-file', fileWith('wr0ng')];
    const proxy = await program(words);
    await proxy.printed(/check: Connection/);
    const why =
      'WRONGPASS invalid username-password pair or user is disabled. ' +
      '(the login of --control-user and --control-password-file)';
    await vi.waitFor(async () => {
      expect(await (await answers(proxy.admin, '/readyz')).text()).toContain(why);
    }, POLL);
    expect(proxy.text).toContain(`redis://ctl:***@127.0.0.1:${redis.port}: WRONGPASS`);
    // Clients are served all the same: their login is another one.
    const client = await connect({ port: proxy.port });
    expect(await client.call('SET app:k 1')).toBe('+OK');
    const check = await runProgram(['check', '--json', ...words.filter(isOfCheck)]).ended;
    expect(check.code).toBe(1);
    expect(check.stdout).toContain(
      'give the right user and password in --control-user and --control-password-file',
    );
    expect([proxy.text, check.stdout, check.stderr].join()).not.toMatch(/s3cr|wr0ng/);
  });

  test('check examines the rights of the user of the proxy', async () => {
    const { redis } = await scene();
    const words = ['check', '--json', '--upstream', asApp(redis), '--control-user', 'ctl'];
    const file = fileWith(CONTROL_SECRET);
    const ctl = await runProgram([...words, '--control-password-file', file]).ended;
    expect(ctl.stdout).toContain(`redis://ctl:***@127.0.0.1:${redis.port}`);
    expect(ctl.code).toBe(0);
    const app = await runProgram(words.slice(0, -2)).ended;
    expect(app.stdout).toContain('ACL SETUSER app +psubscribe');
    expect(app.code).toBe(1);
  });

  test('check says so where the default user has no password', async () => {
    const { redis, admin } = await scene();
    await admin.call('ACL SETUSER default nopass');
    const words = ['check', '--json', '--upstream', asApp(redis)];
    const needless = runProgram([...words, '--control-password-file', fileWith('root')]);
    expect((await needless.ended).stdout).toContain('name a user with --control-user');
  });

  test('takes over a password that has changed at SIGHUP', async () => {
    const { redis, admin } = await scene();
    const file = fileWith(CONTROL_SECRET);
    const proxy = await program(['--upstream', asApp(redis)], {
      SIDETRACK_CONTROL_USER: 'ctl',
      SIDETRACK_CONTROL_PASSWORD_FILE: file,
      SIDETRACK_INJECT_AUTH: 'local',
    });
    await becomesReady(proxy);
    await admin.call('ACL SETUSER ctl resetpass >n3w-s3cret');
    await admin.call('CLIENT KILL TYPE pubsub');
    await proxy.printed(/WRONGPASS/);
    writeFileSync(file, 'n3w-s3cret\n');
    proxy.child.kill('SIGHUP');
    await proxy.printed(/the password was read again/);
    await becomesReady(proxy);
    const client = await connect({ port: proxy.port }, 'HELLO 3', 'CLIENT TRACKING ON');
    await client.call('GET app:k');
    await admin.call('SET app:k 1');
    expect(await client.sawPushes(1)).toEqual(['>["invalidate" *["app:k"]]']);
    expect(proxy.text).not.toContain('s3cr');
  });

  test.for([
    [['--upstream', 'redis://h', '--control-user', 'ctl'], 'needs --control-password-file'],
    [['--upstream', 'redis://h', '--control-user', ''], 'needs --control-password-file'],
    [['--control-user', 'ctl'], 'the embedded Redis has no password'],
    [['check', '--control-user', 'ctl'], 'the embedded Redis has no password'],
  ] as const)('refuses %j', async ([words, why]) => {
    const { code, stdout, stderr } = await runProgram(words).ended;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^sidetrack: --control-user: .*\n$/);
    expect(stderr).toContain(why);
  });
});

/** `check` knows nothing of clients, nor of the log. */
function isOfCheck(word: string): boolean {
  return word !== '--inject-auth' && word !== 'local';
}
