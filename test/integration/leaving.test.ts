import { describe, expect, vi } from 'vitest';
import { type Open, test } from '../helpers/fixtures.ts';
import type { RawClient } from '../helpers/raw-client.ts';

const POLL = { timeout: 10_000, interval: 5 } as const;

/** How Redis, and the proxy, deal with clients that leave, in one way or the other. */
const BOTH = [
  { via: 'native', behind: 'native' },
  { via: 'proxy', behind: 'redis' },
] as const;

/** @returns how many clients of a Redis wait in a blocking command */
async function blocked(direct: RawClient): Promise<number> {
  return Number(/blocked_clients:(\d+)/.exec(await direct.call('INFO clients'))?.[1]);
}

/** Sends it all in one piece, with nothing to follow. @returns all that comes until the end */
async function lastWords(open: Open, via: 'native' | 'proxy', bytes: string): Promise<string> {
  const client = await open(via);
  client.send(bytes);
  client.end();
  return await client.expectClose();
}

describe.for(BOTH)('a client that says nothing more still gets its replies, $via', (on) => {
  test('of requests behind HELLO', async ({ open }) => {
    const said = await lastWords(open, on.via, 'HELLO 3\r\nECHO a\r\nECHO b\r\n');
    expect(said.slice(-14)).toBe('$1\r\na\r\n$1\r\nb\r\n');
  });

  test('of requests behind RESET', async ({ open }) => {
    const said = await lastWords(open, on.via, 'ECHO a\r\nRESET\r\nRESET\r\nECHO b\r\n');
    expect(said).toBe('$1\r\na\r\n+RESET\r\n+RESET\r\n$1\r\nb\r\n');
  });

  test('of many requests', async ({ open }) => {
    const said = await lastWords(open, on.via, 'PING\r\n'.repeat(10_000));
    expect(said).toBe('+PONG\r\n'.repeat(10_000));
  });

  test('of a request that might have blocked, and did not', async ({ open }) => {
    const direct = await open(on.behind, 'DEL q', 'RPUSH q x');
    expect(await lastWords(open, on.via, 'BLPOP q 0\r\n')).toBe('*2\r\n$1\r\nq\r\n$1\r\nx\r\n');
    expect(await direct.call('EXISTS q')).toBe(':0');
  });

  test('of requests before one that blocks, which is dropped', async ({ open }) => {
    const direct = await open(on.behind, 'DEL q');
    expect(await lastWords(open, on.via, 'ECHO a\r\nBLPOP q 0\r\n')).toBe('$1\r\na\r\n');
    await vi.waitFor(async () => expect(await blocked(direct)).toBe(0), POLL);
    await direct.call('RPUSH q x');
    expect(await direct.call('LRANGE q 0 -1')).toBe('*["x"]');
  });

  test('but an unfinished one is not executed', async ({ open }) => {
    const direct = await open(on.behind, 'DEL k');
    const bytes = 'ECHO a\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhal';
    expect(await lastWords(open, on.via, bytes)).toBe('$1\r\na\r\n');
    expect(await direct.call('EXISTS k')).toBe(':0');
  });
});

/** What stands behind a blocking command when its client leaves. */
const BEHIND = [
  ['nothing', ''],
  ['a request that waits its turn', 'HELLO 3\r\n'],
  ['a lot', 'PING\r\n'.repeat(50_000)],
  ['a lot behind a request that waits its turn', `HELLO 3\r\n${'PING\r\n'.repeat(50_000)}`],
] as const;

describe.for(BOTH)('a client that leaves while it is blocked is let go, $via', (on) => {
  test.for(BEHIND)('with %s behind', async ([, bytes], { open }) => {
    const direct = await open(on.behind, 'DEL q');
    const client = await open(on.via);
    client.send(`BLPOP q 0\r\n${bytes}`);
    await vi.waitFor(async () => expect(await blocked(direct)).toBe(1), POLL);
    client.close();
    await vi
      .waitFor(async () => expect(await blocked(direct)).toBe(0), POLL)
      .finally(() => direct.call('CLIENT KILL TYPE normal SKIPME yes'));
  });
});

test('a client that talks on after its connection has ended is cut off', async ({ open }) => {
  const client = await open('proxy');
  client.send('QUIT\r\n');
  expect(await client.expectClose()).toBe('+OK\r\n');
  let closed = false;
  client.socket.on('close', () => {
    closed = true;
  });
  await vi.waitFor(
    () => {
      client.send('x');
      expect(closed).toBe(true);
    },
    { timeout: 8_000, interval: 100 },
  );
});
