import type { Row } from '../scenario.ts';

/** CLIENT TRACKING ON and OFF, their words and errors, TRACKINGINFO, GETREDIR. */
export const SWITCHING: readonly Row[] = [
  {
    name: 'CLIENT TRACKING without a word is a wrong number of arguments',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING
      a< -ERR wrong number of arguments for 'client|tracking' command
      a> client tracking
      a< -ERR wrong number of arguments for 'client|tracking' command
    `,
  },
  {
    name: 'a word that is neither ON nor OFF is a syntax error',
    play: `
      a> CLIENT TRACKING maybe
      a< -ERR syntax error
      a> CLIENT TRACKING ""
      a< -ERR syntax error
      a> CLIENT TRACKING onn
      a< -ERR syntax error
    `,
  },
  {
    name: 'an unknown option is a syntax error whatever the word before it',
    play: `
      a> CLIENT TRACKING ON FOO
      a< -ERR syntax error
      a> CLIENT TRACKING OFF FOO
      a< -ERR syntax error
      a> CLIENT TRACKING maybe FOO
      a< -ERR syntax error
      a> CLIENT GETREDIR
      a< :-1
    `,
  },
  {
    name: 'case does not matter',
    play: `
      a> cLiEnT tRaCkInG oN
      a< OK
      a> Client GetRedir
      a< :0
      a> CLIENT TRACKING oFF
      a< OK
      a> CLIENT getredir
      a< :-1
    `,
  },
  {
    name: 'OFF while off is OK',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING OFF
      a< OK
      a> CLIENT TRACKING OFF
      a< OK
    `,
  },
  {
    name: 'ON while on is OK and keeps the keys that were read',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON
      a< OK
      a> GET k
      a< nil
      a> CLIENT TRACKING ON
      a< OK
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'a refused ON changes nothing',
    play: `
      a> CLIENT TRACKING ON
      a< OK
      a> GET k
      a< nil
      a> CLIENT TRACKING ON FOO
      a< -ERR syntax error
      w> SET k 1
      w< OK
      a< invalidate k
      a> CLIENT GETREDIR
      a< :0
    `,
  },
  {
    name: 'OFF ends the invalidations of keys read before',
    play: `
      a> CLIENT TRACKING ON
      a< OK
      a> GET k
      a< nil
      a> CLIENT TRACKING OFF
      a< OK
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'OFF then ON keeps the keys that were read before',
    play: `
      a> CLIENT TRACKING ON
      a< OK
      a> GET k
      a< nil
      a> CLIENT TRACKING OFF
      a< OK
      a> CLIENT TRACKING ON
      a< OK
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'a key that changes while tracking is off is not told of later',
    play: `
      a> CLIENT TRACKING ON
      a< OK
      a> GET k
      a< nil
      a> CLIENT TRACKING OFF
      a< OK
      w> SET k 1
      w< OK
      a> CLIENT TRACKING ON
      a< OK
      w> SET k 2
      w< OK
    `,
  },
  {
    name: 'what is read while tracking is off is not tracked',
    play: `
      a> GET k
      a< nil
      a> CLIENT TRACKING ON
      a< OK
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'ON, reads and OFF in one piece take effect in their order',
    play: `
      a> GET j
      a> CLIENT TRACKING ON
      a> GET k
      a> CLIENT GETREDIR
      a> CLIENT TRACKING OFF
      a> CLIENT GETREDIR
      a> GET l
      a> CLIENT TRACKING ON
      a< nil
      a< OK
      a< nil
      a< :0
      a< OK
      a< :-1
      a< nil
      a< OK
      w> MSET j 1 l 1 k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'tracking cannot be switched from a script',
    play: `
      a> EVAL "return redis.pcall('client', 'tracking', 'on')" 0
      a< -ERR This Redis command is not allowed from script
      a> CLIENT GETREDIR
      a< :-1
    `,
  },
  {
    name: 'TRACKINGINFO tells off',
    protocols: [2],
    play: `
      a> CLIENT TRACKINGINFO
      a< *["flags" *["off"] "redirect" :-1 "prefixes" *[]]
    `,
  },
  {
    name: 'TRACKINGINFO tells on',
    protocols: [2],
    play: `
      a> CLIENT TRACKING ON
      a> CLIENT TRACKINGINFO
      a< OK
      a< *["flags" *["on"] "redirect" :0 "prefixes" *[]]
    `,
  },
  {
    name: 'TRACKINGINFO is a map with a set in RESP3',
    play: `
      a> CLIENT TRACKINGINFO
      a< %["flags" ~["off"] "redirect" :-1 "prefixes" *[]]
      a> CLIENT TRACKING ON
      a< OK
      a> CLIENT TRACKINGINFO
      a< %["flags" ~["on"] "redirect" :0 "prefixes" *[]]
      a> CLIENT TRACKING OFF
      a< OK
      a> CLIENT TRACKINGINFO
      a< %["flags" ~["off"] "redirect" :-1 "prefixes" *[]]
    `,
  },
  {
    name: 'TRACKINGINFO and GETREDIR take no arguments',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKINGINFO x
      a< -ERR wrong number of arguments for 'client|trackinginfo' command
      a> CLIENT GETREDIR x
      a< -ERR wrong number of arguments for 'client|getredir' command
    `,
  },
  {
    name: 'GETREDIR is -1 while off and 0 while on',
    protocols: [2, 3],
    play: `
      a> CLIENT GETREDIR
      a< :-1
      a> CLIENT TRACKING ON
      a< OK
      a> CLIENT GETREDIR
      a< :0
    `,
  },
  {
    name: 'CLIENT CACHING needs one word, and tracking',
    play: `
      a> CLIENT CACHING
      a< -ERR wrong number of arguments for 'client|caching' command
      a> CLIENT CACHING yes no
      a< -ERR wrong number of arguments for 'client|caching' command
      a> CLIENT CACHING yes
      a< -ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled
      a> CLIENT CACHING foo
      a< -ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled
    `,
  },
];
