import type { Row } from '../scenario.ts';

/** What client libraries send, in the pieces in which they send it. */
export const LIBRARIES: readonly Row[] = [
  {
    name: 'rueidis: CACHING YES, MULTI, PTTL, GET, EXEC in one piece',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT CACHING YES
      a> MULTI
      a> PTTL k
      a> GET k
      a> EXEC
      a< OK
      a< OK
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< *[:-2 _]
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'rueidis: several keys by MGET',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT CACHING YES
      a> MULTI
      a> PTTL j
      a> PTTL k
      a> MGET j k
      a> EXEC
      a> GET l
      a< OK
      a< OK
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< +QUEUED
      a< *[:-2 :-2 *[_ _]]
      a< _
      w> MSET l 1 k 1 j 1
      w< OK
      a< invalidate k
      a< invalidate j
    `,
  },
  {
    name: 'rueidis with BCAST: ECHO in the place of CACHING',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX k
      a> ECHO ""
      a> MULTI
      a> PTTL k
      a> GET k
      a> EXEC
      a< OK
      a< ""
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< *[:-2 _]
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'redis-rs: CACHING YES, PTTL, GET: the mark covers PTTL, which tracks the key',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT CACHING YES
      a> PTTL k
      a> GET k
      a< OK
      a< OK
      a< :-2
      a< _
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'redis-rs: MGET and the PTTL of each',
    play: `
      a> CLIENT TRACKING ON
      a> MGET j k
      a> PTTL j
      a> PTTL k
      a< OK
      a< *[_ _]
      a< :-2
      a< :-2
      w> MSET j 1 k 1
      w< OK
      a< invalidate j
      a< invalidate k
    `,
  },
  {
    name: 'Lettuce: a value loaded is written and read again',
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      a< OK
      a< _
      a> SET k 1
      a< OK
      a< invalidate k
      a> GET k
      a< "1"
      w> SET k 2
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'valkey-glide: BCAST of everything',
    play: `
      a> SELECT 0
      a> CLIENT SETNAME me
      a> CLIENT TRACKING ON BCAST
      a> GET k
      a< OK
      a< OK
      a< OK
      a< _
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'two connections in RESP2: a pool redirects to one subscriber',
    protocols: [2],
    play: `
      b> SUBSCRIBE __redis__:invalidate
      b< any
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< $-1
      c> CLIENT TRACKING ON REDIRECT $b
      c> GET l
      c< OK
      c< $-1
      w> MSET k 1 l 1
      w< OK
      b< redirected k
      b< redirected l
    `,
  },
];
