import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keysOf, readsOf, type Words } from '../../../src/commands/keys.ts';
import { type CommandInfo, CommandTable } from '../../../src/commands/table.ts';

const builtin = CommandTable.builtin();

function wordsOf(list: readonly string[]): Words {
  return {
    count: list.length,
    text(index) {
      const word = list[index];
      if (word === undefined) throw new RangeError(`word ${index} of ${list.length}`);
      return word;
    },
  };
}

/** Words are split at blanks; `""` is the empty word and `\0` a NUL. */
function split(line: string): readonly string[] {
  return line.split(' ').map((word) => (word === '""' ? '' : word.replaceAll('\\0', '\0')));
}

function infoOf(words: readonly string[]): CommandInfo {
  const info = builtin.findText(words[0]?.toLowerCase() ?? '');
  if (info === undefined) throw new Error(`no command ${words[0]}`);
  return info;
}

function keys(words: readonly string[]): readonly string[] {
  return keysOf(infoOf(words), wordsOf(words));
}

describe.each([
  ['GET a', 'a'],
  ['GET', ''],
  ['MGET a b a', 'a b a'],
  ['MSET a 1 b 2', 'a b'],
  ['DEL a b c', 'a b c'],
  ['EXISTS a b', 'a b'],
  ['RENAME a b', 'a b'],
  ['COPY a b DB 1', 'a b'],
  ['SMOVE a b m', 'a b'],
  ['LCS a b', 'a b'],
  ['BITOP AND d a b', 'd a b'],
  ['PFMERGE d a', 'd a'],
  ['PFDEBUG GETREG a', 'a'],
  ['BLPOP a b 0', 'a b'],
  ['BRPOP a', ''],
  ['BZPOPMIN a b 0', 'a b'],
  ['BLMOVE a b LEFT LEFT 0', 'a b'],
  ['PING a', ''],
  ['FLUSHALL', ''],
])('a range: %s', (line, expected) => {
  test(`names ${expected || 'nothing'}`, () => expect(keys(split(line)).join(' ')).toBe(expected));
});

describe.each([
  ['EVAL s 2 a b c', 'a b'],
  ['EVALSHA s 1 a', 'a'],
  ['EVAL_RO s 1 a', 'a'],
  ['EVALSHA_RO s 1 a', 'a'],
  ['FCALL f 1 a b', 'a'],
  ['FCALL_RO f 2 a b', 'a b'],
  ['EVAL s 0 a', ''],
  ['EVAL s 5 a', ''],
  ['EVAL s -1 a', ''],
  ['EVAL s 1e1 a b c d e f g h i j k', ''],
  ['EVAL s 0x1 a', ''],
  ['EVAL s 1.5 a', ''],
  ['EVAL s Infinity a', ''],
  ['EVAL s 1000000000 a', ''],
  ['EVAL s 99999999999999999999999999 a', ''],
  ['EVAL s 18446744073709551617 a', ''],
  ['EVAL s', ''],
  ['EVAL s 1', ''],
  ['EVAL s "" a', ''],
  ['EVAL s +1 a b', 'a'],
  ['EVAL s 01 a b', 'a'],
  ['EVAL s 1\\0x a b', 'a'],
  ['ZUNIONSTORE d 2 a b WEIGHTS 1 2', 'd a b'],
  ['ZINTERSTORE d 1 a', 'd a'],
  ['ZDIFFSTORE d 2 a b', 'd a b'],
  ['ZUNIONSTORE d 3 a b', ''],
  ['ZUNION 2 a b WITHSCORES', 'a b'],
  ['ZINTER 1 a', 'a'],
  ['ZDIFF 2 a b', 'a b'],
  ['ZINTERCARD 2 a b', 'a b'],
  ['SINTERCARD 2 a b LIMIT 1', 'a b'],
  ['SUNIONCARD 2 a b', 'a b'],
  ['LMPOP 1 a LEFT', 'a'],
  ['ZMPOP 2 a b MIN', 'a b'],
  ['BLMPOP 0 1 a LEFT', 'a'],
  ['BZMPOP 0 2 a b MIN', 'a b'],
])('a count: %s', (line, expected) => {
  test(`names ${expected || 'nothing'}`, () => expect(keys(split(line)).join(' ')).toBe(expected));
});

