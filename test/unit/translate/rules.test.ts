import { describe, expect, test } from 'vitest';
import { isSame } from '../../../src/translate/rules.ts';
import { translated } from '../../../src/translate/whole.ts';
import { bytesOf } from '../../helpers/scan.ts';
import { ruleFor } from '../../helpers/translate.ts';

/** @returns the bytes of a reply written as its headers and texts, between blanks */
function reply(line: string): string {
  return line
    .split(' ')
    .map((word) => (/^[$=]/.test(word) ? bulk(word) : `${word}\r\n`))
    .join('');
}

function bulk(word: string): string {
  const text = word.slice(1);
  return text === '-1' ? `${word}\r\n` : `${word[0]}${text.length}\r\n${text}\r\n`;
}

/**
 * What servers older or newer than 7.0 have, or only servers in a state that is hard to bring
 * about. All others are in the conformance tests. Of a string only the text is written.
 */
const ROWS = [
  // 7.2
  { request: 'ZRANK z a WITHSCORE', resp2: '*2 :1 $2.5', resp3: '*2 :1 ,2.5' },
  { request: 'ZREVRANK z a WITHSCORE', resp2: '*-1', resp3: '_' },
  { request: 'WAITAOF 0 0 0', resp2: '*2 :0 :0', resp3: '*2 :0 :0' },
  { request: 'CLUSTER MYSHARDID', resp2: '$abc', resp3: '$abc' },
  // 7.4
  { request: 'HEXPIRE h 1 FIELDS 1 f', resp2: '*1 :1', resp3: '*1 :1' },
  { request: 'HTTL h FIELDS 1 f', resp2: '*1 :-2', resp3: '*1 :-2' },
  {
    request: 'ACL LOG',
    resp2: '*1 *6 $count :1 $age-seconds $0.5 $entry-id :0',
    resp3: '*1 %3 $count :1 $age-seconds ,0.5 $entry-id :0',
  },
  // 6.x
  {
    request: 'STRALGO LCS KEYS a b IDX',
    resp2: '*4 $matches *1 *2 *2 :4 :7 *2 :5 :8 $len :6',
    resp3: '%2 $matches *1 *2 *2 :4 :7 *2 :5 :8 $len :6',
  },
  { request: 'STRALGO LCS STRINGS a b', resp2: '$mytext', resp3: '$mytext' },
  {
    request: 'COMMAND INFO get',
    resp2: '*1 *7 $get :2 *2 +readonly +fast :1 :1 :1 *1 +@read',
    resp3: '*1 *7 $get :2 ~2 +readonly +fast :1 :1 :1 ~1 +@read',
  },
  // 5.0 and before
  {
    request: 'COMMAND',
    resp2: '*1 *6 $get :2 *1 +fast :1 :1 :1',
    resp3: '*1 *6 $get :2 ~1 +fast :1 :1 :1',
  },
  {
    request: 'XINFO STREAM st',
    resp2:
      '*14 $length :1 $radix-tree-keys :1 $radix-tree-nodes :2 $groups :0 $last-generated-id $1-1 $first-entry *2 $1-1 *2 $a $b $last-entry *-1',
    resp3:
      '%7 $length :1 $radix-tree-keys :1 $radix-tree-nodes :2 $groups :0 $last-generated-id $1-1 $first-entry *2 $1-1 *2 $a $b $last-entry _',
  },
  {
    request: 'MEMORY STATS',
    resp2: '*6 $peak.percentage $99.5 $db.0 *2 $overhead.hashtable.main :72 $fragmentation $1.5',
    resp3: '%3 $peak.percentage ,99.5 $db.0 %1 $overhead.hashtable.main :72 $fragmentation ,1.5',
  },
  // a state of its own
  {
    request: 'FUNCTION STATS',
    resp2:
      '*4 $running_script *6 $name $f $command *2 $fcall $f $duration_ms :1 $engines *2 $LUA *2 $libraries_count :1',
    resp3:
      '%2 $running_script %3 $name $f $command *2 $fcall $f $duration_ms :1 $engines %1 $LUA %1 $libraries_count :1',
  },
  {
    request: 'MODULE LIST',
    resp2: '*1 *8 $name $m $ver :1 $path $/m.so $args *1 $a',
    resp3: '*1 %4 $name $m $ver :1 $path $/m.so $args *1 $a',
  },
  {
    request: 'CLUSTER LINKS',
    resp2: '*1 *4 $direction $to $events $rw',
    resp3: '*1 %2 $direction $to $events $rw',
  },
  {
    request: 'CLUSTER SLOTS',
    resp2: '*1 *4 :0 :9 *4 $a :1 $id *0 *4 $b :1 $id *2 $hostname $h',
    resp3: '*1 *4 :0 :9 *4 $a :1 $id %0 *4 $b :1 $id %1 $hostname $h',
  },
  { request: 'CLUSTER SLOTS', resp2: '*1 *3 :0 :9 *2 $a :1', resp3: '*1 *3 :0 :9 *2 $a :1' },
  {
    request: 'CLUSTER SHARDS',
    resp2: '*1 *4 $slots *2 :0 :9 $nodes *1 *4 $id $x $port :1',
    resp3: '*1 %2 $slots *2 :0 :9 $nodes *1 %2 $id $x $port :1',
  },
  {
    request: 'XINFO STREAM st FULL',
    resp2:
      '*4 $length :0 $groups *1 *6 $name $g $pel *1 *1 $1-1 $consumers *1 *4 $name $c $pending *1 *1 $1-1',
    resp3:
      '%2 $length :0 $groups *1 %3 $name $g $pel *1 *1 $1-1 $consumers *1 %2 $name $c $pending *1 *1 $1-1',
  },
] as const;

