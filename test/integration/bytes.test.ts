import { describe, expect } from 'vitest';
import { expectSame, type Pair, withPair } from '../helpers/differential.ts';
import { test as base } from '../helpers/fixtures.ts';
import { startProxy } from '../helpers/proxy.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { startRedis } from '../helpers/redis.ts';

const test = base.extend<{ $file: { pair: Pair; locked: Pair } }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads a fixture's needs from its pattern
  pair: [({}, use) => withPair('', use), { scope: 'file' }],
  // biome-ignore lint/correctness/noEmptyPattern: as above
  locked: [({}, use) => withPair('secret', use), { scope: 'file' }],
});

/** A sentence, and the bytes (latin1). */
type Row = readonly [name: string, bytes: string];

/** What is not answered, behind what makes a server close. */
const LATE = 'PING\r\n*1\r\n$4\r\nPING\r\n';

/** What came before is answered, what comes behind is not. */
const PROTOCOL_ERRORS: readonly Row[] = [
  ['a line without end', `${'x'.repeat(65_537)}`],
  ['quotes that stay open', 'SET k "a\r\n'],
  ['a quote that a word follows', 'SET k "a"b\r\n'],
  ['quotes that stay open in a word', "ECHO it's\r\n"],
  ['a count without end', `*${'1'.repeat(65_537)}`],
  ['a count that is no number', '*x\r\n'],
  ['a count that is empty', '*\r\n'],
  ['a count with a plus sign', '*+1\r\n'],
  ['a count with a leading zero', '*01\r\n'],
  ['a count with a blank', '* 1\r\n'],
  ['a count that is too large', '*2147483648\r\n'],
  ['a count beyond 64 bits', '*99999999999999999999\r\n'],
  ['a negative zero', '*-0\r\n'],
  ['a count ended by LF', '*1\n$4\r\n'],
  ['a length without end', `*1\r\n$${'1'.repeat(65_537)}`],
  ['another byte than $', '*1\r\n:1\r\n'],
  ['a word where a length is due', '*1\r\nPING\r\n'],
  ['CR where $ is due', '*1\r\n\r\n'],
  ['LF where $ is due', '*1\r\n\n\r\n'],
  ['a byte beyond ASCII where $ is due', '*1\r\n\xff\r\n'],
  ['another byte than $ before the second word', '*2\r\n$4\r\nECHO\r\n@1\r\na\r\n'],
  ['a length that is no number', '*1\r\n$x\r\n'],
  ['a length that is negative', '*1\r\n$-1\r\n'],
  ['a length that is empty', '*1\r\n$\r\n'],
  ['a length with a leading zero', '*1\r\n$04\r\n'],
  ['a length beyond 64 bits', '*1\r\n$99999999999999999999\r\n'],
  ['a length beyond what upstream takes', '*2\r\n$4\r\nECHO\r\n$536870913\r\n'],
  ['a name beyond what upstream takes', '*1\r\n$536870913\r\n'],
  ['a word beyond it of a command that is looked at', '*2\r\n$4\r\nAUTH\r\n$536870913\r\n'],
  ['a value beyond what upstream takes', '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870913\r\n'],
  ['a bad length in a command that is looked at', '*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$x\r\n'],
];

/** What stands before, whose answers come first. */
const BEFORE: readonly Row[] = [
  ['nothing', ''],
  ['ordinary requests', 'PING\r\nECHO a\r\nNOSUCH\r\n'],
  ['an open MULTI', 'MULTI\r\nPING\r\n'],
  ['HELLO 3', 'HELLO 3\r\nSUBSCRIBE c\r\n'],
  ['a subscription', 'SUBSCRIBE c\r\n'],
  ['RESET', 'RESET\r\n'],
];

describe.for(BEFORE)('a protocol error ends the connection behind %s:', ([, before]) => {
  test.for(PROTOCOL_ERRORS)('%s', async ([, bytes], { pair }) => {
    await expectSame(pair, before + bytes, { behind: bytes.length > 65_536 ? '' : LATE });
  });
});

