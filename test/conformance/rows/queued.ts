import type { Row } from '../scenario.ts';

/** The tracking commands themselves inside MULTI. */
export const QUEUED: readonly Row[] = [
  {
    name: 'CLIENT TRACKING ON inside MULTI works at its place',
    play: `
      a> MULTI
      a> GET j
      a> CLIENT TRACKING ON
      a> CLIENT GETREDIR
      a> GET k
      a> EXEC
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< +QUEUED
      a< +QUEUED
      a< *[_ +OK :0 _]
      w> MSET j 1 k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'CLIENT TRACKING OFF inside MULTI works at its place',
    play: `
      a> CLIENT TRACKING ON
      a> GET j
      a> MULTI
      a> CLIENT GETREDIR
      a> CLIENT TRACKING OFF
      a> CLIENT GETREDIR
      a> GET k
      a> EXEC
      a< OK
      a< _
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< +QUEUED
      a< +QUEUED
      a< *[:0 +OK :-1 _]
      w> MSET j 1 k 1
      w< OK
    `,
  },
  {
    name: 'CLIENT TRACKING ON in a discarded MULTI does nothing',
    play: `
      a> MULTI
      a> CLIENT TRACKING ON
      a> DISCARD
      a> CLIENT GETREDIR
      a< OK
      a< +QUEUED
      a< OK
      a< :-1
    `,
  },
  {
    name: 'the tracking commands answer inside EXEC in their shapes',
    play: `
      a> MULTI
      a> CLIENT TRACKINGINFO
      a> CLIENT TRACKING ON
      a> CLIENT TRACKINGINFO
      a> CLIENT TRACKING ON FOO
      a> EXEC
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< +QUEUED
      a< +QUEUED
      a< *[%["flags" ~["off"] "redirect" :-1 "prefixes" *[]] +OK %["flags" ~["on"] "redirect" :0 "prefixes" *[]] -ERR syntax error]
    `,
  },
  {
    name: 'a wrong number of arguments inside MULTI spoils the transaction',
    play: `
      a> MULTI
      a> CLIENT TRACKING
      a> CLIENT TRACKING ON
      a> EXEC
      a< OK
      a< -ERR wrong number of arguments for 'client|tracking' command
      a< +QUEUED
      a< -EXECABORT Transaction discarded because of previous errors.
      a> CLIENT GETREDIR
      a< :-1
    `,
  },
  {
    name: 'what is asked behind a spoilt transaction in one piece is answered as if it had not been',
    play: `
      a> MULTI
      a> CLIENT TRACKING
      a> CLIENT TRACKING ON
      a> EXEC
      a> CLIENT GETREDIR
      a< OK
      a< -ERR wrong number of arguments for 'client|tracking' command
      a< +QUEUED
      a< -EXECABORT Transaction discarded because of previous errors.
      a< :-1
    `,
  },
  {
    name: 'CLIENT TRACKING OFF in a transaction aborted by WATCH does nothing',
    play: `
      a> CLIENT TRACKING ON
      a> WATCH seen
      a< OK
      a< OK
      w> SET seen 1
      w< OK
      a> MULTI
      a> CLIENT TRACKING OFF
      a> EXEC
      a< OK
      a< +QUEUED
      a< _
      a> CLIENT GETREDIR
      a< :0
      a> GET k
      a< _
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'CLIENT TRACKING ON in a transaction aborted by WATCH does nothing',
    play: `
      a> WATCH seen
      a< OK
      w> SET seen 1
      w< OK
      a> MULTI
      a> CLIENT TRACKING ON
      a> EXEC
      a< OK
      a< +QUEUED
      a< _
      a> CLIENT GETREDIR
      a< :-1
    `,
  },
];