test.for(ROWS)('$request is answered $resp3', ({ request, resp2, resp3 }) => {
  const ours = translated(bytesOf(reply(resp2)), ruleFor(request)).toString('latin1');
  expect(ours).toBe(reply(resp3));
});

describe('an option counts only in its place', () => {
  test.for([
    ['ZRANGE withscores 0 -1', 'ZRANGE k 0 -1 withScores'],
    ['ZREVRANGE k withscores 1', 'ZREVRANGE k 0 1 WITHSCORES'],
    ['ZRANGEBYSCORE withscores 0 1', 'ZRANGEBYSCORE k 0 1 LIMIT 0 1 WITHSCORES'],
    ['ZREVRANGEBYSCORE withscores 0 1', 'ZREVRANGEBYSCORE k 0 1 WITHSCORES LIMIT 0 1'],
    ['ZUNION 2 a withscores', 'ZUNION 1 a WITHSCORES'],
    ['ZINTER 2 withscores b', 'ZINTER 2 a b WEIGHTS 1 2 WITHSCORES'],
    ['ZDIFF 1 withscores', 'ZDIFF 1 withscores withscores'],
    ['ZDIFF -1 a withscores', 'ZDIFF 0 withscores'],
    ['ZRANDMEMBER withscores 1', 'ZRANDMEMBER k 1 WITHSCORES'],
    ['HRANDFIELD withvalues 1', 'HRANDFIELD k 1 WITHVALUES'],
    ['ZRANGE k 0 -1 WITHSCORESX', 'ZRANGE k 0 -1 "WITHSCORES\\0X"'],
    ['CONFIG', 'config gEt'],
    ['COMMAND COUNT', 'COMMAND'],
    ['COMMAND GETKEYS a', 'COMMAND "INFO\\0"'],
    ['DEBUG PROTOCOL', 'DEBUG PROTOCOL set'],
    ['DEBUG __proto__', 'DEBUG HTSTATS-KEY k'],
    ['NONE', 'HGETALL'],
  ])('%s, %s', ([without = '', given = '']) => {
    expect(ruleFor(without)).toBeUndefined();
    expect(ruleFor(given)).toBeDefined();
  });

  test('and a count of nothing is one', () => {
    expect(ruleFor('ZPOPMIN z')).not.toBe(ruleFor('ZPOPMIN z 0'));
    expect(ruleFor('ZPOPMAX z 1')).toBe(ruleFor('ZPOPMIN z 0'));
  });
});

test.for(['EVAL', 'EVALSHA', 'EVAL_RO', 'EVALSHA_RO', 'FCALL', 'FCALL_RO'])(
  'what %s returns keeps its shape',
  (name) => {
    expect(ruleFor(`${name} x 1 HGETALL`)).toBeUndefined();
  },
);

describe('a reply needs no translator', () => {
  test.for(['+OK\r\n', '-ERR x\r\n', ':1\r\n', '$3\r\n', '$0'])('that begins %j', (text) => {
    expect(isSame(undefined, bytesOf(`$-${text}`), 2)).toBe(true);
  });

  test('that is an error or a status, whatever its request', () => {
    for (const text of ['-', '+'])
      expect(isSame(ruleFor('HGETALL h'), bytesOf(text), 0)).toBe(true);
  });
});

test.for(['$-1\r\n', '*1\r\n', '*-1\r\n', '$'])('a reply that begins %j may need one', (text) => {
  expect(isSame(undefined, bytesOf(text), 0)).toBe(false);
});

test.for([':1\r\n', '$1\r\n'])('one that begins %j does if there is a rule', (text) => {
  expect(isSame(ruleFor('DEBUG PROTOCOL true'), bytesOf(text), 0)).toBe(false);
});
