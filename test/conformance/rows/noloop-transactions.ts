import type { Row } from '../scenario.ts';

/** NOLOOP with MULTI and WATCH. */
export const NOLOOP_TRANSACTIONS: readonly Row[] = [
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
    name: 'NOLOOP switched off inside MULTI: own writes behind it are told of',
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> MULTI
      a> GET k
      a> CLIENT TRACKING ON
      a> SET k 1
      a> EXEC
      a< OK
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< +QUEUED
      a< *[_ +OK +OK]
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
];
