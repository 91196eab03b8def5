import { describe, expect } from 'vitest';
import { comparable, cutAtRandom, hear, type Said, seeded } from '../helpers/differential.ts';
import { test as base } from '../helpers/fixtures.ts';
import { startProxy } from '../helpers/proxy.ts';
import { encode, RawClient, type Target } from '../helpers/raw-client.ts';
import { startRedis } from '../helpers/redis.ts';
import { cut } from '../helpers/resp.ts';

/** All cuts below follow from it. */
const SEED = 20_261;

/** Into how many pieces a row is cut, each in a run of its own, besides whole and byte by byte. */
const PIECES = [2, 3, 7] as const;

/** Longer rows are not sent byte by byte. */
const BYTEWISE_MAX_BYTES = 400;

/** A Redis, and a proxy before another one just like it, over TCP. */
interface Pair {
  readonly native: Target;
  readonly proxy: Target;
}

async function openPair(password: string, use: (pair: Pair) => Promise<void>): Promise<void> {
  const args = password === '' ? [] : ['--requirepass', password];
  const native = await startRedis({ tcp: true, args });
  const behind = await startRedis({ tcp: true, args });
  const proxy = await startProxy(
    password === '' ? behind.url : `redis://:${password}@127.0.0.1:${behind.port}`,
  );
  await use({ native: { port: native.port as number }, proxy: proxy.target });
  await proxy.stop();
  await Promise.all([native.stop(), behind.stop()]);
}

const test = base.extend<{ $file: { pair: Pair; locked: Pair } }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads a fixture's needs from its pattern
  pair: [({}, use) => openPair('', use), { scope: 'file' }],
  // biome-ignore lint/correctness/noEmptyPattern: as above
  locked: [({}, use) => openPair('secret', use), { scope: 'file' }],
});

/** A sentence, and the bytes (latin1). */
type Row = readonly [name: string, bytes: string];

/** Both are told the same, and must say the same, whole and however it is cut. */
async function expectSame(pair: Pair, bytes: string, how: Omit<Said, 'pieces'> = {}) {
  const whole = Buffer.from(bytes, 'latin1');
  const random = seeded(SEED);
  const cuts = [[whole], ...PIECES.map((count) => cutAtRandom(whole, count, random))];
  if (whole.length <= BYTEWISE_MAX_BYTES) cuts.push(cut(whole, [1]));
  for (const pieces of cuts) {
    const [native, proxy] = await Promise.all([
      hear(pair.native, { pieces, ...how }),
      hear(pair.proxy, { pieces, ...how }),
    ]);
    const where = `seed ${SEED}, cut to ${pieces.length > 20 ? 'bytes' : pieces.map((p) => p.length)}`;
    expect(normal(proxy), where).toBe(normal(native));
  }
}

/** Lines of MONITOR have a time and an address; the proxy's own connections ping and ask their id. */
function normal(heard: string): string {
  return comparable(heard)
    .replace(/^\+\d+\.\d+ \[(\d+) [^\]]*\]/gm, '+<time> [$1 <address>]')
    .replace(/^\+<time> \[0 <address>\] "(?:PING|ping|CLIENT" "ID|client" "id)"\r\n/gm, '');
}

/** What came before is answered, what comes behind is not. */
const PROTOCOL_ERRORS: readonly Row[] = [
  ['a line without end', `${'x'.repeat(65_600)}`],
  ['quotes that stay open', 'SET k "a\r\n'],
  ['a quote that a word follows', 'SET k "a"b\r\n'],
  ['quotes that stay open in a word', "ECHO it's\r\n"],
  ['a count without end', `*${'1'.repeat(65_600)}`],
  ['a count that is no number', '*x\r\n'],
  ['a count that is empty', '*\r\n'],
  ['a count with a plus sign', '*+1\r\n'],
  ['a count with a leading zero', '*01\r\n'],
  ['a count with a blank', '* 1\r\n'],
  ['a count that is too large', '*2147483648\r\n'],
  ['a count beyond 64 bits', '*99999999999999999999\r\n'],
  ['a negative zero', '*-0\r\n'],
  ['a count ended by LF', '*1\n$4\r\nPING\r\n'],
  ['a length without end', `*1\r\n$${'1'.repeat(65_600)}`],
  ['another byte than $', '*1\r\n:1\r\n'],
  ['a word where a length is due', '*1\r\nPING\r\n'],
  ['CR where $ is due', '*1\r\n\r\nPING\r\n'],
  ['LF where $ is due', '*1\r\n\n\r\nPING\r\n'],
  ['a byte beyond ASCII where $ is due', '*1\r\n\xff\r\n'],
  ['another byte than $ before the second word', '*2\r\n$4\r\nECHO\r\n@1\r\na\r\n'],
  ['a length that is no number', '*1\r\n$x\r\n'],
  ['a length that is negative', '*1\r\n$-1\r\n'],
  ['a length that is empty', '*1\r\n$\r\n'],
  ['a length with a leading zero', '*1\r\n$04\r\nPING\r\n'],
  ['a length beyond 64 bits', '*1\r\n$99999999999999999999\r\n'],
  ['a length beyond what upstream takes', '*2\r\n$4\r\nECHO\r\n$536870913\r\n'],
  ['a name beyond what upstream takes', '*1\r\n$536870913\r\n'],
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
    await expectSame(pair, before + bytes, { noTail: bytes.length > 65_536 });
  });
});

