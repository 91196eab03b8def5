/** One request of the corpus. */
export interface Entry {
  /** What a sequence of requests has to take care of. */
  readonly kind: 'plain' | 'multi' | 'exec' | 'silence' | 'replication';
  /** As sent, latin1. */
  readonly bytes: string;
}

/** Lines of inline requests, as people write them; the server reads them as any others. */
const INLINE = `
PING|PING hello|PING a b|ECHO a|ECHO|ECHO a b|echo "a b"|eChO 'x'|NOSUCH|NOSUCH a b c|COMMAND COUNT
GET k|GET l|GET list|GET|GET a b|SET k 1|SET k 2|SET l x|SET k v NX|SET k v XX GET|SET k|SET k v EX 0
SET k v NOSUCH|SETEX k 100 v|GETSET k w|GETDEL k|GETEX k PERSIST|STRLEN k|APPEND k ab|GETRANGE k 0 1
INCR n|INCRBY n 5|INCR list|DECR n|INCRBYFLOAT f 1.5|MSET a 1 b 2|MSET a 1 b|MGET a b c|MGET k list|DEL k
DEL a b c|UNLINK l|EXISTS k l k|TYPE k|TYPE list|TTL k|PTTL none|EXPIRE k 100|PERSIST k|RENAME k l|RENAME none x
COPY k m|OBJECT ENCODING k|OBJECT NOSUCH k|OBJECT HELP|TOUCH k|DBSIZE|KEYS k|FLUSHDB|DUMP none
RPUSH list a b c|LPUSH list d|LRANGE list 0 -1|LPOP list|LPOP list 2|RPOP none|LLEN list|LINDEX list 0|LLEN k
BLPOP list 0.01|BLPOP|LMOVE list l2 LEFT RIGHT|HSET h f v g w|HGET h f|HGETALL h|HMGET h f none|HDEL h f|HLEN h
HGETALL none|HINCRBY h n 2|SADD s a|SADD s a|SMEMBERS s|SISMEMBER s a|SMISMEMBER s a b|SCARD s
SPOP none|ZADD z 1 a 2.5 b|ZADD z INCR 1 a|ZSCORE z a|ZRANGE z 0 -1 WITHSCORES|ZINCRBY z 1 a|ZMSCORE z a c
ZPOPMIN z|ZRANGE none 0 -1|XADD x 1-1 f v|XLEN x|XRANGE x - +|XREAD COUNT 1 STREAMS x 0|SETBIT b 7 1|BITCOUNT b
BITFIELD b GET u8 0|PFADD p a|PFCOUNT p|GEOADD g 1 2 m|GEOPOS g m none|SORT list ALPHA|SORT_RO list ALPHA
SCAN 0 COUNT 100 MATCH nothing*|SELECT 1|SELECT 0|SELECT 99|SELECT x|SELECT|WAIT 0 0|SWAPDB 0 1
EVAL "return 1" 0|EVAL "return {1,'a',{2}}" 0|EVAL "return redis.call('get',KEYS[1])" 1 k|EVAL "return x" 0
EVAL "return {err='MY error'}" 0|EVAL "return {ok='fine'}" 0|EVAL "redis.setresp(3) return redis.call('hgetall','h')" 0
EVAL_RO "return redis.call('set','k','v')" 0|EVALSHA ffffffffffffffffffffffffffffffffffffffff 0|SCRIPT EXISTS a|FCALL nosuch 0
CLIENT GETNAME|CLIENT SETNAME n|CLIENT SETNAME "a b"|CLIENT NOSUCH|CLIENT|CLIENT ID x|CLIENT NO-EVICT ON
CLIENT UNBLOCK 999999999|CLIENT KILL ID 999999999|CLIENT REPLY|CLIENT REPLY MAYBE|CLIENT REPLY ON
CLIENT TRACKING ON|CLIENT TRACKING ON OPTIN|CLIENT TRACKING ON OPTOUT|CLIENT TRACKING ON BCAST PREFIX kk|CLIENT TRACKING OFF
CLIENT TRACKING|CLIENT TRACKING MAYBE|CLIENT TRACKING ON NOSUCH|CLIENT TRACKING ON NOLOOP|CLIENT TRACKING ON REDIRECT 999999999
CLIENT TRACKINGINFO|CLIENT GETREDIR|CLIENT CACHING YES|CLIENT CACHING NO|CLIENT CACHING|CLIENT CACHING MAYBE
HELLO|HELLO 2|HELLO 3|HELLO 3|HELLO 4|HELLO x|HELLO 3 SETNAME m|HELLO 2 NOSUCH|RESET|RESET x|AUTH|AUTH a b c
SUBSCRIBE a|SUBSCRIBE a b|SUBSCRIBE|UNSUBSCRIBE a|UNSUBSCRIBE a b|PSUBSCRIBE p*|PUNSUBSCRIBE p*|PUNSUBSCRIBE|SSUBSCRIBE s
SUNSUBSCRIBE s|SUNSUBSCRIBE|PUBLISH a m|PUBLISH a "m n"|PUBLISH none m|SPUBLISH s m|PUBSUB NUMSUB a b|PUBSUB CHANNELS a
WATCH k|WATCH k l|WATCH|UNWATCH|DISCARD x|MULTI x|CONFIG GET maxmemory-policy|CONFIG NOSUCH|CONFIG GET
DEBUG SLEEP 0|LOLWUT VERSION 999 x|ACL WHOAMI|ACL CAT nosuch|MEMORY USAGE none
`
  .trim()
  .split(/[|\n]/);

