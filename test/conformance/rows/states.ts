import type { Row } from '../scenario.ts';

/** CLIENT TRACKINGINFO and GETREDIR in every state, and CLIENT TRACKING ON sent again. */
export const STATES: readonly Row[] = [
  ...states([
    ['ON OPTIN', ['on', 'optin'], []],
    ['ON OPTOUT', ['on', 'optout'], []],
    ['ON NOLOOP', ['on', 'noloop'], []],
    ['ON OPTIN NOLOOP', ['on', 'optin', 'noloop'], []],
    ['ON OPTOUT NOLOOP', ['on', 'optout', 'noloop'], []],
    ['ON BCAST', ['on', 'bcast'], ['']],
    ['ON BCAST NOLOOP PREFIX b PREFIX a', ['on', 'bcast', 'noloop'], ['a', 'b']],
    ['OFF BCAST NOLOOP', ['off'], []],
  ]),
  {
    name: 'TRACKINGINFO tells the mark of CLIENT CACHING as long as it stands',
    play: `
      a> CLIENT TRACKING ON OPTIN NOLOOP
      a> CLIENT CACHING YES
      a> CLIENT TRACKINGINFO
      a> CLIENT TRACKINGINFO
      a> PING
      a> CLIENT TRACKINGINFO
      a< OK
      a< OK
      a< %["flags" ~["on" "optin" "caching-yes" "noloop"] "redirect" :0 "prefixes" *[]]
      a< %["flags" ~["on" "optin" "caching-yes" "noloop"] "redirect" :0 "prefixes" *[]]
      a< +PONG
      a< %["flags" ~["on" "optin" "noloop"] "redirect" :0 "prefixes" *[]]
    `,
  },
  {
    name: 'TRACKINGINFO tells caching-no in OPTOUT mode',
    protocols: [2],
    play: `
      a> CLIENT TRACKING ON OPTOUT
      a> CLIENT CACHING NO
      a> CLIENT TRACKINGINFO
      a< OK
      a< OK
      a< *["flags" *["on" "optout" "caching-no"] "redirect" :0 "prefixes" *[]]
    `,
  },
  {
    name: 'ON again keeps the mark, which takes the new meaning',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT CACHING YES
      a> CLIENT TRACKING ON
      a> CLIENT TRACKINGINFO
      a> CLIENT TRACKING ON OPTOUT
      a> CLIENT TRACKINGINFO
      a> GET k
      a> GET l
      a< OK
      a< OK
      a< OK
      a< %["flags" ~["on"] "redirect" :0 "prefixes" *[]]
      a< OK
      a< %["flags" ~["on" "optout" "caching-no"] "redirect" :0 "prefixes" *[]]
      a< _
      a< _
      w> MSET k 1 l 1
      w< OK
      a< invalidate l
    `,
  },
  {
    name: 'OFF drops the mark',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT CACHING YES
      a> CLIENT TRACKING OFF
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT TRACKINGINFO
      a> GET k
      a< OK
      a< OK
      a< OK
      a< OK
      a< %["flags" ~["on" "optin"] "redirect" :0 "prefixes" *[]]
      a< _
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'ON again replaces the flags',
    play: `
      a> CLIENT TRACKING ON NOLOOP OPTOUT
      a> CLIENT TRACKING ON OPTOUT
      a> CLIENT TRACKINGINFO
      a> CLIENT TRACKING ON
      a> CLIENT TRACKINGINFO
      a< OK
      a< OK
      a< %["flags" ~["on" "optout"] "redirect" :0 "prefixes" *[]]
      a< OK
      a< %["flags" ~["on"] "redirect" :0 "prefixes" *[]]
    `,
  },
  {
    name: 'ON again without NOLOOP: own writes are told of',
    play: `
      a> CLIENT TRACKING ON NOLOOP
      a> CLIENT TRACKING ON
      a> GET k
      a< OK
      a< OK
      a< _
      a> SET k 1
      a< OK
      a< invalidate k
    `,
  },
  {
    name: 'a redirection is told by GETREDIR and TRACKINGINFO, and dropped by ON without one',
    protocols: [2],
    play: `
      b> PING
      b< +PONG
      a> CLIENT TRACKING ON REDIRECT $b
      a> CLIENT GETREDIR
      a> CLIENT TRACKINGINFO
      a> CLIENT TRACKING ON
      a> CLIENT GETREDIR
      a< OK
      a< :$b
      a< *["flags" *["on"] "redirect" :$b "prefixes" *[]]
      a< OK
      a< :0
    `,
  },
  {
    name: 'a redirection is not reported while tracking is off',
    play: `
      b> PING
      b< +PONG
      a> CLIENT TRACKING ON REDIRECT $b
      a> CLIENT TRACKING OFF
      a> CLIENT GETREDIR
      a> CLIENT TRACKINGINFO
      a< OK
      a< OK
      a< :-1
      a< %["flags" ~["off"] "redirect" :-1 "prefixes" *[]]
    `,
  },
  {
    name: 'a refused ON keeps flags, mark and redirection',
    play: `
      b> PING
      b< +PONG
      a> CLIENT TRACKING ON OPTIN NOLOOP REDIRECT $b
      a> CLIENT CACHING YES
      a> CLIENT TRACKING ON OPTOUT
      a> CLIENT TRACKINGINFO
      a< OK
      a< OK
      a< has switch OPTIN/OPTOUT
      a< %["flags" ~["on" "optin" "caching-yes" "noloop"] "redirect" :$b "prefixes" *[]]
    `,
  },
  {
    name: 'TRACKINGINFO in RESP2 is flat',
    protocols: [2],
    play: `
      a> CLIENT TRACKING ON BCAST NOLOOP PREFIX b PREFIX a
      a> CLIENT TRACKINGINFO
      a< OK
      a< *["flags" *["on" "bcast" "noloop"] "redirect" :0 "prefixes" *["a" "b"]]
    `,
  },
  {
    name: 'keys of the default mode are lost by way of OFF and BCAST',
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      a> CLIENT TRACKING OFF
      a> CLIENT TRACKING ON BCAST PREFIX other
      a< OK
      a< _
      a< OK
      a< OK
      w> SET k 1
      w< OK
      a> CLIENT TRACKING OFF
      a> CLIENT TRACKING ON
      a< OK
      a< OK
      w> SET k 2
      w< OK
    `,
  },
  {
    name: 'keys read in OPTIN mode are told of in the modes that follow',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT CACHING YES
      a> GET k
      a> CLIENT TRACKING ON
      a> CLIENT TRACKING ON OPTOUT
      a< OK
      a< OK
      a< _
      a< OK
      a< OK
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'what BCAST reads is told of by prefix alone',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX x
      a> GET k
      a> CLIENT TRACKING OFF
      a> CLIENT TRACKING ON
      a< OK
      a< _
      a< OK
      a< OK
      w> SET k 1
      w< OK
    `,
  },
];

type Example = readonly [words: string, flags: readonly string[], prefixes: readonly string[]];

function states(examples: readonly Example[]): readonly Row[] {
  return examples.map(([words, flags, prefixes]) => {
    const list = (names: readonly string[]) => names.map((name) => `"${name}"`).join(' ');
    const redirect = flags[0] === 'on' ? 0 : -1;
    return {
      name: `TRACKINGINFO and GETREDIR behind ${words}`,
      play: `
        a> CLIENT TRACKING ${words}
        a> CLIENT TRACKINGINFO
        a> CLIENT GETREDIR
        a< OK
        a< %["flags" ~[${list(flags)}] "redirect" :${redirect} "prefixes" *[${list(prefixes)}]]
        a< :${redirect}
      `,
    };
  });
}
