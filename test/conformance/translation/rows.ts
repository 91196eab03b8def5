/** How two replies to one request are compared. */
export type Sameness =
  | 'bytes'
  /** Numbers may differ: times, sizes, ids. */
  | 'digits'
  /** Texts may differ, types and their nesting not: art, random order, the state of a server. */
  | 'types';

/** One request, made in RESP2 and in RESP3 on the same data. */
export interface Row {
  /** See `wordsOf` of helpers/reply-text.ts. */
  readonly request: string;
  /** What another connection does before. */
  readonly before?: readonly string[];
  /** What the connection itself does before. */
  readonly first?: readonly string[];
  readonly same?: Sameness;
  /** Why the request can't be made inside MULTI, or what it does there can't be compared. */
  readonly aloneBecause?: string;
  /** Why the translation is another reply than RESP3's. */
  readonly differs?: string;
}

/** What is in the database before each request. */
export const DATA: readonly string[] = [
  'CONFIG SET latency-monitor-threshold 0',
  'FLUSHALL',
  'SLOWLOG RESET',
  'CONFIG RESETSTAT',
  'LATENCY RESET',
  'SET str hello',
  'SET num 10',
  'SET ohmy ohmytext',
  'SET mynew mynewtext',
  'HSET h f1 v1 f2 v2',
  'SADD s 1 2 3',
  'SADD s2 2 3 4',
  'SADD one x',
  'RPUSH l a b c',
  'ZADD z 1 a 2.5 b inf c -inf d 1e-7 e 3.1e20 f',
  'ZADD z2 1 a 7 g',
  'ZADD withscores 1 a',
  'GEOADD geo 13.361389 38.115556 Palermo 15.087269 37.502669 Catania',
  'XADD st 1-1 f v',
  'XADD st 2-1 g w h x',
  'XGROUP CREATE st g1 0',
  'XREADGROUP GROUP g1 c1 COUNT 1 STREAMS st >',
  'XREADGROUP GROUP g1 c2 COUNT 1 STREAMS st >',
  'XGROUP CREATE st g2 $',
  'XADD st2 1-1 a b',
  'XGROUP CREATE st2 g1 0',
  'PFADD hll a b c',
  'SETBIT bits 7 1',
];

const LIBRARY =
  "\"#!lua name=lib\\nredis.register_function{function_name='f', callback=function(keys) return " +
  "redis.call('HGETALL', keys[1]) end, flags={'no-writes'}, description='d'}\\n" +
  "redis.register_function('g', function() return false end)\"";

/** What a request line with nothing else to it is compared by. */
function plain(...requests: readonly string[]): Row[] {
  return requests.map((request) => ({ request }));
}

function volatile(same: Sameness, ...requests: readonly string[]): Row[] {
  return requests.map((request) => ({ request, same }));
}

