import type { Row } from '../scenario.ts';

/** NOLOOP: what is tracked and told of beside plain writes. */
export const NOLOOP_READS: readonly Row[] = [
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
    differs: {
      reason:
        'the keys that a script declares count as read, behind whatever it writes: a proxy cannot see inside',
      play: `
        a> CLIENT TRACKING ON NOLOOP
        a> GET k
        a> EVAL "return redis.call('set', KEYS[1], '1')" 1 k
        a< OK
        a< _
        a< OK
        w> SET k 2
        w< OK
        a< invalidate k
      `,
    },
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
    name: 'a batch names the writes of an own script',
    play: `
      a> CLIENT TRACKING ON BCAST NOLOOP
      a> EVAL "return redis.call('set', KEYS[1], '1')" 1 k
      a< OK
      a< OK
      a< invalidate k
    `,
  },
];
