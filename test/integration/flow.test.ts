import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, vi } from 'vitest';
import { type ChildProxy, startChildProxy } from '../helpers/child-proxy.ts';
import { cutAtRandom, seeded } from '../helpers/differential.ts';
import { test as base } from '../helpers/fixtures.ts';
import { digestOf, growthDuring, largeValue, receiveLarge, sendLarge } from '../helpers/large.ts';
import { encode, RawClient, type Request } from '../helpers/raw-client.ts';

const POLL = { timeout: 20_000, interval: 5 } as const;
const SEED = 20_263;
const MEBIBYTE = 1_048_576;

/** How much the memory of the proxy may grow, whatever flows through it. */
const GROWTH_MAX_BYTES = 64 * MEBIBYTE;

const LARGE_BYTES = 200 * MEBIBYTE;

/** The largest value that Redis takes: the default of `proto-max-bulk-len`. */
const LARGEST_BYTES = 512 * MEBIBYTE;
/** How long it may take both ways, in milliseconds: 4 s on two cores, and more on busy ones. */
const LARGEST_DEADLINE_MS = 90_000;
const LARGEST_DIGEST = digestOf(largeValue(LARGEST_BYTES));

const test = base.extend<{ child: ChildProxy; wire: () => Promise<Socket> }>({
  child: async ({ redis }, use) => {
    const child = await startChildProxy(redis.url);
    await use(child);
    await child.stop();
  },
  // A bare connection to `child`: nothing keeps what it receives.
  wire: async ({ child }, use) => {
    const sockets: Socket[] = [];
    await use(async () => {
      if (!('port' in child.target)) throw new Error('the proxy listens on a Unix socket');
      const socket = connect({ host: '127.0.0.1', port: child.target.port });
      sockets.push(socket);
      socket.on('error', () => {}); // 'close' follows
      await once(socket, 'connect');
      return socket;
    });
    for (const socket of sockets) socket.destroy();
  },
});

/** Sends it in many pieces. @returns all that came back to it */
async function talk(client: RawClient, bytes: Buffer, frames: number): Promise<string> {
  const before = { frames: client.frames.length, bytes: client.bytes.length };
  for (const piece of cutAtRandom(bytes, 200, seeded(SEED))) {
    client.send(piece);
    await nextTurn();
  }
  await client.sawFrames(before.frames + frames);
  return client.bytes.subarray(before.bytes).toString('latin1');
}

const DEEP = 10_000;

/** @returns what `k-<n % 100>` holds */
const storedAt = (n: number) => String(10 + ((n % 100) % 90));

/** A pipeline and its answers, each of which differs from the one before it. */
function deepPipeline(): { readonly requests: Buffer; readonly answers: string } {
  const pairs = Array.from({ length: DEEP }, (_, n): readonly [Request, string] => {
    const value = `value-${n}`;
    if (n % 7 === 3) return [['GET', `none-${n}`], '$-1\r\n'];
    if (n % 7 === 5)
      return [['MGET', `k-${n % 100}`, 'none'], `*2\r\n$2\r\n${storedAt(n)}\r\n$-1\r\n`];
    if (n % 11 === 0) return [['CLIENT', 'NOSUCH', value], NO_SUCH];
    if (n % 2 === 0) return [['GET', `k-${n % 100}`], `$2\r\n${storedAt(n)}\r\n`];
    return [['ECHO', value], `$${value.length}\r\n${value}\r\n`];
  });
  return {
    requests: Buffer.concat(pairs.map(([request]) => encode(request))),
    answers: pairs.map(([, answer]) => answer).join(''),
  };
}

const NO_SUCH = "-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.\r\n";

describe(`a pipeline of ${DEEP} requests, cut by seed ${SEED}`, () => {
  test.for(['OFF', 'ON', 'ON OPTIN', 'ON OPTOUT', 'ON NOLOOP', 'ON BCAST PREFIX x'])(
    'has every answer in its place, tracking %s',
    async (tracking, { open, fence, proxy }) => {
      const values = Array.from({ length: 100 }, (_, n) => [`k-${n}`, storedAt(n)]);
      await open('redis', ['MSET', ...values.flat()]);
      await fence.pass();
      const client = await open('proxy', `CLIENT TRACKING ${tracking}`);
      const { requests, answers } = deepPipeline();
      const said = await talk(client, requests, DEEP);
      expect(said === answers).toBe(true);
      expect(proxy.log.filter(({ level }) => level >= 40)).toEqual([]);
    },
  );
});

const CACHED = 1_000;
const names = Array.from({ length: CACHED }, (_, n) => `name-${n}`);

