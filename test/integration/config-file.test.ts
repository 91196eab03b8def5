import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  answers,
  becomesReady,
  type ProgramRun,
  runProgram,
  startProgram,
} from '../helpers/program.ts';
import { encode, RawClient } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';

const POLL = { timeout: 10_000, interval: 10 } as const;

const cleanup: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sidetrack-config-'));
  cleanup.push(() => rmSync(path, { recursive: true }));
  return path;
}

async function redisWith(...args: readonly string[]): Promise<RedisProcess> {
  const redis = await startRedis({ tcp: true, args });
  cleanup.push(() => redis.stop());
  return redis;
}

async function proxyWith(words: readonly string[], environment: Record<string, string> = {}) {
  const proxy = await startProgram(words, environment);
  cleanup.push(() => proxy.child.kill('SIGKILL'));
  return proxy;
}

/** The lines of its log, less their times. */
function logOf({ text }: ProgramRun): readonly Record<string, unknown>[] {
  const lines = text.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line));
}

/** What the log says of the last SIGHUP. */
function lastReload(proxy: ProgramRun) {
  return logOf(proxy).findLast(({ msg }) => msg === 'settings were read again');
}

test('a file decides what flags and variables leave open', async () => {
  const redis = await redisWith();
  const config = join(folder(), 'sidetrack.yaml');
  writeFileSync(config, `upstream: ${redis.url}\nmax-clients: 1\nlisten: 1\nlog-level: debug\n`);
  const proxy = await proxyWith(['--config', config], { SIDETRACK_LOG_LEVEL: 'info' });
  await becomesReady(proxy);
  const [first, second] = [await client(proxy.port), await client(proxy.port)];
  first.send(encode('PING'));
  expect(await first.sawBytes('+PONG\r\n')).toBe('+PONG\r\n');
  expect(await second.expectClose()).toContain('max number of clients');
  expect(proxy.text).not.toContain('"level":20');
});

async function client(port: number): Promise<RawClient> {
  const connected = await RawClient.connect({ port });
  cleanup.push(() => connected.close());
  return connected;
}

describe('at SIGHUP', () => {
  test('the level of the log is taken over, and what else has changed is named', async () => {
    const redis = await redisWith();
    const config = join(folder(), 'sidetrack.yaml');
    writeFileSync(config, 'log-level: info\n');
    const proxy = await proxyWith(['--config', config, '--upstream', redis.url]);
    await becomesReady(proxy);
    writeFileSync(config, 'log-level: error\nmax-clients: 5\n');
    proxy.child.kill('SIGHUP');
    await proxy.printed(/settings were read again/);
    expect(lastReload(proxy)).toMatchObject({ logLevel: 'error', afterRestart: ['max-clients'] });
    writeFileSync(config, 'log-level: nonsense\n');
    proxy.child.kill('SIGHUP');
    await proxy.printed(/all stays as it was/);
    const failed = logOf(proxy).find(({ msg }) => String(msg).endsWith('all stays as it was'));
    expect(failed?.reason).toContain("log-level: 'nonsense' is not accepted");
    writeFileSync(config, 'log-level: debug\n');
    proxy.child.kill('SIGHUP');
    await vi.waitFor(() => expect(lastReload(proxy)?.logLevel).toBe('debug'), POLL);
    expect((await answers(proxy.admin, '/readyz')).status).toBe(200);
  });

  test('a flag still outweighs the file, and without a file nothing happens', async () => {
    const redis = await redisWith();
    const proxy = await proxyWith(['--log-level', 'info', '--upstream', redis.url]);
    proxy.child.kill('SIGHUP');
    await proxy.printed(/settings were read again/);
    expect(lastReload(proxy)).toMatchObject({ logLevel: 'info', afterRestart: [] });
  });
});

