import { connect } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { type Service, startService } from '../../src/service.ts';
import { targetOf } from '../helpers/fixtures.ts';
import { answers, becomesReady, type ProgramProxy, startProgram } from '../helpers/program.ts';
import { encode, RawClient, type Request } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';

const POLL = { timeout: 10_000, interval: 5 } as const;
const TOLD = '>2\r\n$10\r\ninvalidate\r\n_\r\n';

const cleanup: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

interface Scene {
  readonly redis: RedisProcess;
  readonly service: Service;
  readonly direct: RawClient;
  open(...requests: readonly Request[]): Promise<RawClient>;
}

/** A proxy in this process, with all that stops it. */
async function scene(flags: { readonly [flag: string]: string } = {}): Promise<Scene> {
  const redis = await startRedis();
  cleanup.push(() => redis.stop());
  const all = { listen: '127.0.0.1:0', admin: 'off', upstream: redis.url, ...flags };
  const config = readConfig({ flags: all, environment: {}, terminal: false });
  let sighted = () => {};
  const seen = new Promise<void>((resolve) => {
    sighted = resolve;
  });
  const { default: pino } = await import('pino');
  const logger = pino({ level: 'silent' });
  const service = await startService(config, { logger, watcher: { sighted } });
  cleanup.push(() => service.stop());
  await seen;
  const direct = await RawClient.connect(targetOf(redis));
  cleanup.push(() => direct.close());
  const port = Number(/\d+$/.exec(service.proxy.addresses[0] ?? '')?.[0]);
  const open = async (...requests: readonly Request[]) => {
    const client = await RawClient.connect({ port });
    cleanup.push(() => client.close());
    client.socket.on('end', () => client.end());
    for (const request of requests) await client.call(request);
    return client;
  };
  return { redis, service, direct, open };
}

async function blocked(direct: RawClient, count: number): Promise<void> {
  await vi.waitFor(async () => {
    const [, clients] = /blocked_clients:(\d+)/.exec(await direct.call('INFO clients')) ?? [];
    expect(Number(clients)).toBe(count);
  }, POLL);
}

describe('a proxy that is told to stop', () => {
  test('closes idle clients at once, and tells those that track to drop everything', async () => {
    const { open, service } = await scene();
    const plain = await open('PING');
    const tracking = await open('HELLO 3', 'CLIENT TRACKING ON', 'GET k');
    const bcast = await open('HELLO 3', 'CLIENT TRACKING ON BCAST');
    const before = [tracking.bytes.length, bcast.bytes.length];
    await service.stop();
    expect(await plain.expectClose()).toBe('+PONG\r\n');
    expect((await tracking.expectClose()).slice(before[0])).toBe(TOLD);
    expect((await bcast.expectClose()).slice(before[1])).toBe(TOLD);
  });

  test('closes subscribers and monitors, which are owed nothing', async () => {
    const { open, service } = await scene();
    const subscriber = await open('SUBSCRIBE news');
    const monitor = await open('MONITOR');
    await service.stop();
    await subscriber.expectClose();
    await monitor.expectClose();
  });

  test('finishes what a client is owed, then tells and closes it', async () => {
    const { open, service, direct } = await scene();
    const client = await open('HELLO 3', 'CLIENT TRACKING ON', 'GET k');
    const from = client.bytes.length;
    client.send(Buffer.concat(['BLPOP q 5', 'INCR n', 'MULTI', 'INCR n', 'EXEC'].map(encode)));
    await blocked(direct, 1);
    const stopped = service.stop();
    await vi.waitFor(() => expect(service.proxy.ready.ok).toBe(false), POLL);
    client.send(encode('INCR unread'));
    await direct.call('RPUSH q x');
    const said = (await client.expectClose()).slice(from);
    const replies = '*2\r\n$1\r\nq\r\n$1\r\nx\r\n:1\r\n+OK\r\n+QUEUED\r\n*1\r\n:2\r\n';
    expect(
      said.replaceAll(TOLD, '').replaceAll(/>2\r\n\$10\r\ninvalidate.*?\r\n(q|n)\r\n/gs, ''),
    ).toBe(replies);
    expect(said.endsWith(TOLD)).toBe(true);
    await stopped;
    expect(await direct.call('EXISTS unread')).toBe(':0');
  });

  test('answers what waits behind HELLO, and behind a fence', async () => {
    const { open, service } = await scene({ 'fence-writes': 'on' });
    const client = await open('PING');
    const from = client.bytes.length;
    const requests = ['SET k 1', 'HELLO 3', 'SET k 2', 'RESET', 'INCR k'];
    client.send(Buffer.concat(requests.map(encode)));
    await client.sawBytes('+PONG\r\n+OK\r\n'); // it has read them all
    await service.stop();
    const said = (await client.expectClose()).slice(from);
    expect(said.startsWith('+OK\r\n%')).toBe(true);
    expect(said.endsWith('+OK\r\n+RESET\r\n:3\r\n')).toBe(true);
  });

  test('sends a long reply to its end', async () => {
    const { open, service, direct } = await scene();
    await direct.call(['SET', 'long', Buffer.alloc(30_000_000, 'x')]);
    const client = await open();
    // Without RawClient's own listener, which looks at what has come over and over.
    let bytes = 0;
    client.socket.removeAllListeners('data');
    client.socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    client.socket.pause();
    client.send(encode('GET long'));
    await vi.waitFor(async () => {
      expect(await direct.call('INFO commandstats')).toMatch(/cmdstat_get:calls=1/);
    }, POLL);
    const stopped = service.stop();
    client.socket.resume();
    await client.expectClose();
    expect(bytes).toBe('$30000000\r\n\r\n'.length + 30_000_000);
    await stopped;
  });

  test('lets a blocked client that leaves take nothing', async () => {
    const { open, service, direct } = await scene();
    const client = await open();
    client.send(encode('BLPOP q 0'));
    await blocked(direct, 1);
    const stopped = service.stop();
    client.end();
    await blocked(direct, 0);
    await direct.call('RPUSH q x');
    expect(await direct.call('LLEN q')).toBe(':1');
    await stopped;
  });

  test('cuts off at the deadline what is blocked', async () => {
    const { open, service, direct } = await scene({ 'drain-timeout': '1' });
    const client = await open();
    client.send(encode('BLPOP q 0'));
    await blocked(direct, 1);
    const startMs = performance.now();
    await service.stop();
    expect(performance.now() - startMs).toBeGreaterThan(900);
    expect(await client.expectClose()).toBe('');
  });

  test('cuts everybody off at once with a deadline of 0', async () => {
    const { open, service } = await scene({ 'drain-timeout': '0' });
    const client = await open('HELLO 3', 'CLIENT TRACKING ON');
    const from = client.bytes.length;
    await service.stop();
    expect((await client.expectClose()).slice(from)).toBe('');
  });
});

