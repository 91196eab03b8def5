import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, vi } from 'vitest';
import { type ChildProxy, startChildProxy } from '../helpers/child-proxy.ts';
import { seeded } from '../helpers/differential.ts';
import { test as base } from '../helpers/fixtures.ts';
import type { RawClient } from '../helpers/raw-client.ts';

const POLL = { timeout: 20_000, interval: 50 } as const;
const SEED = 20_264;

const test = base.extend<{ child: ChildProxy }>({
  child: async ({ redis }, use) => {
    const child = await startChildProxy(redis.url);
    await use(child);
    await child.stop();
  },
});

/** How many clients come and go, and how many of them at once. */
const CLIENTS = 2_000;
const AT_ONCE = 50;

const VALUE = `$100000\r\n${'v'.repeat(100_000)}\r\n`;

/** What clients say, and are answered. */
const ANSWERED: readonly string[] = [
  'PING\r\n',
  'HELLO 3\r\nCLIENT TRACKING ON\r\nGET k\r\nGET l\r\n',
  'HELLO 3\r\nCLIENT TRACKING ON BCAST PREFIX k\r\n',
  'HELLO 3\r\nCLIENT TRACKING ON NOLOOP\r\nSET k 1\r\nGET k\r\n',
  'HELLO 3\r\nCLIENT TRACKING ON OPTIN\r\nCLIENT CACHING YES\r\n',
  'CLIENT TRACKING ON\r\nMULTI\r\nGET k\r\n',
  'WATCH k\r\nMULTI\r\nSET k 1\r\nEXEC\r\n',
  'SUBSCRIBE a b\r\nPSUBSCRIBE c*\r\n',
  'MONITOR\r\n',
  `*3\r\n$3\r\nSET\r\n$5\r\nlarge\r\n${VALUE}${'GET large\r\n'.repeat(20)}`,
  'PING\r\nBLPOP nothing 0\r\nHELLO 3\r\nPING\r\n',
  'PING\r\n*x\r\n',
  'QUIT\r\n',
  'FLUSHALL\r\n',
];

/** What they are not answered. */
const UNANSWERED: readonly string[] = [
  '',
  'BLPOP nothing 0\r\n',
  'CLIENT REPLY OFF\r\nPING\r\n',
  '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100\r\nhalf',
  '*2\r\n$6\r\nCLIENT\r\n$8\r\nTRAC',
];

type Leave = (socket: Socket) => void;

/** How they leave. */
const WAYS: readonly Leave[] = [
  (socket) => socket.destroy(),
  (socket) => socket.resetAndDestroy(),
  // Half-closed, and gone when the server ends too, or in a moment if it goes on serving.
  (socket) => {
    socket.end();
    socket.resume();
    setTimeout(() => socket.destroy(), 50);
  },
];

/** A client that connects, may say something, may wait for what comes of it, and leaves. */
async function visit(port: number, random: () => number): Promise<void> {
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T;
  const [state, leave, waits] = [pick([...ANSWERED, ...UNANSWERED]), pick(WAYS), random() < 0.5];
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.on('error', () => {}); // 'close' follows
  const closed = once(socket, 'close');
  if (random() < 0.95) await once(socket, 'connect');
  socket.write(state, 'latin1');
  if (waits && ANSWERED.includes(state)) {
    await Promise.race([once(socket, 'readable'), closed]);
  }
  leave(socket);
  await closed;
}

/** @returns how many clients a Redis has */
async function connectedTo(direct: RawClient): Promise<number> {
  return Number(/connected_clients:(\d+)/.exec(await direct.call('INFO clients'))?.[1]);
}

test(`${CLIENTS} clients come and go in every state, and nothing stays of them (seed ${SEED})`, {
  timeout: 60_000,
}, async ({ child, open }) => {
  if (!('port' in child.target)) throw new Error('the proxy listens on a Unix socket');
  const { port } = child.target;
  const direct = await open('redis', 'MSET k 1 l 2');
  const random = seeded(SEED);
  await Promise.all([visit(port, random), visit(port, random)]);
  await vi.waitFor(async () => expect(await child.metric('clients')).toBe(0), POLL);
  const start = { descriptors: child.descriptors(), connected: await connectedTo(direct) };

  for (let left = CLIENTS; left > 0; left -= AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => visit(port, random)));
  }
  await vi.waitFor(async () => {
    expect(await child.metric('clients')).toBe(0);
    expect(await child.metric('tracking_clients')).toBe(0);
    // At the start the proxy may have been asking, on short connections, whether the node is the same.
    expect(child.descriptors()).toBeLessThanOrEqual(start.descriptors);
    expect(await connectedTo(direct)).toBeLessThanOrEqual(start.connected);
  }, POLL);
  expect(await child.metric('lanes_out_of_sync_total')).toBe(0);
  expect(await child.metric('source_up')).toBe(1);
  expect(await child.metric('connections_total')).toBeGreaterThan(CLIENTS * 0.9);
});
