import type { Row } from '../scenario.ts';

const TARGET = `
  b> PING
  b< +PONG
`;
const TARGET_LEAVES = `
  b> QUIT
  b< OK
  b< closed
`;

/** A redirection whose target is gone. */
export const BROKEN: readonly Row[] = [
  {
    name: 'it is noticed when a key changes: the RESP3 client is told which target is gone, and no key',
    play: `
      ${TARGET}
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< _
      ${TARGET_LEAVES}
      a> CLIENT TRACKINGINFO
      a< %["flags" ~["on"] "redirect" :$b "prefixes" *[]]
      w> SET k 1
      w< OK
      a< >["tracking-redir-broken" :$b]
      a> CLIENT TRACKINGINFO
      a> CLIENT GETREDIR
      a< %["flags" ~["on" "broken_redirect"] "redirect" :$b "prefixes" *[]]
      a< :$b
      w> SET k 2
      w< OK
    `,
  },
  {
    name: 'a RESP2 client is not told; TRACKINGINFO shows it',
    protocols: [2],
    play: `
      ${TARGET}
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< $-1
      ${TARGET_LEAVES}
      w> SET k 1
      w< OK
      a> CLIENT TRACKINGINFO
      a> CLIENT GETREDIR
      a< *["flags" *["on" "broken_redirect"] "redirect" :$b "prefixes" *[]]
      a< :$b
    `,
  },
  {
    name: 'it is told for each key, also for keys read later',
    play: `
      ${TARGET}
      a> CLIENT TRACKING ON REDIRECT $b
      a> MGET j k
      a< OK
      a< *[_ _]
      ${TARGET_LEAVES}
      w> MSET j 1 k 1
      w< OK
      a< >["tracking-redir-broken" :$b]
      a< >["tracking-redir-broken" :$b]
      a> GET l
      a< _
      w> SET l 1
      w< OK
      a< >["tracking-redir-broken" :$b]
    `,
  },
  {
    name: 'it is told behind the reply to an own write',
    play: `
      ${TARGET}
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< _
      ${TARGET_LEAVES}
      a> SET k 1
      a< OK
      a< >["tracking-redir-broken" :$b]
    `,
  },
  {
    name: 'it is told on a flush',
    play: `
      ${TARGET}
      a> CLIENT TRACKING ON REDIRECT $b
      a< OK
      ${TARGET_LEAVES}
      c> FLUSHALL
      c< OK
      a< >["tracking-redir-broken" :$b]
    `,
  },
  {
    name: 'it is told for each prefix of a batch',
    play: `
      ${TARGET}
      a> CLIENT TRACKING ON REDIRECT $b BCAST PREFIX j PREFIX k
      a< OK
      ${TARGET_LEAVES}
      w> MSET j 1 j2 1 k 1
      w< OK
      a< >["tracking-redir-broken" :$b]
      a< >["tracking-redir-broken" :$b]
      a> CLIENT TRACKINGINFO
      a< %["flags" ~["on" "bcast" "broken_redirect"] "redirect" :$b "prefixes" *["j" "k"]]
    `,
  },
  {
    name: 'a target that is killed is gone',
    play: `
      ${TARGET}
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a> CLIENT KILL ID $b
      a< OK
      a< _
      a< :1
      b< closed
      w> SET k 1
      w< OK
      a< >["tracking-redir-broken" :$b]
    `,
  },
  ...['ON', 'OFF', 'ON REDIRECT $a'].map((words) => ({
    name: `CLIENT TRACKING ${words.replace('$a', 'id')} mends it`,
    play: `
      ${TARGET}
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< _
      ${TARGET_LEAVES}
      w> SET k 1
      w< OK
      a< >["tracking-redir-broken" :$b]
      a> CLIENT TRACKING ${words}
      a> CLIENT TRACKING ON
      a> CLIENT TRACKINGINFO
      a> GET k
      a< OK
      a< OK
      a< %["flags" ~["on"] "redirect" :0 "prefixes" *[]]
      a< "1"
      w> SET k 2
      w< OK
      a< invalidate k
    `,
  })),
  {
    name: 'a refused ON leaves it broken: a target that is gone does not exist',
    play: `
      ${TARGET}
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< _
      ${TARGET_LEAVES}
      w> SET k 1
      w< OK
      a< >["tracking-redir-broken" :$b]
      a> CLIENT TRACKING ON REDIRECT $b
      a> CLIENT TRACKINGINFO
      a< -ERR The client ID you want redirect to does not exist
      a< %["flags" ~["on" "broken_redirect"] "redirect" :$b "prefixes" *[]]
    `,
  },
  {
    name: 'RESET mends it',
    play: `
      ${TARGET}
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< _
      ${TARGET_LEAVES}
      w> SET k 1
      w< OK
      a< >["tracking-redir-broken" :$b]
      a> RESET
      a> CLIENT TRACKING ON
      a> CLIENT TRACKINGINFO
      a< +RESET
      a< OK
      a< *["flags" *["on"] "redirect" :0 "prefixes" *[]]
    `,
  },
  {
    name: 'CLIENT LIST shows it by the letter R',
    play: `
      ${TARGET}
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< _
      ${TARGET_LEAVES}
      w> SET k 1
      w< OK
      a< any
      a> CLIENT LIST ID $a
      a< has "id=$a " flags=tR "redir=$b "
    `,
  },
];
