import { describe, expect, vi } from 'vitest';
import { Fence } from '../helpers/fence.ts';
import { type Open, targetOf, test } from '../helpers/fixtures.ts';
import { Hop } from '../helpers/hop.ts';
import { startProxy } from '../helpers/proxy.ts';
import { RawClient } from '../helpers/raw-client.ts';

const POLL = { timeout: 10_000, interval: 2 } as const;
const CHANNEL = '__redis__:invalidate';

/** What a target is told, by the protocol it speaks. */
const TOLD = {
  2: (key: string) => `*["message" "${CHANNEL}" *["${key}"]]`,
  3: (key: string) => `>["invalidate" *["${key}"]]`,
} as const;
const TOLD_ALL = { 2: `*["message" "${CHANNEL}" $-1]`, 3: '>["invalidate" _]' } as const;

type Protocol = 2 | 3;

/** @returns a client that can be told, and its id */
async function openTarget(open: Open, protocol: Protocol) {
  const target = await open('proxy', ...(protocol === 3 ? ['HELLO 3'] : []));
  const id = (await target.call('CLIENT ID')).slice(1);
  if (protocol === 2) await target.call(`SUBSCRIBE ${CHANNEL}`);
  return { target, id };
}

/** A reply that has come in part, and the rest of it. */
const HALVES = {
  2: ['*2\r\n$4\r\npong\r\n$4\r\nha', 'lf\r\n'],
  3: ['$4\r\nha', 'lf\r\n'],
} as const;

describe.for([2, 3] as const)('a target that speaks RESP%i', (protocol) => {
  test('is told between its own replies, never inside a large one', async ({ open }) => {
    // In RESP2 a subscriber has no replies but PING's, which can be as large.
    const { target, id } = await openTarget(open, protocol);
    const direct = await open('redis', 'SET k 1');
    const source = await open('proxy', `CLIENT TRACKING ON REDIRECT ${id}`, 'GET k');
    const large = 'x'.repeat(3_000_000);
    const rounds = 5;
    const before = target.answers.length;
    for (let round = 1; round <= rounds; round++) {
      target.socket.pause();
      target.send(Buffer.from(`*2\r\n$4\r\nPING\r\n$${large.length}\r\n${large}\r\n`));
      target.send('PING end\r\n');
      await direct.call(`SET k ${round}`);
      // The proxy has heard of it: the next read is of the new value, and remembered anew.
      await vi.waitFor(async () => {
        expect(await source.call('GET k')).toBe(`"${round}"`);
      }, POLL);
      target.socket.resume();
      await target.sawPushes(round);
      await target.until(() => target.answers.length === before + 2 * round, 'both replies');
      await source.call('GET k');
    }
    const replies = target.answers.filter((text) => text.includes(large));
    expect(replies.length).toBe(rounds);
    expect(target.pushes).toEqual(new Array(rounds).fill(TOLD[protocol]('k')));
  });

  test('is told at the end of a reply that is held up in the middle', async ({ redis }) => {
    const hop = await Hop.open(targetOf(redis));
    const proxy = await startProxy(hop.url);
    const fence = await Fence.open(proxy.target, targetOf(redis));
    const [target, source, direct] = [
      await RawClient.connect(proxy.target),
      await RawClient.connect(proxy.target),
      await RawClient.connect(targetOf(redis)),
    ];
    await target.pipeline([`HELLO ${protocol}`, 'CLIENT SETNAME held-up']);
    const id = (await target.call('CLIENT ID')).slice(1);
    await target.call(`SUBSCRIBE ${CHANNEL}`);
    await source.pipeline([`CLIENT TRACKING ON REDIRECT ${id}`, 'GET k', 'GET l']);
    const [half, rest] = HALVES[protocol];
    const lane = hop.of('held-up');
    const before = target.frames.length;
    lane.pause('down'); // what is said in its place is said by hand
    target.send('PING half\r\n');
    await vi.waitFor(() => expect(lane.heldBytes('down')).toBeGreaterThan(half.length), POLL);
    lane.inject('down', half);
    await target.sawBytes(half);
    await direct.pipeline(['INCR k', 'INCR l']);
    await fence.pass(source);
    expect(target.bytes.toString('latin1').endsWith(half)).toBe(true);
    lane.inject('down', rest);
    await target.sawFrames(before + 3);
    const pong = protocol === 2 ? '*["pong" "half"]' : '"half"';
    const told = TOLD[protocol];
    expect(target.frames.slice(before).map(({ text }) => text)).toEqual([
      pong,
      told('k'),
      told('l'),
    ]);
    for (const one of [target, source, direct, fence]) one.close();
    await proxy.stop();
    await hop.close();
  });

  test('is told for many sources, of each key once', async ({ open, fence }) => {
    const { target, id } = await openTarget(open, protocol);
    const names = Array.from({ length: 40 }, (_, n) => `many-${n}`);
    const direct = await open('redis');
    for (const name of names) {
      await open('proxy', `CLIENT TRACKING ON REDIRECT ${id}`, `GET ${name}`, `GET own-${name}`);
    }
    await direct.pipeline(names.map((name) => `SET ${name} 1`));
    await target.sawPushes(names.length);
    await direct.pipeline(names.map((name) => `SET ${name} 2`));
    await fence.pass(target);
    expect([...target.pushes].sort()).toEqual(names.map(TOLD[protocol]).sort());
  });

  test('is told to drop the keys of a source that goes', async ({ open, fence }) => {
    const { target, id } = await openTarget(open, protocol);
    const source = await open('proxy', `CLIENT TRACKING ON REDIRECT ${id}`, 'MGET a b c', 'GET d');
    const direct = await open('redis', 'SET b 1');
    await target.sawPushes(1);
    source.close();
    await target.sawPushes(4);
    await direct.pipeline(['SET a 1', 'SET b 1', 'SET c 1', 'SET d 1']);
    await fence.pass(target);
    expect(target.pushes[0]).toBe(TOLD[protocol]('b'));
    expect(target.pushes.slice(1).sort()).toEqual(['a', 'c', 'd'].map(TOLD[protocol]));
  });

  test('is told to drop everything where these were too many', async ({ open, fence }) => {
    const { target, id } = await openTarget(open, protocol);
    const names = Array.from({ length: 1_001 }, (_, n) => `n-${n}`);
    const source = await open('proxy', `CLIENT TRACKING ON REDIRECT ${id}`, ['MGET', ...names]);
    source.close();
    await target.sawPushes(1);
    await fence.pass(target);
    expect(target.pushes).toEqual([TOLD_ALL[protocol]]);
  });

  test('is told to drop everything where the source had watched prefixes', async ({
    open,
    fence,
  }) => {
    const { target, id } = await openTarget(open, protocol);
    const source = await open('proxy', `CLIENT TRACKING ON REDIRECT ${id} BCAST PREFIX p`);
    source.close();
    await target.sawPushes(1);
    await fence.pass(target);
    expect(target.pushes).toEqual([TOLD_ALL[protocol]]);
  });
});

