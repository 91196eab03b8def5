import type { Random } from '../simulation/random.ts';
import type { Words } from './connection.ts';
import type { Frame } from './frames.ts';
import { drawKey, KINDS, type Kind, neighbour } from './keys.ts';

/** A request whose reply may be cached. */
export interface Read {
  readonly words: Words;
  readonly keys: readonly string[];
  /** How replies are compared: members and pairs come in any order. */
  readonly order: 'exact' | 'members' | 'pairs';
}

/** Runs the command in its arguments; the keys are declared. */
const SCRIPT = 'return redis.call(unpack(ARGV))';

/** How many reads are for hot keys alone: fewer than of writes, so that others stay in caches. */
const HEAT = 0.3;
/** How many reads are the first of their kind: the more, the fuller the caches. */
const USUAL = 0.6;

/** What can be read of a key of each kind; `@` is the key, `@@` another one. */
const READS: Readonly<Record<Kind, readonly [string, ...string[]]>> = {
  string: ['GET @', 'STRLEN @', 'GETRANGE @ 0 20', 'MGET @ @@'],
  number: ['GET @', 'MGET @ @@'],
  list: ['LRANGE @ 0 -1', 'LLEN @', 'LINDEX @ 0'],
  hash: ['HGETALL @', 'HGET @ f1', 'HMGET @ f1 f2 f3', 'HLEN @'],
  set: ['SMEMBERS @', 'SCARD @', 'SISMEMBER @ m1', 'SUNION @ @@'],
  zset: ['ZRANGE @ 0 -1 WITHSCORES', 'ZRANGE @ 0 -1', 'ZSCORE @ m1', 'ZCARD @'],
  stream: ['XRANGE @ - +', 'XLEN @'],
  bitmap: ['GET @', 'GETBIT @ 7', 'BITCOUNT @'],
  hll: ['PFCOUNT @'],
  geo: ['GEOPOS @ m1 m2 m3', 'ZCARD @', 'GEOHASH @ m1'],
};

/** What can be read of any key. */
const READS_OF_ANY = ['TYPE @', 'EXISTS @', 'PEXPIRETIME @', 'EXISTS @ @@'] as const;

/** @returns a read that is cached under this */
export function idOf(read: Read): string {
  return read.words.join(' ');
}

/** @returns GET of one key */
export function readOf(key: string): Read {
  return { words: ['GET', key], keys: [key], order: 'exact' };
}

/** @returns some read, not by a script unless `mayScript` */
export function drawRead(random: Random, mayScript: boolean): Read {
  const kind = random.pick(KINDS);
  const key = drawKey(random, kind, HEAT);
  const others = random.chance(0.3) ? READS_OF_ANY : READS[kind];
  const template = random.chance(USUAL) ? READS[kind][0] : random.pick(others);
  const isPair = template.includes('@@');
  const keys = isPair ? [key, neighbour(key)] : [key];
  const words = template.split(' ').map((word) => {
    if (word === '@@') return neighbour(key);
    return word === '@' ? key : word;
  });
  const order = orderOf(words[0] ?? '');
  if (!mayScript || !random.chance(0.08)) return { words, keys, order };
  const name = random.chance(0.5) ? 'EVAL' : 'EVAL_RO';
  // PFCOUNT counts as a write there: it may keep the count inside the key.
  const script = words[0] === 'PFCOUNT' ? 'EVAL' : name;
  return { words: [script, SCRIPT, String(keys.length), ...keys, ...words], keys, order };
}

function orderOf(name: string): Read['order'] {
  if (name === 'HGETALL') return 'pairs';
  return name === 'SMEMBERS' || name === 'SUNION' ? 'members' : 'exact';
}

/**
 * @returns a reply as text that is the same for the same value, in RESP2 and RESP3; undefined for an
 *          error, which is no value
 */
export function meaningOf(reply: Frame, order: Read['order']): string | undefined {
  if (reply.type === '-') return undefined;
  const texts = flatten(reply);
  if (order === 'members') return texts.sort().join(' ');
  if (order === 'exact') return texts.join(' ');
  const pairs: string[] = [];
  for (let at = 0; at < texts.length; at += 2) pairs.push(`${texts[at]}=${texts[at + 1]}`);
  return pairs.sort().join(' ');
}

function flatten(frame: Frame): string[] {
  if (frame.type === '_') return ['(nil)'];
  return '*~%'.includes(frame.type) ? frame.items.flatMap(flatten) : [frame.text];
}
