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
