import type { Row } from '../scenario.ts';

/** RESET, HELLO, CLIENT REPLY and the end of a connection in the modes of tracking. */
export const MODES: readonly Row[] = [
  {
    name: 'RESET ends BCAST, its prefixes and flags',
    play: `
      a> CLIENT TRACKING ON BCAST NOLOOP PREFIX k
      a> RESET
      a> CLIENT TRACKINGINFO
      a< OK
      a< +RESET
      a< *["flags" *["off"] "redirect" :-1 "prefixes" *[]]
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'RESET drops the mark of CLIENT CACHING',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT CACHING YES
      a> RESET
      a> HELLO 3
      a> CLIENT TRACKING ON OPTIN
      a> GET k
      a< OK
      a< OK
      a< +RESET
      a< any
      a< OK
      a< _
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'RESET of the target leaves the redirection: it is told when it subscribes again',
    protocols: [2],
    play: `
      b> SUBSCRIBE x
      b< any
      a> CLIENT TRACKING ON REDIRECT $b
      a> MGET j k
      a< OK
      a< *[$-1 $-1]
      b> RESET
      b< +RESET
      w> SET j 1
      w< OK
      b> SUBSCRIBE x
      b< any
      w> SET k 1
      w< OK
      b< redirected k
    `,
  },
  {
    name: 'HELLO 3 of a RESP2 target turns messages into pushes',
    protocols: [2],
    play: `
      b> PING
      b> HELLO 3
      b< +PONG
      b< any
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< $-1
      w> SET k 1
      w< OK
      b< >["invalidate" *["k"]]
    `,
  },
  {
    name: 'CLIENT REPLY OFF in BCAST mode keeps back replies and not batches',
    play: `
      a> CLIENT TRACKING ON BCAST
      a> CLIENT REPLY OFF
      a> SET k 1
      a< OK
      a< invalidate k
    `,
  },
  {
    name: 'CLIENT REPLY SKIP before CLIENT CACHING leaves the mark',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT REPLY SKIP
      a> CLIENT CACHING YES
      a> GET k
      a< OK
      a< _
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'CLIENT REPLY SKIP before a refused CLIENT TRACKING skips its error',
    play: `
      a> CLIENT REPLY SKIP
      a> CLIENT TRACKING ON FOO
      a> CLIENT GETREDIR
      a< :-1
    `,
  },
  {
    name: 'QUIT while tracking: OK and the end; others are still told',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON BCAST
      a> QUIT
      a< OK
      a< OK
      a< closed
      b> CLIENT TRACKING ON
      b> GET k
      b< OK
      b< nil
      w> SET k 1
      w< OK
      b< invalidate k
    `,
  },
  {
    name: 'a client that is killed is told no more',
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      a< OK
      a< _
      b> CLIENT KILL ID $a
      b< :1
      a< closed
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'CLIENT UNBLOCK finds a client by its id',
    play: `
      a> CLIENT TRACKING ON
      a> BLPOP k 0
      a< OK
      b> CLIENT UNBLOCK $a
      b< :1
      a< _
    `,
  },
  {
    name: 'CLIENT NO-EVICT and CLIENT SETNAME change nothing',
    play: `
      a> CLIENT TRACKING ON
      a> CLIENT NO-EVICT ON
      a> CLIENT SETNAME me
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
];