const GENERAL: readonly Row[] = [
  ...plain('GET str', 'GET none', 'GET h', 'GET', 'NO SUCH "\\r\\n"', 'MGET str none h num'),
  ...plain('SET str x NX', 'SET none x XX', 'SET str x GET', 'SET none x GET', 'SET str x KEEPTTL'),
  ...plain('GETSET str x', 'GETSET none x', 'GETDEL str', 'GETDEL none', 'GETEX none', 'GETEX str'),
  ...plain('APPEND str x', 'STRLEN str', 'GETRANGE str 0 1', 'SUBSTR str 0 1', 'SETRANGE str 1 x'),
  ...plain('INCR num', 'INCRBY num 2', 'DECR num', 'DECRBY num 2', 'INCRBYFLOAT num 0.1'),
  ...plain('INCR str', 'MSET a 1 b 2', 'MSETNX str 1 a 2', 'SETNX str 1', 'SETEX a 10 b'),
  ...plain('PSETEX a 10000 b', 'DEL str none', 'UNLINK str', 'EXISTS str none', 'TOUCH str none'),
  ...plain('TYPE str', 'TYPE none', 'TTL str', 'TTL none', 'PTTL str', 'EXPIRE str 100', 'DBSIZE'),
  ...plain('EXPIRE str 100 GT', 'PEXPIRE str 100000', 'EXPIREAT str 99999999999', 'PERSIST str'),
  ...plain('PEXPIREAT str 99999999999999', 'EXPIRETIME str', 'PEXPIRETIME none', 'RENAME str a'),
  ...plain('RENAME none a', 'RENAMENX str num', 'COPY str a', 'COPY none a', 'MOVE str 1'),
  ...volatile('types', 'RANDOMKEY', 'SCAN 0 MATCH none*', 'SCAN 0'),
  { request: 'RANDOMKEY', before: ['FLUSHALL'] },
  ...plain('KEYS str*', 'KEYS none*', 'SORT s', 'SORT l ALPHA', 'SORT_RO s'),
  ...plain('SORT s BY nosort GET none-*', 'SORT s GET # GET none-*', 'SORT none', 'SORT s STORE d'),
  ...plain('DUMP none', 'DUMP str', 'RESTORE a 0 x', 'RESTORE-ASKING a 0 x', 'OBJECT ENCODING str'),
  ...plain('OBJECT ENCODING none', 'OBJECT REFCOUNT str', 'OBJECT HELP'),
  ...plain('OBJECT FREQ str', 'OBJECT FREQ none', 'OBJECT IDLETIME none', 'SETBIT bits 1 1'),
  ...plain('GETBIT bits 7', 'BITCOUNT bits', 'BITPOS bits 1', 'BITOP NOT d bits', 'WAIT 0 0'),
  ...plain('BITFIELD num OVERFLOW FAIL INCRBY u2 0 9 GET u2 0', 'BITFIELD_RO num GET u8 0'),
  ...plain('PFADD hll d', 'PFCOUNT hll none', 'PFMERGE d hll', 'PFDEBUG ENCODING hll'),
  ...plain('PFDEBUG GETREG hll', 'ECHO hi', 'PING', 'PING hi', 'PING ""', 'PING a b', 'SELECT 1'),
  ...plain('SWAPDB 0 1', 'FLUSHDB', 'FLUSHALL', 'WATCH a', 'UNWATCH', 'EXEC', 'DISCARD'),
  ...plain('ASKING', 'READONLY', 'READWRITE', 'REPLICAOF NO ONE', 'SLAVEOF NO ONE', 'ROLE'),
  ...plain('LASTSAVE', 'MIGRATE h 1 none 0 10', 'REPLCONF listening-port 1', 'AUTH a b', 'AUTH'),
  ...volatile('digits', 'TIME', 'OBJECT IDLETIME str'),
  { request: 'MULTI', aloneBecause: 'MULTI can not be nested' },
  { request: 'RESET', aloneBecause: 'it ends the transaction' },
  { request: 'QUIT', aloneBecause: 'it ends the connection' },
];

