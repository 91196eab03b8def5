import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import pino from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Connection } from '../../src/demo/connection.ts';
import { type EmbeddedRedis, startEmbedded } from '../../src/embedded.ts';
import { createLogger, type Logger } from '../../src/logger.ts';

const silent = createLogger({ level: 'silent', format: 'json', colour: false });
const running: EmbeddedRedis[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const redis of running.splice(0)) await redis.stop();
});

async function start(logger: Logger = silent): Promise<EmbeddedRedis> {
  const redis = await startEmbedded(logger);
  running.push(redis);
  return redis;
}

async function ask(redis: EmbeddedRedis, ...words: string[]): Promise<string> {
  const { upstream } = redis;
  const target = { address: upstream, login: upstream, where: 'redis', protocol: 2 } as const;
  const connection = await Connection.open(target, { push: () => {}, lost: () => {} });
  try {
    return String(await connection.demand(...words));
  } finally {
    connection.close();
  }
}

async function processId(redis: EmbeddedRedis): Promise<number> {
  return Number(/process_id:(\d+)/.exec(await ask(redis, 'INFO', 'server'))?.[1]);
}

async function killUntilBack(redis: EmbeddedRedis): Promise<void> {
  const pid = await processId(redis);
  process.kill(pid, 'SIGKILL');
  const isNew = async () => (await processId(redis).catch(() => pid)) !== pid;
  await vi.waitFor(async () => expect(await isNew()).toBe(true), { timeout: 5_000 });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the embedded Redis', () => {
  test('answers on a socket of its own, keeps nothing and opens no port', async () => {
    const redis = await start();
    expect(await ask(redis, 'PING')).toBe('PONG');
    expect(await ask(redis, 'CONFIG', 'GET', 'port')).toBe('port,0');
    expect(await ask(redis, 'CONFIG', 'GET', 'save')).toBe('save,');
    expect(await ask(redis, 'CONFIG', 'GET', 'appendonly')).toBe('appendonly,no');
  });

  test('stop ends it and removes its directory, and may be said twice', async () => {
    const redis = await start();
    const pid = await processId(redis);
    await redis.stop();
    expect(existsSync(dirname(redis.upstream.path))).toBe(false);
    expect(isAlive(pid)).toBe(false);
    await redis.stop();
  });

  test('two of them do not meet', async () => {
    const [one, two] = [await start(), await start()];
    await ask(one, 'SET', 'k', '1');
    expect(await ask(two, 'GET', 'k')).toBe('null');
  });

  test('killed with -9 it comes back, empty, on the same path', async () => {
    const redis = await start();
    await ask(redis, 'SET', 'k', '1');
    for (let round = 0; round < 2; round++) {
      await killUntilBack(redis);
      expect(await ask(redis, 'GET', 'k')).toBe('null');
    }
  });

  test('stopped while it is down, it stays down', async () => {
    const said: string[] = [];
    let sayPausing: () => void;
    const pausing = new Promise<void>((resolve) => {
      sayPausing = resolve;
    });
    const write = (line: string) => {
      said.push(line);
      if (line.includes('restarting it')) sayPausing();
    };
    const redis = await start(pino({ level: 'debug' }, { write }));
    process.kill(await processId(redis), 'SIGKILL');
    await pausing;
    await redis.stop();
    const saidByThen = [...said];
    // Another one dies later and pauses as long, then dies again and pauses longer: by the time
    // it is back for the second time, ours would have been.
    const other = await start();
    await killUntilBack(other);
    await killUntilBack(other);
    expect(said).toEqual(saidByThen);
    expect(existsSync(dirname(redis.upstream.path))).toBe(false);
  });

  test('no redis-server to be found says what to do', async () => {
    vi.stubEnv('PATH', '/nonexistent');
    vi.stubEnv('REDIS_SERVER', '');
    await expect(startEmbedded(silent)).rejects.toMatchObject({
      code: 'EMBEDDED_REDIS_FAILED',
      message: expect.stringMatching(/apt-get install redis-server.*REDIS_SERVER.*--upstream/),
    });
  });

  test('a REDIS_SERVER that is no program is named', async () => {
    vi.stubEnv('REDIS_SERVER', '/nonexistent/redis-server');
    await expect(startEmbedded(silent)).rejects.toMatchObject({
      code: 'EMBEDDED_REDIS_FAILED',
      message: expect.stringContaining("'/nonexistent/redis-server', which is not a program"),
    });
  });

  test('a program that is no Redis fails at once', async () => {
    vi.stubEnv('REDIS_SERVER', '/bin/false');
    await expect(startEmbedded(silent)).rejects.toMatchObject({
      code: 'EMBEDDED_REDIS_FAILED',
      message: '/bin/false did not start: exit code 1',
    });
  });
});
