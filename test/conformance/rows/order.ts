import type { Row } from '../scenario.ts';

/** Notifications do not say between which of a client's requests the change was made. */
const BEHIND_THE_LAST =
  'a change that becomes known while several requests for its key are in flight is told of ' +
  'behind the reply to the last of them';

/** What invalidates, and where the invalidation stands among the client's own replies. */
export const ORDER: readonly Row[] = [
  ...['SET k v', 'APPEND k ""', 'INCRBY n 0', 'EXPIRE k 100', 'SETRANGE k 0 v', 'GETDEL k'].map(
    (write) => invalidating(write, true),
  ),
  ...['SETNX k 1', 'SET k 1 NX', 'DEL other', 'SADD s m', 'SETBIT k 7 0', 'LPUSH k x'].map(
    (write) => invalidating(write, false),
  ),
  {
    name: 'an own write: first its reply, then the invalidation',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON
      a< OK
      a> GET k
      a< nil
      a> SET k 1
      a< OK
      a< invalidate k
    `,
  },
  {
    name: 'own reads and writes in one piece: each write is followed by its invalidation',
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      a> SET k 1
      a> GET k
      a> SET k 2
      a> GET k
      a< OK
      a< _
      a< OK
      a< invalidate k
      a< "1"
      a< OK
      a< invalidate k
      a< "2"
    `,
    differs: {
      reason: BEHIND_THE_LAST,
      play: `
        a> CLIENT TRACKING ON
        a> GET k
        a> SET k 1
        a> GET k
        a> SET k 2
        a> GET k
        a< OK
        a< _
        a< OK
        a< "1"
        a< OK
        a< "2"
        a< invalidate k
        a< invalidate k
      `,
    },
  },
  {
    name: 'an own MSET: its reply, then the keys in their order',
    play: `
      a> CLIENT TRACKING ON
      a> MGET k1 k2 k3
      a< OK
      a< *[_ _ _]
      a> MSET k3 c k1 a k2 b
      a< OK
      a< invalidate k3
      a< invalidate k1
      a< invalidate k2
    `,
  },
  {
    name: 'an own write in a script: its reply, then the invalidation',
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      a< OK
      a< _
      a> EVAL "redis.call('set', KEYS[1], 'x') return 'done'" 1 k
      a< "done"
      a< invalidate k
    `,
  },
  {
    name: 'one write tells every reader once',
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      b> CLIENT TRACKING ON
      b> GET k
      c> GET k
      a< OK
      a< _
      b< OK
      b< _
      c< _
      w> SET k 1
      w< OK
      a< invalidate k
      b< invalidate k
      w> SET k 2
      w< OK
    `,
  },
  {
    name: 'a read after the invalidation is tracked anew',
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      a< OK
      a< _
      w> SET k 1
      w< OK
      a< invalidate k
      a> GET k
      a< "1"
      w> SET k 2
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'RENAME tells of both names, in their order',
    play: `
      w> SET k1 v
      w< OK
      a> CLIENT TRACKING ON
      a> MGET k1 k2
      a< OK
      a< *["v" _]
      w> RENAME k1 k2
      w< OK
      a< invalidate k1
      a< invalidate k2
    `,
  },
  {
    name: 'COPY tells of the destination alone',
    play: `
      w> SET k1 v
      w< OK
      a> CLIENT TRACKING ON
      a> MGET k1 k2
      a< OK
      a< *["v" _]
      w> COPY k1 k2
      w< :1
      a< invalidate k2
    `,
  },
  {
    name: 'MOVE tells of the name once',
    play: `
      w> SET k v
      w< OK
      a> CLIENT TRACKING ON
      a> GET k
      a< OK
      a< "v"
      w> MOVE k 3
      w< :1
      a< invalidate k
    `,
  },
  {
    name: 'a key that expires is told of',
    play: `
      w> SET k v PX 30
      w< OK
      a> CLIENT TRACKING ON
      a> GET k
      a< OK
      a< "v"
      a< invalidate k
    `,
  },
  {
    name: 'an own BLPOP served by another: the key is told of once',
    play: `
      a> CLIENT TRACKING ON
      a> LLEN k
      a< OK
      a< :0
      a> BLPOP k 0
      w> RPUSH k v
      w< :1
      a< >["invalidate" *["k"]]
      a< *["k" "v"]
    `,
    differs: {
      reason: 'a change of a key that a request in flight names is told of behind its reply',
      play: `
        a> CLIENT TRACKING ON
        a> LLEN k
        a< OK
        a< :0
        a> BLPOP k 0
        w> RPUSH k v
        w< :1
        a< *["k" "v"]
        a< >["invalidate" *["k"]]
      `,
    },
  },
];

/** The data is: `k` a string, `n` a number, `s` a set. */
function invalidating(write: string, does: boolean): Row {
  const key = write.split(' ')[1] ?? '';
  return {
    name: `${write} ${does ? 'invalidates' : 'invalidates nothing'}`,
    play: `
      w> MSET k v n 1
      w> SADD s m
      w< OK
      w< :1
      a> CLIENT TRACKING ON
      a> EXISTS k n s other
      a< OK
      a< :3
      w> ${write}
      w< any
      ${does ? `a< invalidate ${key}` : ''}
    `,
  };
}
