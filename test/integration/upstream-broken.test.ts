import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, vi } from 'vitest';
import { test as base, targetOf } from '../helpers/fixtures.ts';
import { Hop, type Passage } from '../helpers/hop.ts';
import { blindSpellsOf, type RunningProxy, startProxy } from '../helpers/proxy.ts';
import { RawClient } from '../helpers/raw-client.ts';

const POLL = { timeout: 10_000, interval: 2 } as const;
const WARN = 40;

/** A proxy, a client of it, and the stretch before the client's Redis, in which bytes can be forged. */
interface Forged {
  readonly proxy: RunningProxy;
  readonly hop: Hop;
  readonly client: RawClient;
  readonly lane: Passage;
  /** Another client, which has nothing to do with it, and tracks `k`. */
  readonly other: RawClient;
  /** @returns what was logged as a warning or worse, by its code */
  warnings(): readonly unknown[];
}

const test = base.extend<{ forged: Forged }>({
  forged: async ({ redis }, use) => {
    const hop = await Hop.open(targetOf(redis));
    const proxy = await startProxy(hop.url);
    const from = proxy.log.length;
    const client = await RawClient.connect(proxy.target);
    await client.call('CLIENT SETNAME victim');
    const other = await RawClient.connect(proxy.target);
    await other.pipeline(['HELLO 3', 'CLIENT TRACKING ON', 'GET k']);
    await use({
      proxy,
      hop,
      client,
      lane: hop.of('victim'),
      other,
      warnings: () =>
        proxy.log
          .slice(from)
          .filter(({ level }) => level >= WARN)
          .map(({ code }) => code),
    });
    client.close();
    other.close();
    await proxy.stop();
    await hop.close();
  },
});

/** The other client, and a new one, notice nothing. */
async function expectOthersServed({ proxy, other }: Forged, direct: RawClient): Promise<void> {
  expect(await other.call('PING')).toBe('+PONG');
  const from = other.pushes.length;
  await other.call('GET k');
  await direct.call('INCR k');
  await other.sawPushes(from + 1);
  const fresh = await RawClient.connect(proxy.target);
  expect(await fresh.call('PING')).toBe('+PONG');
  fresh.close();
  expect(proxy.ready.ok).toBe(true);
  expect(blindSpellsOf(proxy)).toBe(0);
}

const GARBAGE = [
  ['no type byte', 'garbage\r\n', 'FRAME_BAD_TYPE'],
  ['a bare line end', '\r\n', 'FRAME_BAD_TYPE'],
  ['a length that is no number', '$x\r\n', 'FRAME_BAD_LENGTH'],
  ['a negative length', '*-2\r\n', 'FRAME_BAD_LENGTH'],
  ['a streamed string', '$?\r\n', 'FRAME_BAD_LENGTH'],
  ['no line end behind a body', '$2\r\nabXX', 'FRAME_NO_CRLF'],
  ['a bad element', '*2\r\n:1\r\nx\r\n', 'FRAME_BAD_TYPE'],
] as const;

describe('garbage from upstream ends that client and no other', () => {
  test.for(GARBAGE)('%s', async ([, bytes, code], { forged, open }) => {
    const { client, lane, proxy } = forged;
    lane.pause('down');
    client.send('PING\r\n');
    for (const byte of bytes) lane.inject('down', byte);
    await client.expectClose();
    expect(client.answers.slice(1)).toEqual([]);
    expect(forged.warnings()).toEqual([code]);
    expect(proxy.metrics.counts.upstreamProtocolErrors).toBe(1);
    expect(proxy.metrics.counts.lanesOutOfSync).toBe(0);
    await expectOthersServed(forged, await open('redis'));
  });

  test('good replies before it, in one piece with it, still reach the client', async ({
    forged,
  }) => {
    const { client, lane } = forged;
    lane.pause('down');
    client.send('PING\r\nPING\r\nPING\r\n');
    await vi.waitFor(() => expect(lane.heldBytes('down')).toBe(21), POLL);
    lane.inject('down', '+PONG\r\n+PONG\r\ngarbage\r\n');
    await client.expectClose();
    expect(client.answers).toEqual(['+OK', '+PONG', '+PONG']);
  });
});

