import type { Row } from '../scenario.ts';

/** FLUSHALL and FLUSHDB, whoever sends them. */
export const FLUSHES: readonly Row[] = [
  {
    name: 'an own FLUSHALL: its reply, then that everything has changed',
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      a< OK
      a< _
      a> FLUSHALL
      a< OK
      a< flush
      a> SET k 1
      a< OK
    `,
  },
  {
    name: 'a FLUSHALL tells every tracking client, and the keys read before are forgotten',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON
      a< OK
      b> CLIENT TRACKING ON
      b> GET k
      b< OK
      b< nil
      c> PING
      c< +PONG
      d> FLUSHALL
      d< OK
      a< flush
      b< flush
      d> SET k 1
      d< OK
    `,
  },
  {
    name: 'FLUSHDB of another database, even an empty one, counts as well',
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      a< OK
      a< _
      b> SELECT 9
      b> FLUSHDB
      b< OK
      b< OK
      a< flush
      b> SET k 1
      b< OK
    `,
  },
  {
    name: 'FLUSHALL in its ways: SYNC and ASYNC; a wrong word flushes nothing',
    play: `
      a> CLIENT TRACKING ON
      a< OK
      b> FLUSHALL ASYNC
      b< OK
      a< flush
      b> FLUSHDB SYNC
      b< OK
      a< flush
      b> FLUSHALL SOON
      b< -ERR syntax error
    `,
  },
  {
    name: 'a pipeline with FLUSHALL inside: the push stands behind its OK',
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      a> FLUSHALL
      a> GET k
      a> PING
      a< OK
      a< _
      a< OK
      a< flush
      a< _
      a< +PONG
      w> SET k 1
      w< OK
      a< invalidate k
    `,
    differs: {
      reason:
        'a flush counts as naming every key: it is told of behind the last request in flight that names any',
      play: `
        a> CLIENT TRACKING ON
        a> GET k
        a> FLUSHALL
        a> GET k
        a> PING
        a< OK
        a< _
        a< OK
        a< _
        a< flush
        a< +PONG
        w> SET k 1
        w< OK
      `,
    },
  },
];