test('--redirect-cleanup=off: the target is told nothing, as Redis does', async ({ redis }) => {
  const proxy = await startProxy(redis.url, { redirectCleanup: false });
  const fence = await Fence.open(proxy.target, targetOf(redis));
  const target = await RawClient.connect(proxy.target);
  await target.call('HELLO 3');
  const id = (await target.call('CLIENT ID')).slice(1);
  for (const options of ['', ' BCAST PREFIX p']) {
    const source = await RawClient.connect(proxy.target);
    await source.pipeline([`CLIENT TRACKING ON REDIRECT ${id}${options}`, 'GET k']);
    source.close();
  }
  await vi.waitFor(async () => {
    expect((await target.call('CLIENT LIST')).match(/redir=[1-9]/g) ?? []).toEqual([]);
  }, POLL);
  await fence.pass(target);
  expect(target.pushes).toEqual([]);
  target.close();
  fence.close();
  await proxy.stop();
});

/** @returns the ids in CLIENT LIST of connections with this name */
async function idsOf(client: RawClient, name: string): Promise<readonly string[]> {
  const list = await client.ask('CLIENT LIST');
  const lines = (list.text ?? '').split('\n').filter((line) => line.includes(` name=${name} `));
  return lines.map((line) => /id=(\d+)/.exec(line)?.[1] ?? '');
}

describe('ids are those of upstream', () => {
  test('CLIENT ID, CLIENT INFO, CLIENT LIST and HELLO agree, with and without the proxy', async ({
    open,
  }) => {
    const [client, direct] = [await open('proxy', 'CLIENT SETNAME agreed'), await open('redis')];
    const id = (await client.call('CLIENT ID')).slice(1);
    expect(await idsOf(client, 'agreed')).toEqual([id]);
    expect(await idsOf(direct, 'agreed')).toEqual([id]);
    expect((await client.ask('CLIENT INFO')).text).toMatch(new RegExp(`^id=${id} `));
    expect(await client.call('HELLO 2')).toContain(`"id" :${id} `);
  });

  test.for(['proxy', 'redis'] as const)(
    'CLIENT KILL ID, said to the %s',
    async (via, { open, fence }) => {
      const { target, id } = await openTarget(open, 3);
      const source = await open('proxy', 'HELLO 3', `CLIENT TRACKING ON REDIRECT ${id}`, 'GET k');
      const [killer, direct] = [await open(via), await open('redis')];
      expect(await killer.call(`CLIENT KILL ID ${id}`)).toBe(':1');
      await target.expectClose();
      await direct.call('SET k 1');
      expect(await source.sawPushes(1)).toEqual([`>["tracking-redir-broken" :${id}]`]);

      const sourceId = (await source.call('CLIENT ID')).slice(1);
      expect(await killer.call(`CLIENT KILL ID ${sourceId}`)).toBe(':1');
      await source.expectClose();
      expect(await killer.call(`CLIENT KILL ID ${sourceId}`)).toBe(':0');
      await fence.pass(killer);
    },
  );

  test.for([
    ['', '_'],
    [' ERROR', '-UNBLOCKED client unblocked via CLIENT UNBLOCK'],
  ])('CLIENT UNBLOCK%s', async ([how, answer], { open }) => {
    const client = await open('proxy', 'HELLO 3', 'CLIENT TRACKING ON');
    const id = (await client.call('CLIENT ID')).slice(1);
    const other = await open('proxy');
    expect(await other.call(`CLIENT UNBLOCK ${id}${how}`)).toBe(':0');
    const blocked = client.pipeline(['BLPOP none 0', 'ECHO behind']);
    await vi.waitFor(async () => {
      expect(await other.call(`CLIENT UNBLOCK ${id}${how}`)).toBe(':1');
    }, POLL);
    expect(await blocked).toEqual([answer, '"behind"']);
  });
});
