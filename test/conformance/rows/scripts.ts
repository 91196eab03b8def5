import type { Row } from '../scenario.ts';

const DECLARED =
  'a proxy cannot see what a script does: its declared keys count as read unless the command is known not to read';

/** EVAL and its kind. */
export const SCRIPTS: readonly Row[] = [
  ...[
    'EVAL "return redis.call(\'get\', KEYS[1])" 1 k',
    'EVAL_RO "return redis.call(\'get\', KEYS[1])" 1 k',
  ].map((words) => ({
    name: `${words.split(' ')[0]} that reads has its declared keys tracked`,
    protocols: [2, 3] as const,
    play: `
      a> CLIENT TRACKING ON
      a> ${words}
      a< OK
      a< nil
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  })),
  {
    name: 'EVALSHA that reads has its declared keys tracked',
    play: `
      w> SCRIPT LOAD "return redis.call('get', KEYS[1])"
      w< any
      a> CLIENT TRACKING ON
      a> EVALSHA 4e6d8fc8bb01276962cce5371fa795a7763657ae 1 k
      a< OK
      a< any
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  ...['FCALL', 'FCALL_RO'].map((word) => ({
    name: `${word} of a function that reads has its declared keys tracked`,
    play: `
      w> FUNCTION LOAD REPLACE "#!lua name=mylib\\nredis.register_function{function_name='peek', callback=function(keys) return redis.call('get', keys[1]) end, flags={'no-writes'}}"
      w< "mylib"
      a> CLIENT TRACKING ON
      a> ${word} peek 1 k
      a< OK
      a< _
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  })),
  {
    name: 'a script that reads nothing tracks nothing',
    play: `
      a> CLIENT TRACKING ON
      a> EVAL "return 1" 1 k
      a< OK
      a< :1
      w> SET k 1
      w< OK
    `,
    differs: {
      reason: DECLARED,
      play: `
        a> CLIENT TRACKING ON
        a> EVAL "return 1" 1 k
        a< OK
        a< :1
        w> SET k 1
        w< OK
        a< invalidate k
      `,
    },
  },
  {
    name: 'a script without declared keys tracks nothing',
    play: `
      a> CLIENT TRACKING ON
      a> EVAL "return redis.call('get', 'k')" 0
      a< OK
      a< _
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'the mark of CLIENT CACHING covers a whole script',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT CACHING YES
      a> EVAL "return redis.call('mget', KEYS[1], KEYS[2])" 2 j k
      a> EVAL "return redis.call('get', KEYS[1])" 1 l
      a< OK
      a< OK
      a< *[_ _]
      a< _
      w> MSET j 1 k 1 l 1
      w< OK
      a< invalidate j
      a< invalidate k
    `,
  },
  {
    name: 'a script inside MULTI tracks when EXEC runs it',
    play: `
      a> CLIENT TRACKING ON
      a> MULTI
      a> EVAL "return redis.call('get', KEYS[1])" 1 k
      a> EXEC
      a< OK
      a< OK
      a< +QUEUED
      a< *[_]
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'a script with too few keys is refused and tracks nothing',
    play: `
      a> CLIENT TRACKING ON
      a> EVAL "return redis.call('get', KEYS[1])" 2 k
      a< OK
      a< -ERR Number of keys can't be greater than number of args
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'every write of a script is told of once, in their order',
    play: `
      a> CLIENT TRACKING ON
      a> MGET j k
      a< OK
      a< *[_ _]
      w> EVAL "redis.call('set', 'k', 1) redis.call('set', 'j', 1) redis.call('set', 'k', 2)" 0
      w< nil
      a< invalidate k
      a< invalidate j
    `,
  },
];
