import type { Row } from '../scenario.ts';

/** CLIENT TRACKING ON BCAST: what is told, in which batches and order. */
export const BCAST: readonly Row[] = [
  {
    name: 'every key is told of without being read, at each change',
    play: `
      a> CLIENT TRACKING ON BCAST
      a< OK
      w> SET k 1
      w< OK
      a< invalidate k
      w> SET k 2
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'only keys that begin with a prefix are told of',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX user: PREFIX item:
      a< OK
      w> SET user 1
      w> SET USER:1 1
      w> SET xuser:1 1
      w< OK
      w< OK
      w< OK
      w> SET user: 1
      w< OK
      a< invalidate user:
      w> SET item:7 1
      w< OK
      a< invalidate item:7
    `,
  },
  {
    name: 'what one command changes is one message, keys sorted and each once',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX k
      a< OK
      w> MSET k3 1 k1 1 k2 1 k1 2
      w< OK
      a< invalidate k1 k2 k3
    `,
  },
  {
    name: 'what one pipeline changes is one message for each prefix, prefixes sorted',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX k PREFIX j
      a< OK
      w> SET k2 1
      w> SET k1 1
      w> SET j 1
      w> SET k2 2
      w> SET x 1
      w< OK
      w< OK
      w< OK
      w< OK
      w< OK
      a< invalidate j
      a< invalidate k1 k2
    `,
  },
  {
    name: 'a transaction is one message for each prefix',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX k PREFIX j
      a< OK
      w> MULTI
      w> SET k2 1
      w> SET j 1
      w> SET k1 1
      w> EXEC
      w< OK
      w< +QUEUED
      w< +QUEUED
      w< +QUEUED
      w< *[+OK +OK +OK]
      a< invalidate j
      a< invalidate k1 k2
    `,
  },
  {
    name: 'a script is one message',
    play: `
      a> CLIENT TRACKING ON BCAST
      a< OK
      w> EVAL "redis.call('set', 'b', 1) redis.call('set', 'a', 1) redis.call('set', 'b', 2)" 0
      w< nil
      a< invalidate a b
    `,
  },
  {
    name: 'own writes are told of behind all replies of their piece',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX k
      a< OK
      a> SET k2 1
      a> SET k1 1
      a> PING
      a< OK
      a< OK
      a< +PONG
      a< invalidate k1 k2
    `,
  },
  {
    name: 'every client with the prefix is told',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX k
      b> CLIENT TRACKING ON BCAST
      c> CLIENT TRACKING ON BCAST PREFIX other
      a< OK
      b< OK
      c< OK
      w> SET k 1
      w< OK
      a< invalidate k
      b< invalidate k
    `,
  },
  ...[
    ['creation', '', 'SET k 1'],
    ['change', 'SET k 1', 'APPEND k x'],
    ['deletion', 'SET k 1', 'DEL k'],
    ['a deadline', 'SET k 1', 'EXPIRE k 100'],
    ['a deadline taken back', 'SET k 1 EX 100', 'PERSIST k'],
    ['an end in the past', 'SET k 1', 'EXPIRE k -1'],
    ['unlinking', 'SET k 1', 'UNLINK k'],
    ['the last element taken', 'RPUSH k 1', 'LPOP k'],
    ['storing a result', 'SADD s 1', 'SUNIONSTORE k s'],
  ].map(([what = '', before = '', write = '']) => ({
    name: `${what} is told of: ${write}`,
    play: `
      ${before === '' ? '' : `w> ${before}\nw< any`}
      a> CLIENT TRACKING ON BCAST PREFIX k
      a< OK
      w> ${write}
      w< any
      a< invalidate k
    `,
  })),
  ...['GET k', 'DEL other', 'SETNX k 1', 'EXPIRE other 1', 'LPUSH k x', 'SETRANGE k 0 ""'].map(
    (words) => ({
      name: `${words} changes nothing and is not told of`,
      play: `
      w> SET k 1
      w< OK
      a> CLIENT TRACKING ON BCAST
      a< OK
      w> ${words}
      w< any
    `,
    }),
  ),
  {
    name: 'RENAME is told as both names',
    play: `
      w> SET k2 1
      w< OK
      a> CLIENT TRACKING ON BCAST PREFIX k
      a< OK
      w> RENAME k2 k1
      w< OK
      a< invalidate k1 k2
    `,
  },
  {
    name: 'a key that expires is told of',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX k
      a< OK
      w> SET k 1 PX 20
      w< OK
      a< invalidate k
      a< invalidate k
    `,
  },
  {
    name: 'an empty key begins with the empty prefix',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX ""
      a< OK
      w> SET "" 1
      w< OK
      a< invalidate ""
    `,
  },
  {
    name: 'all databases are watched',
    play: `
      a> CLIENT TRACKING ON BCAST
      a< OK
      w> SELECT 7
      w> SET k 1
      w< OK
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'a flush is told whatever the prefix',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX none
      a< OK
      b> FLUSHALL
      b< OK
      a< flush
    `,
  },
  {
    name: 'a redirected batch is one message to the target',
    protocols: [2, 3],
    play: `
      b> SUBSCRIBE __redis__:invalidate
      b< any
      a> CLIENT TRACKING ON BCAST PREFIX k REDIRECT $b
      a< OK
      w> MSET k2 1 k1 1
      w< OK
      b< redirected k1 k2
    `,
  },
  {
    name: 'a RESP2 client is told nothing',
    protocols: [2],
    play: `
      a> CLIENT TRACKING ON BCAST
      a< OK
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'HELLO 2 drops what changes, HELLO 3 brings it again',
    play: `
      a> CLIENT TRACKING ON BCAST
      a> HELLO 2
      a< OK
      a< any
      w> SET k 1
      w< OK
      a> HELLO 3
      a< any
      w> SET l 1
      w< OK
      a< invalidate l
    `,
  },
  {
    name: 'BCAST switched on inside MULTI works at its place',
    play: `
      a> MULTI
      a> CLIENT TRACKING ON BCAST PREFIX k
      a> SET k 1
      a> EXEC
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< *[+OK +OK]
      a< invalidate k
    `,
  },
  {
    name: 'what is changed before BCAST is switched on is not told of',
    play: `
      a> SET k 1
      a> CLIENT TRACKING ON BCAST
      a< OK
      a< OK
      w> SET l 1
      w< OK
      a< invalidate l
    `,
    differs: {
      reason:
        'a change that becomes known when tracking is being switched on is told of, though it was made just before',
      play: `
        a> SET k 1
        a> CLIENT TRACKING ON BCAST
        a< OK
        a< OK
        a< invalidate k
        w> SET l 1
        w< OK
        a< invalidate l
      `,
    },
  },
];
