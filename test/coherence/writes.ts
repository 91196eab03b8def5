import type { Random } from '../simulation/random.ts';
import type { Words } from './connection.ts';
import { drawKey, KINDS, type Kind, neighbour } from './keys.ts';

/** A change: requests that are sent in one go, the last of whose replies says that it is made. */
export interface Write {
  readonly requests: readonly Words[];
  /** The keys that it may change. */
  readonly keys: readonly string[];
}

/**
 * Writes by kind. `@` is the key, `@@` another one of its kind, `#` a value that nobody has written
 * before, `~` now and then a long one, `f` a field, `m` a member, `n` a small number, `t` a time to
 * live in milliseconds.
 */
const WRITES: Readonly<Record<Kind, readonly string[]>> = {
  string: [
    'SET @ #',
    'SET @ #',
    'SET @ ~',
    'SET @ # PX t',
    'SET @ # KEEPTTL',
    'PSETEX @ t #',
    'APPEND @ #',
    'SETRANGE @ n #',
    'GETSET @ #',
    'GETDEL @',
    'GETEX @ PX t',
    'GETEX @ PERSIST',
    'MSET @ # @@ #',
    'SETNX @ #',
    'MSETNX @ # @@ #',
  ],
  number: ['INCR @', 'INCRBY @ n', 'DECR @', 'SET @ n', 'INCRBY @ n', 'SET @ n PX t'],
  list: [
    'RPUSH @ #',
    'LPUSH @ # #',
    'LPOP @',
    'RPOP @ 2',
    'LSET @ 0 #',
    'LTRIM @ 0 5',
    'LTRIM @ 0 3',
    'LINSERT @ BEFORE x #',
    'RPUSH @ x',
    'LREM @ 0 x',
    'RPOPLPUSH @ @@',
    'LMOVE @ @@ LEFT RIGHT',
    'BLPOP @ 0.02',
    'BLMOVE @ @@ RIGHT LEFT 0.02',
    'SORT @ ALPHA STORE @@',
  ],
  hash: [
    'HSET @ f #',
    'HSET @ f # f #',
    'HDEL @ f',
    'HSETNX @ f #',
    'HINCRBY @ count n',
    'HINCRBYFLOAT @ count n',
  ],
  set: [
    'SADD @ m',
    'SADD @ #',
    'SREM @ m',
    'SPOP @',
    'SPOP @ 3',
    'SMOVE @ @@ m',
    'SUNIONSTORE @ @@ @',
    'SINTERSTORE @ @ @@',
    'SDIFFSTORE @ @ @@',
  ],
  zset: [
    'ZADD @ n m',
    'ZADD @ n #',
    'ZINCRBY @ n m',
    'ZREM @ m',
    'ZPOPMIN @',
    'ZREMRANGEBYRANK @ 4 -1',
    'ZUNIONSTORE @ 2 @ @@',
    'ZRANGESTORE @@ @ 0 2',
    'BZPOPMAX @ 0.02',
  ],
  stream: [
    'XADD @ MAXLEN 5 * f #',
    'XADD @ MAXLEN 5 * f #',
    'XTRIM @ MAXLEN 2',
    'XGROUP CREATE @ group $ MKSTREAM',
    'XGROUP DESTROY @ group',
    'XREADGROUP GROUP group me COUNT 1 STREAMS @ >',
  ],
  bitmap: ['SETBIT @ n 1', 'SETBIT @ n 0', 'BITOP NOT @ @@', 'BITFIELD @ SET u8 n n'],
  hll: ['PFADD @ #', 'PFADD @ # # #', 'PFMERGE @ @@'],
  geo: [
    'GEOADD @ 1n 4n m',
    'GEOADD @ 2n 3n m',
    'ZREM @ m',
    'GEOSEARCHSTORE @@ @ FROMLONLAT 15 45 BYRADIUS 900 km',
  ],
};

