import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'vitest';
import { startProxy } from './proxy.ts';
import { RawClient, type Target } from './raw-client.ts';
import { startRedis } from './redis.ts';
import { cut } from './resp.ts';

/** A Redis, and a proxy before another one just like it, over TCP. */
export interface Pair {
  readonly native: Target;
  readonly proxy: Target;
  /** The Redis behind the proxy. */
  readonly behind: Target;
}

/** @param password what both ask for; '' for none */
export async function withPair(password: string, use: (pair: Pair) => Promise<void>) {
  const args = password === '' ? [] : ['--requirepass', password];
  const [native, behind] = [
    await startRedis({ tcp: true, args }),
    await startRedis({ tcp: true, args }),
  ];
  const login = password === '' ? '' : `:${password}@`;
  const proxy = await startProxy(`redis://${login}127.0.0.1:${behind.port}`);
  try {
    await use({
      native: { port: native.port as number },
      proxy: proxy.target,
      behind: { port: behind.port as number },
    });
  } finally {
    await proxy.stop();
    await Promise.all([native.stop(), behind.stop()]);
  }
}

/**
 * What one connection is made to say, and what is compared: all bytes that come back, and whether
 * the server ends the connection.
 */
export interface Said {
  readonly pieces: readonly Buffer[];
  /** The client shuts down its side behind the last piece, in place of the tail. */
  readonly halfClose?: boolean;
  /**
   * The server closes behind the last piece. Nothing more is sent, for what is written to a server
   * that has closed may cost what it had said before.
   */
  readonly closes?: boolean;
}

const NONCE = 'nobody-knows-this';

/**
 * Shows that everything has been answered: RESET leaves every state there is, and an unknown command
 * is answered whoever asks.
 */
const TAIL = Buffer.from(`RESET\r\n${NONCE}\r\n`);

/** What {@link TAIL} is answered last. */
const TAIL_ANSWER = `-ERR unknown command '${NONCE}', with args beginning with: \r\n`;

/** Stands in what `hear` returns for the end of the connection. */
export const CLOSED = '<closed>';

/**
 * Opens a connection, sends the pieces each in a turn of the event loop of its own, and waits until
 * all is answered or the server has closed.
 *
 * @returns all bytes received, as latin1, and {@link CLOSED} if that is how it ended
 */
export async function hear(target: Target, said: Said): Promise<string> {
  const client = await RawClient.connect(target);
  try {
    const tail = said.halfClose || said.closes ? [] : [TAIL];
    for (const piece of [...said.pieces, ...tail]) {
      if (client.ended) break;
      client.send(piece);
      await nextTurn();
    }
    if (said.halfClose) client.end();
    const answered = () => endsWith(client, TAIL_ANSWER);
    await client.until(() => client.ended || answered(), 'the answer to all of it');
    return client.bytes.toString('latin1') + (client.ended ? CLOSED : '');
  } finally {
    client.close();
  }
}

function endsWith(client: RawClient, text: string): boolean {
  return client.frames.at(-1)?.text === text.trimEnd() || client.bytes.includes(text, 0, 'latin1');
}

/** All cuts of {@link expectSame} follow from it. */
const SEED = 20_261;

/** Into how many pieces bytes are cut, each in a run of its own, besides whole and byte by byte. */
const PIECES = [2, 3, 7] as const;

/** More are not sent byte by byte. */
const BYTEWISE_MAX_BYTES = 400;

/**
 * Both are told the same (latin1), and must say the same, whole and however it is cut.
 *
 * @param behind what is ignored behind bytes that make the server close, sent with them in one piece
 */
export async function expectSame(
  pair: Pair,
  bytes: string,
  { behind, halfClose = false }: { readonly behind?: string; readonly halfClose?: boolean } = {},
): Promise<void> {
  const whole = Buffer.from(bytes, 'latin1');
  const random = seeded(SEED);
  const cuts = PIECES.map((count) => cutAtRandom(whole, count, random));
  if (whole.length <= BYTEWISE_MAX_BYTES) cuts.push(cut(whole, [1]));
  const closes = behind !== undefined;
  cuts.push([closes ? Buffer.from(bytes + behind, 'latin1') : whole]);
  for (const pieces of cuts) {
    const sizes = pieces.map(({ length }) => length);
    const difference = await compared(pair, { pieces, closes, halfClose });
    expect(difference, `seed ${SEED}, cut to ${sizes}`).toBe('');
  }
}

/** @returns '' where both say the same, else what each says */
export async function compared(pair: Pair, said: Said): Promise<string> {
  const heard = await Promise.all([hear(pair.native, said), hear(pair.proxy, said)]);
  const [native, proxy] = heard.map(comparable);
  if (native === proxy) return '';
  return `redis says\n${JSON.stringify(native)}\nthe proxy says\n${JSON.stringify(proxy)}`;
}

/** An invalidation of its own stands anywhere behind its cause, in RESP3 and in RESP2. */
const INVALIDATION =
  /(?:>2\r\n\$10\r\ninvalidate|\*3\r\n\$7\r\nmessage\r\n\$20\r\n__redis__:invalidate)\r\n(?:_\r\n|[*$]-1\r\n|\*1\r\n\$\d+\r\n[^\r]*\r\n)/g;

/**
 * What two servers cannot have in common: ids, the version that HELLO shows, and the times and
 * addresses in lines of MONITOR. Those lines also show the proxy's own connections at work (PING,
 * CLIENT ID, the looks of the watch), and CLIENT REPLY as ON, for it is the proxy that keeps replies from a client.
 */
const DIFFERENT: readonly (readonly [RegExp, string])[] = [
  [/(\$7\r\nversion\r\n)\$\d+\r\n[\d.]+\r\n/g, '$1<version>\r\n'],
  [/(\$2\r\nid\r\n):\d+\r\n/g, '$1:<id>\r\n'],
  [/^\+\d+\.\d+ \[(\d+) [^\]]*\]/gm, '+<time> [$1 <address>]'],
  [
    /^\+<time> \[0 <address>\] "(?:PING|ping|CLIENT" "ID|client" "id|(?:INFO|info)" "\w+|CONFIG" "GET" "notify-keyspace-events)"\r\n/gm,
    '',
  ],
  [/("CLIENT" "REPLY") "\w+"/g, '$1 <mode>'],
  [INVALIDATION, ''],
];

/** @returns what `hear` has returned, less what two servers cannot have in common */
function comparable(heard: string): string {
  return DIFFERENT.reduce((text, [pattern, by]) => text.replace(pattern, by), heard);
}

/** @returns numbers from 0 up to and without 1, always the same ones for a seed (mulberry32) */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @returns the bytes in at most `piecesMax` pieces, at places that `random` chooses */
export function cutAtRandom(bytes: Buffer, piecesMax: number, random: () => number): Buffer[] {
  const places = Array.from({ length: piecesMax - 1 }, () => Math.floor(random() * bytes.length));
  const sorted = [...new Set([0, ...places, bytes.length])].sort((a, b) => a - b);
  return sorted.slice(1).map((end, index) => Buffer.from(bytes.subarray(sorted[index], end)));
}