describe.each([
  ['XREAD STREAMS a b 0 0', 'a b'],
  ['XREAD COUNT 2 BLOCK 0 streams a 0', 'a'],
  ['XREAD COUNT STREAMS STREAMS a 0', 'a'],
  ['XREAD STREAMS a b 0', ''],
  ['XREAD STREAMS', ''],
  ['XREAD COUNT', ''],
  ['XREAD STREAMS\\0x a 0', 'a'],
  ['XREAD SOMENEWOPTION STREAMS a 0', 'a'],
  ['XREADGROUP GROUP STREAMS c STREAMS k >', 'k'],
  ['XREADGROUP GROUP g c NOACK CLAIM 5 STREAMS a b > >', 'a b'],
  ['SORT a', 'a'],
  ['SORT', ''],
  ['SORT a BY w_* GET g_* STORE d', 'a d'],
  ['SORT a BY nosort', 'a'],
  ['SORT a LIMIT 0 STORE STORE d', 'a d'],
  ['SORT a GET STORE STORE d', 'a d'],
  ['SORT a BY STORE STORE d', 'a d'],
  ['SORT a STORE d STORE e', 'a e'],
  ['SORT a STORE BY STORE d', 'a d'],
  ['SORT a STORE', 'a'],
  ['SORT a store\\0x d', 'a d'],
  ['SORT_RO a BY w_* GET g_*', 'a'],
  ['GEORADIUS a 1 1 1 m STORE d', 'a d'],
  ['GEORADIUS a 1 1 1 m STORE d STOREDIST e', 'a e'],
  ['GEORADIUS a 1 1 1 m STORE STORE STORE e', 'a e'],
  ['GEORADIUS a 1 1 1 m STORE', 'a'],
  ['GEORADIUSBYMEMBER a STORE 1 m storedist d', 'a d'],
  ['GEORADIUS_RO a 1 1 1 m', 'a'],
  ['MIGRATE h 1 k 0 100 COPY', 'k'],
  ['MIGRATE h 1 k', 'k'],
  ['MIGRATE h 1', ''],
  ['MIGRATE h 1 "" 0 100 KEYS a b', 'a b'],
  ['MIGRATE h 1 "" 0 100 AUTH KEYS KEYS a b', 'a b'],
  ['MIGRATE h 1 "" 0 100 AUTH2 KEYS KEYS KEYS a b', 'a b'],
  ['MIGRATE h 1 "" 0 100 keys\\0x a', 'a'],
  ['STRALGO LCS KEYS a b', 'a b'],
  ['STRALGO LCS IDX keys a b WITHMATCHLEN', 'a b'],
  ['STRALGO LCS STRINGS KEYS a b', ''],
  ['STRALGO LCS KEYS a', ''],
  ['MSETEX 2 a 1 b 2', 'a b'],
  ['MSETEX 3000000 a 1', ''],
  ['MSETEX Infinity a 1', ''],
])('options: %s', (line, expected) => {
  test(`names ${expected || 'nothing'}`, () => expect(keys(split(line)).join(' ')).toBe(expected));
});