/** Keeps requests in flight until it is told that the connection ends. */
async function pipeline(port: number, key: string): Promise<PipeliningClient> {
  const client = await RawClient.connect({ port });
  cleanup.push(() => client.close());
  let resets = 0;
  client.socket.on('error', () => {
    resets += 1;
  });
  let sent = 0;
  const feed = () => {
    if (client.ended) return;
    for (; sent < client.frames.length + IN_FLIGHT; sent += 1) client.send(encode(`INCR ${key}`));
  };
  client.socket.on('data', feed);
  client.socket.on('end', () => client.end());
  feed();
  return { client, key, resets: () => resets };
}

interface PipeliningClient {
  readonly client: RawClient;
  readonly key: string;
  resets(): number;
}

const CLIENTS = 50;
const IN_FLIGHT = 40;

describe('the program', () => {
  async function started(...words: readonly string[]) {
    const redis = await startRedis();
    cleanup.push(() => redis.stop());
    const proxy = await startProgram(['--upstream', redis.url, ...words]);
    cleanup.push(() => proxy.child.kill('SIGKILL'));
    await becomesReady(proxy);
    const direct = await RawClient.connect(targetOf(redis));
    cleanup.push(() => direct.close());
    return { redis, proxy, direct };
  }

  async function blockedClient({ port }: ProgramProxy, direct: RawClient): Promise<RawClient> {
    const client = await RawClient.connect({ port });
    cleanup.push(() => client.close());
    client.send(encode('BLPOP q 0'));
    await blocked(direct, 1);
    return client;
  }

  test.for(['SIGTERM', 'SIGINT'] as const)('loses no reply under load at %s', async (signal) => {
    const { proxy, direct } = await started();
    const clients: PipeliningClient[] = [];
    for (let index = 0; index < CLIENTS; index++) {
      clients.push(await pipeline(proxy.port, `counter:${index}`));
    }
    await vi.waitFor(() => {
      for (const { client } of clients) expect(client.frames.length).toBeGreaterThan(500);
    }, POLL);
    proxy.child.kill(signal);
    expect((await proxy.ended).code).toBe(0);
    for (const { client, key, resets } of clients) {
      await client.expectClose();
      const replies = client.answers;
      expect(replies).toEqual(replies.map((_, index) => `:${index + 1}`));
      expect(client.bytes.length).toBe(client.frames.at(-1)?.end); // no half reply
      expect(await direct.call(`GET ${key}`)).toBe(`"${replies.length}"`);
      expect(resets()).toBe(0);
    }
  });

  test('is not ready and lets nobody in while it drains, and ends with 0', async () => {
    const { proxy, direct } = await started('--drain-timeout', '2');
    const client = await blockedClient(proxy, direct);
    proxy.child.kill('SIGTERM');
    await vi.waitFor(async () => {
      const answer = await answers(proxy.admin, '/readyz');
      expect(answer.status).toBe(503);
      expect(await answer.text()).toContain('being stopped');
    }, POLL);
    expect((await answers(proxy.admin, '/healthz')).status).toBe(200);
    expect(await refusal(proxy.port)).toBe('ECONNREFUSED');
    expect(client.ended).toBe(false);
    const { code, stderr } = await proxy.ended;
    expect(code).toBe(0);
    expect(stderr).toContain('clients are cut off');
    await client.expectClose();
  });

  test('ends at once at the second signal', async () => {
    const { proxy, direct } = await started('--drain-timeout', '3600');
    await blockedClient(proxy, direct);
    proxy.child.kill('SIGTERM');
    await proxy.printed(/draining/);
    proxy.child.kill('SIGTERM');
    expect((await proxy.ended).code).toBe(143);
  });
});

function refusal(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(undefined));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
  });
}