const COLLECTIONS: readonly Row[] = [
  ...plain('HGETALL h', 'HGETALL none', 'HGETALL str', 'HGETALL', 'HGET h f1', 'HGET h none'),
  ...plain('HMGET h f1 none', 'HMGET none a b', 'HKEYS h', 'HVALS h', 'HKEYS none', 'HLEN h'),
  ...plain('HEXISTS h f1', 'HSET h a b', 'HSETNX h f1 b', 'HMSET h a b', 'HDEL h f1 none'),
  ...plain('HINCRBY h n 1', 'HINCRBYFLOAT h n 1.5', 'HSTRLEN h f1', 'HSCAN h 0', 'HSCAN none 0'),
  ...plain('HRANDFIELD h 9', 'HRANDFIELD h 9 WITHVALUES', 'HRANDFIELD none 1 withvalues'),
  ...volatile('types', 'HRANDFIELD h -3 withVALUES', 'HRANDFIELD h', 'HRANDFIELD h -3'),
  ...plain('HRANDFIELD none', 'HRANDFIELD none 1', 'HRANDFIELD h 1 withvalue', 'HRANDFIELD str'),
  ...plain('SMEMBERS s', 'SMEMBERS none', 'SMEMBERS str', 'SINTER s s2', 'SINTER s none'),
  ...plain('SUNION s s2', 'SUNION none', 'SDIFF s s2', 'SDIFF s s', 'SINTER s str', 'SPOP one'),
  ...plain('SPOP none', 'SPOP one 1', 'SPOP one 0', 'SPOP none 2', 'SPOP s 9', 'SPOP one -1'),
  ...plain('SRANDMEMBER one', 'SRANDMEMBER none', 'SRANDMEMBER one 1', 'SRANDMEMBER none 1'),
  ...volatile('types', 'SRANDMEMBER s -5', 'SPOP s 2', 'SPOP s'),
  ...plain('SADD s 9', 'SREM s 1', 'SCARD s', 'SISMEMBER s 1', 'SMISMEMBER s 1 9', 'SSCAN s 0'),
  ...plain('SINTERCARD 2 s s2', 'SINTERSTORE d s s2', 'SUNIONSTORE d s s2', 'SDIFFSTORE d s s2'),
  ...plain('SMOVE s s2 1', 'LRANGE l 0 -1', 'LRANGE none 0 -1', 'LPOP l', 'LPOP none', 'LPOP l 2'),
  ...plain('LPOP none 2', 'LPOP l 0', 'RPOP l', 'RPOP l 2', 'RPOP none 1', 'LINDEX l 9', 'LLEN l'),
  ...plain('LINDEX l 0', 'LPUSH l a', 'RPUSH l a', 'LPUSHX l a', 'RPUSHX none a', 'LSET l 0 x'),
  ...plain('LINSERT l BEFORE a x', 'LREM l 0 a', 'LTRIM l 0 0', 'LPOS l b', 'LPOS l none'),
  ...plain('LPOS l b COUNT 0', 'LPOS none b COUNT 0', 'RPOPLPUSH l d', 'RPOPLPUSH none d'),
  ...plain('LMOVE l d LEFT RIGHT', 'LMOVE none d LEFT LEFT', 'LMPOP 2 none l LEFT COUNT 2'),
  ...plain('LMPOP 1 none LEFT', 'BLMPOP 0.01 1 l LEFT', 'BLMPOP 0.01 1 none LEFT', 'BLPOP l 0.01'),
  ...plain('BLPOP none 0.01', 'BRPOP l 0.01', 'BRPOP none 0.01', 'BRPOPLPUSH l d 0.01'),
  ...plain('BRPOPLPUSH none d 0.01', 'BLMOVE l d LEFT LEFT 0.01', 'BLMOVE none d LEFT LEFT 0.01'),
  ...plain('LCS ohmy mynew', 'LCS ohmy mynew LEN', 'LCS ohmy mynew IDX', 'LCS none none idx'),
  ...plain('LCS ohmy mynew IDX MINMATCHLEN 4 WITHMATCHLEN', 'LCS ohmy h IDX', 'LCS ohmy'),
];

