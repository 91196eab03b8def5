import { describe, expect } from 'vitest';
import { targetOf } from '../helpers/fixtures.ts';
import { test as base, type Scene } from '../helpers/old-scene.ts';
import { encode, type RawClient, type Request } from '../helpers/raw-client.ts';

/** Puts the data in its place. */
const DATA: readonly Request[] = [
  'FLUSHALL',
  'SET n 10.5',
  'SET str hello',
  'HSET h f 1.5 g two',
  'ZADD z 1 a 2.5 b inf c 4 d 5 e',
  'ZADD y 1 a 7 x',
  'SADD s one',
  'RPUSH l a b c',
  'XADD st 1-1 f v',
  'GEOADD geo 13.361389 38.115556 a',
];

/** Writes whose reply differs between the protocols, and some whose reply does not. */
const WRITES: readonly string[] = [
  ...['SET str x', 'SET str x GET', 'SET none x XX', 'GETDEL str', 'GETDEL none', 'GETSET str y'],
  ...['HINCRBYFLOAT h f 1.25', 'INCRBYFLOAT n 0.1', 'HSET h k 1', 'HDEL h f g'],
  ...['ZADD z INCR 1.5 a', 'ZADD z XX INCR 1 none', 'ZADD z 9 a', 'ZINCRBY z 0.25 b'],
  ...['ZPOPMIN z', 'ZPOPMIN z 2', 'ZPOPMAX z', 'ZPOPMAX none', 'ZPOPMIN none 1', 'ZPOPMAX z 0'],
  ...['ZMPOP 1 z MIN', 'ZMPOP 2 none z MAX COUNT 2', 'ZMPOP 1 none MIN', 'ZUNIONSTORE t 2 z y'],
  ...['SPOP s', 'SPOP s 2', 'SPOP none', 'SPOP none 1', 'SADD s m', 'SMOVE s t one'],
  ...[
    'LPOP l',
    'LPOP none',
    'LPOP none 1',
    'LPOP l 2',
    'LMOVE none l LEFT LEFT',
    'LMPOP 1 none LEFT',
  ],
  ...['LPUSHX none x', 'RPOPLPUSH none l', 'XADD st 2-1 a b', 'XADD none NOMKSTREAM * a b'],
  ...['GEOADD geo 15 37 b', 'GEORADIUS geo 15 37 500 km WITHDIST WITHCOORD', 'SORT l ALPHA'],
  ...['EVAL "return redis.call(\'hgetall\', KEYS[1])" 1 h', 'EVAL "return {1, false}" 1 h'],
  ...['ZADD str 1 a', 'HINCRBYFLOAT str f 1', 'ZPOPMIN str', 'COPY str other', 'RENAME none x'],
  ...[
    'BZPOPMIN z .01',
    'BZPOPMAX none z .01',
    'BLPOP l .01',
    'BZMPOP .01 1 z MIN',
    'EXPIRE none 1',
  ],
];

const READS: readonly string[] = [
  ...['GET none', 'GET str', 'MGET str none', 'HGETALL h', 'HGETALL none', 'HGET h none'],
  ...['SMEMBERS s', 'SMEMBERS none', 'SINTER s none', 'SDIFF s', 'SMISMEMBER s one none'],
  ...['ZSCORE z a', 'ZSCORE z none', 'ZSCORE z c', 'ZMSCORE z a none', 'ZRANGE z 0 -1'],
  ...['ZRANGE z 0 1 WITHSCORES', 'ZRANGE none 0 1 WITHSCORES', 'ZREVRANGE z 0 -1 WITHSCORES'],
  ...['ZRANGEBYSCORE z 0 9 WITHSCORES LIMIT 0 1', 'ZUNION 2 z y WITHSCORES', 'ZDIFF 2 z y'],
  ...['ZRANDMEMBER none', 'ZRANDMEMBER none 2 WITHSCORES', 'ZRANK z none', 'HRANDFIELD none'],
  ...['HRANDFIELD h 9 WITHVALUES', 'XREAD STREAMS st 0', 'XREAD STREAMS st $', 'XRANGE st - +'],
  ...[
    'XINFO STREAM st',
    'XINFO GROUPS st',
    'GEOPOS geo a none',
    'GEODIST geo a none',
    'LRANGE l 0 -1',
  ],
  ...[
    'LCS str n IDX',
    'COMMAND INFO get none',
    'OBJECT FREQ none',
    'MEMORY USAGE none',
    'CONFIG GET maxmemory',
  ],
  ...[
    'GET',
    'NOSUCH',
    'HGETALL str',
    'ECHO x',
    'PING',
    'SCAN 0 COUNT 100 MATCH none',
    'EXISTS str',
  ],
  ...['ACL GETUSER none', 'FUNCTION LIST', 'LATENCY HISTORY none', 'CLIENT TRACKINGINFO', 'DBSIZE'],
];

