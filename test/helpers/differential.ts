import { setImmediate as nextTurn } from 'node:timers/promises';
import { RawClient, type Target } from './raw-client.ts';

/**
 * What one connection is made to say, and what is compared: all bytes that come back, and whether
 * the server ends the connection.
 */
export interface Said {
  readonly pieces: readonly Buffer[];
  /** The client shuts down its side behind the last piece, in place of the tail. */
  readonly halfClose?: boolean;
  /** Nothing is sent behind the pieces: the server is to close by itself. */
  readonly noTail?: boolean;
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
    const tail = said.halfClose || said.noTail ? [] : [TAIL];
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

/** What two servers cannot have in common: ids and the version that HELLO shows. */
const DIFFERENT: readonly (readonly [RegExp, string])[] = [
  [/(\$7\r\nversion\r\n)\$\d+\r\n[\d.]+\r\n/g, '$1<version>\r\n'],
  [/(\$2\r\nid\r\n):\d+\r\n/g, '$1:<id>\r\n'],
];

/** @returns what `hear` has returned, less what two servers cannot have in common */
export function comparable(heard: string): string {
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
