import type { Row } from '../scenario.ts';

/** CLIENT TRACKING ON REDIRECT: who is told, and how. */
export const REDIRECT: readonly Row[] = [
  {
    name: 'a subscribed RESP2 target is told by message',
    protocols: [2],
    play: `
      b> SUBSCRIBE __redis__:invalidate
      b< *["subscribe" "__redis__:invalidate" :1]
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< $-1
      w> SET k 1
      w< OK
      b< *["message" "__redis__:invalidate" *["k"]]
    `,
  },
  ...['SUBSCRIBE other', 'PSUBSCRIBE x*', 'SSUBSCRIBE x'].map((subscribing) => ({
    name: `${subscribing} makes a RESP2 target ready as well`,
    protocols: [2] as const,
    play: `
      b> ${subscribing}
      b< any
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< $-1
      w> SET k 1
      w< OK
      b< redirected k
    `,
  })),
  {
    name: 'a RESP2 target that has subscribed to nothing is not told, and the key is used up',
    protocols: [2],
    play: `
      b> PING
      b< +PONG
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< $-1
      w> SET k 1
      w< OK
      b> SUBSCRIBE __redis__:invalidate
      b< any
      w> SET k 2
      w< OK
    `,
  },
  {
    name: 'a RESP2 target that has unsubscribed is told no more',
    protocols: [2],
    play: `
      b> SUBSCRIBE __redis__:invalidate
      b> UNSUBSCRIBE
      b< any
      b< any
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< $-1
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'a RESP3 target is told by push, subscribed or not',
    play: `
      b> PING
      b< +PONG
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< _
      w> SET k 1
      w< OK
      b< redirected k
      b> SUBSCRIBE __redis__:invalidate
      b< any
      a> GET k
      a< "1"
      w> SET k 2
      w< OK
      b< redirected k
    `,
  },
  {
    name: 'a RESP2 client redirects to a RESP3 target',
    play: `
      a> HELLO 2
      a< any
      b> PING
      b< +PONG
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
    name: 'a RESP3 client redirects to a RESP2 target',
    play: `
      b> HELLO 2
      b> SUBSCRIBE __redis__:invalidate
      b< any
      b< any
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< _
      w> SET k 1
      w< OK
      b< *["message" "__redis__:invalidate" *["k"]]
    `,
  },
  {
    name: 'a redirection to oneself is as none in RESP3',
    play: `
      a> CLIENT TRACKING ON REDIRECT $a
      a> GET k
      a> CLIENT GETREDIR
      a< OK
      a< _
      a< :$a
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'a redirection to oneself works in RESP2 as soon as one has subscribed',
    protocols: [2],
    play: `
      a> CLIENT TRACKING ON REDIRECT $a
      a> GET k
      a> SUBSCRIBE __redis__:invalidate
      a< OK
      a< $-1
      a< any
      w> SET k 1
      w< OK
      a< redirected k
    `,
  },
  {
    name: 'a target hears of each client that redirects to it, the clients themselves hear nothing',
    play: `
      c> PING
      c< +PONG
      a> CLIENT TRACKING ON REDIRECT $c
      a> GET k
      a< OK
      a< _
      b> CLIENT TRACKING ON REDIRECT $c
      b> MGET k l
      b< OK
      b< *[_ _]
      w> SET k 1
      w< OK
      c< redirected k
      c< redirected k
      w> SET l 1
      w< OK
      c< redirected l
    `,
  },
  {
    name: 'a target that tracks itself hears of its own reads and of others',
    play: `
      b> CLIENT TRACKING ON
      b> GET k
      b< OK
      b< _
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< _
      w> SET k 1
      w< OK
      b< invalidate k
      b< invalidate k
    `,
  },
  {
    name: 'redirections are not followed further',
    play: `
      c> PING
      c< +PONG
      b> CLIENT TRACKING ON REDIRECT $c
      b< OK
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< _
      w> SET k 1
      w< OK
      b< redirected k
    `,
  },
  {
    name: 'a redirection given later takes along the keys read before',
    play: `
      b> PING
      b< +PONG
      a> CLIENT TRACKING ON
      a> GET k
      a> CLIENT TRACKING ON REDIRECT $b
      a< OK
      a< _
      a< OK
      w> SET k 1
      w< OK
      b< redirected k
    `,
  },
  {
    name: 'an own write is told to the target and not to the writer',
    play: `
      b> PING
      b< +PONG
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a> SET k 1
      a< OK
      a< _
      a< OK
      b< redirected k
    `,
  },
  {
    name: 'a write of the target is told to it before its own reply on 7.0',
    play: `
      b> PING
      b< +PONG
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< _
      b> SET k 1
      b< redirected k
      b< OK
    `,
    differs: {
      reason: 'from 7.2 on a target is told behind the reply to its own write',
      play: `
        b> PING
        b< +PONG
        a> CLIENT TRACKING ON REDIRECT $b
        a> GET k
        a< OK
        a< _
        b> SET k 1
        b< OK
        b< redirected k
      `,
    },
  },
  {
    name: 'the target is told while its replies are off',
    play: `
      b> PING
      b> CLIENT REPLY OFF
      b< +PONG
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a< OK
      a< _
      w> SET k 1
      w< OK
      b< redirected k
    `,
  },
  {
    name: 'OFF of the redirecting client ends what the target is told',
    play: `
      b> PING
      b< +PONG
      a> CLIENT TRACKING ON REDIRECT $b
      a> GET k
      a> CLIENT TRACKING OFF
      a< OK
      a< _
      a< OK
      w> SET k 1
      w< OK
    `,
  },
];
