import { describe, expect, vi } from 'vitest';
import { test as base } from '../helpers/fixtures.ts';
import { type RunningProxy, startProxy } from '../helpers/proxy.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';

/** How long a replica may take to be in step: it asks its master once a second. */
const POLL = { timeout: 20_000, interval: 20 } as const;

interface Chain {
  readonly master: RedisProcess;
  readonly proxy: RunningProxy;
  /** Speaks to the master, past the proxy. */
  readonly direct: RawClient;
  /** Connects a client, which ends with the test. */
  client(port: number): Promise<RawClient>;
}

const test = base.extend<{ chain: Chain }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads a fixture's needs from its pattern
  chain: async ({}, use) => {
    const args = ['--repl-diskless-sync-delay', '0'];
    const master = await startRedis({ tcp: true, args });
    const proxy = await startProxy(master.url);
    const clients: RawClient[] = [];
    const client = async (port: number) => {
      const one = await RawClient.connect({ port });
      clients.push(one);
      return one;
    };
    await use({ master, proxy, client, direct: await client(master.port as number) });
    for (const one of clients) one.close();
    await proxy.stop();
    await master.stop();
  },
});

function portOf(proxy: RunningProxy): number {
  if (!('port' in proxy.target)) throw new Error('the proxy listens on a Unix socket');
  return proxy.target.port;
}

describe('a replica whose master is the proxy', () => {
  test.for(['yes', 'no'])(
    'is in step, and hears of writes (diskless: %s)',
    async (diskless, { chain }) => {
      const { direct, proxy } = chain;
      await direct.call(['CONFIG', 'SET', 'repl-diskless-sync', diskless]);
      await direct.call('SET before 1');
      await direct.call(['SET', 'large', 'x'.repeat(5_000_000)]);
      const replica = await startRedis({
        tcp: true,
        args: ['--replicaof', '127.0.0.1', String(portOf(proxy))],
      });
      try {
        const reader = await chain.client(replica.port as number);
        await vi.waitFor(async () => {
          expect(await reader.call('INFO replication')).toContain('master_link_status:up');
        }, POLL);
        const writer = await chain.client(portOf(proxy));
        await writer.call(['SET', 'after', 'a\r\n\x00']);
        for (const [key, value] of [
          ['before', '"1"'],
          ['after', '"a\\x0d\\x0a\\x00"'],
        ] as const) {
          await vi.waitFor(async () => expect(await reader.call(['GET', key])).toBe(value), POLL);
        }
        expect(await reader.call('STRLEN large')).toBe(':5000000');
        // What the replica says of itself arrives too: it acknowledges all that it was sent.
        await vi.waitFor(async () => {
          const info = await direct.call('INFO replication');
          expect(info).toMatch(/slave0:.*state=online,offset=(\d+),lag=\d/);
          expect(await direct.call('WAIT 1 0')).toBe(':1');
        }, POLL);
        expect(proxy.log.filter(({ level }) => level >= 40)).toEqual([]);
      } finally {
        await replica.stop();
      }
    },
  );
});

describe('a refused PSYNC leaves an ordinary connection', () => {
  test('when the user may not', async ({ chain }) => {
    await chain.direct.call('ACL SETUSER modest on nopass ~* +@all -psync -sync');
    const client = await chain.client(portOf(chain.proxy));
    const answers = await client.pipeline([
      'AUTH modest x',
      'PSYNC ? -1',
      'SYNC',
      'HELLO 3',
      'CLIENT TRACKING ON',
      'GET k',
    ]);
    const refusal = (name: string) =>
      `-NOPERM this user has no permissions to run the '${name}' command`;
    expect(answers.slice(0, 3)).toEqual(['+OK', refusal('psync'), refusal('sync')]);
    expect(answers.slice(4)).toEqual(['+OK', '_']);
    await chain.direct.call('SET k 1');
    expect(await client.sawPushes(1)).toEqual(['>["invalidate" *["k"]]']);
  });

  test.for(['PSYNC ? x', 'PSYNC', 'SYNC x'])(
    'when its words are wrong: %s',
    async (request, { chain }) => {
      const client = await chain.client(portOf(chain.proxy));
      const direct = await chain.client(chain.master.port as number);
      expect(await client.call(request)).toBe(await direct.call(request));
      expect(await client.pipeline(['ECHO a', 'ECHO b'])).toEqual(['"a"', '"b"']);
    },
  );
});
