import type { Row } from '../scenario.ts';

/** CLIENT TRACKING ON NOLOOP: own writes are not told of. */
export const NOLOOP: readonly Row[] = [
  {
    name: 'an own write is not told of and uses up the key; others are told of',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> MGET j k
      a< OK
      a< any
      a> SET k 1
      a< OK
      w> SET k 2
      w< OK
      w> SET j 1
      w< OK
      a< invalidate j
    `,
  },
  {
    name: 'own writes are told to the other readers',
    play: `
      b> CLIENT TRACKING ON
      b> GET k
      b< OK
      b< _
      a> CLIENT TRACKING ON NOLOOP
      a> GET k
      a> SET k 1
      a< OK
      a< _
      a< OK
      b< invalidate k
    `,
  },
  {
    name: 'reads and writes in one piece: replies as without it, and nothing is told',
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> GET k
      a> SET k 1
      a> GET k
      a> INCR k
      a> DEL k
      a> GET k
      a> PING
      a< OK
      a< _
      a< OK
      a< "1"
      a< :2
      a< :1
      a< _
      a< +PONG
    `,
  },
  {
    name: "another's write after own ones in one piece is told of",
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> SET k 1
      a> GET k
      a> SET other 1
      a< OK
      a< OK
      a< "1"
      a< OK
      w> SET k 2
      w< OK
      a< invalidate k
    `,
  },
  ...[
    ['SET k 1', '+OK'],
    ['SET k 1 GET', '_'],
    ['INCR k', ':1'],
    ['HSET k f v', ':1'],
    ['RPUSH k a b', ':2'],
    ['SADD k a', ':1'],
    ['ZADD k INCR 1 a', ',1'],
    ['XADD k 1-1 f v', '"1-1"'],
    ['SETEX k 100 v', '+OK'],
    ['MSET k 1 j 1', '+OK'],
    ['BITFIELD k SET u8 0 1', '*[:0]'],
    ['HINCRBYFLOAT k f 1.5', '"1.5"'],
    ['GETEX k', '_'],
    ['DEL k', ':0'],
    ['SINTERSTORE k s t', ':0'],
    ['SUBSTR k 0 -1', '""'],
    ['SORT s STORE k', ':0'],
  ].map(([write = '', reply = '']) => ({
    name: `${write} has its own reply`,
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> GET k
      a> ${write}
      a> PING
      a< OK
      a< _
      a< ${reply}
      a< +PONG
    `,
  })),
  {
    name: 'writes that fail have their own errors',
    play: `
      w> RPUSH k v
      w< :1
      a> CLIENT TRACKING ON NOLOOP
      a> LLEN k
      a> INCR k
      a> SET k
      a> SET k 1 FOO
      a> HSET k f v
      a> SETEX k -1 v
      a< OK
      a< :1
      a< -WRONGTYPE Operation against a key holding the wrong kind of value
      a< -ERR wrong number of arguments for 'set' command
      a< -ERR syntax error
      a< -WRONGTYPE Operation against a key holding the wrong kind of value
      a< -ERR invalid expire time in 'setex' command
      w> DEL k
      w< :1
      a< invalidate k
    `,
  },
  {
    name: 'own writes inside MULTI are not told of',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> MGET j k
      a> MULTI
      a> SET k 1
      a> INCR k
      a> GET j
      a> EXEC
      a< OK
      a< any
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< +QUEUED
      a< has +OK :2
      w> SET k 2
      w< OK
      w> SET j 1
      w< OK
      a< invalidate j
    `,
  },
  {
    name: 'a read behind the write inside MULTI is tracked',
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> MULTI
      a> SET k 1
      a> GET k
      a> EXEC
      a< OK
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< *[+OK "1"]
      w> SET k 2
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'MULTI with nothing in it, and one that is discarded',
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> MULTI
      a> EXEC
      a> MULTI
      a> SET k 1
      a> DISCARD
      a> EXEC
      a> DISCARD
      a< OK
      a< OK
      a< *[]
      a< OK
      a< +QUEUED
      a< OK
      a< -ERR EXEC without MULTI
      a< -ERR DISCARD without MULTI
    `,
  },
  {
    name: 'MULTI that an error spoils',
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> GET k
      a> MULTI
      a> SET k
      a> SET k 1
      a> MULTI
      a> EXEC
      a< OK
      a< _
      a< OK
      a< -ERR wrong number of arguments for 'set' command
      a< +QUEUED
      a< -ERR MULTI calls can not be nested
      a< -EXECABORT Transaction discarded because of previous errors.
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'a write in an own script is not told of',
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> GET k
      a> EVAL "return redis.call('set', KEYS[1], '1')" 1 k
      a< OK
      a< _
      a< OK
      w> SET k 2
      w< OK
    `,
  },
  {
    name: 'what an own script reads behind its write is tracked',
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> EVAL "redis.call('set', KEYS[1], '1') return redis.call('get', KEYS[1])" 1 k
      a< OK
      a< "1"
      w> SET k 2
      w< OK
      a< invalidate k
    `,
  },
  ...[
    ['SET k v EX 100', '+OK'],
    ['SETEX k 100 v', '+OK'],
    ['RPOPLPUSH k k', '_'],
    ['APPEND k v', ':1'],
  ].map(([write = '', reply = '']) => ({
    name: `what is read behind an own ${write} in one piece is tracked`,
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> ${write}
      a> EXISTS k
      a< OK
      a< ${reply}
      a< any
      w> DEL k
      w> SET k 2
      w< any
      w< OK
      a< invalidate k
    `,
  })),
  {
    name: 'what is read behind the pop of a last element in one piece is tracked',
    play: `
      w> RPUSH k v
      w< :1
      a> CLIENT TRACKING ON NOLOOP
      a> LPOP k
      a> EXISTS k
      a< OK
      a< "v"
      a< :0
      w> SET k 2
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'WATCH keeps its meaning: a change made by another aborts',
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> WATCH k
      a> SET other 1
      a< OK
      a< OK
      a< OK
      w> SET k 1
      w< OK
      a> MULTI
      a> SET k 2
      a> EXEC
      a> GET k
      a< OK
      a< +QUEUED
      a< _
      a< "1"
    `,
  },
  {
    name: 'WATCH keeps its meaning: a change of its own aborts as well',
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> WATCH k
      a> SET k 1
      a> MULTI
      a> SET k 2
      a> EXEC
      a< OK
      a< OK
      a< OK
      a< OK
      a< +QUEUED
      a< _
      w> GET k
      w< "1"
    `,
  },
  {
    name: 'WATCH keeps its meaning: without a change the transaction is executed and not told of',
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> GET k
      a> WATCH k
      a> MULTI
      a> SET k 2
      a> EXEC
      a< OK
      a< _
      a< OK
      a< OK
      a< +QUEUED
      a< *[+OK]
      w> SET k 3
      w< OK
    `,
  },
  {
    name: 'writes behind UNWATCH are not told of',
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> GET k
      a> WATCH k
      a> UNWATCH
      a< OK
      a< _
      a< OK
      a< OK
      a> SET k 1
      a< OK
    `,
  },
  {
    name: 'an own write while WATCH is in force is not told of',
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> GET k
      a> WATCH other
      a> SET k 1
      a< OK
      a< _
      a< OK
      a< OK
    `,
    differs: {
      reason: 'a write while WATCH is in force cannot be told from others: it is told of',
      play: `
        a> CLIENT TRACKING ON NOLOOP
        a> GET k
        a> WATCH other
        a> SET k 1
        a< OK
        a< _
        a< OK
        a< OK
        a< invalidate k
      `,
    },
  },
  {
    name: 'an own blocking command is not told of',
    play: `
      w> RPUSH k v
      w< :1
      a> CLIENT TRACKING ON NOLOOP
      a> LLEN k
      a> BLPOP k 0
      a< OK
      a< :1
      a< *["k" "v"]
    `,
    differs: {
      reason: 'a command that may block cannot stand in a transaction: what it changes is told of',
      play: `
        w> RPUSH k v
        w< :1
        a> CLIENT TRACKING ON NOLOOP
        a> LLEN k
        a> BLPOP k 0
        a< OK
        a< :1
        a< *["k" "v"]
        a< invalidate k
      `,
    },
  },
  {
    name: 'a key that expires by itself is told of',
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> SET k v PX 30
      a> GET k
      a< OK
      a< OK
      a< "v"
      a< invalidate k
    `,
  },
  {
    name: 'an own flush is told of',
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> GET k
      a> FLUSHALL
      a< OK
      a< _
      a< OK
      a< flush
    `,
  },
  {
    name: 'CLIENT REPLY SKIP skips the reply to one write',
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> GET k
      a> CLIENT REPLY SKIP
      a> SET k 1
      a> GET k
      a< OK
      a< _
      a< "1"
    `,
  },
  {
    name: 'under CLIENT REPLY OFF writes are silent',
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> GET k
      a> CLIENT REPLY OFF
      a> SET k 1
      a> SET k 2
      a> CLIENT REPLY ON
      a> GET k
      a< OK
      a< _
      a< OK
      a< "2"
    `,
  },
  {
    name: 'a batch leaves out the own writes, and is not sent when nothing is left',
    play: `
      a> CLIENT TRACKING ON BCAST NOLOOP PREFIX k
      b> CLIENT TRACKING ON BCAST PREFIX k
      a< OK
      b< OK
      a> SET k1 1
      a> SET k2 1
      a< OK
      a< OK
      b< invalidate k1 k2
      w> SET k3 1
      w< OK
      a< invalidate k3
      b< invalidate k3
    `,
  },
  {
    name: 'own writes inside MULTI are left out of a batch',
    play: `
      a> CLIENT TRACKING ON BCAST NOLOOP
      a> MULTI
      a> SET k 1
      a> DEL k
      a> EXEC
      a< OK
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< *[+OK :1]
    `,
  },
  {
    name: 'a batch names the writes of an own script',
    play: `
      a> CLIENT TRACKING ON BCAST NOLOOP
      a> EVAL "return redis.call('set', KEYS[1], '1')" 1 k
      a< OK
      a< OK
      a< invalidate k
    `,
    differs: {
      reason: "a script's writes are its client's own, in BCAST mode as in the default mode",
      play: `
        a> CLIENT TRACKING ON BCAST NOLOOP
        a> EVAL "return redis.call('set', KEYS[1], '1')" 1 k
        a< OK
        a< OK
      `,
    },
  },
  {
    name: 'redirected: own writes are not told to the target',
    play: `
      b> PING
      b< +PONG
      a> CLIENT TRACKING ON NOLOOP REDIRECT $b
      a> MGET j k
      a> SET k 1
      a< OK
      a< *[_ _]
      a< OK
      w> SET j 1
      w< OK
      b< redirected j
    `,
  },
];