describe('what caching clients send, deep in one write', () => {
  /** Each is a request, and its answer in RESP3. */
  const SEQUENCES = {
    rueidis: [
      ['CLIENT CACHING YES', '+OK'],
      ['MULTI', '+OK'],
      ['PTTL <key>', '+QUEUED'],
      ['GET <key>', '+QUEUED'],
      ['EXEC', '*[:-1 "<key>!"]'],
    ],
    'redis-rs': [
      ['CLIENT CACHING YES', '+OK'],
      ['PTTL <key>', ':-1'],
      ['GET <key>', '"<key>!"'],
    ],
  } as const;

  test.for(
    (['native', 'proxy'] as const).flatMap((via) =>
      (['rueidis', 'redis-rs'] as const).map((library) => ({ via, library })),
    ),
  )(
    '$library on $via: answers are right, keys tracked once',
    async ({ via, library }, { open, fence }) => {
      const direct = await open(via === 'proxy' ? 'redis' : 'native', [
        'MSET',
        ...names.flatMap((name) => [name, `${name}!`]),
      ]);
      await fence.pass();
      const client = await open(via, 'HELLO 3', 'CLIENT TRACKING ON OPTIN');
      const filled = (text: string, name: string) => text.replaceAll('<key>', name);
      const said = names.flatMap((name) =>
        SEQUENCES[library].map((pair) => pair.map((text) => filled(text, name))),
      );
      const answers = await client.pipeline(said.map(([request]) => request ?? ''));
      expect(answers).toEqual(said.map(([, answer]) => answer));

      await direct.pipeline(names.map((name) => `SET ${name} 1`));
      await client.sawPushes(CACHED);
      await direct.pipeline(names.map((name) => `SET ${name} 2`));
      await fence.pass(client);
      const told = names.map((name) => `>["invalidate" *["${name}"]]`);
      expect([...client.pushes].sort()).toEqual(told.sort());
    },
  );

  test.for(['', ' OPTOUT', ' NOLOOP', ' BCAST PREFIX name-', ' OPTOUT NOLOOP'])(
    'Lettuce: CLIENT TRACKING ON%s, then GET',
    async (options, { open, fence }) => {
      const direct = await open('redis', ['MSET', ...names.flatMap((name) => [name, 'v'])]);
      await fence.pass();
      const client = await open('proxy', 'HELLO 3');
      const gets = names.map((name) => `GET ${name}`);
      const answers = await client.pipeline([`CLIENT TRACKING ON${options}`, ...gets]);
      expect(answers).toEqual(['+OK', ...gets.map(() => '"v"')]);
      await direct.pipeline(names.map((name) => `SET ${name} 1`));
      await fence.pass(client);
      const keys = client.pushes.flatMap((push) => push.match(/name-\d+/g) ?? []);
      expect(keys.sort()).toEqual([...names].sort());
    },
  );
});

describe('a value of 512 MiB', () => {
  test.for(['OFF', 'ON', 'ON NOLOOP', 'ON BCAST PREFIX x'])(
    'goes both ways in bounded memory, tracking %s',
    { timeout: LARGEST_DEADLINE_MS },
    async (tracking, { child, wire }) => {
      const socket = await wire();
      socket.write(`HELLO 3\r\nCLIENT TRACKING ${tracking}\r\nECHO ready\r\n`);
      await vi.waitFor(() => expect(String(socket.read())).toContain('ready'), POLL);
      const growth = await growthDuring(child, async () => {
        const head = `*3\r\n$3\r\nSET\r\n$5\r\nlarge\r\n$${LARGEST_BYTES}\r\n`;
        await sendLarge(socket, head, LARGEST_BYTES, '\r\nGET large\r\n');
        const wanted = `+OK\r\n$${LARGEST_BYTES}\r\n`;
        const { head: said, digest } = await receiveLarge(socket, wanted.length, LARGEST_BYTES);
        expect([said, digest]).toEqual([wanted, LARGEST_DIGEST]);
      });
      expect(growth).toBeLessThan(GROWTH_MAX_BYTES);
    },
  );
});