const SORTED_SETS: readonly Row[] = [
  ...plain('ZSCORE z a', 'ZSCORE z c', 'ZSCORE z d', 'ZSCORE z e', 'ZSCORE z f', 'ZSCORE z none'),
  ...plain('ZSCORE none a', 'ZSCORE str a', 'ZMSCORE z a none c', 'ZMSCORE none a', 'ZCARD z'),
  ...plain('ZINCRBY z 0.1 a', 'ZINCRBY z -inf c', 'ZINCRBY new 1 a', 'ZADD z INCR 1.5 a'),
  ...plain('ZADD z NX INCR 1 a', 'ZADD z xx incr 1 none', 'ZADD z CH 5 a 6 z', 'ZADD z 5 incr'),
  ...plain('ZRANGE z 0 -1', 'ZRANGE z 0 -1 WITHSCORES', 'ZRANGE z 0 1 REV WithScores'),
  ...plain('ZRANGE z -inf +inf BYSCORE LIMIT 1 3 WITHSCORES', 'ZRANGE none 0 -1 WITHSCORES'),
  ...plain(
    'ZRANGE withscores 0 -1',
    'ZRANGE withscores 0 -1 withscores',
    'ZRANGE z 9 9 WITHSCORES',
  ),
  ...plain('ZRANGE z - + BYLEX', 'ZRANGE z - + BYLEX WITHSCORES', 'ZRANGE str 0 -1 WITHSCORES'),
  ...plain(
    'ZRANGE z 0 -1 WITHSCORES\\0x',
    'ZRANGE z 0 -1 "WITHSCORES\\0x"',
    'ZRANGE z 0 WITHSCORES',
  ),
  ...plain('ZREVRANGE z 0 -1', 'ZREVRANGE z 0 -1 WITHSCORES', 'ZRANGEBYSCORE z 1 3 WITHSCORES'),
  ...plain('ZRANGEBYSCORE z 1 3', 'ZRANGEBYSCORE z 1 9 WITHSCORES LIMIT 0 1', 'ZLEXCOUNT z - +'),
  ...plain('ZREVRANGEBYSCORE z 3 1 LIMIT 0 2 WITHSCORES', 'ZREVRANGEBYSCORE z 3 1', 'ZCOUNT z 0 9'),
  ...plain('ZRANGEBYLEX z - +', 'ZREVRANGEBYLEX z + -', 'ZRANGESTORE d z 0 -1', 'ZREM z a'),
  ...plain(
    'ZRANK z a',
    'ZRANK z none',
    'ZREVRANK z a',
    'ZREVRANK none a',
    'ZSCAN z 0',
    'ZSCAN none 0',
  ),
  ...plain('ZREMRANGEBYSCORE z 1 2', 'ZREMRANGEBYRANK z 0 0', 'ZREMRANGEBYLEX z - +'),
  ...plain(
    'ZUNION 2 z z2',
    'ZUNION 2 z z2 WITHSCORES',
    'ZUNION 1 withscores',
    'ZUNION 2 z withscores',
  ),
  ...plain(
    'ZUNION 2 z withscores WEIGHTS 2 3 AGGREGATE MAX withscores',
    'ZUNION 1 none WITHSCORES',
  ),
  ...plain(
    'ZINTER 2 z z2',
    'ZINTER 2 z z2 WITHSCORES',
    'ZINTER 2 z none WITHSCORES',
    'ZDIFF 2 z z2',
  ),
  ...plain(
    'ZDIFF 2 z z2 WITHSCORES',
    'ZDIFF 1 none withscores',
    'ZDIFF x z WITHSCORES',
    'ZDIFF 9 z',
  ),
  ...plain(
    'ZUNIONSTORE d 2 z z2',
    'ZINTERSTORE d 2 z z2',
    'ZDIFFSTORE d 2 z z2',
    'ZINTERCARD 2 z z2',
  ),
  ...plain('ZRANDMEMBER z2 9 WITHSCORES', 'ZRANDMEMBER none 1 WITHSCORES', 'ZRANDMEMBER none'),
  ...volatile('types', 'ZRANDMEMBER z -4 WITHSCORES', 'ZRANDMEMBER z', 'ZRANDMEMBER z 3'),
  ...plain(
    'ZPOPMIN z',
    'ZPOPMAX z',
    'ZPOPMIN none',
    'ZPOPMIN z 1',
    'ZPOPMAX z 3',
    'ZPOPMIN none 2',
  ),
  ...plain('ZPOPMAX z 0', 'ZPOPMIN z x', 'ZPOPMIN str', 'BZPOPMIN z 0.01', 'BZPOPMAX none z 0.01'),
  ...plain('BZPOPMIN none 0.01', 'ZMPOP 1 z MIN', 'ZMPOP 2 none z MAX COUNT 3', 'ZMPOP 1 none MIN'),
  ...plain('BZMPOP 0.01 1 z MIN COUNT 2', 'BZMPOP 0.01 1 none MIN', 'BZMPOP 0.01 1 str MIN'),
];

const GEO = 'FROMLONLAT 15 37 BYRADIUS 200 km ASC';
const PLACES: readonly Row[] = [
  ...plain(
    'GEOPOS geo Palermo none Catania',
    'GEOPOS none a',
    'GEOPOS geo',
    'GEOHASH geo Palermo no',
  ),
  ...plain('GEODIST geo Palermo Catania', 'GEODIST geo Palermo none', 'GEOADD geo 1 1 a'),
  ...plain(`GEOSEARCH geo ${GEO}`, `GEOSEARCH geo ${GEO} WITHCOORD`, `GEOSEARCH none ${GEO}`),
  ...plain(`GEOSEARCH geo ${GEO} WITHCOORD WITHDIST WITHHASH`, `GEOSEARCH geo ${GEO} WITHDIST`),
  ...plain('GEOSEARCH geo FROMMEMBER withcoord BYBOX 1 1 m', `GEOSEARCHSTORE d geo ${GEO}`),
  ...plain('GEORADIUS geo 15 37 200 km WITHCOORD', 'GEORADIUS geo 15 37 200 km WITHDIST WITHHASH'),
  ...plain('GEORADIUS geo 15 37 200 km', 'GEORADIUS geo 15 37 200 km STORE withcoord'),
  ...plain('GEORADIUS_RO geo 15 37 200 km WITHCOORD', 'GEORADIUS none 15 37 200 km WITHCOORD'),
  ...plain('GEORADIUSBYMEMBER geo Palermo 200 km WITHCOORD WITHDIST ASC'),
  ...plain('GEORADIUSBYMEMBER_RO geo Palermo 200 km WITHCOORD', 'GEORADIUSBYMEMBER geo no 1 km'),
];