const WRITES_OF_ANY = [
  'DEL @',
  'UNLINK @',
  'DEL @ @@',
  'RENAME @ @@',
  'RENAMENX @ @@',
  'COPY @ @@ REPLACE',
  'PEXPIRE @ t',
  'PEXPIRE @ 60000',
  'PERSIST @',
  'EXPIREAT @ 1',
  'MOVE @ 1',
] as const;

/** Changes that no notification tells. */
const SILENT: readonly (readonly Words[])[] = [
  [['FLUSHALL']],
  [['FLUSHALL', 'ASYNC']],
  [['FLUSHDB']],
  [['SWAPDB', '0', '1']],
  [['SWAPDB', '1', '0']],
  [['EVAL', "return redis.call('flushall')", '0']],
  [['EVAL', "return redis.call('flushdb')", '0']],
  [['EVAL', "return redis.call('swapdb', 0, 1)", '0']],
  [['MULTI'], ['FLUSHDB'], ['EXEC']],
  [['MULTI'], ['SWAPDB', '0', '1'], ['SET', 'string:0', 'swapped'], ['EXEC']],
  [['CONFIG', 'RESETSTAT'], ['FLUSHALL']],
  [['FLUSHALL'], ['CONFIG', 'RESETSTAT']],
  [['DEBUG', 'RELOAD']],
];

/** A script that runs the command in its arguments. */
const SCRIPT = 'return redis.call(unpack(ARGV))';

const BLOCKS = /^B(?:LPOP|LMOVE|ZPOPMAX)$/;

/** How many writes are for hot keys alone. */
const HEAT = 0.75;
/** One value in so many is long, of up to so many characters. */
const LONG_EVERY = 4;
const LONG_MAX_LENGTH = 60_000;

let values = 0;

/** @returns a value that nobody has written before */
export function newValue(): string {
  return `v${++values}`;
}

/** @returns some write: a command, a transaction of several, or a script */
export function drawWrite(random: Random): Write {
  const form = random.next();
  if (form < 0.1) return drawTransaction(random);
  const { words, keys } = drawCommand(random);
  if (form > 0.22 || BLOCKS.test(words[0] ?? '')) return { requests: [words], keys };
  // A script need not declare what it writes.
  const declared = form < 0.19 ? keys : [];
  const script = ['EVAL', SCRIPT, String(declared.length), ...declared, ...words];
  return { requests: [script], keys };
}

/** @returns some change that no notification tells, in one go */
export function drawSilent(random: Random): readonly Words[] {
  return random.pick(SILENT);
}

function drawTransaction(random: Random): Write {
  const commands = Array.from({ length: 1 + random.below(3) }, () => drawCommand(random));
  return {
    requests: [['MULTI'], ...commands.map(({ words }) => words), ['EXEC']],
    keys: commands.flatMap(({ keys }) => keys),
  };
}

function drawCommand(random: Random): { readonly words: Words; readonly keys: readonly string[] } {
  const kind = random.pick(KINDS);
  const key = drawKey(random, kind, HEAT);
  const other = neighbour(key);
  const template = random.pick(random.chance(0.25) ? WRITES_OF_ANY : WRITES[kind]);
  const words = template.split(' ').map((word) => fill(word, random, key, other));
  return { words, keys: template.includes('@@') ? [key, other] : [key] };
}

function fill(word: string, random: Random, key: string, other: string): string {
  switch (word) {
    case '@':
      return key;
    case '@@':
      return other;
    case '#':
      return newValue();
    case '~':
      return random.below(LONG_EVERY) === 0
        ? newValue() + 'x'.repeat(random.below(LONG_MAX_LENGTH))
        : newValue();
    case 'f':
      return `f${random.below(4)}`;
    case 'm':
      return `m${random.below(4)}`;
    case 't':
      return String(20 + random.below(1_500));
    default:
      return /^\d?n$/.test(word) ? word.replace('n', String(random.below(9))) : word;
  }
}