/** Requests between bars. An UNSUBSCRIBE of all names at most one: their order differs by server. */
const SUBSCRIPTIONS: readonly Row[] = [
  [
    'channels and patterns',
    'SUBSCRIBE a b a|PSUBSCRIBE p* q*|PING|UNSUBSCRIBE a b|PUNSUBSCRIBE p*',
  ],
  [
    'shard channels',
    'SUBSCRIBE a|SSUBSCRIBE s t|SUNSUBSCRIBE s|PING|UNSUBSCRIBE|SUNSUBSCRIBE t|GET k',
  ],
  ['leaving what is not subscribed', 'UNSUBSCRIBE a b|PUNSUBSCRIBE c|SUNSUBSCRIBE d e|PING'],
  ['leaving all', 'SUBSCRIBE a|PSUBSCRIBE p*|UNSUBSCRIBE|PUNSUBSCRIBE|SUNSUBSCRIBE|PING'],
  ['leaving nothing', 'UNSUBSCRIBE|PUNSUBSCRIBE|SUNSUBSCRIBE|PING'],
  ['no channel', 'SUBSCRIBE|PSUBSCRIBE|SSUBSCRIBE|PING'],
  [
    'what is refused',
    'SUBSCRIBE a|GET k|MULTI|EXEC|CLIENT ID x|CLIENT NOSUCH|NOSUCH|GET|AUTH x|GET a b',
  ],
  ['PING', 'SUBSCRIBE a|PING|PING hi|PING a b|UNSUBSCRIBE a|PING|PING hi'],
  [
    'messages',
    'HELLO 3|SUBSCRIBE a|PSUBSCRIBE a*|PUBLISH a m|PUBLISH a n|SSUBSCRIBE s|SPUBLISH s m|PING',
  ],
  ['RESET', 'SUBSCRIBE a b|RESET|GET k|UNSUBSCRIBE'],
  ['HELLO', 'HELLO 3|SUBSCRIBE a|HELLO 2|PING|HELLO 3|UNSUBSCRIBE|HELLO 3|PING'],
  ['CLIENT REPLY OFF', 'CLIENT REPLY OFF|SUBSCRIBE a b|PING|UNSUBSCRIBE a b|CLIENT REPLY ON|PING'],
  ['CLIENT REPLY SKIP', 'CLIENT REPLY SKIP|SUBSCRIBE a b|UNSUBSCRIBE a b|PING'],
  ['MULTI', 'MULTI|SUBSCRIBE a b|PING|EXEC|PING|GET k|UNSUBSCRIBE a b|PING'],
  ['MULTI, left at once', 'MULTI|SUBSCRIBE a b|UNSUBSCRIBE b a|GET k|EXEC|PING'],
  ['MULTI and patterns', 'MULTI|PSUBSCRIBE p*|PING x|PUNSUBSCRIBE p* q*|ECHO a|EXEC|PING'],
  ['MULTI and shard channels', 'MULTI|SSUBSCRIBE a b|SUNSUBSCRIBE a b|ECHO a|EXEC|PING'],
  ['MULTI, leaving nothing', 'MULTI|UNSUBSCRIBE|PUNSUBSCRIBE|SUNSUBSCRIBE|EXEC|PING'],
  ['MULTI, discarded', 'MULTI|SUBSCRIBE a|DISCARD|GET k'],
  ['MULTI, spoilt', 'MULTI|SUBSCRIBE a|NOSUCH|EXEC|GET k'],
  ['MULTI and HELLO', 'MULTI|SUBSCRIBE a|HELLO 3|SUBSCRIBE b c|HELLO 2|EXEC|PING'],
  ['MULTI and messages', 'HELLO 3|MULTI|SUBSCRIBE a|PUBLISH a m|PING|EXEC|PUBLISH a n|PING'],
  ['MULTI and RESET', 'MULTI|SUBSCRIBE a|RESET|EXEC|GET k'],
];

const linesOf = (requests: string) => `${requests.replaceAll('|', '\r\n')}\r\n`;

