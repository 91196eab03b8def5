import { Redis, ReplyError } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { keysOf, readsOf } from '../../src/commands/keys.ts';
import { CommandTable } from '../../src/commands/table.ts';
import { startRedis } from '../helpers/redis.ts';

let server: Awaited<ReturnType<typeof startRedis>>;
let redis: Redis;
let entries: readonly (readonly [string, number, readonly string[], ...unknown[]])[];
let upstream: CommandTable;
let isOracle = false;

beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.path ?? server.url, { maxRetriesPerRequest: 0 });
  isOracle = (await redis.info('server')).includes('redis_version:7.0.');
  const reply = await redis.call('COMMAND');
  entries = reply as typeof entries;
  upstream = CommandTable.fromUpstream(reply);
});

beforeEach(({ skip }) => skip(!isOracle, 'the rows are what COMMAND of 7.0 says'));

afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
});

/** What the server takes for keys; none if it finds the request wrong. */
async function getKeys(words: readonly string[]): Promise<readonly string[]> {
  try {
    return (await redis.call('COMMAND', 'GETKEYS', ...words)) as string[];
  } catch (error) {
    if (error instanceof ReplyError) return [];
    throw error;
  }
}

function ours(table: CommandTable, words: readonly string[]): readonly string[] {
  const info = table.findText((words[0] ?? '').toLowerCase());
  if (info === undefined) return [];
  return keysOf(info, { count: words.length, text: (index) => words[index] ?? '' });
}

/** Words are split at blanks; `""` is the empty word and `\0` a NUL. */
function split(line: string): readonly string[] {
  return line.split(' ').map((word) => (word === '""' ? '' : word.replaceAll('\\0', '\0')));
}

