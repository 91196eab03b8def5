import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect } from 'vitest';
import { helloReply, parseHello } from '../../src/translate/hello.ts';
import { ofTransaction, type Rule } from '../../src/translate/rules.ts';
import { PUSH } from '../../src/translate/shape.ts';
import { translated } from '../../src/translate/whole.ts';
import { test as base, targetOf } from '../helpers/fixtures.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';
import { wordsOf } from '../helpers/reply-text.ts';
import {
  aggregateOf,
  decodeReply,
  encodeReply,
  everyCut,
  type Reply,
  replyOf,
} from '../helpers/resp.ts';
import { feed, ruleFor } from '../helpers/translate.ts';
import {
  CLUSTER_ROWS,
  DATA,
  LEFT_OUT,
  ROWS,
  type Row,
  type Sameness,
  STATE,
} from './translation/rows.ts';

/** A connection of each protocol, and one that prepares what they find. */
interface Sides {
  readonly resp2: RawClient;
  readonly resp3: RawClient;
  readonly admin: RawClient;
}

interface FileFixtures {
  /** A cluster of one node. */
  readonly cluster: RedisProcess;
}

interface TestFixtures {
  readonly sides: Sides;
  readonly clusterSides: Sides;
}

const test = base.extend<{ $file: FileFixtures; $test: TestFixtures }>({
  cluster: [
    // biome-ignore lint/correctness/noEmptyPattern: Vitest reads a fixture's needs from its pattern
    async ({}, use) => {
      const server = await startCluster();
      await use(server);
      await server.stop();
    },
    { scope: 'file' },
  ],
  sides: [({ native }, use) => withSides(native, use), { scope: 'test' }],
  clusterSides: [({ cluster }, use) => withSides(cluster, use), { scope: 'test' }],
});

async function withSides(server: RedisProcess, use: (sides: Sides) => Promise<void>) {
  const connect = () => RawClient.connect(targetOf(server));
  const sides = { resp2: await connect(), resp3: await connect(), admin: await connect() };
  await sides.resp3.call('HELLO 3');
  await use(sides);
  for (const client of Object.values(sides)) client.close();
}

async function startCluster(): Promise<RedisProcess> {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as AddressInfo;
  holder.close();
  await once(holder, 'close');
  const args = ['--cluster-enabled', 'yes', '--cluster-port', String(port)];
  return startRedis({ args: [...args, '--cluster-announce-hostname', 'node.example'] });
}

/** @returns each frame that answers a request, as it came */
async function framesOf(client: RawClient, request: string): Promise<readonly Buffer[]> {
  const first = client.frames.length;
  await client.call(request);
  return client.frames
    .slice(first)
    .map(({ end }, index) =>
      client.bytes.subarray(client.frames[first + index - 1]?.end ?? 0, end),
    );
}

const DIGITS = /\d+(?:\.\d+)?(?:e[-+]?\d+)?/g;

/** @returns a reply as text, without what may differ */
function shown(bytes: Buffer, same: Sameness): string {
  if (same === 'bytes') return bytes.toString('latin1');
  if (same === 'digits') return bytes.toString('latin1').replace(DIGITS, '0');
  return encodeReply(withoutTexts(decodeReply(bytes)?.reply ?? replyOf('?', ''))).toString();
}

function withoutTexts({ type, text, items }: Reply): Reply {
  if (items !== null) return aggregateOf(type, items.map(withoutTexts));
  return replyOf(type, type === '=' ? (text?.slice(0, 4) ?? '') : text && '');
}

/** @returns replies in RESP3, which are the same however the bytes are cut on their way */
function inResp3(frames: readonly Buffer[], rule: Rule | undefined): readonly Buffer[] {
  return frames.map((frame) => {
    const whole = translated(frame, rule);
    for (const pieces of everyCut(frame)) {
      if (!Buffer.concat(feed(pieces, [rule])).equals(whole)) throw new Error('cut badly');
    }
    return whole;
  });
}