describe.for([2, 3])('subscriptions are counted alike in RESP%i:', (protocol) => {
  test.for(SUBSCRIPTIONS)('%s', ([, requests], { pair }) =>
    expectSame(pair, linesOf(`HELLO ${protocol}|${requests}`)),
  );
});

const MONITORED: readonly Row[] = [
  ['its own requests', 'MONITOR|ECHO a|PING|NOSUCH|ECHO'],
  ['a second one', 'MONITOR|MONITOR|ECHO a|MONITOR|MONITOR|ECHO b'],
  ['a second one in the same batch as HELLO', 'MONITOR|HELLO 3|MONITOR|ECHO a|HELLO 2|ECHO b'],
  ['RESET out of it', 'MONITOR|ECHO a|RESET|ECHO b|MONITOR|ECHO c'],
  ['keys are refused', 'MONITOR|GET k|SET k v|DEL k|ECHO a'],
  ['too many words', 'MONITOR x|ECHO a|MONITOR|MONITOR x|ECHO b'],
  ['in MULTI', 'MULTI|MONITOR|ECHO a|EXEC|ECHO b'],
  ['MULTI in it', 'MONITOR|MULTI|ECHO a|EXEC|ECHO b'],
  ['subscriptions in it', 'HELLO 3|MONITOR|SUBSCRIBE a|PUBLISH a m|UNSUBSCRIBE a|ECHO a'],
  ['in subscriptions', 'HELLO 3|SUBSCRIBE a|MONITOR|PUBLISH a m|ECHO a'],
  ['under CLIENT REPLY OFF', 'CLIENT REPLY OFF|MONITOR|ECHO a|CLIENT REPLY ON|ECHO b'],
  ['SKIP before it', 'CLIENT REPLY SKIP|MONITOR|ECHO a'],
  ['SKIP before a second one', 'MONITOR|CLIENT REPLY SKIP|MONITOR|ECHO a|ECHO b'],
  [
    'another database, odd bytes',
    'SELECT 3|MONITOR|ECHO "\\x00\\xff\\r\\n\\"q\\\\"|SELECT 0|ECHO \'+OK\'',
  ],
];

test.for(MONITORED)('MONITOR shows the same: %s', ([, requests], { pair }) =>
  expectSame(pair, linesOf(requests)),
);

const ODD_FRAMING: readonly Row[] = [
  ['empty lines', '\r\n\n\r\nPING\r\n'],
  ['lines of blanks', '   \r\nPING\r\n\t\r\n*1\r\n$4\r\nPING\r\n\r\r\n*1\r\n$4\r\nPING\r\n'],
  ['bare LF', 'PING\nECHO a\n*1\r\n$4\r\nPING\r\nPING\n'],
  ['CR CR LF', 'PING\r\r\nECHO a\r\r\r\n'],
  ['blanks around words', '  PING  \r\n\tECHO\t a \r\n \x0bPING\r\n\x0cECHO a\x0bb\r\n'],
  ['CR between words', 'ECHO\ra\r\n'],
  ['a star behind a blank', ' *1\r\n$4\r\nPING\r\n'],
  ['quotes', 'ECHO "a b"\r\nECHO \'a b\'\r\nECHO ""\r\n"" a\r\n""\r\nPI"NG"\r\nECHO a"b c"\r\n'],
  ['escapes', 'ECHO "\\x41\\n\\r\\t\\b\\a\\q\\x4\\xzz\\""\r\nECHO \'\\n\\\'\'\r\nECHO \\x41\r\n'],
  ['every first byte', `${[...'$+-:_,#(!=%~>|.;0aZ{\x01\x7f\x80\xff'].join(' a\r\n')} a\r\n`],
  ['an HTTP request', 'GET / HTTP/1.1\r\nAccept: */*\r\nX-Header: 1\r\n\r\n'],
  ['no words', '*0\r\n*-1\r\n*-5\r\n*-9223372036854775808\r\n*1\r\n$4\r\nPING\r\n'],
  ['no words use up SKIP', 'CLIENT REPLY SKIP\r\n*0\r\nPING\r\nCLIENT REPLY SKIP\r\n\r\nPING\r\n'],
  ['other bytes for CR LF', '*1\rX$4\rYPINGab*2\rZ$4\r\x00ECHO\xff\xff$1\r\nacd'],
  ['LF alone behind a word', '*1\r\n$4\r\nPING\n*1\r\n$4\r\nPING\r\n'],
  ['empty words', '*1\r\n$0\r\n\r\n*2\r\n$4\r\nECHO\r\n$0\r\n\r\n'],
  ['CR LF within words', '*2\r\n$4\r\nECHO\r\n$6\r\n\r\n$1\r\n\r\n*1\r\n$6\r\nPI\r\nNG\r\n'],
  ['any case', 'pInG\r\n*2\r\n$4\r\neChO\r\n$1\r\na\r\ncLiEnT rEpLy oN\r\nmUlTi\r\neXeC\r\n'],
  ['a long name', `${'x'.repeat(300)} a\r\n*1\r\n$300\r\n${'y'.repeat(300)}\r\n`],
  ['a long line', `ECHO ${'x'.repeat(65_000)}\r\n`],
  ['many words', `*5001\r\n$6\r\nEXISTS\r\n${'$1\r\nk\r\n'.repeat(5_000)}`],
  [
    'a value with everything',
    `*2\r\n$4\r\nECHO\r\n$256\r\n${Buffer.from(Array.from({ length: 256 }, (_, n) => n)).toString('latin1')}\r\n`,
  ],
];

