import type { Row } from '../scenario.ts';

/** Which commands make their keys tracked, one row each, from what data and request say. */
export const READS: readonly Row[] = [
  ...tracked([
    ['SET k v', 'GET k', '"v"'],
    ['SET k v', 'STRLEN k', ':1'],
    ['SET k v', 'GETRANGE k 0 0', '"v"'],
    ['SET k v', 'SUBSTR k 0 0', '"v"'],
    ['SET k v', 'EXISTS k', ':1'],
    ['SET k v', 'TYPE k', '+string'],
    ['SET k v', 'TTL k', ':-1'],
    ['SET k v', 'PTTL k', ':-1'],
    ['SET k v', 'EXPIRETIME k', ':-1'],
    ['SET k v', 'TOUCH k', ':1'],
    ['SET k v', 'DUMP k', 'any'],
    ['SET k v', 'OBJECT ENCODING k', '"embstr"'],
    ['SET k v', 'OBJECT REFCOUNT k', ':1'],
    ['SET k v', 'MEMORY USAGE k', 'any'],
    ['SET k v', 'GETBIT k 1', ':1'],
    ['SET k v', 'BITCOUNT k', ':5'],
    ['SET k v', 'BITPOS k 1', ':1'],
    ['SET k v', 'BITFIELD_RO k GET u8 0', '*[:118]'],
    ['RPUSH k v', 'LRANGE k 0 -1', '*["v"]'],
    ['RPUSH k v', 'LLEN k', ':1'],
    ['RPUSH k v', 'LINDEX k 0', '"v"'],
    ['RPUSH k v', 'LPOS k v', ':0'],
    ['RPUSH k 1', 'SORT_RO k BY w_*', '*["1"]'],
    ['HSET k f v', 'HGET k f', '"v"'],
    ['HSET k f v', 'HGETALL k', '%["f" "v"]'],
    ['HSET k f v', 'HMGET k f g', '*["v" _]'],
    ['HSET k f v', 'HEXISTS k f', ':1'],
    ['HSET k f v', 'HSCAN k 0', '*["0" *["f" "v"]]'],
    ['SADD k v', 'SMEMBERS k', '~["v"]'],
    ['SADD k v', 'SISMEMBER k v', ':1'],
    ['SADD k v', 'SCARD k', ':1'],
    ['SADD k v', 'SRANDMEMBER k', '"v"'],
    ['ZADD k 1 v', 'ZSCORE k v', ',1'],
    ['ZADD k 1 v', 'ZRANGE k 0 -1', '*["v"]'],
    ['ZADD k 1 v', 'ZCARD k', ':1'],
    ['ZADD k 1 v', 'ZRANK k v', ':0'],
    ['GEOADD k 13 38 v', 'GEODIST k v v', '"0.0000"'],
    ['GEOADD k 13 38 v', 'GEORADIUS_RO k 13 38 1 km', '*["v"]'],
    ['PFADD k v', 'PFCOUNT k', ':1'],
    ['XADD k 1-1 f v', 'XRANGE k - +', '*[*["1-1" *["f" "v"]]]'],
    ['XADD k 1-1 f v', 'XLEN k', ':1'],
    ['XADD k 1-1 f v', 'XREAD COUNT 1 STREAMS k 0', '%["k" *[*["1-1" *["f" "v"]]]]'],
    ['XADD k 1-1 f v', 'XINFO STREAM k', 'any'],
  ]),
  ...untracked([
    ['SET k v', 'GETEX k', '"v"'],
    ['SET k v', 'BITFIELD k GET u8 0', '*[:118]'],
    ['RPUSH k 1', 'SORT k', '*["1"]'],
    ['SET k v', 'SCAN 0', 'any'],
    ['SET k v', 'KEYS *', 'any'],
    ['SET k v', 'RANDOMKEY', 'any'],
    ['SET k v', 'DBSIZE', 'any'],
    ['SET k v', 'WATCH k', '+OK'],
    ['SET k v', 'COMMAND GETKEYS GET k', '*["k"]'],
    ['SET k v', 'DEBUG OBJECT k', 'any'],
    ['GEOADD k 13 38 v', 'GEORADIUS k 13 38 1 km', '*["v"]'],
    ['ZADD k 1 v', 'ZRANGESTORE d k 0 -1', ':1'],
    ['SADD k v', 'SUNIONSTORE d k', ':1'],
    ['SET k v', 'COPY k d', ':1'],
    ['SET k v', 'PUBLISH k k', ':0'],
    ['SET k v', 'GET k extra', "-ERR wrong number of arguments for 'get' command"],
    ['SET k v', 'NOSUCH k', "-ERR unknown command 'NOSUCH', with args beginning with: 'k' "],
  ]),
  {
    name: 'a key that does not exist is tracked',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      a< OK
      a< nil
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'a read of the wrong type is tracked',
    play: `
      w> LPUSH k 1
      w< :1
      a> CLIENT TRACKING ON
      a> GET k
      a< OK
      a< -WRONGTYPE Operation against a key holding the wrong kind of value
      w> DEL k
      w< :1
      a< invalidate k
    `,
  },
  {
    name: 'a read of several keys tracks each, and the same key once',
    play: `
      a> CLIENT TRACKING ON
      a> MGET j k j
      a< OK
      a< *[_ _ _]
      w> SET k 1
      w< OK
      a< invalidate k
      w> SET j 1
      w< OK
      a< invalidate j
      w> MSET j 2 k 2
      w< OK
    `,
  },
  {
    name: 'SORT_RO tracks the key that is sorted and not what BY and GET look at',
    play: `
      w> RPUSH k 1
      w> SET w_1 5
      w< :1
      w< OK
      a> CLIENT TRACKING ON
      a> SORT_RO k BY w_* GET g_*
      a< OK
      a< *[_]
      w> MSET w_1 6 g_1 1
      w< OK
      w> DEL k
      w< :1
      a< invalidate k
    `,
  },
  {
    name: 'a command name in any case is tracked',
    play: `
      a> CLIENT TRACKING ON
      a> gEt k
      a< OK
      a< _
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'an inline read is tracked',
    play: `
      a> CLIENT TRACKING ON
      a>> GET k\\r\\nGET "q\\\\x00r"\\r\\nGET s\\n
      a< OK
      a< _
      a< _
      a< _
      w> MSET k 1 "q\\x00r" 1 s 1
      w< OK
      a< invalidate k
      a< invalidate "q\\x00r"
      a< invalidate s
    `,
  },
  {
    name: 'a key of any bytes is told of byte for byte',
    play: `
      a> CLIENT TRACKING ON
      a> GET "\\x00\\xff\\r\\n:1 \\"*"
      a< OK
      a< _
      w> SET "\\x00\\xff\\r\\n:1 \\"*" 1
      w< OK
      a< >["invalidate" *["\\x00\\xff\\x0d\\x0a:1 \\"*"]]
    `,
  },
  {
    name: 'an empty key is tracked',
    play: `
      a> CLIENT TRACKING ON
      a> GET ""
      a< OK
      a< _
      w> SET "" 1
      w< OK
      a< invalidate ""
    `,
  },
  {
    name: 'a script that reads has its declared keys tracked',
    play: `
      a> CLIENT TRACKING ON
      a> EVAL "return redis.call('get', 'other')" 1 k
      a< OK
      a< _
      w> MSET other 1 k 1
      w< OK
      a< invalidate k
    `,
  },
];

type Example = readonly [data: string, read: string, reply: string];

function tracked(examples: readonly Example[]): readonly Row[] {
  return examples.map(([data, read, reply]) => ({
    name: `${nameOf(read)} is tracked`,
    play: playOf(data, read, reply, 'a< invalidate k'),
  }));
}

function untracked(examples: readonly Example[]): readonly Row[] {
  return examples.map(([data, read, reply]) => ({
    name: `${nameOf(read)} is not tracked`,
    play: playOf(data, read, reply, ''),
  }));
}

function nameOf(read: string): string {
  return read.replace(/ [a-z0-9].*/, '');
}

function playOf(data: string, read: string, reply: string, push: string): string {
  return `
    w> ${data}
    w< any
    a> CLIENT TRACKING ON
    a> ${read}
    a< OK
    a< ${reply}
    w> DEL k
    w< :1
    ${push}
  `;
}
