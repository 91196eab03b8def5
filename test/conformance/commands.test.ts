import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, vi } from 'vitest';
import { test as base, targetOf } from '../helpers/fixtures.ts';
import { startProxy } from '../helpers/proxy.ts';
import { RawClient, type Target } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';
import { textOf, wordsOf } from '../helpers/reply-text.ts';
import { aggregateOf, type Reply, replyOf } from '../helpers/resp.ts';
import {
  type CommandRow,
  ignoresOrder,
  type Likeness,
  NODE_PREPARATION,
  NODE_ROWS,
  NOT_MADE,
  PREPARATION,
  SERVER_ROWS,
} from './commands/rows.ts';

interface FileFixtures {
  /** Clusters of one node. */
  readonly clusters: Targets;
}

const test = base.extend<{ $file: FileFixtures }>({
  clusters: [
    // biome-ignore lint/correctness/noEmptyPattern: Vitest reads a fixture's needs from its pattern
    async ({}, use) => {
      const [native, redis] = [await startCluster(), await startCluster()];
      const proxy = await startProxy(redis.url);
      await use({ native: targetOf(native), redis: targetOf(redis), proxy: proxy.target });
      await proxy.stop();
      await Promise.all([native.stop(), redis.stop()]);
    },
    { scope: 'file' },
  ],
});

/** @returns a node that has a bus on a free port, and as yet no slots */
async function startCluster(): Promise<RedisProcess> {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as AddressInfo;
  holder.close();
  await once(holder, 'close');
  return startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-port', String(port)] });
}

const SOCKET = /\S+\/redis\.sock/g;
const DIGITS = /\d+(?:\.\d+)?(?:e[-+]?\d+)?/g;

/** @returns the frames that answer a request, each as text without what may differ */
async function shown(client: RawClient, { request, like }: CommandRow): Promise<readonly string[]> {
  const first = client.frames.length;
  await client.call(request);
  return client.frames.slice(first).map(({ reply }) => {
    if (!ignoresOrder(like)) return textOf(comparable(reply, like));
    return textOf(sorted(comparable(reply, like)));
  });
}

function comparable(reply: Reply, like: Likeness): Reply {
  const { type, text, items } = reply;
  if (like === 'bytes' || like === 'order') return reply;
  if (items !== null)
    return aggregateOf(
      type,
      items.map((item) => comparable(item, like)),
    );
  if (like === 'digits') {
    return replyOf(type, text?.replace(SOCKET, '<socket>').replace(DIGITS, '0') ?? null);
  }
  // The format of a verbatim string is a part of its type.
  return replyOf(type, type === '=' ? (text?.slice(0, 4) ?? '') : text && '');
}

/** @returns the reply with its elements, at every depth, in an order that is nobody's */
function sorted(reply: Reply): Reply {
  if (reply.items === null) return reply;
  const items = reply.items.map(sorted);
  const texts = new Map(items.map((item) => [item, textOf(item)]));
  const textFor = (item: Reply) => texts.get(item) ?? '';
  return { ...reply, items: items.sort((a, b) => (textFor(a) < textFor(b) ? -1 : 1)) };
}

/** Waits until the server writes no file any more, so that the next request may. */
async function untilWritten(admin: RawClient): Promise<void> {
  await vi.waitFor(async () => {
    expect(await admin.call('INFO persistence')).not.toMatch(/_in_progress:1/);
  }, WRITTEN);
}

/** How long that may take, and how often to look, in milliseconds. */
const WRITTEN = { timeout: 10_000, interval: 20 } as const;

const NAMED = (row: CommandRow) => ({
  ...row,
  name: [...row.before, ...row.first, row.request].join(', '),
});

/** Where a Redis and a proxy listen, and the Redis behind that. */
interface Targets {
  readonly native: Target;
  readonly redis: Target;
  readonly proxy: Target;
}

/** A Redis and a proxy are asked the same, and must say the same. */
async function compare(
  row: CommandRow,
  { native, redis, proxy }: Targets,
  { protocol, preparation }: { readonly protocol: number; readonly preparation: readonly string[] },
): Promise<void> {
  const [beside, behind, direct, through] = (await Promise.all(
    [native, redis, native, proxy].map((target) => RawClient.connect(target)),
  )) as [RawClient, RawClient, RawClient, RawClient];
  try {
    const requests = [...preparation, ...row.before];
    await Promise.all([beside.pipeline(requests), behind.pipeline(requests)]);
    for (const client of [direct, through]) {
      if (protocol === 3) await client.call('HELLO 3');
      for (const request of row.first) await client.call(request);
    }
    const [expected, said] = await Promise.all([shown(direct, row), shown(through, row)]);
    if (row.differs === undefined) expect(said).toEqual(expected);
    else expect(said, 'no difference any more').not.toEqual(expected);
    if (row.request.startsWith('BG')) await Promise.all([beside, behind].map(untilWritten));
  } finally {
    for (const client of [beside, behind, direct, through]) client.close();
  }
}

describe.each([2, 3])('in RESP%i the proxy says what Redis says', (protocol) => {
  test.for(SERVER_ROWS.map(NAMED))('$name', async (row, { redis, native, proxy }) => {
    const targets = { native: targetOf(native), redis: targetOf(redis), proxy: proxy.target };
    await compare(row, targets, { protocol, preparation: PREPARATION });
  });

  test.for(NODE_ROWS.map(NAMED))('in a cluster: $name', async (row, { clusters }) => {
    await compare(row, clusters, { protocol, preparation: NODE_PREPARATION });
  });
});

test('every command has a row, or a reason why it has none', async ({ open }) => {
  const client = await open('native');
  const names = ((await client.ask('COMMAND LIST')).items ?? []).map(({ text }) => text ?? '');
  const made = new Set<string>();
  for (const { request } of [...SERVER_ROWS, ...NODE_ROWS]) {
    const [name = '', sub = ''] = wordsOf(request.toLowerCase());
    made.add(name).add(`${name}|${sub}`);
  }
  expect(names.length).toBeGreaterThan(300);
  expect(names.filter((name) => !made.has(name) && !(name in NOT_MADE))).toEqual([]);
  // A reason for what has a row, or is no command, is out of date.
  expect(Object.keys(NOT_MADE).filter((name) => made.has(name) || !names.includes(name))).toEqual(
    [],
  );
});