describe.each([
  ['OBJECT ENCODING a', 'a', true],
  ['object freq\\0x a', 'a', true],
  ['OBJECT IDLETIME a', 'a', true],
  ['OBJECT REFCOUNT a', 'a', true],
  ['OBJECT ENCODING', '', true],
  ['OBJECT HELP', '', false],
  ['OBJECT', '', false],
  ['OBJECT constructor a', '', false],
  ['MEMORY USAGE a SAMPLES 5', 'a', true],
  ['MEMORY DOCTOR', '', false],
  ['XINFO STREAM a FULL', 'a', true],
  ['XINFO GROUPS a', 'a', true],
  ['XINFO CONSUMERS a g', 'a', true],
  ['XINFO HELP', '', false],
  ['XGROUP CREATE a g $', 'a', false],
  ['XGROUP HELP', '', false],
  ['CLIENT SETNAME a', '', false],
  ['DEBUG OBJECT a', '', false],
  ['SSUBSCRIBE a b', '', false],
  ['SUNSUBSCRIBE a', '', false],
  ['SPUBLISH a m', '', false],
  ['PUBLISH a m', '', false],
  ['WATCH a b', 'a b', false],
  ['SORT a', 'a', false],
  ['GETEX a', 'a', false],
  ['GET a', 'a', true],
  ['XREAD STREAMS a 0', 'a', true],
  ['XREADGROUP GROUP g c STREAMS a >', 'a', false],
  ['EVAL s 1 a', 'a', true],
  ['STRALGO LCS KEYS a b', 'a b', true],
] as const)('reading: %s', (line, expected, reads) => {
  test(`${reads ? 'tracks' : 'does not track'} ${expected || 'nothing'}`, () => {
    const words = split(line);
    expect(keys(words).join(' ')).toBe(expected);
    expect(readsOf(infoOf(words), wordsOf(words))).toBe(reads);
  });
});

test('a single key costs one look at one word', () => {
  const looks: number[] = [];
  const text = (index: number) => {
    looks.push(index);
    return 'a';
  };
  expect(keysOf(infoOf(['set']), { count: 3, text })).toEqual(['a']);
  expect(looks).toEqual([1]);
});

test('a key keeps every byte', () => {
  const bytes = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
  expect(keys(['GET', bytes])).toEqual([bytes]);
  expect(keys(['EVAL', 's', '1', bytes])).toEqual([bytes]);
});

test('a range of a module ends with the words', () => {
  const table = CommandTable.fromUpstream([['m.read', -2, ['readonly'], 1, 2 ** 50, 2]]);
  const info = table.findText('m.read') as CommandInfo;
  expect(keysOf(info, wordsOf(['m.read', 'a', '1', 'b']))).toEqual(['a', 'b']);
});

const word = fc.oneof(
  fc.constantFrom('', '0', '1', '2', '3', '-1', '1e9', '3000000', 'Infinity', '0x7fffffff'),
  fc.constantFrom('STREAMS', 'store', 'GET', 'BY', 'LIMIT', 'KEYS', 'AUTH', 'AUTH2', 'GROUP'),
  fc.constantFrom(
    'COUNT',
    'BLOCK',
    'ENCODING',
    'usage',
    'STREAM',
    'LCS',
    'STRINGS',
    '\0',
    'STORE\0',
  ),
  fc.string({ unit: 'binary-ascii', maxLength: 4 }),
);
const names =
  `sort georadius migrate xread xreadgroup eval fcall zunionstore zinter lmpop object memory
  xinfo xgroup client stralgo msetex get mget mset blpop bitop`.split(/\s+/);

test('whatever the words, keys are some of them, and each is looked at a few times at most', () => {
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.array(word, { maxLength: 12 }), (name, rest) => {
      const list = [name, ...rest];
      const words = wordsOf(list);
      let looks = 0;
      const counting: Words = {
        count: words.count,
        text(index) {
          looks += 1;
          return words.text(index); // throws if there is no such word
        },
      };
      const info = infoOf(list);
      const found = keysOf(info, counting);
      expect(rest).toEqual(expect.arrayContaining(found));
      expect(found.length).toBeLessThan(list.length);
      expect(looks).toBeLessThanOrEqual(3 * list.length);
      readsOf(info, words);
    }),
    { numRuns: 2_000 },
  );
});

test('a request of very many words is read in one pass', () => {
  const many = Array.from({ length: 300_000 }, () => 'k');
  expect(keys(['MGET', ...many])).toHaveLength(300_000);
  expect(keys(['SINTERCARD', '300000', ...many])).toHaveLength(300_000);
  expect(keys(['MIGRATE', 'h', '1', '', '0', '1', 'KEYS', ...many])).toHaveLength(300_000);
  expect(keys(['XREAD', 'STREAMS', ...many])).toHaveLength(150_000);
  expect(keys(['SORT', 'a', ...many])).toEqual(['a']);
  expect(keys(['MSETEX', '150000', ...many])).toHaveLength(150_000);
});
