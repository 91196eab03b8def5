import type { Row } from '../scenario.ts';

const RIGHT_NULLS = 'a null has the form of the protocol that its receiver speaks';
const CLEANUP =
  'nobody else will tell the target of keys that a client has read that is gone, so it is told to drop them';

/** What a target is told on a flush, and when the redirecting client leaves. */
export const REDIRECT_ENDS: readonly Row[] = [
  {
    name: 'a redirection taken back leaves the keys with the client',
    play: `
      b> PING
      b< +PONG
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a> CLIENT TRACKING ON
      a< OK
      a< _
      a< OK
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'a flush is told to the target: both in RESP2',
    protocols: [2],
    play: `
      b> SUBSCRIBE __redis__:invalidate
      b< any
      a> CLIENT TRACKING ON REDIRECT $b
      a< OK
      c> FLUSHALL
      c< OK
      b< *["message" "__redis__:invalidate" $-1]
    `,
  },
  {
    name: 'a flush is told to the target: both in RESP3',
    play: `
      b> PING
      b< +PONG
      a> CLIENT TRACKING ON REDIRECT $b
      a< OK
      c> FLUSHALL
      c< OK
      b< >["invalidate" _]
    `,
  },
  {
    name: 'a flush is told to a RESP3 target of a RESP2 client',
    play: `
      b> PING
      b< +PONG
      a> HELLO 2
      a> CLIENT TRACKING ON REDIRECT $b
      a< any
      a< OK
      c> FLUSHALL
      c< OK
      b< >["invalidate" $-1]
    `,
    differs: {
      reason: RIGHT_NULLS,
      play: `
        b> PING
        b< +PONG
        a> HELLO 2
        a> CLIENT TRACKING ON REDIRECT $b
        a< any
        a< OK
        c> FLUSHALL
        c< OK
        b< >["invalidate" _]
      `,
    },
  },
  {
    name: 'a flush is told to a RESP2 target of a RESP3 client',
    play: `
      b> HELLO 2
      b> SUBSCRIBE __redis__:invalidate
      b< any
      b< any
      a> CLIENT TRACKING ON REDIRECT $b
      a< OK
      c> FLUSHALL
      c< OK
      b< *["message" "__redis__:invalidate" _]
    `,
    differs: {
      reason: RIGHT_NULLS,
      play: `
        b> HELLO 2
        b> SUBSCRIBE __redis__:invalidate
        b< any
        b< any
        a> CLIENT TRACKING ON REDIRECT $b
        a< OK
        c> FLUSHALL
        c< OK
        b< *["message" "__redis__:invalidate" $-1]
      `,
    },
  },
  {
    name: 'the redirecting client leaves: its target is told nothing',
    protocols: [2, 3],
    play: `
      b> SUBSCRIBE __redis__:invalidate
      b< any
      a> CLIENT TRACKING ON REDIRECT $b
      a> MGET j k
      a> QUIT
      a< OK
      a< any
      a< OK
      a< closed
      w> MSET j 1 k 1
      w< OK
    `,
    differs: {
      reason: CLEANUP,
      unless: '--redirect-cleanup=off',
      play: `
        b> SUBSCRIBE __redis__:invalidate
        b< any
        a> CLIENT TRACKING ON REDIRECT $b
        a> MGET j k
        a> QUIT
        a< OK
        a< any
        a< OK
        a< closed
        b< redirected j
        b< redirected k
        w> MSET j 1 k 1
        w< OK
      `,
    },
  },
  {
    name: 'the redirecting BCAST client leaves: its target is told nothing',
    play: `
      b> PING
      b< +PONG
      a> CLIENT TRACKING ON REDIRECT $b BCAST PREFIX k
      a> QUIT
      a< OK
      a< OK
      a< closed
      w> SET k 1
      w< OK
    `,
    differs: {
      reason: CLEANUP,
      unless: '--redirect-cleanup=off',
      play: `
        b> PING
        b< +PONG
        a> CLIENT TRACKING ON REDIRECT $b BCAST PREFIX k
        a> QUIT
        a< OK
        a< OK
        a< closed
        b< redirected flush
        w> SET k 1
        w< OK
      `,
    },
  },
  {
    name: 'PUBLISH on the channel of invalidations is an ordinary message',
    protocols: [2, 3],
    play: `
      b> SUBSCRIBE __redis__:invalidate
      b< any
      a> PUBLISH __redis__:invalidate x
      a< :1
      b< has "message" __redis__:invalidate
    `,
  },
];