describe('what is not read waits', () => {
  test('upstream: replies to a client that does not read', async ({ child, wire, open }) => {
    const count = 8;
    const bytes = 25 * MEBIBYTE;
    await open('redis', ['SET', 'large', Buffer.concat([...largeValue(bytes)])]);
    const [slow, other] = [await wire(), await RawClient.connect(child.target)];
    const growth = await growthDuring(child, async () => {
      slow.pause();
      slow.write('GET large\r\n'.repeat(count));
      for (let n = 0; n < 2_000; n++) expect(await other.call(`ECHO ${n}`)).toBe(`"${n}"`);
      const head = `$${bytes}\r\n`;
      const digest = digestOf(largeValue(bytes));
      for (let n = 0; n < count; n++) {
        const wanted = n === 0 ? head : `\r\n${head}`;
        expect(await receiveLarge(slow, wanted.length, bytes)).toEqual({ head: wanted, digest });
      }
    });
    other.close();
    expect(growth).toBeLessThan(GROWTH_MAX_BYTES);
  });

  test('with the client: requests to an upstream that does not read', async ({
    child,
    wire,
    redis,
  }) => {
    const busy = await wire();
    const growth = await growthDuring(child, async () => {
      redis.kill('SIGSTOP');
      let taken = false;
      const head = `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${LARGE_BYTES}\r\n`;
      const sent = sendLarge(busy, head, LARGE_BYTES, '\r\nSTRLEN k\r\n').then(() => {
        taken = true;
      });
      await vi.waitFor(async () => expect(await child.metric('source_up')).toBe(0), POLL);
      expect(taken).toBe(false);
      redis.kill('SIGCONT');
      const wanted = `+OK\r\n:${LARGE_BYTES}\r\n`;
      expect((await receiveLarge(busy, wanted.length, 0)).head).toBe(wanted);
      await sent;
    });
    expect(growth).toBeLessThan(GROWTH_MAX_BYTES);
  });

  test('with nobody: a client that never reads its invalidations is told at last that all has changed', async ({
    child,
    wire,
    open,
  }) => {
    const [deaf, other] = [await wire(), await wire()];
    for (const socket of [deaf, other]) {
      socket.write('HELLO 3\r\nCLIENT TRACKING ON BCAST PREFIX deaf:\r\nECHO ready\r\n');
      await vi.waitFor(() => expect(String(socket.read())).toContain('ready'), POLL);
    }
    const direct = await open('redis');
    const rest = 'x'.repeat(256 * 1_024);
    const growth = await growthDuring(child, async () => {
      for (let n = 100; n < 700; n++) {
        const key = `deaf:${n}-${rest}`;
        await direct.call(['SET', key, '1']);
        const wanted = `>2\r\n$10\r\ninvalidate\r\n*1\r\n$${key.length}\r\ndeaf:${n}-`;
        const { head } = await receiveLarge(other, wanted.length, rest.length + '\r\n'.length);
        expect(head).toBe(wanted);
      }
      expect(await child.metric('collapsed_invalidations_total')).toBeGreaterThan(0);
    });
    expect(growth).toBeLessThan(GROWTH_MAX_BYTES);
    expect(await child.metric('clients')).toBe(2);
    // Whoever reads at last learns that everything has to be dropped.
    let heard = '';
    await vi.waitFor(() => {
      heard = (heard + String(deaf.read() ?? '')).slice(-100);
      expect(heard.endsWith('>2\r\n$10\r\ninvalidate\r\n_\r\n')).toBe(true);
    }, POLL);
  });

  test('with nobody, though a million keys change', async ({ child, wire, open }) => {
    const [deaf, other] = [await wire(), await wire()];
    for (const socket of [deaf, other]) {
      socket.write('HELLO 3\r\nCLIENT TRACKING ON BCAST PREFIX many:\r\nECHO ready\r\n');
      await vi.waitFor(() => expect(String(socket.read())).toContain('ready'), POLL);
    }
    const direct = await open('redis');
    // Names so long that all of them together are more than what sockets of the system may hold.
    const script = "for i = 1, 50000 do redis.call('set', 'many:' .. KEYS[1] .. i, 1) end";
    const filler = 'x'.repeat(80);
    const collapsedBefore = await child.metric('collapsed_invalidations_total');
    const growth = await growthDuring(child, async () => {
      for (let round = 1; round <= 20; round++) {
        await direct.call(['EVAL', script, '1', `${round}:${filler}`]);
        let heard = '';
        await vi.waitFor(async () => {
          // Until it is heard of: one that reads too slowly is told that all has changed, by no name.
          await direct.call(['SET', `many:end ${round}`, '1']);
          heard = (heard + String(other.read() ?? '')).slice(-1_000);
          expect(heard).toContain(`many:end ${round}`);
        }, POLL);
      }
    });
    expect(growth).toBeLessThan(GROWTH_MAX_BYTES);
    expect(await child.metric('collapsed_invalidations_total')).toBeGreaterThan(collapsedBefore);
    expect(deaf.destroyed).toBe(false);
    let told = '';
    await vi.waitFor(() => {
      told = (told + String(deaf.read() ?? '')).slice(-100);
      expect(told.endsWith('>2\r\n$10\r\ninvalidate\r\n_\r\n')).toBe(true);
    }, POLL);
  }, 60_000);
});
