import type { Row } from '../scenario.ts';

const user = (name: string, rules: string) => `
  w> ACL SETUSER ${name} reset on >pw ${rules}
  w< OK
  a> AUTH ${name} pw
  a< OK
`;

const noPerm = (command: string) =>
  `-NOPERM this user has no permissions to run the '${command}' command`;

/** Who may track: before AUTH, and by the user's rights. */
export const RIGHTS: readonly Row[] = [
  {
    name: 'before AUTH every tracking command is refused',
    protocols: [2, 3],
    play: `
      c> CONFIG SET requirepass pw
      c< OK
      a> CLIENT TRACKING ON
      a> CLIENT TRACKINGINFO
      a> CLIENT GETREDIR
      a> CLIENT CACHING YES
      a> CLIENT ID
      a> INFO stats
      a> CONFIG GET tracking-table-max-keys
      a< -NOAUTH Authentication required.
      a< -NOAUTH Authentication required.
      a< -NOAUTH Authentication required.
      a< -NOAUTH Authentication required.
      a< -NOAUTH Authentication required.
      a< -NOAUTH Authentication required.
      a< -NOAUTH Authentication required.
      c> CONFIG SET requirepass ""
      c< OK
    `,
  },
  {
    name: 'before AUTH a wrong number of words is told all the same',
    play: `
      c> CONFIG SET requirepass pw
      c< OK
      a> CLIENT TRACKING
      a> CLIENT CACHING
      a< -ERR wrong number of arguments for 'client|tracking' command
      a< -ERR wrong number of arguments for 'client|caching' command
      c> CONFIG SET requirepass ""
      c< OK
    `,
  },
  {
    name: 'what is refused before AUTH has done nothing',
    play: `
      c> CONFIG SET requirepass pw
      c< OK
      a> CLIENT TRACKING ON BCAST
      a> AUTH pw
      a> CLIENT TRACKINGINFO
      a< -NOAUTH Authentication required.
      a< OK
      a< *["flags" *["off"] "redirect" :-1 "prefixes" *[]]
      c> SET k 1
      c< OK
      c> CONFIG SET requirepass ""
      c< OK
    `,
  },
  {
    name: 'AUTH and tracking in one piece',
    play: `
      c> CONFIG SET requirepass pw
      c< OK
      a> HELLO 3 AUTH default pw
      a> CLIENT TRACKING ON
      a> GET k
      a< has proto
      a< OK
      a< _
      c> SET k 1
      c< OK
      a< >["invalidate" *["k"]]
      c> CONFIG SET requirepass ""
      c< OK
    `,
  },
  ...[
    ['tracking', 'CLIENT TRACKING ON'],
    ['trackinginfo', 'CLIENT TRACKINGINFO'],
    ['getredir', 'CLIENT GETREDIR'],
    ['caching', 'CLIENT CACHING YES'],
  ].map(([name = '', words = '']) => ({
    name: `without the right to client|${name} ${words} is refused by that name`,
    protocols: [2, 3] as const,
    play: `
      ${user(`no-${name}`, `~* &* +@all -client|${name}`)}
      a> ${words}
      a> CLIENT ID
      a< ${noPerm(`client|${name}`)}
      a< any
    `,
  })),
  ...['TRACKING ON', 'TRACKINGINFO', 'GETREDIR', 'CACHING YES'].map((words) => ({
    name: `without the right to CLIENT, CLIENT ${words} is refused`,
    play: `
      ${user('no-client', '~* &* +@all -client')}
      a> CLIENT ${words}
      a< ${noPerm(`client|${(words.split(' ')[0] ?? '').toLowerCase()}`)}
    `,
  })),
  {
    name: 'a user who may only track, may',
    play: `
      ${user('tracker', '~* +client|tracking +get')}
      a> CLIENT TRACKING ON
      a> GET k
      a> CLIENT TRACKINGINFO
      a< OK
      a< _
      a< ${noPerm('client|trackinginfo')}
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'a refused CLIENT TRACKING spoils a transaction',
    play: `
      ${user('no-multi-tracking', '~* &* +@all -client|tracking')}
      a> MULTI
      a> CLIENT TRACKING ON
      a> EXEC
      a> CLIENT GETREDIR
      a< OK
      a< ${noPerm('client|tracking')}
      a< -EXECABORT Transaction discarded because of previous errors.
      a< :-1
    `,
  },
  {
    name: 'a wrong number of words is told before rights are looked at',
    play: `
      ${user('arity', '~* &* +@all -client|tracking')}
      a> CLIENT TRACKING
      a< -ERR wrong number of arguments for 'client|tracking' command
    `,
  },
  {
    name: 'a read that is refused is not tracked',
    play: `
      ${user('reader', 'resetkeys ~a* &* +@all')}
      a> CLIENT TRACKING ON
      a> GET b
      a> GET a
      a< OK
      a< -NOPERM this user has no permissions to access one of the keys used as arguments
      a< _
      w> MSET b 1 a 1
      w< OK
      a< invalidate a
    `,
  },
  ...[
    ['PUBLISH', '~* &* +@all -publish'],
    ['channels', '~* resetchannels +@all'],
  ].map(([right = '', rules = '']) => ({
    name: `NOLOOP without the right to ${right}: no write fails, and others are told of`,
    play: `
      ${user(`no-${right.toLowerCase()}`, rules)}
      a> CLIENT TRACKING ON NOLOOP
      a> MGET j k
      a< OK
      a< *[_ _]
      a> SET k 1
      a> INCR k
      a< OK
      a< :2
      w> SET j 1
      w< OK
      a< invalidate j
    `,
    differs: {
      reason:
        'own writes are told from others by messages in a transaction: a user who may not send them is told of all',
      play: `
        ${user(`no-${right.toLowerCase()}`, rules)}
        a> CLIENT TRACKING ON NOLOOP
        a> MGET j k
        a< OK
        a< *[_ _]
        a> SET k 1
        a> INCR k
        a< OK
        a< :2
        a< invalidate k
        w> SET j 1
        w< OK
        a< invalidate j
      `,
    },
  })),
  {
    name: 'NOLOOP without the right to MULTI: no write fails',
    play: `
      ${user('no-multi', '~* &* +@all -multi')}
      a> CLIENT TRACKING ON NOLOOP
      a< OK
      a> SET k 1
      a< OK
      a> INCR k
      a< :2
      a> GET k
      a< "2"
    `,
  },
  {
    name: 'NOLOOP without the right to EXEC: no write fails',
    play: `
      ${user('no-exec', '~* &* +@all -exec')}
      a> CLIENT TRACKING ON NOLOOP
      a< OK
      a> SET k 1
      a< OK
      a> INCR k
      a< :2
      a> STRLEN j
      a< :0
    `,
  },
  {
    name: 'AUTH as another user keeps tracking and what was read',
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      a< OK
      a< _
      ${user('other', '~* &* +@all')}
      a> CLIENT TRACKINGINFO
      a< %["flags" ~["on"] "redirect" :0 "prefixes" *[]]
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'AUTH as a user who may not track leaves tracking on',
    play: `
      a> CLIENT TRACKING ON
      a< OK
      ${user('no-more', '~* &* +@all -client|tracking')}
      a> GET k
      a> CLIENT TRACKING OFF
      a< _
      a< ${noPerm('client|tracking')}
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'BCAST and a user who may read some keys',
    play: `
      ${user('some', 'resetkeys ~a* &* +@all')}
      a> CLIENT TRACKING ON BCAST
      a< OK
      w> MSET a1 1 b1 1
      w< OK
      a< invalidate a1 b1
    `,
    differs: {
      reason: 'names of keys that a user may not read are not told to the user',
      play: `
        ${user('some', 'resetkeys ~a* &* +@all')}
        a> CLIENT TRACKING ON BCAST
        a< OK
        w> MSET a1 1 b1 1
        w< OK
        a< invalidate a1
      `,
    },
  },
];
