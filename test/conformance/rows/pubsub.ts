import type { Row } from '../scenario.ts';

/** Subscriptions: how many frames answer what, and messages in between. */
export const PUBSUB: readonly Row[] = [
  {
    name: 'SUBSCRIBE is confirmed for each channel, also for one named twice (RESP2)',
    protocols: [2],
    play: `
      a> SUBSCRIBE a b a
      a> PING
      a> PING hi
      a< *["subscribe" "a" :1]
      a< *["subscribe" "b" :2]
      a< *["subscribe" "a" :2]
      a< *["pong" ""]
      a< *["pong" "hi"]
    `,
  },
  {
    name: 'SUBSCRIBE is confirmed for each channel, also for one named twice (RESP3)',
    play: `
      a> SUBSCRIBE a b a
      a> PING
      a> PING hi
      a> GET k
      a< >["subscribe" "a" :1]
      a< >["subscribe" "b" :2]
      a< >["subscribe" "a" :2]
      a< +PONG
      a< "hi"
      a< _
    `,
  },
  {
    name: 'UNSUBSCRIBE with channels, known or not (RESP2)',
    protocols: [2],
    play: `
      a> SUBSCRIBE a b
      a> UNSUBSCRIBE x b
      a> PING
      a> UNSUBSCRIBE a
      a> PING
      a< *["subscribe" "a" :1]
      a< *["subscribe" "b" :2]
      a< *["unsubscribe" "x" :2]
      a< *["unsubscribe" "b" :1]
      a< *["pong" ""]
      a< *["unsubscribe" "a" :0]
      a< +PONG
    `,
  },
  {
    name: 'UNSUBSCRIBE of nothing is one frame without a channel (RESP2)',
    protocols: [2],
    play: `
      a> UNSUBSCRIBE
      a> PUNSUBSCRIBE
      a> SUNSUBSCRIBE
      a> PING
      a< *["unsubscribe" $-1 :0]
      a< *["punsubscribe" $-1 :0]
      a< *["sunsubscribe" $-1 :0]
      a< +PONG
    `,
  },
  {
    name: 'UNSUBSCRIBE of nothing is one frame without a channel (RESP3)',
    play: `
      a> UNSUBSCRIBE
      a> PUNSUBSCRIBE
      a> PING
      a< >["unsubscribe" _ :0]
      a< >["punsubscribe" _ :0]
      a< +PONG
    `,
  },
  {
    name: 'UNSUBSCRIBE without channels leaves each of its kind, and nothing of the others',
    protocols: [2],
    play: `
      a> PSUBSCRIBE p* q*
      a> SUBSCRIBE c
      a> PSUBSCRIBE p*
      a> PUNSUBSCRIBE
      a> UNSUBSCRIBE
      a> PING
      a< *["psubscribe" "p*" :1]
      a< *["psubscribe" "q*" :2]
      a< *["subscribe" "c" :3]
      a< *["psubscribe" "p*" :3]
      a< any
      a< any
      a< *["unsubscribe" "c" :0]
      a< +PONG
    `,
  },
  {
    name: 'shard channels are counted by themselves',
    protocols: [2],
    play: `
      a> SSUBSCRIBE s t
      a> SUBSCRIBE c
      a> SUNSUBSCRIBE
      a> GET k
      a> UNSUBSCRIBE
      a> GET k
      a< *["ssubscribe" "s" :1]
      a< *["ssubscribe" "t" :2]
      a< *["subscribe" "c" :1]
      a< any
      a< any
      a< -ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context
      a< *["unsubscribe" "c" :0]
      a< $-1
    `,
  },
  {
    name: 'SUBSCRIBE without a channel is an error',
    protocols: [2, 3],
    play: `
      a> SUBSCRIBE
      a> PSUBSCRIBE
      a> PING
      a< -ERR wrong number of arguments for 'subscribe' command
      a< -ERR wrong number of arguments for 'psubscribe' command
      a< +PONG
    `,
  },
  {
    name: 'messages come between the answers (RESP2)',
    protocols: [2],
    play: `
      a> SUBSCRIBE c
      a> PSUBSCRIBE c*
      a< *["subscribe" "c" :1]
      a< *["psubscribe" "c*" :2]
      b> PUBLISH c one
      b< :2
      a< *["message" "c" "one"]
      a< *["pmessage" "c*" "c" "one"]
      a> PING
      a< *["pong" ""]
      w> PUBLISH c2 "two\\r\\n"
      w< :1
      a< *["pmessage" "c*" "c2" "two\\x0d\\x0a"]
      a> PUNSUBSCRIBE c*
      a< *["punsubscribe" "c*" :1]
      w> PUBLISH c3 three
      w< :0
    `,
  },
  {
    name: 'messages come between the answers (RESP3)',
    play: `
      a> SUBSCRIBE c
      a> GET k
      a< >["subscribe" "c" :1]
      a< _
      w> PUBLISH c one
      w< :1
      a< >["message" "c" "one"]
      a> UNSUBSCRIBE
      a> GET k
      a< >["unsubscribe" "c" :0]
      a< _
    `,
  },
  {
    name: 'an own PUBLISH to an own channel: on 7.0 the message stands before its reply',
    play: `
      a> SUBSCRIBE c
      a> PUBLISH c me
      a> PING
      a< >["subscribe" "c" :1]
      a< >["message" "c" "me"]
      a< :1
      a< +PONG
    `,
  },
  {
    name: 'RESET ends all subscriptions with one frame',
    protocols: [2, 3],
    play: `
      a> SUBSCRIBE b c
      a< any
      a< any
      a> RESET
      a> GET k
      a< +RESET
      a< $-1
      w> PUBLISH c one
      w< :0
    `,
  },
  {
    name: 'what a RESP2 subscriber may not ask is refused, and the count stays right',
    protocols: [2],
    play: `
      a> SUBSCRIBE c
      a> GET k
      a> CLIENT ID
      a> CLIENT TRACKING ON
      a> MULTI
      a> EXEC
      a> NOSUCH
      a> UNSUBSCRIBE
      a> CLIENT GETREDIR
      a< *["subscribe" "c" :1]
      a< -ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context
      a< -ERR Can't execute 'client|id': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context
      a< -ERR Can't execute 'client|tracking': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context
      a< -ERR Can't execute 'multi': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context
      a< -EXECABORT Transaction discarded because of: Can't execute 'exec': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context
      a< -ERR unknown command 'NOSUCH', with args beginning with:
      a< *["unsubscribe" "c" :0]
      a< :-1
    `,
  },
  {
    name: 'a subscriber that tracks gets invalidations and messages (RESP3)',
    play: `
      a> CLIENT TRACKING ON
      a> SUBSCRIBE c
      a> GET k
      a< OK
      a< >["subscribe" "c" :1]
      a< _
      w> SET k 1
      w< OK
      a< invalidate k
      w> PUBLISH c one
      w< :1
      a< >["message" "c" "one"]
    `,
  },
  {
    name: 'subscriptions under CLIENT REPLY OFF are confirmed all the same',
    protocols: [2],
    play: `
      a> CLIENT REPLY OFF
      a> SUBSCRIBE c d
      a> PING
      a> UNSUBSCRIBE
      a> GET k
      a> CLIENT REPLY ON
      a< *["subscribe" "c" :1]
      a< *["subscribe" "d" :2]
      a< any
      a< any
      a< OK
    `,
  },
];