/** What speaks RESP3 in either way, and whoever may put both servers in order. */
interface Sides {
  readonly scene: Scene;
  readonly ours: RawClient;
  readonly native: RawClient;
  tidy(): Promise<void>;
}

const test = base.extend<{ sides: (...requests: readonly Request[]) => Promise<Sides> }>({
  sides: async ({ own, scene }, use) => {
    await use(async (...requests) => {
      const redis = await own.redis();
      const stage = await scene();
      const direct = await own.client(targetOf(redis));
      return {
        scene: stage,
        ours: await stage.client('HELLO 3', ...requests),
        native: await own.client(targetOf(redis), 'HELLO 3', ...requests),
        tidy: async () => {
          await Promise.all([direct.pipeline(DATA), stage.direct.pipeline(DATA)]);
        },
      };
    });
  },
});

/** What both have been answered since; pushes left out. */
async function compare({ ours, native }: Sides, requests: readonly Request[]): Promise<void> {
  const [proxied, direct] = await Promise.all([ours.pipeline(requests), native.pipeline(requests)]);
  for (const [n, request] of requests.entries()) {
    expect(proxied[n], String(request)).toBe(direct[n]);
  }
}

describe.for<readonly [string, readonly Request[]]>([
  ['a client', []],
  ['a client that tracks', ['CLIENT TRACKING ON']],
  ['a NOLOOP client', ['CLIENT TRACKING ON NOLOOP']],
  ['a NOLOOP client that watches prefixes', ['CLIENT TRACKING ON BCAST NOLOOP']],
])('%s gets from a Redis of RESP2 what RESP3 has', ([, tracking]) => {
  test('to each write and each read', async ({ sides }) => {
    const both = await sides(...tracking);
    for (const request of [...WRITES, ...READS]) {
      await both.tidy();
      await compare(both, [request]);
    }
    const { counts } = both.scene.proxy.metrics;
    expect(counts.unattributedWrites).toBeLessThanOrEqual(4); // those that may block
    expect(counts.upstreamProtocolErrors + counts.lanesOutOfSync).toBe(0);
  });

  test('to all of them in one piece, and in one transaction', async ({ sides }) => {
    const both = await sides(...tracking);
    await both.tidy();
    await compare(both, [...WRITES, ...READS]);
    await both.tidy();
    const valid = [...WRITES, ...READS].filter((request) => !/^(GET|NOSUCH)$/.test(request));
    await compare(both, ['MULTI', ...valid, 'EXEC', 'GET none']);
    await both.tidy();
    await compare(both, ['MULTI', ...valid, 'DISCARD', 'HGETALL h']);
    await compare(both, ['MULTI', ...valid, 'NOSUCH', 'EXEC', 'HGETALL h']);
    await compare(both, ['WATCH str', 'SET str other', 'MULTI', ...valid, 'EXEC', 'HGETALL h']);
  });

  test('but for those that it does not want', async ({ sides }) => {
    const both = await sides(...tracking);
    await both.tidy();
    const requests: string[] = [];
    for (const request of [...WRITES, ...READS]) requests.push('CLIENT REPLY SKIP', request);
    requests.push('HGETALL h', 'CLIENT REPLY OFF', ...WRITES, ...READS, 'MULTI', ...WRITES, 'EXEC');
    requests.push('CLIENT REPLY ON', 'HGETALL h', 'ECHO end');
    const seen = async (client: RawClient) => {
      const before = client.frames.length;
      client.send(Buffer.concat(requests.map(encode)));
      await client.sawBytes('$3\r\nend\r\n');
      const frames = client.frames.slice(before);
      return frames.filter(({ kind }) => kind === 'reply').map(({ text }) => text);
    };
    const [ours, native] = [await seen(both.ours), await seen(both.native)];
    expect(ours).toEqual(native);
    expect(ours).toHaveLength(4);
  });
});

