import type { Row } from '../scenario.ts';

/** RESET, SELECT, AUTH, CLIENT REPLY and the end of connections, while tracking. */
export const CONNECTION: readonly Row[] = [
  {
    name: 'RESET ends tracking and goes back to RESP2',
    play: `
      a> CLIENT TRACKING ON
      a< OK
      a> GET k
      a< _
      a> RESET
      a< +RESET
      a> CLIENT TRACKINGINFO
      a< *["flags" *["off"] "redirect" :-1 "prefixes" *[]]
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'keys read before RESET are told of when tracking is on again',
    play: `
      a> CLIENT TRACKING ON
      a< OK
      a> GET k
      a< _
      a> RESET
      a< +RESET
      a> HELLO 3
      a< any
      a> CLIENT TRACKING ON
      a< OK
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'RESET between reads in one piece: only what follows the new ON is told of',
    play: `
      a> CLIENT TRACKING ON
      a> GET j
      a> RESET
      a> GET k
      a> CLIENT GETREDIR
      a< OK
      a< _
      a< +RESET
      a< $-1
      a< :-1
      w> MSET j 1 k 1
      w< OK
    `,
  },
  {
    name: 'RESET with an argument is refused and tracking stays',
    play: `
      a> CLIENT TRACKING ON
      a< OK
      a> RESET now
      a< -ERR wrong number of arguments for 'reset' command
      a> GET k
      a< _
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'SELECT changes nothing: databases share one table of names',
    play: `
      a> CLIENT TRACKING ON
      a> SELECT 3
      a> GET k
      a< OK
      a< OK
      a< _
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'a key read in database 0 is invalidated by a write in database 5',
    play: `
      a> CLIENT TRACKING ON
      a< OK
      a> GET k
      a< _
      b> SELECT 5
      b> SET k 1
      b< OK
      b< OK
      a< invalidate k
    `,
  },
  {
    name: 'AUTH as the same user keeps tracking and what was read',
    play: `
      a> CLIENT TRACKING ON
      a< OK
      a> GET k
      a< _
      a> AUTH default any
      a< OK
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'a refused AUTH keeps tracking',
    play: `
      a> CLIENT TRACKING ON
      a< OK
      a> AUTH nobody wrong
      a< -WRONGPASS invalid username-password pair or user is disabled.
      a> GET k
      a< _
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'CLIENT REPLY OFF keeps back replies and not invalidations',
    play: `
      a> CLIENT TRACKING ON
      a< OK
      a> CLIENT REPLY OFF
      a> GET k
      a> GET l
      a> CLIENT REPLY ON
      a< OK
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'an invalidation comes while replies are off',
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      a> CLIENT REPLY OFF
      a< OK
      a< _
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'tracking switched on while replies are off works',
    play: `
      a> CLIENT REPLY OFF
      a> CLIENT TRACKING ON
      a> GET k
      a> CLIENT REPLY ON
      a< OK
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'an own write under CLIENT REPLY SKIP: the push stands where the reply would have stood',
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      a> CLIENT REPLY SKIP
      a> SET k 1
      a> ECHO behind
      a< OK
      a< _
      a< invalidate k
      a< "behind"
    `,
  },
  {
    name: 'CLIENT REPLY SKIP before CLIENT TRACKING ON skips its OK alone',
    play: `
      a> CLIENT REPLY SKIP
      a> CLIENT TRACKING ON
      a> CLIENT GETREDIR
      a< :0
    `,
  },
  {
    name: 'CLIENT REPLY SKIP before a read: it is tracked',
    play: `
      a> CLIENT TRACKING ON
      a> CLIENT REPLY SKIP
      a> GET k
      a> PING
      a< OK
      a< +PONG
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
];