test.for(ODD_FRAMING)('odd framing is read alike: %s', ([, bytes], { pair }) =>
  expectSame(pair, bytes),
);

const ENDINGS: readonly Row[] = [
  ['QUIT', 'PING|QUIT'],
  ['QUIT with words', 'PING|QUIT a b'],
  ['QUIT in MULTI', 'MULTI|PING|QUIT'],
  ['QUIT while subscribed', 'SUBSCRIBE a|PING|QUIT'],
  ['QUIT in MONITOR', 'MONITOR|ECHO a|QUIT'],
  ['QUIT behind RESET', 'RESET|QUIT'],
  ['QUIT behind HELLO', 'HELLO 3|QUIT'],
  ['POST', 'POST / HTTP/1.1'],
  ['Host:', 'host: x'],
];

const BEHIND_THE_END = ['', 'QUIT\r\n', '*x\r\n', '"\r\n', '\x00', LATE] as const;

describe.for(BEHIND_THE_END)(
  'what ends a connection ends it in the same way, before %j:',
  (behind) => {
    test.for(ENDINGS)('%s', ([, requests], { pair }) =>
      expectSame(pair, linesOf(requests), { behind }),
    );
  },
);

const REPLICATION: readonly Row[] = [
  [
    'options',
    'REPLCONF|REPLCONF listening-port 1|REPLCONF capa eof capa psync2|REPLCONF foo bar|PING',
  ],
  ['ACK and GETACK', 'REPLCONF ACK 0|PING|REPLCONF GETACK *|PING|REPLCONF ack 5|REPLCONF|PING'],
  ['a wrong count', 'REPLCONF a|REPLCONF ACK|REPLCONF ACK 1 b|PING'],
  ['an unknown option before ACK', 'REPLCONF foo 1 ACK 2|PING|REPLCONF capa eof ACK 2|PING'],
  ['SKIP before ACK', 'CLIENT REPLY SKIP|REPLCONF ACK 0|PING|PING'],
];

test.for(REPLICATION)('REPLCONF is answered alike: %s', ([, requests], { pair }) =>
  expectSame(pair, linesOf(requests)),
);