describe('a reply that nothing asked for', () => {
  test.for(['+OK\r\n', ':1\r\n', '$3\r\nfoo\r\n', '*1\r\n:1\r\n', '$-1\r\n'])(
    '%j ends that client and no other',
    async (bytes, { forged, open }) => {
      const { client, lane, proxy } = forged;
      lane.inject('down', bytes);
      expect(await client.expectClose()).toBe('+OK\r\n');
      expect(forged.warnings()).toEqual(['LANE_OUT_OF_SYNC']);
      expect(proxy.metrics.counts.lanesOutOfSync).toBe(1);
      expect(proxy.metrics.counts.upstreamProtocolErrors).toBe(0);
      await expectOthersServed(forged, await open('redis'));
    },
  );

  test('an error is passed on: servers say why they close', async ({ forged, open }) => {
    const { client, lane } = forged;
    lane.inject('down', '-ERR going away\r\n');
    await client.sawBytes('-ERR going away\r\n');
    lane.cut();
    expect(await client.expectClose()).toBe('+OK\r\n-ERR going away\r\n');
    expect(forged.warnings()).toEqual([]);
    await expectOthersServed(forged, await open('redis'));
  });
});

describe('a connection that ends', () => {
  test('inside a reply: the client has what had come, and is closed', async ({ forged, open }) => {
    const { client, lane } = forged;
    lane.pause('down');
    client.send('GET k\r\nGET k\r\n');
    lane.inject('down', '$3\r\nabc\r\n$10\r\nabc');
    await client.sawBytes('$10\r\nabc');
    lane.cut();
    expect(await client.expectClose()).toBe('+OK\r\n$3\r\nabc\r\n$10\r\nabc');
    expect(forged.warnings()).toEqual([]);
    await expectOthersServed(forged, await open('redis'));
  });

  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads a fixture's needs from its pattern
  test('behind a long reply: a client that is slow to read gets all of it', async ({}) => {
    const body = Buffer.alloc(8 * 1_024 * 1_024, 'v');
    const reply = Buffer.concat([Buffer.from(`$${body.length}\r\n`), body, Buffer.from('\r\n')]);
    const server = await upstreamThatEndsAfter('GET', reply);
    const proxy = await startProxy(server.url, { unready: true });
    const client = await RawClient.connect(proxy.target);
    client.socket.pause();
    client.send('GET k\r\n');
    await server.said;
    client.socket.resume();
    await client.expectClose();
    expect(client.bytes.equals(reply)).toBe(true);
    client.close();
    await proxy.stop();
    server.stop();
  });
});

test('garbage where changes are heard is a blind spell, and no reason to give up', async ({
  forged,
}) => {
  const { hop, other, client, proxy } = forged;
  hop.of('PSUBSCRIBE').inject('down', 'garbage\r\n');
  const all = '>["invalidate" _]';
  expect(await other.sawPushes(2)).toEqual([all, all]);
  await proxy.becomes('ready');
  expect(proxy.failures).toEqual([]);
  expect(await client.call('PING')).toBe('+PONG');
});

/** A server that answers CLIENT ID, and `word` with a reply behind which it ends the connection. */
async function upstreamThatEndsAfter(word: string, reply: Buffer) {
  const sockets = new Set<Socket>();
  let said = () => {};
  const done = new Promise<void>((resolve) => {
    said = resolve;
  });
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      if (bytes.includes('ID\r\n')) socket.write(':1\r\n');
      if (!bytes.includes(word)) return;
      socket.end(reply);
      said();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { url: `redis://127.0.0.1:${port}`, said: done, stop };
}
