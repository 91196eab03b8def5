import type { Row } from '../scenario.ts';

/** INFO, CLIENT LIST, CLIENT INFO and the setting tracking-table-max-keys. One client more tracks than a row shows: the fence. */
export const REPORTS: readonly Row[] = [
  {
    name: 'INFO counts tracking clients',
    protocols: [2, 3],
    play: `
      b> PING
      b< +PONG
      a> INFO clients
      a> CLIENT TRACKING ON
      a> INFO clients
      a> CLIENT TRACKING OFF
      a> INFO clients
      a< has "tracking_clients:1\\r\\n"
      a< OK
      a< has "tracking_clients:2\\r\\n"
      a< OK
      a< has "tracking_clients:1\\r\\n"
    `,
  },
  {
    name: 'INFO counts keys, readers and prefixes',
    protocols: [2, 3],
    play: `
      a> INFO stats
      a< has "tracking_total_keys:0\\r\\n" "tracking_total_items:0\\r\\n" "tracking_total_prefixes:0\\r\\n"
      a> CLIENT TRACKING ON
      a> MGET j k
      a< OK
      a< any
      b> CLIENT TRACKING ON
      b> GET k
      b< OK
      b< nil
      c> CLIENT TRACKING ON BCAST PREFIX x PREFIX y
      c> INFO stats
      c< OK
      c< has "tracking_total_keys:2\\r\\n" "tracking_total_items:3\\r\\n" "tracking_total_prefixes:2\\r\\n"
      c> CLIENT TRACKING OFF
      c> INFO stats
      c< OK
      c< has "tracking_total_keys:2\\r\\n" "tracking_total_items:3\\r\\n" "tracking_total_prefixes:0\\r\\n"
    `,
  },
  ...[
    'INFO',
    'INFO everything',
    'INFO all',
    'INFO default',
    'INFO clients stats',
    'info STATS CLIENTS',
  ].map((words) => ({
    name: `${words} has all fields of tracking`,
    play: `
      a> CLIENT TRACKING ON BCAST
      a> ${words}
      a< OK
      a< has "tracking_clients:2\\r\\n" "tracking_total_keys:" "tracking_total_items:" "tracking_total_prefixes:1\\r\\n"
    `,
  })),
  {
    name: 'OFF leaves the keys in the table',
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      a> CLIENT TRACKING OFF
      a> INFO stats
      a< OK
      a< _
      a< OK
      a< has "tracking_total_keys:1\\r\\n" "tracking_total_items:1\\r\\n"
    `,
  },
  {
    name: 'keys leave the table when they change',
    play: `
      a> CLIENT TRACKING ON
      a> MGET j k
      a< OK
      a< *[_ _]
      w> SET k 1
      w< OK
      a< invalidate k
      a> INFO stats
      a< has "tracking_total_keys:1\\r\\n" "tracking_total_items:1\\r\\n"
    `,
  },
  ...[
    ['ON', 't', '0'],
    ['ON BCAST', 'tB', '0'],
    ['ON REDIRECT $b', 't', '$b'],
    ['ON OPTIN NOLOOP', 't', '0'],
    ['OFF', 'NONE', '-1'],
  ].flatMap(([words = '', flags = '', redirect = '']) =>
    ['INFO', 'LIST'].map((report) => ({
      name: `CLIENT ${report} behind CLIENT TRACKING ${words.replace('$b', 'id')}`,
      protocols: [2, 3] as const,
      play: `
        b> PING
        b< +PONG
        a> CLIENT TRACKING ${words}
        a> CLIENT ${report}${report === 'LIST' ? ' ID $a' : ''}
        a< OK
        a< has "id=$a " "${flags === 'NONE' ? ' flags=' : ` flags=${flags}`}" " redir=${redirect} "
      `,
    })),
  ),
  {
    name: "CLIENT LIST tells of others' tracking",
    play: `
      a> CLIENT TRACKING ON BCAST
      a< OK
      b> CLIENT LIST ID $a
      b< has " flags=tB" " redir=0 "
      b> CLIENT LIST TYPE normal
      b< has "id=$a "
    `,
  },
  {
    name: 'CLIENT LIST of a target shows that it subscribes',
    protocols: [2],
    play: `
      b> SUBSCRIBE x
      b< any
      a> CLIENT TRACKING ON REDIRECT $b
      a> CLIENT LIST TYPE pubsub
      a< OK
      a< has "id=$b " " flags=P"
    `,
  },
  {
    name: 'CLIENT ID, HELLO and CLIENT LIST agree',
    play: `
      a> CLIENT ID
      a> HELLO 3
      a> CLIENT LIST ID $a
      a< :$a
      a< has "\\"id\\" :$a "
      a< has "id=$a "
    `,
  },
  {
    name: 'CONFIG GET tells the size of the table',
    protocols: [2, 3],
    play: `
      a> CONFIG GET tracking-table-max-keys
      a< has "[\\"tracking-table-max-keys\\" \\"1000000\\"]"
      a> CONFIG GET TRACKING-TABLE*
      a< has "[\\"tracking-table-max-keys\\" \\"1000000\\"]"
      a> CONFIG GET tracking-table-max-key?
      a< has "[\\"tracking-table-max-keys\\" \\"1000000\\"]"
    `,
  },
  {
    name: 'CONFIG GET of several names has the size among them, once',
    play: `
      a> CONFIG GET maxmemory tracking-table-max-keys tracking-table-*
      a< has "\\"maxmemory\\"" "\\"tracking-table-max-keys\\" \\"1000000\\""
      a> CONFIG GET notracking
      a< %[]
    `,
  },
  {
    name: 'CONFIG SET changes the size, alone and among others',
    play: `
      a> CONFIG SET tracking-table-max-keys 500
      a> CONFIG GET tracking-table-max-keys
      a> CONFIG SET timeout 0 tracking-table-max-keys 600 hz 10
      a> CONFIG GET tracking-table-max-keys
      a< OK
      a< %["tracking-table-max-keys" "500"]
      a< OK
      a< %["tracking-table-max-keys" "600"]
    `,
  },
  {
    name: 'CONFIG SET refuses what is no number, and then sets nothing',
    play: `
      a> CONFIG SET tracking-table-max-keys 500
      a> CONFIG SET tracking-table-max-keys x
      a> CONFIG SET tracking-table-max-keys -1
      a> CONFIG SET tracking-table-max-keys 600 nosuch 1
      a> CONFIG SET tracking-table-max-keys
      a> CONFIG SET tracking-table-max-keys 1 tracking-table-max-keys 2
      a> CONFIG GET tracking-table-max-keys
      a< OK
      a< has -ERR tracking-table-max-keys
      a< has -ERR tracking-table-max-keys
      a< has -ERR nosuch
      a< has -ERR
      a< has -ERR tracking-table-max-keys
      a< %["tracking-table-max-keys" "500"]
    `,
  },
  {
    name: 'more keys than the size: some are dropped, and told of',
    play: `
      a> CLIENT TRACKING ON
      a> CONFIG SET tracking-table-max-keys 3
      a> MGET a b c d e
      a> PING
      a> CONFIG SET tracking-table-max-keys 0
      a> INFO stats
      a< OK
      a< OK
      a< *[_ _ _ _ _]
      a< has ">[\\"invalidate\\" *["
      a< has ">[\\"invalidate\\" *["
      a< +PONG
      a< OK
      a< has "tracking_total_keys:3\\r\\n"
    `,
  },
  {
    name: 'size 0 is no limit',
    play: `
      a> CLIENT TRACKING ON
      a> CONFIG SET tracking-table-max-keys 0
      a> MGET a b c d e
      a> PING
      a> INFO stats
      a< OK
      a< OK
      a< *[_ _ _ _ _]
      a< +PONG
      a< has "tracking_total_keys:5\\r\\n"
    `,
  },
  {
    name: 'CONFIG SET inside MULTI',
    play: `
      a> MULTI
      a> CONFIG SET tracking-table-max-keys 77
      a> CONFIG GET tracking-table-max-keys
      a> EXEC
      a> CONFIG GET tracking-table-max-keys
      a< OK
      a< +QUEUED
      a< +QUEUED
      a< *[+OK %["tracking-table-max-keys" "77"]]
      a< %["tracking-table-max-keys" "77"]
    `,
  },
];