const STREAMS: readonly Row[] = [
  ...plain('XREAD STREAMS st 0', 'XREAD COUNT 1 STREAMS st st2 0 0', 'XREAD STREAMS none 0'),
  ...plain('XREAD BLOCK 10 STREAMS st $', 'XREAD BLOCK 10 STREAMS st 0', 'XREAD STREAMS str 0'),
  ...plain('XREADGROUP GROUP g2 c STREAMS st 0', 'XREADGROUP GROUP g1 c1 STREAMS st 0'),
  ...plain('XREADGROUP GROUP g1 c3 STREAMS st st2 > >', 'XREADGROUP GROUP g1 c3 STREAMS st >'),
  ...plain('XREADGROUP GROUP none c STREAMS st >', 'XREADGROUP GROUP g1 c BLOCK 10 STREAMS st >'),
  { request: 'XREADGROUP GROUP g1 c1 STREAMS st 0', before: ['XDEL st 1-1'] },
  ...plain('XRANGE st - +', 'XREVRANGE st + -', 'XRANGE none - +', 'XLEN st', 'XDEL st 1-1'),
  ...plain('XADD st 9-1 a b', 'XADD none NOMKSTREAM * a b', 'XTRIM st MAXLEN 1', 'XSETID st 9-9'),
  ...volatile('digits', 'XPENDING st g1', 'XPENDING st g1 - + 10', 'XPENDING st g2'),
  ...plain('XPENDING st g2 - + 10', 'XCLAIM st g1 c9 0 1-1', 'XCLAIM st g1 c9 0 1-1 JUSTID'),
  { request: 'XCLAIM st g1 c9 0 1-1', before: ['XDEL st 1-1'] },
  ...plain('XAUTOCLAIM st g1 c9 0 0', 'XAUTOCLAIM st g1 c9 0 0 JUSTID', 'XACK st g1 1-1'),
  { request: 'XAUTOCLAIM st g1 c9 0 0', before: ['XDEL st 1-1'] },
  ...plain('XGROUP CREATE st g3 0', 'XGROUP SETID st g1 0', 'XGROUP DESTROY st g1', 'XGROUP HELP'),
  ...plain('XGROUP CREATECONSUMER st g1 c7', 'XGROUP DELCONSUMER st g1 c1', 'XINFO HELP'),
  ...plain('XINFO STREAM st', 'XINFO STREAM none', 'XINFO STREAM str', 'XINFO GROUPS st'),
  { request: 'XINFO STREAM st', before: ['XTRIM st MAXLEN 0'] },
  ...volatile(
    'digits',
    'XINFO STREAM st FULL',
    'XINFO STREAM st full COUNT 1',
    'XINFO CONSUMERS st g1',
  ),
  { request: 'XINFO GROUPS st', before: ['XDEL st 2-1'] },
  ...plain('XINFO CONSUMERS st g2', 'XINFO CONSUMERS st none', 'XINFO STREAM st2 FULL'),
  ...plain('XINFO STREAM st BAD', 'XINFO', 'XINFO NONE st'),
];

const SCRIPT_TYPES =
  '"return {1.9, true, false}" "return false" "return nil" "return {1, nil, 2}" ' +
  '"return {ok=\'fine\'}" "return {err=\'My Err\'}" "return {{}, {1, {2}}}" "return \'bulk\'"';

const LUA_TYPES =
  'a script may return types of RESP3, and a reply in RESP2 does not tell; servers before 6.0, which ' +
  'have no RESP3, know no such types';

