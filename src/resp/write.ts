import type { Key } from '../key.ts';

/** Which RESP a connection speaks. */
export type Protocol = 2 | 3;

/** @returns a request as an array of bulk strings; text is taken as latin1 */
export function request(...words: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${words.length}\r\n`, 'latin1')];
  for (const word of words) {
    const bytes = typeof word === 'string' ? Buffer.from(word, 'latin1') : word;
    parts.push(Buffer.from(`$${bytes.length}\r\n`, 'latin1'), bytes, CRLF);
  }
  return Buffer.concat(parts);
}

const CRLF = Buffer.from('\r\n');

export function status(text: string): Buffer {
  return Buffer.from(`+${text}\r\n`, 'latin1');
}

/** @param text the error with its code, as in `ERR syntax error` */
export function error(text: string): Buffer {
  return Buffer.from(`-${text}\r\n`, 'latin1');
}

export function integer(value: number): Buffer {
  return Buffer.from(`:${value}\r\n`, 'latin1');
}

/** @returns a bulk string; `text` is latin1 */
export function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

// A change is told to all readers of the key in a row: one encoding serves them all.
let lastKey: Key | undefined;
let lastPush = Buffer.alloc(0);

/** @returns the push that says `key` has changed, for a RESP3 connection; not to be written to */
export function invalidatePush(key: Key): Buffer {
  if (key !== lastKey) {
    lastPush = Buffer.from(`>2\r\n$10\r\ninvalidate\r\n*1\r\n${bulk(key)}`, 'latin1');
    lastKey = key;
  }
  return lastPush;
}

/** The push that says every key may have changed, for a RESP3 connection. */
export const INVALIDATE_ALL_PUSH = Buffer.from('>2\r\n$10\r\ninvalidate\r\n_\r\n', 'latin1');

/** What `CLIENT TRACKINGINFO` tells. */
export interface TrackingInfo {
  readonly flags: readonly string[];
  /** -1: tracking is off; 0: on, without redirection; else a client's id. */
  readonly redirect: number;
  readonly prefixes: readonly string[];
}

/** @returns the reply of `CLIENT TRACKINGINFO` in the shape of the connection's protocol */
export function trackingInfo(info: TrackingInfo, protocol: Protocol): Buffer {
  const [map, set] = protocol === 3 ? ['%3', '~'] : ['*6', '*'];
  const flags = info.flags.map(bulk).join('');
  const prefixes = info.prefixes.map(bulk).join('');
  const text =
    `${map}\r\n${bulk('flags')}${set}${info.flags.length}\r\n${flags}` +
    `${bulk('redirect')}:${info.redirect}\r\n` +
    `${bulk('prefixes')}*${info.prefixes.length}\r\n${prefixes}`;
  return Buffer.from(text, 'latin1');
}