async function compare(row: Row, sides: Sides, data: readonly string[]): Promise<void> {
  const rule = ruleFor(row.request);
  const same = row.same ?? 'bytes';
  const show = (frames: readonly Buffer[]) => frames.map((frame) => shown(frame, same));
  for (const request of row.first ?? []) {
    await sides.resp2.call(request);
    await sides.resp3.call(request);
  }
  const prepare = () => sides.admin.pipeline([...data, ...(row.before ?? [])]);
  await prepare();
  const resp2 = await framesOf(sides.resp2, row.request);
  await prepare();
  const resp3 = await framesOf(sides.resp3, row.request);
  const ours = show(inResp3(resp2, rule));
  if (row.differs !== undefined) {
    expect(ours).not.toEqual(show(resp3));
    return;
  }
  expect(ours).toEqual(show(resp3));
  if (row.aloneBecause !== undefined) return;
  const queue = async (client: RawClient) => {
    await prepare();
    await client.pipeline(['MULTI', row.request]);
    return framesOf(client, 'EXEC');
  };
  const execRule = ofTransaction([rule]);
  const exec2 = show(inResp3(await queue(sides.resp2), execRule));
  expect(exec2).toEqual(show(await queue(sides.resp3)));
}

const NAMED = (row: Row) => ({
  ...row,
  name: [...(row.before ?? []), ...(row.first ?? []), row.request].join(', '),
});

describe('a translated reply is what RESP3 has', () => {
  test.for(ROWS.map(NAMED))('$name', async (row, { sides }) => {
    await compare(row, sides, [...DATA, ...STATE]);
  });

  test.for(CLUSTER_ROWS.map(NAMED))('in a cluster: $name', async (row, { clusterSides }) => {
    await compare(row, clusterSides, ['CLUSTER FLUSHSLOTS', 'CLUSTER ADDSLOTSRANGE 0 16383']);
  });
});

test('every command is compared', async ({ sides }) => {
  const list = decodeReply((await framesOf(sides.resp2, 'COMMAND LIST'))[0] as Buffer);
  const names = (list?.reply.items ?? []).map(({ text }) => text ?? '');
  const compared = new Set<string>();
  for (const { request } of [...ROWS, ...CLUSTER_ROWS]) {
    const [name = '', sub = ''] = wordsOf(request.toLowerCase());
    compared.add(name).add(`${name}|${sub}`);
  }
  expect(names.length).toBeGreaterThan(300);
  expect(names.filter((name) => !compared.has(name) && !(name in LEFT_OUT))).toEqual([]);
});

describe('a translated transaction is what RESP3 has', () => {
  const REQUESTS = [
    ...['HGETALL h', 'ZSCORE z a', 'GET none', 'SMEMBERS str', 'PING', 'SPOP one 1', 'INFO none'],
    ...['XREAD STREAMS st 0', 'ZRANGE z 0 -1 WITHSCORES', 'BLPOP none 0', 'SET str x'],
    ...['GEOPOS geo a', 'COMMAND INFO get none'],
  ];
  const RULE = ofTransaction(REQUESTS.map(ruleFor));

  test('with the rule of each of its requests', async ({ sides }) => {
    const execute = async (client: RawClient) => {
      await sides.admin.pipeline(DATA);
      await client.pipeline(['MULTI', ...REQUESTS]);
      return (await framesOf(client, 'EXEC'))[0] as Buffer;
    };
    const ours = translated(await execute(sides.resp2), RULE);
    expect(ours.toString('latin1')).toBe((await execute(sides.resp3)).toString('latin1'));
  });

  test.for([
    { name: 'aborted by WATCH', before: ['WATCH str', 'MULTI', 'HGETALL h'] },
    { name: 'spoilt', before: ['MULTI', 'HGETALL'] },
    { name: 'that was never begun', before: [] },
    { name: 'of nothing', before: ['MULTI'] },
  ])('$name', async ({ before }, { sides }) => {
    const execute = async (client: RawClient) => {
      await client.pipeline(before);
      await sides.admin.call('SET str new');
      return (await framesOf(client, 'EXEC'))[0] as Buffer;
    };
    const ours = translated(await execute(sides.resp2), RULE);
    expect(ours.toString('latin1')).toBe((await execute(sides.resp3)).toString('latin1'));
  });
});

