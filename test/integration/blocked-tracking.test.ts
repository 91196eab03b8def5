import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type RunningProxy, startProxy } from '../helpers/proxy.ts';
import { RawClient, type Request, type Target } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';

const INVALIDATE_K = '>["invalidate" *["k"]]';
const LOGIN = 'AUTH app pw';
/** What some managed services do not let anybody use. */
const BLOCKED = ['tracking', 'trackinginfo', 'getredir', 'caching'] as const;
const RIGHTS = `on >pw ~* &* +@all ${BLOCKED.map((name) => `-client|${name}`).join(' ')}`;

/** How long what must come may take, in milliseconds. */
const POLL = { timeout: 10_000, interval: 2 } as const;

/** Ends what a block of tests has opened, the last one first. */
class Opened {
  readonly #ends: (() => unknown)[] = [];

  async redis(args: readonly string[]): Promise<RedisProcess> {
    const redis = await startRedis({ tcp: true, args });
    this.#ends.push(() => redis.stop());
    return redis;
  }

  async proxy(upstream: string, unready = false): Promise<RunningProxy> {
    const proxy = await startProxy(upstream, { unready });
    this.#ends.push(() => proxy.stop());
    return proxy;
  }

  async client(target: Target, ...requests: readonly Request[]): Promise<RawClient> {
    const client = await RawClient.connect(target);
    this.#ends.push(() => client.close());
    for (const answer of await client.pipeline(requests)) {
      if (answer.startsWith('-')) throw new Error(answer);
    }
    return client;
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }
}

