import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { createProxy, type EmbeddedProxy, ProxyError, type ProxyOptions } from '../../src/index.ts';
import { targetOf } from '../helpers/fixtures.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const cleanup: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

async function redisServer(): Promise<RedisProcess> {
  const redis = await startRedis();
  cleanup.push(() => redis.stop());
  return redis;
}

/** Starts a proxy and waits until it is ready. */
async function started(options: ProxyOptions): Promise<EmbeddedProxy> {
  const proxy = createProxy(options);
  cleanup.push(() => proxy.stop());
  const sighted = once(proxy, 'sighted');
  await proxy.start();
  await sighted;
  return proxy;
}

async function clientOf({ address }: EmbeddedProxy): Promise<RawClient> {
  const client = await RawClient.connect({ port: Number(/\d+$/.exec(address)?.[0]) });
  cleanup.push(() => client.close());
  return client;
}

describe('a proxy inside a program', () => {
  test('listens on a free port, is ready once sighted, and stops', async () => {
    const redis = await redisServer();
    const proxy = createProxy({ upstream: redis.url });
    expect([proxy.address, proxy.ready]).toEqual(['', false]);
    const sighted = once(proxy, 'sighted');
    await proxy.start();
    await proxy.start(); // which changes nothing
    expect(proxy.address).toMatch(/^127\.0\.0\.1:\d+$/);
    await sighted;
    expect(proxy.ready).toBe(true);
    const client = await clientOf(proxy);
    expect(await client.call('PING')).toBe('+PONG');
    client.socket.on('end', () => client.end());
    await Promise.all([proxy.stop(), proxy.stop(), client.expectClose()]);
    expect(proxy.ready).toBe(false);
  });

  test('tells of invalidations', async () => {
    const redis = await redisServer();
    const proxy = await started({ upstream: redis.url });
    const reader = await clientOf(proxy);
    for (const words of ['HELLO 3', 'CLIENT TRACKING ON', 'GET k']) await reader.call(words);
    const told = once(proxy, 'invalidation');
    const direct = await RawClient.connect(targetOf(redis));
    cleanup.push(() => direct.close());
    await direct.call('SET k 1');
    expect(await told).toEqual([1, 'write']);
  });

  test('tells when it is blind, and when it sees again', async () => {
    const redis = await redisServer();
    const proxy = await started({ upstream: redis.url });
    const blind = once(proxy, 'blind');
    redis.kill();
    expect(await blind).toEqual([expect.any(String)]);
    expect(proxy.ready).toBe(false);
    const sighted = once(proxy, 'sighted');
    await redis.restart();
    await sighted;
  });

  test('tells of an upstream that is no Redis', async () => {
    const { createServer } = await import('node:net');
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write('SSH-2.0-OpenSSH_9.2\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanup.push(() => server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const proxy = createProxy({ upstream: `redis://127.0.0.1:${port}` });
    cleanup.push(() => proxy.stop());
    const failed = once(proxy, 'failed');
    await proxy.start();
    expect(await failed).toEqual([expect.objectContaining({ code: 'UPSTREAM_NOT_REDIS' })]);
  });

  test('takes the flags of the program as options', async () => {
    const redis = await redisServer();
    const proxy = await started({
      upstream: redis.url,
      listen: ['127.0.0.1:0', '127.0.0.1:0'],
      maxClients: 1,
      fenceWrites: true,
      logLevel: undefined,
    });
    expect(proxy.addresses).toHaveLength(2);
    await clientOf(proxy);
    expect(await (await clientOf(proxy)).expectClose()).toContain('max number of clients');
  });

  test.for([
    [{ maxClient: 1 }, "'maxClient' is no option; did you mean maxClients?"],
    [{ 'max-clients': 1 }, "'max-clients' is no option; did you mean maxClients?"],
    [{ config: 'sidetrack.yaml' }, "'config' is no option; "],
    [{ maxClients: 'many' }, "'many' is not accepted"],
  ] as const)('%j is refused', ([options, message]) => {
    const make = () => createProxy(options as ProxyOptions);
    expect(make).toThrow(ProxyError);
    expect(make).toThrow(message);
  });

  test('leaves nothing behind where it cannot listen', async () => {
    const redis = await redisServer();
    const { address } = await started({ upstream: redis.url });
    const second = createProxy({ listen: address, admin: '127.0.0.1:0', upstream: redis.url });
    await expect(second.start()).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
    await second.stop();
  });

  test('may be told to stop before it has started', async () => {
    await createProxy({ upstream: 'redis://127.0.0.1:1' }).stop();
  });
});

/** As it is shipped: `npm test` builds it, and the package finds itself by its own name. */
describe('the package', () => {
  test('has an example that runs', async () => {
    const redis = await startRedis({ tcp: true });
    cleanup.push(() => redis.stop());
    const example = join(ROOT, 'examples', 'embed.mjs');
    const child = spawn(process.execPath, [example, redis.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanup.push(() => child.kill('SIGKILL'));
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const [code] = await once(child, 'close');
    expect(said.replace(/\d{4,5}\n/, 'PORT\n').split('\n')).toEqual([
      'listening on 127.0.0.1:PORT',
      'read twice: 1 from the cache, 1 from Redis',
      '1 invalidation, caused by a write',
      'read again: good day',
      'stopped',
      '',
    ]);
    expect(code).toBe(0);
  });

  test('has types', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sidetrack-types-'));
    cleanup.push(() => rmSync(folder, { recursive: true }));
    const modules = join(folder, 'node_modules');
    mkdirSync(modules);
    symlinkSync(ROOT, join(modules, 'sidetrack'));
    symlinkSync(join(ROOT, 'node_modules', '@types'), join(modules, '@types'));
    const user = join(folder, 'user.mts');
    writeFileSync(user, USER);
    const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--types', 'node'];
    execFileSync(process.execPath, [compiler, ...flags, user], { stdio: 'inherit', cwd: folder });
  });

  test('says what belongs to it', () => {
    const { exports, files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(exports['.']).toEqual({ types: './dist/index.d.ts', default: './dist/index.js' });
    expect(files).toEqual(expect.arrayContaining(['dist', 'docs', 'examples']));
  });
});

/** Each line marked so must be an error. */
const USER = `
import { createProxy, ProxyError, type EmbeddedProxy, type ProxyOptions } from 'sidetrack';
const options: ProxyOptions = { upstream: 'redis://h', listen: ['0'], maxClients: 5, fenceWrites: true };
const proxy: EmbeddedProxy = createProxy(options);
proxy.on('invalidation', (count, reason) => { const n: number = count; const r: 'write' | string = reason; void [n, r]; });
proxy.on('blind', (reason) => void reason.length);
proxy.on('failed', ({ code }) => void (code === 'UPSTREAM_NOT_REDIS'));
export const started: Promise<void> = proxy.start();
export const address: string = proxy.address;
export const isOurs = (error: unknown) => error instanceof ProxyError && error.code === 'LISTEN_FAILED';
// @ts-expect-error
createProxy({ maxClient: 5 });
// @ts-expect-error
proxy.on('blind', (reason: number) => reason);
`;