const word = (text: string) => `$${text.length}\r\n${text}\r\n`;
const words = (...all: readonly string[]) => `*${all.length}\r\n${all.map(word).join('')}`;

/** Framing as only a careful reader gets it right, each a number of whole requests. */
const ODD: readonly string[] = [
  '\r\n',
  '\n',
  '   \r\n',
  '*0\r\n',
  '*-1\r\n',
  'PING\n',
  'ECHO a\r\r\n',
  ' *1\r\n',
  '*1\rX$4\rYPINGab',
  '*2\rZ$4\r\nECHOxx$1\r\nayy',
  words('PING'),
  words('get', 'k'),
  words('SET', 'k', 'a\r\n$3\r\nb\x00\xff'),
  words('ECHO', ''),
  words(''),
  words('PI\r\nNG'),
  words('GET', `k${'x'.repeat(100)}`),
  words('SET', 'k', 'v'.repeat(20_000)),
  words('MGET', ...'abcdefghijklmnop'),
  words('*1', '$4'),
  words('client', 'trackinginfo'),
  words('CLIENT', 'CACHING', 'yes'),
  words('x'.repeat(200), 'y'.repeat(200)),
];

const SILENCE = ['CLIENT REPLY OFF', 'CLIENT REPLY SKIP', 'client reply skip'];
const REPLICATION = ['REPLCONF', 'REPLCONF ACK 0', 'REPLCONF capa eof', 'REPLCONF GETACK *'];
/** Often enough that most MULTI see an end. */
const EXECS = ['EXEC', 'EXEC', 'EXEC', 'exec', 'EXEC x', 'DISCARD', 'DISCARD'];
const MULTIS = ['MULTI', 'MULTI', 'MULTI', 'MULTI', 'multi'];

const inline = (kind: Entry['kind']) => (line: string) => ({ kind, bytes: `${line}\r\n` });

/** Requests of all kinds: right, wrong, oddly framed, and those that change what replies look like. */
export const CORPUS: readonly Entry[] = [
  ...INLINE.map(inline('plain')),
  ...ODD.map((bytes) => ({ kind: 'plain' as const, bytes })),
  ...REPLICATION.map(inline('replication')),
  ...SILENCE.map(inline('silence')),
  ...EXECS.map(inline('exec')),
  ...MULTIS.map(inline('multi')),
];

/** What ends a connection, and what is ignored behind it. */
export const ENDINGS: readonly string[] = [
  'QUIT\r\n',
  'QUIT a b\r\nPING\r\n',
  '*x\r\nPING\r\n',
  '*1\r\n:4\r\nPING\r\n',
  '*1\r\n$-1\r\nPING\r\n',
  'ECHO "a\r\nPING\r\n',
];