test('ten thousand requests in one piece', async ({ sides }) => {
  const both = await sides('CLIENT TRACKING ON');
  await both.tidy();
  const all = [...READS, ...WRITES.filter((request) => !request.startsWith('B'))];
  const requests = Array.from({ length: 10_000 }, (_, n) => all[n % all.length] as string);
  await compare(both, requests);
});

describe('a NOLOOP client', () => {
  const RIGHTS = ['ACL', 'SETUSER', 'u', 'on', 'nopass', '+@all', '~*', '&*'];

  test.for(['-multi', '-exec', '-publish', '-@pubsub'])(
    'whose user has %s gets RESP3 all the same',
    async (right, { sides }) => {
      const both = await sides();
      for (const client of [both.scene.direct, both.native]) await client.call([...RIGHTS, right]);
      for (const client of [both.ours, both.native]) {
        await client.pipeline(['AUTH u x', 'CLIENT TRACKING ON NOLOOP']);
      }
      for (const request of WRITES) {
        await both.tidy();
        await compare(both, [request]);
      }
    },
  );

  test.for(['-multi'])(
    'whose user loses that right by %s meanwhile, too',
    async (right, { sides }) => {
      const both = await sides();
      const { direct } = both.scene;
      for (const request of WRITES) {
        await both.tidy();
        for (const client of [direct, both.native]) await client.call(RIGHTS);
        for (const client of [both.ours, both.native]) {
          await client.pipeline(['AUTH u x', 'CLIENT TRACKING OFF', 'CLIENT TRACKING ON NOLOOP']);
        }
        for (const client of [direct, both.native]) await client.call([...RIGHTS, right]);
        await compare(both, [request]);
      }
    },
  );
});

test('with fenced writes replies are what RESP3 has', async ({ own, scene }) => {
  const stage = await scene({ proxy: { fenceWrites: true } });
  const redis = await own.redis();
  const direct = await own.client(targetOf(redis));
  const both: Sides = {
    scene: stage,
    ours: await stage.client('HELLO 3', 'CLIENT TRACKING ON NOLOOP'),
    native: await own.client(targetOf(redis), 'HELLO 3', 'CLIENT TRACKING ON NOLOOP'),
    tidy: async () => {
      await Promise.all([direct.pipeline(DATA), stage.direct.pipeline(DATA)]);
    },
  };
  await both.tidy();
  for (const request of WRITES) await compare(both, [request]);
  await compare(both, WRITES);
  await compare(both, ['MULTI', ...WRITES, 'EXEC']);
  expect(stage.proxy.metrics.counts.fencedWrites).toBeGreaterThan(WRITES.length);
});

test('a client that may not ask for its id has none to tell', async ({ scene }) => {
  const { direct, client } = await scene();
  await direct.call('ACL SETUSER u on nopass +@all -client|id ~* &*');
  await direct.call('ACL SETUSER default -client|id');
  const a = await client('AUTH u x');
  expect(await a.call('HELLO 3')).toContain('"id" :0 ');
  await a.pipeline(['CLIENT TRACKING ON', 'GET k']);
  await direct.call('SET k 1');
  expect(await a.sawPushes(1)).toEqual(['>["invalidate" *["k"]]']);
});

test('an upstream without CLIENT ID leaves the numbers to us', async ({ scene }) => {
  const { client } = await scene({ args: ['--rename-command', 'CLIENT', ''] });
  const ids = new Set<string>();
  for (let n = 0; n < 3; n++) {
    const a = await client();
    ids.add(/"id" :(\d+) /.exec(await a.call('HELLO 3 SETNAME x'))?.[1] ?? '0');
  }
  expect(ids.size).toBe(3);
  expect(ids.has('0')).toBe(false);
});
