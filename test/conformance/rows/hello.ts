import type { Row } from '../scenario.ts';

/** HELLO while tracking: what a connection that changes its protocol is told. */
export const HELLO: readonly Row[] = [
  {
    name: 'HELLO 2 keeps tracking on; what changes meanwhile is lost',
    play: `
      a> CLIENT TRACKING ON
      a< OK
      a> MGET j k
      a< *[_ _]
      a> HELLO 2
      a< any
      a> CLIENT GETREDIR
      a< :0
      w> SET j 1
      w< OK
      a> GET l
      a< $-1
      a> HELLO 3
      a< any
      w> MSET k 1 j 2 l 1
      w< OK
      a< invalidate k
      a< invalidate l
    `,
  },
  {
    name: 'HELLO 3 while tracking in RESP2 begins the invalidations',
    protocols: [2],
    play: `
      a> CLIENT TRACKING ON
      a< OK
      a> MGET j k
      a< *[$-1 $-1]
      w> SET j 1
      w< OK
      a> PING
      a< +PONG
      a> HELLO 3
      a< any
      w> MSET j 2 k 2
      w< OK
      a< >["invalidate" *["k"]]
    `,
  },
  {
    name: 'HELLO without a version keeps the protocol and tracking',
    play: `
      a> CLIENT TRACKING ON
      a< OK
      a> HELLO
      a< any
      a> GET k
      a< _
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'a refused HELLO changes nothing',
    play: `
      a> CLIENT TRACKING ON
      a< OK
      a> HELLO 4
      a< -NOPROTO unsupported protocol version
      a> HELLO abc
      a< -ERR Protocol version is not an integer or out of range
      a> HELLO 2 FOO
      a< -ERR Syntax error in HELLO option 'FOO'
      a> GET k
      a< _
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'HELLO 2 and HELLO 3 in one piece with reads: replies in the protocol of their place',
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      a> HELLO 2
      a> GET k
      a> CLIENT TRACKINGINFO
      a> HELLO 3
      a> GET k
      a> CLIENT TRACKINGINFO
      a< OK
      a< _
      a< any
      a< $-1
      a< *["flags" *["on"] "redirect" :0 "prefixes" *[]]
      a< any
      a< _
      a< %["flags" ~["on"] "redirect" :0 "prefixes" *[]]
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
];