const REQUESTS = `
GET a
get a
SET a v EX 1 NX
MGET a b c a
MSET a 1 b 2 c 3
MSETNX a 1 b 2
DEL a b c
UNLINK a a
EXISTS a b
TOUCH a b c
TYPE a
DUMP a
RENAME a b
RENAMENX a b
COPY a b REPLACE
MOVE a 1
PERSIST a
APPEND a v
BITOP AND d a b c
BITOP NOT d a
BITFIELD a GET u8 0
BITFIELD_RO a GET u8 0
PFADD a x y
PFCOUNT a b c
PFMERGE d a b
PFDEBUG GETREG a
LCS a b IDX
LPUSH a v w
RPOPLPUSH a b
LMOVE a b LEFT RIGHT
BLMOVE a b LEFT RIGHT 0
BRPOPLPUSH a b 0
BLPOP a b c 0
BRPOP a 0
BZPOPMIN a b 0
BZPOPMAX a b 0
LMPOP 2 a b LEFT
LMPOP 1 a RIGHT COUNT 2
LMPOP 0 a LEFT
LMPOP 4 a b LEFT
LMPOP x a b LEFT
BLMPOP 0 2 a b LEFT
BLMPOP 0 9 a b LEFT
ZMPOP 1 a MIN
BZMPOP 0 2 a b MAX COUNT 3
SMOVE a b m
SINTER a b
SUNION a b c
SDIFF a
SINTERSTORE d a b
SUNIONSTORE d a
SDIFFSTORE d a b
SINTERCARD 2 a b
SINTERCARD 2 a b LIMIT 1
SINTERCARD 3 a b
SINTERCARD -1 a b
ZADD a 1 m
ZRANGESTORE d a 0 -1
ZUNIONSTORE d 2 a b WEIGHTS 1 2
ZUNIONSTORE d 1 a
ZUNIONSTORE d 2 a a
ZINTERSTORE d 2 a b AGGREGATE MAX
ZDIFFSTORE d 2 a b
ZUNION 2 a b WITHSCORES
ZUNION 9 a b
ZUNION 9999999999999999999999 a b
ZUNION Infinity a b
ZINTER 1 a
ZDIFF 2 a b
ZINTERCARD 2 a b
ZINTERCARD 0 a b
GEOADD a 1 1 m
GEOSEARCH a FROMMEMBER m BYRADIUS 1 m
GEOSEARCHSTORE d a FROMMEMBER m BYRADIUS 1 m
GEORADIUS a 1 1 1 m
GEORADIUS a 1 1 1 m STORE d
GEORADIUS a 1 1 1 m WITHDIST STOREDIST d
GEORADIUS a 1 1 1 m STORE
GEORADIUS a 1 1 1 m store\\0x d
GEORADIUS_RO a 1 1 1 m
GEORADIUSBYMEMBER a m 1 m
GEORADIUSBYMEMBER a m 1 m STORE d
GEORADIUSBYMEMBER a STORE 1 m STOREDIST d
GEORADIUSBYMEMBER_RO a m 1 m
SORT a
SORT a BY w_* GET g_* STORE d
SORT a BY nosort
SORT a LIMIT 0 STORE STORE d
SORT a GET STORE STORE d
SORT a BY STORE STORE d
SORT a STORE d STORE e
SORT a STORE
SORT a store d DESC ALPHA
SORT a STORE\\0x d
SORT a limit 0 1 get # Store d
SORT_RO a BY w_* GET g_*
SORT_RO a STORE d
EVAL s 0
EVAL s 0 x y
EVAL s 1 a x
EVAL s 2 a b
EVAL s 5 a
EVAL s -1 a
EVAL s x a
EVAL s 1\\0x a b
EVALSHA f 2 a b c
EVAL_RO s 1 a
EVALSHA_RO f 1 a b
FCALL f 2 a b c
FCALL_RO f 1 a
FCALL f 99999999 a
XADD a * f v
XREAD STREAMS a b 0 0
XREAD COUNT 2 BLOCK 0 STREAMS a 0
XREAD block 0 streams a $
XREAD STREAMS STREAMS a 0 0
XREAD FOO STREAMS a 0
XREAD COUNT 1 BLOCK 1
XREAD STREAMS\\0x a 0
XREADGROUP GROUP g c STREAMS a >
XREADGROUP GROUP g c NOACK COUNT 1 STREAMS a b > >
XREADGROUP GROUP STREAMS c STREAMS k >
XREADGROUP NOACK GROUP streams STREAMS STREAMS STREAMS >
XREADGROUP BLOCK STREAMS GROUP g c STREAMS k >
XGROUP CREATE a g $ MKSTREAM
XGROUP SETID a g $
XGROUP DESTROY a g
XGROUP CREATECONSUMER a g c
XGROUP DELCONSUMER a g c
XGROUP HELP
XGROUP NOSUCH a b
XINFO STREAM a FULL
xinfo stream a
XINFO GROUPS a
XINFO CONSUMERS a g
XINFO HELP
XACK a g 1-1
XCLAIM a g c 0 1-1
XAUTOCLAIM a g c 0 0
XPENDING a g
XSETID a 1-1
OBJECT ENCODING a
object freq a
OBJECT IDLETIME a
OBJECT REFCOUNT a
OBJECT HELP
OBJECT NOSUCH a
MEMORY USAGE a
MEMORY USAGE a SAMPLES 5
MEMORY DOCTOR
MEMORY NOSUCH a
MIGRATE h 1 k 0 100
MIGRATE h 1 k 0 100 COPY REPLACE
MIGRATE h 1 "" 0 100 KEYS a b c
MIGRATE h 1 "" 0 100 COPY AUTH p KEYS a
MIGRATE h 1 "" 0 100 AUTH KEYS KEYS a b
MIGRATE h 1 "" 0 100 AUTH2 KEYS KEYS KEYS a b
MIGRATE h 1 "" 0 100 REPLACE
MIGRATE h 1 "" 0 100 keys a
RESTORE a 0 x
WATCH a b
SUBSCRIBE a b
PUBLISH a m
PING a
ECHO a
SCAN 0 MATCH a
KEYS a
CONFIG GET a
CLIENT SETNAME a
DEBUG OBJECT a
FLUSHALL ASYNC
NOSUCHCOMMAND a b
constructor a b
`
  .trim()
  .split('\n');