const subscribing: readonly Row[] = [
  ['the count goes over channels and patterns', 'SUBSCRIBE a b a\r\nPSUBSCRIBE p* q*\r\n'],
  ['shard channels are counted apart', 'SUBSCRIBE a\r\nSSUBSCRIBE s t\r\nSUNSUBSCRIBE s\r\nPING\r\n'],
  ['an unsubscribe of what is not subscribed', 'UNSUBSCRIBE a b\r\nPUNSUBSCRIBE c\r\nSUNSUBSCRIBE d\r\n'],
  ['an unsubscribe of all there is', 'SUBSCRIBE a\r\nPSUBSCRIBE p*\r\nUNSUBSCRIBE\r\nPUNSUBSCRIBE\r\nPING\r\n'],
  ['an unsubscribe of nothing', 'UNSUBSCRIBE\r\nPUNSUBSCRIBE\r\nSUNSUBSCRIBE\r\nPING\r\n'],
  ['no channel', 'SUBSCRIBE\r\nPSUBSCRIBE\r\nSSUBSCRIBE\r\nPING\r\n'],
  ['what is refused meanwhile', 'SUBSCRIBE a\r\nGET k\r\nMULTI\r\nEXEC\r\nCLIENT ID x\r\nCLIENT NOSUCH\r\nNOSUCH\r\nGET\r\nAUTH x\r\n'],
  ['PING meanwhile', 'SUBSCRIBE a\r\nPING\r\nPING hi\r\nPING a b\r\nUNSUBSCRIBE a\r\nPING\r\nPING hi\r\n'],
  ['one that a message reaches', 'HELLO 3\r\nSUBSCRIBE a\r\nPUBLISH a m\r\nPUBLISH a n\r\nPING\r\n'],
  ['RESET out of it', 'SUBSCRIBE a b\r\nRESET\r\nGET k\r\nUNSUBSCRIBE\r\n'],
  ['HELLO inside it', 'HELLO 3\r\nSUBSCRIBE a\r\nHELLO 2\r\nPING\r\nHELLO 3\r\nUNSUBSCRIBE\r\nHELLO 3\r\n'],
  ['QUIT inside it', 'SUBSCRIBE a\r\nPING\r\nQUIT\r\nPING\r\n'],
  ['in MULTI', 'MULTI\r\nSUBSCRIBE a b\r\nPING\r\nEXEC\r\nPING\r\nUNSUBSCRIBE\r\nPING\r\n'],
  ['in MULTI, and out of it', 'MULTI\r\nSUBSCRIBE a b\r\nUNSUBSCRIBE\r\nGET k\r\nEXEC\r\nPING\r\n'],
  ['in MULTI with a pattern', 'MULTI\r\nPSUBSCRIBE p*\r\nPING x\r\nPUNSUBSCRIBE p* q*\r\nECHO a\r\nEXEC\r\nPING\r\n'],
  ['in MULTI with shard channels', 'MULTI\r\nSSUBSCRIBE a b\r\nSUNSUBSCRIBE a b\r\nECHO a\r\nEXEC\r\nPING\r\n'],
  ['in MULTI, and nothing to leave', 'MULTI\r\nUNSUBSCRIBE\r\nPUNSUBSCRIBE\r\nSUNSUBSCRIBE\r\nEXEC\r\nPING\r\n'],
  ['in MULTI that is discarded', 'MULTI\r\nSUBSCRIBE a\r\nDISCARD\r\nGET k\r\n'],
  ['in MULTI that is spoilt', 'MULTI\r\nSUBSCRIBE a\r\nNOSUCH\r\nEXEC\r\nGET k\r\n'],
  ['in MULTI with HELLO', 'MULTI\r\nSUBSCRIBE a\r\nHELLO 3\r\nSUBSCRIBE b c\r\nEXEC\r\nPING\r\n'],
  ['under REPLY OFF', 'CLIENT REPLY OFF\r\nSUBSCRIBE a b\r\nPING\r\nUNSUBSCRIBE\r\nCLIENT REPLY ON\r\nPING\r\n'],
  ['under REPLY SKIP', 'CLIENT REPLY SKIP\r\nSUBSCRIBE a b\r\nUNSUBSCRIBE\r\nPING\r\n'],
];

describe('subscriptions are counted alike', () => {
  test.for(subscribing)('in RESP2: %s', ([, bytes], { pair }) => expectSame(pair, bytes));
  test.for(subscribing)('in RESP3: %s', ([, bytes], { pair }) =>
    expectSame(pair, `HELLO 3\r\n${bytes}`),
  );
});
