import type { Row } from '../scenario.ts';

/** CLIENT REPLY, QUIT, MONITOR, AUTH: where the number of replies is not one for each request. */
export const REPLIES: readonly Row[] = [
  {
    name: 'CLIENT REPLY OFF silences all up to ON',
    protocols: [2, 3],
    play: `
      a> CLIENT REPLY OFF
      a> PING
      a> NOSUCH
      a> GET
      a> MULTI
      a> GET k
      a> EXEC
      a> SELECT 1
      a> CLIENT REPLY ON
      a> PING
      a< OK
      a< +PONG
    `,
  },
  {
    name: 'CLIENT REPLY SKIP silences itself and the next request alone',
    protocols: [2, 3],
    play: `
      a> CLIENT REPLY SKIP
      a> PING
      a> ECHO two
      a> CLIENT REPLY SKIP
      a> NOSUCH
      a> ECHO four
      a< "two"
      a< "four"
    `,
  },
  {
    name: 'SKIP after SKIP silences one request, and ON ends a SKIP',
    play: `
      a> CLIENT REPLY SKIP
      a> CLIENT REPLY SKIP
      a> ECHO one
      a> ECHO two
      a> CLIENT REPLY SKIP
      a> CLIENT REPLY ON
      a> ECHO three
      a< "two"
      a< OK
      a< "three"
    `,
  },
  {
    name: 'SKIP while OFF does nothing, and OFF ends a SKIP',
    play: `
      a> CLIENT REPLY OFF
      a> CLIENT REPLY SKIP
      a> ECHO one
      a> ECHO two
      a> CLIENT REPLY ON
      a> CLIENT REPLY SKIP
      a> CLIENT REPLY OFF
      a> ECHO three
      a> CLIENT REPLY ON
      a> ECHO four
      a< OK
      a< OK
      a< "four"
    `,
  },
  {
    name: 'an empty request uses a SKIP up',
    play: `
      a> CLIENT REPLY SKIP
      a>> *0\\r\\n
      a> ECHO one
      a> CLIENT REPLY SKIP
      a>> \\r\\n
      a> ECHO two
      a> CLIENT REPLY SKIP
      a>> *-1\\r\\n
      a> ECHO three
      a< "one"
      a< "two"
      a< "three"
    `,
  },
  {
    name: 'CLIENT REPLY in a wrong form is an error; behind SKIP it is the one that is skipped',
    play: `
      a> CLIENT REPLY
      a> CLIENT REPLY maybe
      a> CLIENT REPLY ON now
      a> CLIENT REPLY SKIP
      a> CLIENT REPLY maybe
      a> ECHO one
      a< -ERR wrong number of arguments for 'client|reply' command
      a< -ERR syntax error
      a< -ERR wrong number of arguments for 'client|reply' command
      a< "one"
    `,
  },
  {
    name: 'SKIP before MULTI and before EXEC loses just their replies',
    play: `
      a> CLIENT REPLY SKIP
      a> MULTI
      a> SET k 1
      a> EXEC
      a> MULTI
      a> GET k
      a> EXEC
      a< +QUEUED
      a< *[+OK]
      a< OK
      a< +QUEUED
      a< *["1"]
    `,
  },
  {
    name: 'SKIP before a command that blocks loses its reply',
    play: `
      a> CLIENT REPLY SKIP
      a> BLPOP k 0
      a> ECHO behind
      w> RPUSH k v
      w< :1
      a< "behind"
    `,
  },
  {
    name: 'RESET ends CLIENT REPLY OFF and is answered; behind SKIP it is not',
    play: `
      a> CLIENT REPLY OFF
      a> ECHO one
      a> RESET
      a> ECHO two
      a> CLIENT REPLY SKIP
      a> RESET
      a> ECHO three
      a< +RESET
      a< "two"
      a< "three"
    `,
  },
  {
    name: 'HELLO while replies are off takes effect',
    protocols: [2],
    play: `
      a> CLIENT REPLY OFF
      a> HELLO 3
      a> CLIENT REPLY ON
      a> GET k
      a< OK
      a< _
    `,
  },
  {
    name: 'QUIT is answered behind all that came before; what follows is ignored',
    protocols: [2, 3],
    play: `
      a> SET k 1
      a> GET k
      a> QUIT
      a> SET k 2
      a> GET k
      a< OK
      a< "1"
      a< OK
      a< closed
      w> GET k
      w< "1"
    `,
  },
  {
    name: 'QUIT with arguments, in MULTI, and while subscribed',
    protocols: [2],
    play: `
      a> MULTI
      a> GET k
      a> QUIT now
      a< OK
      a< +QUEUED
      a< OK
      a< closed
      b> SUBSCRIBE c
      b> QUIT
      b< *["subscribe" "c" :1]
      b< OK
      b< closed
    `,
  },
  {
    name: 'a wrong AUTH in a pipeline is answered at its place',
    protocols: [2, 3],
    play: `
      a> PING
      a> AUTH wrong
      a> AUTH nobody wrong
      a> ECHO one
      a> AUTH
      a> AUTH a b c
      a> AUTH default any
      a> ECHO two
      a< +PONG
      a< -ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?
      a< -WRONGPASS invalid username-password pair or user is disabled.
      a< "one"
      a< -ERR wrong number of arguments for 'auth' command
      a< -ERR syntax error
      a< OK
      a< "two"
    `,
  },
  {
    name: 'AUTH inside MULTI is queued',
    play: `
      a> MULTI
      a> AUTH nobody wrong
      a> ECHO one
      a> EXEC
      a> ECHO two
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< *[-WRONGPASS invalid username-password pair or user is disabled. "one"]
      a< "two"
    `,
  },
  {
    name: 'HELLO with wrong words leaves the protocol as it was',
    protocols: [2],
    play: `
      a> HELLO 3 AUTH nobody wrong
      a> GET k
      a> HELLO 3 SETNAME "a b"
      a> HELLO 3 AUTH default
      a> HELLO 1
      a> HELLO 3.0
      a> HELLO SETNAME x
      a> GET k
      a< -WRONGPASS invalid username-password pair or user is disabled.
      a< $-1
      a< -ERR Client names cannot contain spaces, newlines or special characters.
      a< -ERR Syntax error in HELLO option 'AUTH'
      a< -NOPROTO unsupported protocol version
      a< -ERR Protocol version is not an integer or out of range
      a< -ERR Protocol version is not an integer or out of range
      a< $-1
    `,
  },
  {
    name: 'HELLO sets the name and logs in',
    protocols: [2],
    play: `
      a> HELLO 3 AUTH default any SETNAME me
      a> CLIENT GETNAME
      a> GET k
      a< any
      a< "me"
      a< _
    `,
  },
  {
    name: 'HELLO inside MULTI: what follows in EXEC is in the new protocol',
    protocols: [2],
    play: `
      a> MULTI
      a> GET k
      a> HELLO 3
      a> GET k
      a> EXEC
      a> GET k
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< +QUEUED
      a< any
      a< _
    `,
  },
  {
    name: 'inline requests of all kinds',
    protocols: [2],
    play: `
      a>> SET k "a\\\\x00b \\\\"q\\\\""\\r\\n
      a>> get k\\n\\r\\n   \\r\\nECHO 'it\\\\'s'\\r\\n
      a>> PING\\r\\n*1\\r\\n$4\\r\\nPING\\r\\nECHO\\tx\\r\\n
      a< OK
      a< "a\\x00b \\"q\\""
      a< "it's"
      a< +PONG
      a< +PONG
      a< "x"
    `,
  },
];
