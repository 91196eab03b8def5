import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type ListenAddress, parseListen } from '../../src/address.ts';
import { type Admin, startAdmin } from '../../src/admin/http.ts';
import { createMetrics, type Metrics } from '../../src/admin/metrics.ts';
import { startProxy } from '../helpers/proxy.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { startRedis } from '../helpers/redis.ts';

const cleanup: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

async function start(address: ListenAddress = parseListen('0', 'admin')) {
  const metrics = createMetrics();
  const state = { ok: false, reason: 'upstream unreachable: connect ECONNREFUSED' };
  const admin: Admin = await startAdmin(address, { metrics, ready: () => state });
  cleanup.push(admin.stop);
  return { metrics, state, admin, url: `http://${admin.address}` };
}

/** The samples of a metric, by their labels as printed. */
function samples(text: string, name: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line.startsWith(`sidetrack_${name}`));
  return Object.fromEntries(
    lines.map((line) => {
      const [, labels = '', value] = /^[^{ ]+(\{.*\})? (.*)$/.exec(line) ?? [];
      return [labels, Number(value)];
    }),
  );
}

/** The one sample of a metric without labels. */
async function sample(metrics: Metrics, name: string): Promise<number | undefined> {
  const { text } = await metrics.expose();
  const found = new RegExp(`^sidetrack_${name} (.*)$`, 'm').exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

const POLL = { timeout: 10_000, interval: 2 } as const;

describe('the admin server', () => {
  test('/healthz is 200 whatever happens, /readyz says why not', async () => {
    const { url, state } = await start();
    const health = await fetch(`${url}/healthz`);
    expect([health.status, await health.text()]).toEqual([200, 'ok\n']);
    const notReady = await fetch(`${url}/readyz`);
    expect(notReady.status).toBe(503);
    expect(await notReady.text()).toBe(`not ready: ${state.reason}\n`);
    state.ok = true;
    const ready = await fetch(`${url}/readyz?verbose`);
    expect([ready.status, await ready.text()]).toEqual([200, 'ready\n']);
  });

  test('other paths are 404 and other methods 405', async () => {
    const { url } = await start();
    expect((await fetch(`${url}/`)).status).toBe(404);
    const posted = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const head = await fetch(`${url}/healthz`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  test('a port in use is one clear line', async () => {
    const { admin } = await start();
    const again = startAdmin(parseListen(admin.address, 'admin'), {
      metrics: createMetrics(),
      ready: () => ({ ok: true, reason: '' }),
    });
    await expect(again).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: `cannot listen on ${admin.address}: it is in use already (choose another place with --admin)`,
    });
  });

  test('it serves on a Unix socket too', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sidetrack-test-'));
    cleanup.push(() => rm(directory, { recursive: true }));
    const path = join(directory, 'admin.sock');
    const { admin } = await start({ kind: 'unix', path });
    expect(admin.address).toBe(path);
    const status = await new Promise((resolve, reject) => {
      const asked = request({ socketPath: path, path: '/healthz' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.on('error', reject).end();
    });
    expect(status).toBe(200);
  });
});

describe('/metrics', () => {
  test('counts appear under their labels and grow from scrape to scrape', async () => {
    const { url, metrics } = await start();
    metrics.counts.forwarded += 5;
    metrics.counts.invalidationsWrite += 2;
    metrics.counts.invalidationsBlind += 1;
    metrics.counts.blindSecondsTimeout += 0.5;
    const first = await fetch(`${url}/metrics`);
    expect(first.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await first.text();
    expect(samples(text, 'commands_total')).toEqual({
      '{kind="forwarded"}': 5,
      '{kind="tracked"}': 0,
      '{kind="answered"}': 0,
    });
    expect(samples(text, 'invalidations_total')).toEqual({
      '{reason="write"}': 2,
      '{reason="flush"}': 0,
      '{reason="silent"}': 0,
      '{reason="blind"}': 1,
      '{reason="table_full"}': 0,
    });
    expect(samples(text, 'blind_seconds_total')).toMatchObject({
      '{reason="timeout"}': 0.5,
      '{reason="connection"}': 0,
    });
    metrics.counts.forwarded += 1;
    const second = await (await fetch(`${url}/metrics`)).text();
    expect(samples(second, 'commands_total')).toMatchObject({ '{kind="forwarded"}': 6 });
  });

  test('gauges are read when scraped, and are 0 until somebody names them', async () => {
    const { url, metrics } = await start();
    let clients = 3;
    metrics.observe({ clients: () => clients, sourceUp: () => true });
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(samples(text, 'clients')).toEqual({ '': 3 });
    expect(samples(text, 'source_up')).toEqual({ '': 1 });
    expect(samples(text, 'upstream_up')).toEqual({ '': 0 });
    expect(samples(text, 'tracking_table_keys')).toEqual({ '': 0 });
    clients = 4;
    expect(samples(await (await fetch(`${url}/metrics`)).text(), 'clients')).toEqual({ '': 4 });
  });

  test('process metrics stand next to them under their usual names', async () => {
    const { url } = await start();
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toContain('\nprocess_cpu_user_seconds_total ');
    expect(text).toContain('\nnodejs_heap_size_used_bytes ');
  });

  test('two proxies in one process have numbers of their own', async () => {
    const [one, two] = [createMetrics(), createMetrics()];
    one.counts.connections += 1;
    expect((await one.expose()).text).toContain('sidetrack_connections_total 1');
    expect((await two.expose()).text).toContain('sidetrack_connections_total 0');
  });
});

describe('a proxy in front of a Redis', () => {
  async function begin(overrides: Parameters<typeof startProxy>[1] = {}) {
    const redis = await startRedis();
    cleanup.push(() => redis.stop());
    const proxy = await startProxy(redis.url, overrides);
    cleanup.push(() => proxy.stop());
    const open = async (...requests: readonly string[]) => {
      const client = await RawClient.connect(proxy.target);
      cleanup.push(async () => client.close());
      await client.pipeline(requests);
      return client;
    };
    return { redis, open, metrics: proxy.metrics, read: sample.bind(undefined, proxy.metrics) };
  }

  test('tells how many keys, readers, prefixes and lanes there are', async () => {
    const { open, read } = await begin();
    await open('HELLO 3', 'CLIENT TRACKING ON', 'MGET a b');
    const second = await open('HELLO 3', 'CLIENT TRACKING ON', 'GET a');
    await open('HELLO 3', 'CLIENT TRACKING ON BCAST PREFIX x: PREFIX y:');
    expect(await read('tracking_table_keys')).toBe(2);
    expect(await read('tracking_table_readers')).toBe(3);
    expect(await read('tracking_prefixes')).toBe(2);
    expect(await read('lanes')).toBe(3);
    second.close();
    await vi.waitFor(async () => expect(await read('lanes')).toBe(2), POLL);
  });

  test('tells each delivery by its way, and how late the pushes were', async () => {
    const { open, metrics, read } = await begin();
    const told = await open('HELLO 3', 'CLIENT TRACKING ON', 'GET a');
    const watching = await open('HELLO 3', 'CLIENT TRACKING ON BCAST PREFIX a');
    const target = await open('HELLO 3');
    const id = (await target.call('CLIENT ID')).slice(1);
    await open(`CLIENT TRACKING ON REDIRECT ${id}`, 'GET a');
    await open('SET a 1');
    for (const client of [told, watching, target]) await client.sawPushes(1);
    const { counts } = metrics;
    expect([counts.deliveriesPush, counts.deliveriesBcast, counts.deliveriesRedirect]).toEqual([
      1, 1, 1,
    ]);
    await vi.waitFor(async () => {
      expect(await read('invalidation_latency_seconds_count')).toBe(3);
    }, POLL);
    const sum = await read('invalidation_latency_seconds_sum');
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThan(10);
    expect(await read('parked_invalidations')).toBe(0);
  });

  test('an upstream that sends no notifications is up, one that is gone is not', async () => {
    const { redis, metrics, read } = await begin({ notifyConfig: 'check', unready: true });
    await vi.waitFor(async () => expect(await read('upstream_up')).toBe(1), POLL);
    expect(await read('source_up')).toBe(0);
    expect(metrics.counts.upstreamErrorsNotifications).toBeGreaterThan(0);
    redis.kill();
    await vi.waitFor(async () => expect(await read('upstream_up')).toBe(0), POLL);
    expect(metrics.counts.upstreamErrorsConnection).toBeGreaterThan(0);
  });
});