const STRANGERS: readonly Row[] = [
  [
    'everything',
    'PING|GET k|CLIENT ID|NOSUCH|GET|MULTI|EXEC|DISCARD|SUBSCRIBE a|MONITOR|INFO|CONFIG GET x',
  ],
  [
    'tracking',
    'CLIENT TRACKING ON|CLIENT CACHING YES|CLIENT TRACKINGINFO|CLIENT GETREDIR|CLIENT TRACKING',
  ],
  ['wrong passwords', 'AUTH x|AUTH x|PING|AUTH default x|AUTH no secret|AUTH|AUTH a b c|PING'],
  ['a right one between wrong ones', 'AUTH x|AUTH secret|AUTH x|PING|AUTH default secret|PING'],
  [
    'HELLO',
    'HELLO|HELLO 3|HELLO 3 AUTH default x|HELLO 4 AUTH default secret|HELLO 3 AUTH default secret|PING',
  ],
  [
    'HELLO, options',
    'HELLO 3 AUTH default|HELLO 2 AUTH default secret SETNAME n|CLIENT GETNAME|HELLO 3 SETNAME',
  ],
  ['in MULTI', 'AUTH secret|MULTI|AUTH x|PING|AUTH secret|EXEC|PING'],
  ['RESET', 'AUTH secret|PING|RESET|PING|AUTH secret|PING'],
  [
    'CLIENT REPLY',
    'CLIENT REPLY OFF|PING|AUTH secret|CLIENT REPLY SKIP|AUTH x|PING|CLIENT REPLY ON|PING',
  ],
  ['QUIT', 'PING|QUIT|PING'],
  [
    'while subscribed',
    'HELLO 3 AUTH default secret|SUBSCRIBE a|AUTH x|AUTH secret|UNSUBSCRIBE a|PING',
  ],
  ['while monitoring', 'AUTH secret|MONITOR|AUTH x|ECHO a'],
];

test.for(STRANGERS)('with a password required: %s', ([, requests], { locked }) =>
  expectSame(locked, linesOf(requests)),
);

const LONG_FOR_STRANGERS: readonly Row[] = [
  ['words', '*11\r\n$1\r\nx\r\n'],
  ['a length alone', '*2\r\n$4\r\nECHO\r\n$16385\r\n'],
  ['a length alone in a command that is looked at', '*2\r\n$4\r\nAUTH\r\n$16385\r\n'],
  ['a name', '*1\r\n$16385\r\n'],
];

test.for(ENDINGS.slice(0, 2))('with a password required: %s', ([, requests], { locked }) =>
  expectSame(locked, linesOf(requests), { behind: LATE }),
);

test.for(LONG_FOR_STRANGERS)('with a password required: too much: %s', ([, bytes], { locked }) =>
  expectSame(locked, bytes, { behind: '' }),
);

const HALF_CLOSES: readonly Row[] = [
  ['nothing', ''],
  ['requests', 'PING|ECHO a|HELLO 3|GET k'],
  ['MULTI', 'MULTI|PING|EXEC|MULTI|PING'],
  ['a subscription', 'SUBSCRIBE a|PING'],
  ['MONITOR', 'MONITOR|ECHO a'],
  ['CLIENT REPLY OFF', 'PING|CLIENT REPLY OFF|PING'],
  ['QUIT', 'PING|QUIT|PING'],
  ['HELLO and RESET', 'HELLO 3|RESET|HELLO 3|PING'],
];

test.for(HALF_CLOSES)('it ends its side behind %s', ([, requests], { pair }) =>
  expectSame(pair, requests === '' ? '' : linesOf(requests), { halfClose: true }),
);

test('an upstream that has too many clients says so', async () => {
  const redis = await startRedis({ tcp: true });
  const proxy = await startProxy(redis.url);
  const direct = await RawClient.connect({ port: redis.port as number });
  await direct.call('CONFIG SET maxclients 1');
  const refusal = '-ERR max number of clients reached\r\n';
  for (const bytes of ['', ...new Array(20).fill('PING\r\n'), 'HELLO 3\r\nPING\r\n']) {
    const client = await RawClient.connect(proxy.target);
    client.send(bytes);
    expect(await client.expectClose()).toBe(refusal);
    client.close();
  }
  direct.close();
  await proxy.stop();
  await redis.stop();
});
