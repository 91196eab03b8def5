import type { Row } from '../scenario.ts';

const NO_OVERLAP = 'Prefixes for a single client must not overlap.';

const existing = (added: string, old: string) =>
  `-ERR Prefix '${added}' overlaps with an existing prefix '${old}'. ${NO_OVERLAP}`;
const provided = (added: string, later: string) =>
  `-ERR Prefix '${added}' overlaps with another provided prefix '${later}'. ${NO_OVERLAP}`;

const ONE_REPLY =
  'a command gets one reply: the refused one changes nothing and is not accepted as well';

/** Which prefixes go together, and what is watched. */
export const PREFIXES: readonly Row[] = [
  {
    name: 'prefixes are told sorted',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX b PREFIX "a z" PREFIX c PREFIX "\\xff"
      a> CLIENT TRACKINGINFO
      a< OK
      a< %["flags" ~["on" "bcast"] "redirect" :0 "prefixes" *["a z" "b" "c" "\\xff"]]
    `,
  },
  {
    name: 'a prefix that begins with another, or the other way, collides',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX foo PREFIX foobar
      a< ${provided('foo', 'foobar')}
      a> CLIENT TRACKING ON BCAST PREFIX foobar PREFIX foo
      a< ${provided('foobar', 'foo')}
      a> CLIENT GETREDIR
      a< :-1
    `,
  },
  {
    name: 'the same prefix twice collides',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX a PREFIX a
      a< ${provided('a', 'a')}
    `,
  },
  {
    name: 'the empty prefix collides with every other',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX "" PREFIX a
      a< ${provided('', 'a')}
      a> CLIENT TRACKING ON BCAST PREFIX a PREFIX ""
      a< ${provided('a', '')}
    `,
  },
  {
    name: 'a prefix that is added is compared with those that stand',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX ab PREFIX cd
      a> CLIENT TRACKING ON BCAST PREFIX abc
      a> CLIENT TRACKING ON BCAST PREFIX a
      a> CLIENT TRACKING ON BCAST PREFIX ab
      a> CLIENT TRACKING ON BCAST PREFIX ""
      a> CLIENT TRACKING ON BCAST PREFIX c
      a> CLIENT TRACKING ON BCAST PREFIX e
      a> CLIENT TRACKINGINFO
      a< OK
      a< ${existing('abc', 'ab')}
      a< ${existing('a', 'ab')}
      a< ${existing('ab', 'ab')}
      a< ${existing('', 'ab')}
      a< ${existing('c', 'cd')}
      a< OK
      a< %["flags" ~["on" "bcast"] "redirect" :0 "prefixes" *["ab" "cd" "e"]]
    `,
  },
  {
    name: 'an existing prefix is named before a provided one',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX ab
      a> CLIENT TRACKING ON BCAST PREFIX a PREFIX a
      a< OK
      a< ${existing('a', 'ab')}
    `,
  },
  {
    name: 'a refused ON adds no prefix',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX a
      a> CLIENT TRACKING ON BCAST PREFIX b PREFIX a
      a> CLIENT TRACKING ON BCAST PREFIX c FOO
      a> CLIENT TRACKINGINFO
      a< OK
      a< ${existing('a', 'a')}
      a< -ERR syntax error
      a< %["flags" ~["on" "bcast"] "redirect" :0 "prefixes" *["a"]]
    `,
  },
  {
    name: 'a collision behind the first prefix',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX x PREFIX yy PREFIX y
      a> CLIENT TRACKINGINFO
      a< ${provided('yy', 'y')}
      a< OK
      a< %["flags" ~["on" "bcast"] "redirect" :0 "prefixes" *["x" "y" "yy"]]
    `,
    differs: {
      reason: ONE_REPLY,
      play: `
        a> CLIENT TRACKING ON BCAST PREFIX x PREFIX yy PREFIX y
        a> CLIENT TRACKINGINFO
        a< ${provided('yy', 'y')}
        a< %["flags" ~["off"] "redirect" :-1 "prefixes" *[]]
      `,
    },
  },
  {
    name: 'BCAST without a prefix watches everything, may be repeated, and is not compared',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX a PREFIX b
      a> CLIENT TRACKING ON BCAST
      a> CLIENT TRACKING ON BCAST
      a> CLIENT TRACKINGINFO
      a> CLIENT TRACKING ON BCAST PREFIX x
      a< OK
      a< OK
      a< OK
      a< %["flags" ~["on" "bcast"] "redirect" :0 "prefixes" *["" "a" "b"]]
      a< ${existing('x', '')}
      w> SET ab 1
      w< OK
      a< invalidate ab
      a< invalidate ab
    `,
  },
  {
    name: 'a prefix is added without giving up the others',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX a
      a> CLIENT TRACKING ON BCAST PREFIX b
      a< OK
      a< OK
      w> SET a1 1
      w< OK
      a< invalidate a1
      w> SET b1 1
      w< OK
      a< invalidate b1
      w> SET c1 1
      w< OK
    `,
  },
  {
    name: 'OFF drops the prefixes',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX a
      a> CLIENT TRACKING OFF
      a> CLIENT TRACKING ON BCAST PREFIX ab
      a> CLIENT TRACKINGINFO
      a< OK
      a< OK
      a< OK
      a< %["flags" ~["on" "bcast"] "redirect" :0 "prefixes" *["ab"]]
      w> MSET a 1 ab 1
      w< OK
      a< invalidate ab
    `,
  },
  {
    name: 'prefixes of different clients never collide',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX k
      b> CLIENT TRACKING ON BCAST PREFIX ke
      a< OK
      b< OK
      w> SET key 1
      w< OK
      a< invalidate key
      b< invalidate key
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'a prefix may have any bytes',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX "\\x00\\xff"
      a> CLIENT TRACKINGINFO
      a< OK
      a< %["flags" ~["on" "bcast"] "redirect" :0 "prefixes" *["\\x00\\xff"]]
      w> MSET "\\x00" 1 "\\x00\\xff\\r" 1
      w< OK
      a< >["invalidate" *["\\x00\\xff\\x0d"]]
    `,
  },
  {
    name: 'PREFIX takes the next word whatever it is',
    play: `
      a> CLIENT TRACKING ON BCAST PREFIX BCAST PREFIX PREFIX
      a> CLIENT TRACKINGINFO
      a< OK
      a< %["flags" ~["on" "bcast"] "redirect" :0 "prefixes" *["BCAST" "PREFIX"]]
    `,
  },
];