describe('a password is seen nowhere', () => {
  const SECRET = 's3cret-pass';

  /** Whatever a run shows to those who look at it. */
  async function seen(words: readonly string[], environment: Record<string, string> = {}) {
    const proxy = await proxyWith(['--log-level', 'trace', ...words], environment);
    const texts = [];
    for (const path of ['/metrics', '/readyz', '/healthz']) {
      await vi.waitFor(() => expect(proxy.text).toMatch(/check: |is heard|trying again/), POLL);
      texts.push(await (await answers(proxy.admin, path)).text());
    }
    texts.push(readFileSync(`/proc/${proxy.child.pid}/cmdline`, 'latin1'));
    const ask = runProgram(['config', ...words], environment);
    proxy.child.kill('SIGHUP');
    await proxy.printed(/settings were read again/);
    texts.push(Object.values(await ask.ended).join(' '));
    proxy.child.kill('SIGTERM');
    const { code, stdout, stderr } = await proxy.ended;
    expect(code).toBe(0);
    return [...texts, stdout, stderr].join('\n');
  }

  test.for([
    'right, in the URL of a flag',
    'right, in a variable',
    'right, from a file',
    'right, for connections of its own',
    'wrong, in the URL of a flag',
    'for a Redis that is away',
  ])('%s', async (where) => {
    const redis = await redisWith('--requirepass', where.startsWith('right') ? SECRET : 'other');
    const url = `redis://:${SECRET}@127.0.0.1:${where.endsWith('away') ? 1 : redis.port}`;
    const file = join(folder(), 'password');
    writeFileSync(file, `${SECRET}\n`);
    const guest = redis.url.replace('://', `://guest:${SECRET}-of-guest@`);
    const text = await {
      flag: () => seen(['--upstream', url]),
      variable: () => seen([], { SIDETRACK_UPSTREAM: url }),
      file: () => seen(['--upstream', redis.url, '--upstream-password-file', file]),
      own: () => seen(['--upstream', guest, '--control-password-file', file]),
      away: () => seen([`--upstream=${url}`]),
    }[/\w+$/.exec(where)?.[0] as 'flag' | 'variable' | 'file' | 'own' | 'away']();
    expect(text).toContain(where.startsWith('right') ? 'is heard' : 'trying again');
    expect(text).not.toContain(SECRET);
    expect(text).toContain('***');
  });

  test.for([
    [['--upstream', `redis://u:${SECRET}@h:x`], {}],
    [['--listen', `redis://u:${SECRET}@h`], {}],
    [['--log-level', `redis://u:${SECRET}@h`], {}],
    [[`redis://u:${SECRET}@h`], {}],
    [['--upstrem', `redis://u:${SECRET}@h`], {}],
    [[`--upstrem=redis://u:${SECRET}@h`], {}],
    [[], { SIDETRACK_ADMIN: `redis://u:${SECRET}@h` }],
  ] as const)('in what is said about %j', async ([words, environment]) => {
    const { code, stdout, stderr } = await runProgram(words, environment).ended;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^sidetrack: .*\n$/);
    expect(stderr).not.toContain(SECRET);
  });
});

test('a password from a file logs in', async () => {
  const redis = await redisWith('--requirepass', 'from-file');
  const file = join(folder(), 'password');
  writeFileSync(file, 'from-file\n');
  const url = `redis://:from-url@127.0.0.1:${redis.port}`;
  const proxy = await proxyWith(['--upstream', url, '--upstream-password-file', file]);
  await becomesReady(proxy);
});

describe('the log says at the start what the upstream lacks', () => {
  test('once', async () => {
    const redis = await redisWith('--rename-command', 'CONFIG', '');
    const proxy = await proxyWith(['--upstream', redis.url, '--notify-config', 'auto']);
    await proxy.printed(/check: May CONFIG/);
    expect(logOf(proxy).filter(({ check }) => check === 'config-get')).toHaveLength(1);
  });

  test('also where it cannot be reached', async () => {
    const proxy = await proxyWith(['--upstream', 'redis://127.0.0.1:1']);
    await proxy.printed(/check: Connection/);
    expect(logOf(proxy).find(({ check }) => check === 'connection')).toMatchObject({
      state: 'missing',
    });
  });
});