/** Requests about which 7.0's table of positions is wrong and the command itself is right. */
const DIFFERS = [
  ['GEORADIUS a 1 1 1 m STORE d STOREDIST e', ['a', 'e'], 'the last destination wins'],
  ['GEORADIUS a 1 1 1 m STORE STORE STORE e', ['a', 'e'], 'the last destination wins'],
  ['XREAD COUNT STREAMS STREAMS a 0', ['a'], 'the first STREAMS is the value of COUNT'],
  ['XREAD STREAMS a b 0', [], 'refused as unbalanced'],
  ['PFMERGE d', ['d'], 'sources may be missing'],
] as const;

describe('keysOf agrees with COMMAND GETKEYS', () => {
  test.for(REQUESTS)('%s', async (line) => {
    const words = split(line);
    const expected = await getKeys(words);
    expect(ours(upstream, words)).toEqual(expected);
    expect(ours(CommandTable.builtin(), words)).toEqual(expected);
  });

  test('for every command, with as few words as it needs and with more', async () => {
    const expected: [string, readonly string[]][] = [];
    const got: [string, readonly string[]][] = [];
    for (const [name, arity, flags] of entries) {
      if (flags.includes('movablekeys') || ROUTED_ONLY.has(name)) continue;
      for (let count = Math.abs(arity); count < Math.abs(arity) + (arity < 0 ? 4 : 1); count++) {
        const words = [name, ...Array.from({ length: count - 1 }, (_, index) => `w${index}`)];
        if (count < 2 || (name === 'pfmerge' && count === 2)) continue;
        expected.push([words.join(' '), await getKeys(words)]);
        got.push([words.join(' '), ours(upstream, words)]);
      }
    }
    expect(got).toEqual(expected);
  });

  test.for(DIFFERS)('but for %s: %j, because %s', async ([line, keys]) => {
    const words = split(line);
    expect(await getKeys(words)).not.toEqual(keys);
    expect(ours(upstream, words)).toEqual(keys);
  });
});

/** Sharded channels, which the server calls keys because a cluster routes by them. */
const ROUTED_ONLY: ReadonlySet<string> = new Set(['ssubscribe', 'sunsubscribe', 'spublish']);

/** Scripts may read, though they have no flag that says so. */
const SCRIPTS: ReadonlySet<string> = new Set(['eval', 'evalsha', 'fcall']);

describe('flags', () => {
  test('reads and writes are the flags of every command that has keys', () => {
    expect(entries.length).toBeGreaterThan(200);
    for (const [name, , flags] of entries) {
      for (const table of [upstream, CommandTable.builtin()]) {
        const info = table.findText(name);
        if (info === undefined) throw new Error(`${name} is missing`);
        if (info.keys.kind === 'none' || info.keys.kind === 'sub' || SCRIPTS.has(name)) continue;
        expect([name, info.reads]).toEqual([name, flags.includes('readonly')]);
        expect([name, info.writes]).toEqual([name, flags.includes('write')]);
      }
    }
  });

  test('readsOf is the flag of every subcommand', () => {
    for (const entry of entries) {
      for (const [full, arity, flags] of entry[9] as typeof entries) {
        const words = [...full.split('|'), ...Array.from({ length: Math.abs(arity) }, () => 'x')];
        const info = upstream.findText(entry[0]);
        if (info === undefined) throw new Error(`${entry[0]} is missing`);
        const reads = readsOf(info, { count: words.length, text: (index) => words[index] ?? '' });
        expect([full, reads]).toEqual([full, flags.includes('readonly')]);
        expect(info.container).toBe(true);
      }
    }
  });

  test('what may block is known', () => {
    for (const [name, , flags] of entries) {
      if (flags.includes('blocking'))
        expect([name, upstream.findText(name)?.blocks]).toEqual([name, true]);
    }
  });
});

test('the channels of sharded pub/sub are no keys', () => {
  for (const line of ['SSUBSCRIBE a b', 'SUNSUBSCRIBE a', 'SPUBLISH a m']) {
    expect(ours(upstream, split(line))).toEqual([]);
  }
});