const SCRIPTS: readonly Row[] = [
  ...(SCRIPT_TYPES.match(/"[^"]*"/g) ?? []).map((script) => ({ request: `EVAL ${script} 0` })),
  ...plain(
    `EVAL "return redis.call('HGETALL', KEYS[1])" 1 h`,
    `EVAL "return redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')" 1 z`,
    `EVAL "return redis.call('ZSCORE', KEYS[1], 'a')" 1 z`,
    `EVAL "return redis.call('SMEMBERS', KEYS[1])" 1 s`,
    `EVAL "return redis.call('XREAD', 'STREAMS', KEYS[1], 0)" 1 st`,
    `EVAL "return redis.call('GET', KEYS[1])" 1 none`,
    `EVAL_RO "return redis.call('HGETALL', KEYS[1])" 1 h`,
    'EVALSHA 1 0',
    'EVALSHA_RO 1 0',
    'FCALL f 1 h',
    'FCALL g 0',
    'FCALL none 0',
    'FCALL_RO f 1 h',
    'SCRIPT EXISTS a b',
    'SCRIPT LOAD "return 1"',
    'SCRIPT FLUSH',
    'SCRIPT HELP',
    'SCRIPT KILL',
  ),
  { request: 'SCRIPT DEBUG NO', aloneBecause: 'scripts can not be debugged there' },
  ...['double=3.5', 'map={a=1}', 'set={a=true}', "big_number='12'"].map((type) => ({
    request: `EVAL "return {${type}}" 0`,
    differs: LUA_TYPES,
  })),
  {
    request: `EVAL "return {verbatim_string={format='txt', string='a'}}" 0`,
    differs: LUA_TYPES,
  },
  {
    request: `EVAL "redis.setresp(3); return redis.call('HGETALL', KEYS[1])" 1 h`,
    differs: LUA_TYPES,
  },
  ...plain('FUNCTION LIST', 'FUNCTION LIST WITHCODE', 'FUNCTION LIST LIBRARYNAME none'),
  ...plain(
    'FUNCTION STATS',
    'FUNCTION DUMP',
    'FUNCTION DELETE none',
    'FUNCTION HELP',
    'FUNCTION KILL',
  ),
  ...plain('FUNCTION LOAD x', 'FUNCTION RESTORE x', 'FUNCTION FLUSH'),
  { request: 'FUNCTION LIST', before: ['FUNCTION FLUSH'] },
  { request: 'FUNCTION STATS', before: ['FUNCTION FLUSH'] },
];

/** These come before requests that look at them: a library, a user, something denied. */
export const STATE: readonly string[] = [
  `FUNCTION LOAD REPLACE ${LIBRARY}`,
  'ACL SETUSER bob reset on >pw ~a* %R~b* &ch* +get "(+set ~c*)" "(%W~d +@all -del)"',
  'ACL DELUSER eve',
  'ACL LOG RESET',
];

const CONFIRMATIONS = [
  ...['SUBSCRIBE a b a', 'PSUBSCRIBE p* q*', 'SSUBSCRIBE a', 'SUBSCRIBE', 'UNSUBSCRIBE'],
  ...['UNSUBSCRIBE a b', 'PUNSUBSCRIBE', 'PUNSUBSCRIBE p', 'SUNSUBSCRIBE', 'SUNSUBSCRIBE a'],
];
const LATENCY = ['CONFIG SET latency-monitor-threshold 50', 'DEBUG SLEEP 0.06'];
const SLOWLOG = [
  'CONFIG SET slowlog-log-slower-than 0',
  'GET str',
  'CONFIG SET slowlog-log-slower-than -1',
];

const SERVER: readonly Row[] = [
  ...volatile('types', 'INFO', 'INFO server', 'INFO everything', 'INFO server clients'),
  ...plain('INFO none', 'INFO keyspace', 'CONFIG GET maxmemory', 'CONFIG GET none', 'CONFIG GET'),
  ...plain('CONFIG GET max*', 'config get *', 'CONFIG GET maxmemory appendonly', 'CONFIG HELP'),
  ...plain('CONFIG SET maxmemory 0', 'CONFIG SET none 1', 'CONFIG RESETSTAT', 'CONFIG REWRITE'),
  ...plain('CONFIG NONE a', 'COMMAND', 'COMMAND COUNT', 'COMMAND LIST', 'COMMAND HELP'),
  ...plain(
    'COMMAND LIST FILTERBY PATTERN z*',
    'COMMAND INFO',
    'COMMAND INFO get none client xgroup',
  ),
  ...plain(
    'COMMAND INFO client|id sort migrate',
    'COMMAND DOCS',
    'COMMAND DOCS get none',
    'COMMAND X',
  ),
  ...plain(
    'COMMAND DOCS client zadd set geosearch',
    'COMMAND GETKEYS GET a',
    'COMMAND GETKEYS PING',
  ),
  ...plain('COMMAND GETKEYSANDFLAGS LMOVE a b LEFT LEFT', 'COMMAND GETKEYSANDFLAGS PING a'),
  ...volatile('types', 'CLIENT LIST', 'CLIENT LIST TYPE normal'),
  ...volatile('digits', 'CLIENT INFO', 'CLIENT ID'),
  ...plain(
    'CLIENT LIST TYPE pubsub',
    'CLIENT LIST ID 0',
    'CLIENT LIST TYPE none',
    'CLIENT GETNAME',
  ),
  ...plain('CLIENT SETNAME a', 'CLIENT SETNAME "a b"', 'CLIENT GETREDIR', 'CLIENT TRACKINGINFO'),
  ...plain('CLIENT HELP', 'CLIENT KILL ID 0', 'CLIENT KILL 1:1', 'CLIENT NO-EVICT OFF'),
  ...plain(
    'CLIENT PAUSE 0',
    'CLIENT UNPAUSE',
    'CLIENT UNBLOCK 0',
    'CLIENT REPLY ON',
    'CLIENT NONE',
  ),
  ...plain('CLIENT CACHING YES', 'CLIENT TRACKING OFF', 'CLIENT', 'ACL WHOAMI', 'ACL LIST'),
  ...plain('ACL USERS', 'ACL CAT', 'ACL CAT string', 'ACL HELP', 'ACL DRYRUN default get a'),
  ...plain('ACL DRYRUN bob set x y', 'ACL GETUSER default', 'ACL GETUSER bob', 'ACL GETUSER none'),
  ...plain(
    'ACL SETUSER eve',
    'ACL DELUSER eve',
    'ACL LOAD',
    'ACL SAVE',
    'ACL LOG',
    'ACL LOG RESET',
  ),
  { request: 'ACL LOG', before: ['AUTH bob wrong', 'AUTH eve wrong'], same: 'digits' },
  ...volatile('types', 'ACL GENPASS'),
  ...volatile('digits', 'MEMORY STATS', 'MEMORY USAGE str'),
  ...volatile('types', 'MEMORY DOCTOR', 'MEMORY MALLOC-STATS'),
  ...plain('MEMORY USAGE none', 'MEMORY HELP', 'MEMORY PURGE', 'LATENCY DOCTOR', 'LATENCY HELP'),
  { request: 'MEMORY STATS', before: ['FLUSHALL'], same: 'digits' },
  ...plain('LATENCY GRAPH none', 'LATENCY LATEST', 'LATENCY HISTORY command', 'LATENCY RESET'),
  { request: 'LATENCY HISTOGRAM echo hset', before: ['ECHO hi'], same: 'digits' },
  ...plain('LATENCY HISTOGRAM none', 'LATENCY NONE', 'MODULE LIST', 'MODULE HELP', 'MODULE LOAD x'),
  ...plain('MODULE LOADEX x', 'MODULE UNLOAD x', 'SLOWLOG GET', 'SLOWLOG LEN', 'SLOWLOG RESET'),
  ...plain('SLOWLOG HELP', 'LOLWUT VERSION 1', 'LOLWUT VERSION 5 1 1 1', 'LOLWUT VERSION x'),
  ...volatile('types', 'LOLWUT', 'LOLWUT VERSION 6'),
  ...plain(
    'PUBLISH ch m',
    'SPUBLISH ch m',
    'PUBSUB CHANNELS',
    'PUBSUB NUMSUB a b',
    'PUBSUB NUMPAT',
  ),
  ...plain('PUBSUB SHARDCHANNELS', 'PUBSUB SHARDNUMSUB a', 'PUBSUB HELP', 'CLUSTER INFO'),
  ...plain(
    'FAILOVER ABORT',
    'DEBUG DIGEST-VALUE str',
    'DEBUG DIGEST',
    'DEBUG STRUCTSIZE',
    'DEBUG NONE',
  ),
  ...plain('DEBUG SDSLEN str', 'DEBUG HTSTATS 99', 'DEBUG HTSTATS-KEY str'),
  ...volatile(
    'types',
    'DEBUG HTSTATS 0',
    'DEBUG OBJECT str',
    'DEBUG HTSTATS-KEY z',
    'DEBUG CLIENT-EVICTION',
  ),
  {
    request: 'DEBUG HTSTATS-KEY big',
    before: [`HSET big f ${'x'.repeat(70)}`],
    same: 'types',
  },
  ...['string', 'integer', 'double', 'null', 'array', 'set', 'map', 'verbatim'].map((type) => ({
    request: `DEBUG PROTOCOL ${type}`,
  })),
  ...plain(
    'DEBUG PROTOCOL true',
    'DEBUG protocol FALSE',
    'DEBUG PROTOCOL bignum',
    'DEBUG PROTOCOL',
  ),
  { request: 'DEBUG PROTOCOL attrib', differs: 'RESP2 leaves the attribute out' },
  { request: 'DEBUG PROTOCOL push', differs: 'RESP2 has an error instead' },
  ...CONFIRMATIONS.map((request) => ({ request, aloneBecause: 'there are as many replies then' })),
  ...['UNSUBSCRIBE', 'UNSUBSCRIBE b', 'PING', 'PING hi', 'PING ""', 'PING a b', 'NONE'].map(
    (request) => ({ request, first: ['SUBSCRIBE a'], aloneBecause: 'there is no MULTI then' }),
  ),
  {
    request: 'GET str',
    first: ['SUBSCRIBE a'],
    differs: 'RESP2 has no such requests while it is subscribed',
  },
  {
    request: 'CLIENT TRACKINGINFO',
    first: ['CLIENT TRACKING ON BCAST PREFIX a PREFIX b NOLOOP'],
  },
  { request: 'LATENCY GRAPH command', before: LATENCY, same: 'types' },
  { request: 'LATENCY DOCTOR', before: LATENCY, same: 'types' },
  { request: 'LATENCY LATEST', before: LATENCY, same: 'digits' },
  { request: 'SLOWLOG GET', before: SLOWLOG, same: 'types' },
];

/** Rows for a server that is no cluster. */
export const ROWS: readonly Row[] = [
  ...GENERAL,
  ...COLLECTIONS,
  ...SORTED_SETS,
  ...PLACES,
  ...STREAMS,
  ...SCRIPTS,
  ...SERVER,
];

/** Rows for a cluster of one node, which has all slots, a name, and nothing in it. */
export const CLUSTER_ROWS: readonly Row[] = [
  { request: 'CLUSTER BUMPEPOCH', before: ['CLUSTER BUMPEPOCH'] },
  ...volatile('digits', 'CLUSTER NODES', 'CLUSTER SHARDS', 'CLUSTER INFO'),
  ...plain('CLUSTER SLOTS', 'CLUSTER LINKS', 'CLUSTER MYID', 'CLUSTER KEYSLOT a', 'CLUSTER HELP'),
  ...plain('CLUSTER COUNTKEYSINSLOT 0', 'CLUSTER GETKEYSINSLOT 0 1', 'CLUSTER REPLICAS x'),
  ...plain('CLUSTER SLAVES x', 'CLUSTER COUNT-FAILURE-REPORTS x', 'CLUSTER ADDSLOTS 0'),
  ...plain(
    'CLUSTER ADDSLOTSRANGE 0 1',
    'CLUSTER BUMPEPOCH',
    'CLUSTER FAILOVER',
    'CLUSTER FORGET x',
  ),
  ...plain(
    'CLUSTER MEET x x',
    'CLUSTER REPLICATE x',
    'CLUSTER SAVECONFIG',
    'CLUSTER SET-CONFIG-EPOCH 1',
  ),
  ...plain('CLUSTER SETSLOT 0 STABLE', 'CLUSTER DELSLOTS x', 'CLUSTER DELSLOTSRANGE x y'),
  ...plain(
    'CLUSTER FLUSHSLOTS',
    'CLUSTER RESET',
    'CLUSTER SLOTS',
    'CLUSTER SHARDS',
    'ASKING',
    'READONLY',
  ),
];

/** Commands of 7.0 that no row makes, and why. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  bgrewriteaof: 'writes files; a status',
  bgsave: 'writes files; a status',
  hello: 'answered by the proxy: see the tests below',
  monitor: 'a status, and lines that are statuses',
  pfselftest: 'takes seconds; a status',
  psync: 'the connection is one of replication then',
  save: 'writes files; a status',
  shutdown: 'ends the server',
  sync: 'the connection is one of replication then',
};
