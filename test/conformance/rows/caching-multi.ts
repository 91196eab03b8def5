import type { Row } from '../scenario.ts';

const NO_WANTS_OPTOUT =
  '-ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.';

/** CLIENT CACHING around and inside MULTI. */
export const CACHING_MULTI: readonly Row[] = [
  {
    name: 'CACHING YES before MULTI marks the whole transaction',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT CACHING YES
      a> MULTI
      a> GET j
      a> GET k
      a> EXEC
      a> GET l
      a< OK
      a< OK
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< any
      a< nil
      w> MSET j 1 k 1 l 1
      w< OK
      a< invalidate j
      a< invalidate k
    `,
  },
  {
    name: 'CACHING YES inside MULTI holds from its place on, and not behind EXEC',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> MULTI
      a> GET i
      a> CLIENT CACHING YES
      a> GET j
      a> GET k
      a> EXEC
      a> GET l
      a< OK
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< +QUEUED
      a< +QUEUED
      a< *[_ +OK _ _]
      a< _
      w> MSET i 1 j 1 k 1 l 1
      w< OK
      a< invalidate j
      a< invalidate k
    `,
  },
  {
    name: 'CACHING NO before MULTI keeps all its reads untracked',
    play: `
      a> CLIENT TRACKING ON OPTOUT
      a> CLIENT CACHING NO
      a> MULTI
      a> GET j
      a> EXEC
      a> GET k
      a< OK
      a< OK
      a< OK
      a< +QUEUED
      a< *[_]
      a< _
      w> MSET j 1 k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'DISCARD drops the mark',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT CACHING YES
      a> MULTI
      a> GET j
      a> DISCARD
      a> GET k
      a< OK
      a< OK
      a< OK
      a< +QUEUED
      a< OK
      a< _
      w> MSET j 1 k 1
      w< OK
    `,
  },
  {
    name: 'a transaction that is aborted drops the mark',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT CACHING YES
      a> MULTI
      a> NOSUCH
      a> EXEC
      a> GET k
      a< OK
      a< OK
      a< OK
      a< has -ERR unknown
      a< -EXECABORT Transaction discarded because of previous errors.
      a< _
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'the errors of CLIENT CACHING stand at their place in EXEC',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> MULTI
      a> CLIENT CACHING NO
      a> CLIENT CACHING foo
      a> CLIENT CACHING YES
      a> CLIENT TRACKINGINFO
      a> EXEC
      a> CLIENT TRACKINGINFO
      a< OK
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< +QUEUED
      a< +QUEUED
      a< *[${NO_WANTS_OPTOUT} -ERR syntax error +OK %["flags" ~["on" "optin" "caching-yes"] "redirect" :0 "prefixes" *[]]]
      a< %["flags" ~["on" "optin"] "redirect" :0 "prefixes" *[]]
    `,
  },
  {
    name: 'a wrong number of words for CLIENT CACHING spoils a transaction',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> MULTI
      a> CLIENT CACHING
      a> EXEC
      a< OK
      a< OK
      a< -ERR wrong number of arguments for 'client|caching' command
      a< -EXECABORT Transaction discarded because of previous errors.
    `,
  },
];