describe('an upstream that lets nobody track', () => {
  const opened = new Opened();
  let redis: RedisProcess;
  let proxy: RunningProxy;
  let writer: RawClient;

  beforeAll(async () => {
    redis = await opened.redis(['--requirepass', 'root']);
    const port = redis.port as number;
    writer = await opened.client({ port }, 'AUTH root', `ACL SETUSER app reset ${RIGHTS}`);
    proxy = await opened.proxy(`redis://app:pw@127.0.0.1:${port}`);
  });

  afterAll(() => opened.end());

  /** @returns a client that is logged in as the proxy is */
  function reader(...requests: readonly Request[]): Promise<RawClient> {
    return opened.client(proxy.target, LOGIN, 'HELLO 3', ...requests);
  }

  /** Has `client` told of a key that it reads: all that was to come before has come then. */
  async function pushesUpToNow(client: RawClient, ...enable: readonly Request[]) {
    await client.pipeline([...enable, 'GET last']);
    await writer.call('SET last 1');
    const last = '>["invalidate" *["last"]]';
    await client.until(() => client.pushes.includes(last), last);
    return client.pushes.slice(0, client.pushes.indexOf(last));
  }

  test('refuses every one of the subcommands itself', async () => {
    const direct = await opened.client({ port: redis.port as number }, LOGIN);
    for (const name of BLOCKED) {
      const answer = await direct.call(
        `CLIENT ${name} ${name.startsWith('t') ? '' : 'YES'}`.trim(),
      );
      expect(answer).toMatch(/^-(NOPERM|ERR wrong number)/);
    }
    expect(await direct.call('CLIENT TRACKING ON')).toBe(
      "-NOPERM this user has no permissions to run the 'client|tracking' command",
    );
  });

  test('tracks by default what is read, once', async () => {
    const client = await reader('CLIENT TRACKING ON', 'GET k');
    await writer.pipeline(['SET k 1', 'SET k 2', 'SET other 1']);
    expect(await client.sawPushes(1)).toEqual([INVALIDATE_K]);
    expect(await pushesUpToNow(client)).toEqual([INVALIDATE_K]);
    expect(await client.call('CLIENT TRACKING OFF')).toBe('+OK');
  });

  test('tracks in RESP2 through a client that is redirected to', async () => {
    const listener = await opened.client(proxy.target, LOGIN);
    const id = (await listener.call('CLIENT ID')).slice(1);
    await listener.call('SUBSCRIBE __redis__:invalidate');
    const client = await opened.client(
      proxy.target,
      LOGIN,
      `CLIENT TRACKING ON REDIRECT ${id}`,
      'GET k',
    );
    expect(await client.call('CLIENT GETREDIR')).toBe(`:${id}`);
    await writer.call('SET k 1');
    expect(await listener.sawPushes(1)).toEqual(['*["message" "__redis__:invalidate" *["k"]]']);
    expect(await client.call('CLIENT TRACKING ON REDIRECT 999999')).toBe(
      '-ERR The client ID you want redirect to does not exist',
    );
    expect(client.pushes).toEqual([]);
  });

  test('OPTIN: only reads behind CLIENT CACHING YES are tracked', async () => {
    const client = await reader('CLIENT TRACKING ON OPTIN', 'GET unread');
    await client.pipeline(['CLIENT CACHING YES', 'GET k', 'GET unread']);
    await writer.pipeline(['SET unread 1', 'SET k 1']);
    expect(await pushesUpToNow(client, 'CLIENT CACHING YES')).toEqual([INVALIDATE_K]);
    expect(await client.call('CLIENT CACHING NO')).toMatch(/^-ERR CLIENT CACHING NO is only valid/);
    expect(await client.call('CLIENT CACHING maybe')).toBe('-ERR syntax error');
  });

  test('OPTOUT: a read behind CLIENT CACHING NO is not tracked', async () => {
    const client = await reader('CLIENT TRACKING ON OPTOUT');
    await client.pipeline(['CLIENT CACHING NO', 'GET unread', 'GET k']);
    await writer.pipeline(['SET unread 1', 'SET k 1']);
    expect(await pushesUpToNow(client)).toEqual([INVALIDATE_K]);
  });

  test('BCAST: whatever begins with a prefix is told, and nothing else', async () => {
    const client = await reader('CLIENT TRACKING ON BCAST PREFIX a: PREFIX b:');
    await writer.pipeline(['SET a:1 1', 'SET c:1 1']);
    await client.sawPushes(1);
    await writer.call('SET b:1 1');
    expect(await client.sawPushes(2)).toEqual([
      '>["invalidate" *["a:1"]]',
      '>["invalidate" *["b:1"]]',
    ]);
    expect(await client.call('CLIENT TRACKING ON BCAST PREFIX a:1')).toMatch(
      /^-ERR Prefix 'a:1' overlaps with an existing prefix 'a:'/,
    );
  });

  test('NOLOOP: its own writes are not told, those of others are', async () => {
    const client = await reader('CLIENT TRACKING ON NOLOOP');
    await client.pipeline(['GET k', 'SET k own', 'GET k']);
    await writer.call('SET k theirs');
    expect(await client.sawPushes(1)).toEqual([INVALIDATE_K]);
    expect(await pushesUpToNow(client)).toEqual([INVALIDATE_K]);
  });

  test('TRACKINGINFO and GETREDIR tell what is set', async () => {
    const client = await reader();
    const said = await client.pipeline([
      'CLIENT TRACKINGINFO',
      'CLIENT GETREDIR',
      'CLIENT TRACKING ON OPTIN NOLOOP',
      'CLIENT CACHING YES',
      'CLIENT TRACKINGINFO',
      'CLIENT GETREDIR',
    ]);
    expect(said).toEqual([
      '%["flags" ~["off"] "redirect" :-1 "prefixes" *[]]',
      ':-1',
      '+OK',
      '+OK',
      '%["flags" ~["on" "optin" "caching-yes" "noloop"] "redirect" :0 "prefixes" *[]]',
      ':0',
    ]);
  });

  test('all of them work in a transaction', async () => {
    const client = await reader();
    const said = await client.pipeline([
      'MULTI',
      'CLIENT TRACKING ON OPTIN',
      'CLIENT CACHING YES',
      'CLIENT GETREDIR',
      'GET k',
      'EXEC',
    ]);
    expect(said.slice(0, 5)).toEqual(['+OK', ...new Array(4).fill('+QUEUED')]);
    expect(said[5]).toMatch(/^\*\[\+OK \+OK :0 /);
    await writer.call('SET k 1');
    expect(await client.sawPushes(1)).toEqual([INVALIDATE_K]);
  });

  test('and a discarded transaction has set nothing', async () => {
    const client = await reader('MULTI', 'CLIENT TRACKING ON', 'DISCARD');
    expect(await client.call('CLIENT GETREDIR')).toBe(':-1');
  });

  const WRONG = [
    ['CLIENT TRACKING', 'tracking'],
    ['CLIENT TRACKINGINFO x', 'trackinginfo'],
    ['CLIENT GETREDIR x', 'getredir'],
    ['CLIENT CACHING', 'caching'],
    ['CLIENT CACHING YES x', 'caching'],
  ] as const;

  test.for(WRONG)('%s has a wrong number of words, in MULTI too', async ([words, name]) => {
    const text = `-ERR wrong number of arguments for 'client|${name}' command`;
    const client = await reader();
    expect(await client.pipeline([words, 'MULTI', words, 'EXEC'])).toEqual([
      text,
      '+OK',
      text,
      '-EXECABORT Transaction discarded because of previous errors.',
    ]);
  });

  test('before AUTH everything is refused, and has done nothing', async () => {
    const client = await opened.client(proxy.target);
    const refused = ['TRACKING ON', 'TRACKINGINFO', 'GETREDIR', 'CACHING YES'];
    const said = await client.pipeline(refused.map((words) => `CLIENT ${words}`));
    expect(said).toEqual(refused.map(() => '-NOAUTH Authentication required.'));
    expect(await client.pipeline([LOGIN, 'CLIENT GETREDIR'])).toEqual(['+OK', ':-1']);
  });

  test('a user who may not even ask for a name is refused by the name of what was sent', async () => {
    await writer.call('ACL SETUSER few reset on >pw ~* +get');
    const client = await opened.client(proxy.target, 'AUTH few pw');
    for (const [words, name] of [
      ['TRACKING ON', 'tracking'],
      ['CACHING YES', 'caching'],
      ['GETREDIR', 'getredir'],
    ]) {
      expect(await client.call(`CLIENT ${words}`)).toBe(
        `-NOPERM this user has no permissions to run the 'client|${name}' command`,
      );
    }
  });

  test('nobody has tracked at the upstream for all that', async () => {
    expect(await writer.call('INFO clients')).toContain('tracking_clients:0');
    expect(proxy.failures).toEqual([]);
    expect(proxy.log.filter(({ level }) => level >= 50)).toEqual([]);
  });
});

describe('an upstream without CONFIG', () => {
  const opened = new Opened();
  const RENAMED = ['--rename-command', 'CONFIG', ''];

  afterAll(() => opened.end());

  test('whose notifications are on is proven by a key, and served', async () => {
    const redis = await opened.redis([...RENAMED, '--notify-keyspace-events', 'KA']);
    const direct = await opened.client({ port: redis.port as number });
    expect(await direct.call('CONFIG GET x')).toMatch(/^-ERR unknown command/);
    const proxy = await opened.proxy(redis.url);
    expect(proxy.ready).toEqual({ ok: true, reason: '' });
    // The key is gone by itself within a second, or is there yet, alone.
    expect(await direct.call('KEYS *')).toMatch(/^\*\[("sidetrack:probe:[0-9a-f]+")?\]$/);
    const client = await opened.client(proxy.target, 'HELLO 3', 'CLIENT TRACKING ON', 'GET k');
    await direct.call('SET k 1');
    expect(await client.sawPushes(1)).toEqual([INVALIDATE_K]);
    const setting = 'tracking-table-max-keys';
    expect(await client.call(`CONFIG GET ${setting}`)).toBe(`%["${setting}" "1000000"]`);
    expect(await client.call(`CONFIG SET ${setting} 5`)).toBe('+OK');
    expect(await client.call(`CONFIG GET ${setting}`)).toBe(`%["${setting}" "5"]`);
    expect(await client.call('CONFIG GET maxmemory')).toMatch(/^-ERR unknown command/);
  });

  test.for([
    { what: 'off', flags: '' },
    { what: 'of another kind', flags: 'EA' },
  ])('whose notifications are $what is not served; it is said what to set', async ({ flags }) => {
    const redis = await opened.redis([...RENAMED, '--notify-keyspace-events', flags]);
    const proxy = await opened.proxy(redis.url, true);
    await vi.waitFor(() => expect(proxy.ready.reason).toContain('announced'), POLL);
    expect(proxy.ready.ok).toBe(false);
    expect(proxy.ready.reason).toContain('notify-keyspace-events must hold KA');
    expect(proxy.ready.reason).toContain('CONFIG SET notify-keyspace-events KA');
    const client = await opened.client(proxy.target, 'PING');
    expect(await client.call('SET k 1')).toBe('+OK');
  });
});