test.for([
  { subscribe: 'SUBSCRIBE ch', publish: 'PUBLISH ch hello' },
  { subscribe: 'PSUBSCRIBE c*', publish: 'PUBLISH ch ""' },
  { subscribe: 'SSUBSCRIBE ch', publish: 'SPUBLISH ch "\\r\\n"' },
])('a message of $publish is a push', async ({ subscribe, publish }, { sides }) => {
  const heard = async (client: RawClient) => {
    await client.call(subscribe);
    const { length: confirmed } = client.bytes;
    const { length: count } = client.frames;
    await sides.admin.call(publish);
    await client.sawFrames(count + 1);
    return client.bytes.subarray(confirmed);
  };
  const ours = translated(await heard(sides.resp2), PUSH);
  expect(ours.toString('latin1')).toBe((await heard(sides.resp3)).toString('latin1'));
});

describe('HELLO is read as Redis reads it', () => {
  const REQUESTS = [
    ...['HELLO', 'HELLO 2', 'HELLO 3', 'HELLO 4', 'HELLO 1', 'HELLO 0', 'HELLO -1', 'HELLO abc'],
    ...['HELLO 3.0', 'HELLO 03', 'HELLO " 3"', 'HELLO "3 "', 'HELLO +3', 'HELLO -0', 'HELLO ""'],
    ...['HELLO 9223372036854775807', 'HELLO 9223372036854775808', 'HELLO -9223372036854775808'],
    ...[
      'HELLO "3\\0"',
      'HELLO 0x3',
      'HELLO SETNAME x',
      'HELLO 3 FOO',
      'HELLO 3 AUTH',
      'HELLO 3 ""',
    ],
    ...['HELLO 3 AUTH a', 'HELLO 3 AUTH default any', 'hello 3 auth default any setname me'],
    ...['HELLO 3 SETNAME', 'HELLO 3 SETNAME a', 'HELLO 2 SETNAME ""', 'HELLO 3 SETNAME "a b"'],
    ...['HELLO 3 SETNAME "a\\x7f"', 'HELLO 3 SETNAME "a\\0b"', 'HELLO 3 SETNAME a SETNAME b'],
    ...['HELLO 3 SETNAME "\\n" SETNAME b', 'HELLO 3 "F\\r\\nO O"', 'HELLO 3 "AUTH\\0x" default y'],
    ...['HELLO 3 "SET\\0NAME" x', 'HELLO 3 "\\xff"', 'HELLO 3 SETNAME a AUTH default b FOO'],
    ...['HELLO 3 SETNAME "a b" FOO', 'HELLO 3 FOO SETNAME "a b"', 'HELLO 5 FOO', 'HELLO x FOO'],
    ...['HELLO 3 AUTH default x SETNAME', 'HELLO 3 SETNAME AUTH a b'],
  ];

  test.for(REQUESTS)('%s', async (request, { open }) => {
    const client = await open('native');
    const native = ((await framesOf(client, request))[0] as Buffer).toString('latin1');
    const words = wordsOf(request);
    const ours = parseHello({ count: words.length, text: (index) => words[index] ?? '' });
    if (typeof ours === 'string') {
      expect(`-${ours}\r\n`).toBe(native);
      return;
    }
    const [, version = '', id = ''] = /version\r\n\$\d+\r\n(\S+).*id\r\n:(\d+)/s.exec(native) ?? [];
    const reply = helloReply(
      { server: 'redis', version, id: Number(id), mode: 'standalone', role: 'master' },
      ours.protocol ?? 2,
    );
    expect(reply.toString('latin1')).toBe(native);
    // No name is a null, which has no text in either protocol.
    expect((await client.ask('CLIENT GETNAME')).text || '').toBe(ours.name ?? '');
  });
});
