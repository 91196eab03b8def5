import type { Row } from '../scenario.ts';

/** MULTI, EXEC, DISCARD and WATCH around reads, writes and the tracking commands themselves. */
export const TRANSACTIONS: readonly Row[] = [
  {
    name: 'a read inside MULTI is tracked when EXEC runs it',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON
      a> MULTI
      a> GET k
      a> EXEC
      a< OK
      a< OK
      a< +QUEUED
      a< any
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'a change between the queued read and EXEC is not told of',
    play: `
      a> CLIENT TRACKING ON
      a> MULTI
      a> GET k
      a< OK
      a< OK
      a< +QUEUED
      w> SET k 1
      w< OK
      a> EXEC
      a< *["1"]
      w> SET k 2
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'a read that is discarded is not tracked',
    play: `
      a> CLIENT TRACKING ON
      a> MULTI
      a> GET k
      a> DISCARD
      a< OK
      a< OK
      a< +QUEUED
      a< OK
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'a transaction aborted by WATCH tracks nothing',
    play: `
      a> CLIENT TRACKING ON
      a> WATCH seen
      a< OK
      a< OK
      w> SET seen 1
      w< OK
      a> MULTI
      a> GET k
      a> EXEC
      a< OK
      a< +QUEUED
      a< _
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'a transaction aborted by an error tracks nothing',
    play: `
      a> CLIENT TRACKING ON
      a> MULTI
      a> GET k
      a> NOSUCH
      a> EXEC
      a< OK
      a< OK
      a< +QUEUED
      a< -ERR unknown command 'NOSUCH', with args beginning with: 
      a< -EXECABORT Transaction discarded because of previous errors.
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'own writes inside MULTI are told of behind the whole reply, in their order',
    play: `
      a> CLIENT TRACKING ON
      a> MGET j k
      a< OK
      a< *[_ _]
      a> MULTI
      a> SET k 1
      a> SET j 1
      a> PING
      a> EXEC
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< +QUEUED
      a< *[+OK +OK +PONG]
      a< invalidate k
      a< invalidate j
    `,
  },
  {
    name: 'read, write and read of one key: told of once, and tracked again',
    play: `
      a> CLIENT TRACKING ON
      a> MULTI
      a> GET k
      a> SET k 1
      a> GET k
      a> EXEC
      a< OK
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< +QUEUED
      a< *[_ +OK "1"]
      a< invalidate k
      w> SET k 2
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'FLUSHALL inside MULTI: behind the whole reply',
    play: `
      a> CLIENT TRACKING ON
      a> MULTI
      a> FLUSHALL
      a> PING
      a> EXEC
      a< OK
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< *[+OK +PONG]
      a< flush
    `,
  },
  {
    name: 'EXEC without MULTI, and MULTI inside MULTI, leave tracking as it is',
    play: `
      a> CLIENT TRACKING ON
      a> EXEC
      a> MULTI
      a> MULTI
      a> GET k
      a> EXEC
      a< OK
      a< -ERR EXEC without MULTI
      a< OK
      a< -ERR MULTI calls can not be nested
      a< +QUEUED
      a< *[_]
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'RESET inside MULTI discards it and ends tracking',
    play: `
      a> CLIENT TRACKING ON
      a> MULTI
      a> GET k
      a> RESET
      a> GET j
      a< OK
      a< OK
      a< +QUEUED
      a< +RESET
      a< $-1
      w> MSET j 1 k 1
      w< OK
    `,
  },
  {
    name: 'a SELECT inside MULTI, then a read: tracked by name',
    play: `
      a> CLIENT TRACKING ON
      a> MULTI
      a> SELECT 4
      a> GET k
      a> EXEC
      a< OK
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< *[+OK _]
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'CLIENT REPLY inside MULTI is queued, and gone with DISCARD',
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      a> MULTI
      a> SET k 1
      a> CLIENT REPLY SKIP
      a< OK
      a< _
      a< OK
      a< +QUEUED
      a< +QUEUED
      a> DISCARD
      a< OK
    `,
  },
];
