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

/** @param text the status without its plus, as in `OK` */
export function status(text: string): Buffer {
  return Buffer.from(`+${text}\r\n`, 'latin1');
}

/** @param text the error with its code, as in `ERR syntax error` */
export function error(text: string): Buffer {
  return Buffer.from(`-${text}\r\n`, 'latin1');
}

/** @param value a safe integer */
export function integer(value: number): Buffer {
  return Buffer.from(`:${value}\r\n`, 'latin1');
}

/** @returns a bulk string; `text` is latin1 */
export function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

/** The channel on which a RESP2 connection hears of invalidations. */
const INVALIDATE_CHANNEL = '__redis__:invalidate';
const PUSH_HEAD = '>2\r\n$10\r\ninvalidate\r\n';
const MESSAGE_HEAD = `*3\r\n$7\r\nmessage\r\n$20\r\n${INVALIDATE_CHANNEL}\r\n`;

/** Says that every key may have changed. */
const INVALIDATE_ALL = {
  3: Buffer.from(`${PUSH_HEAD}_\r\n`, 'latin1'),
  2: Buffer.from(`${MESSAGE_HEAD}$-1\r\n`, 'latin1'),
} as const;

// A change is told to all its readers in a row: one encoding for each protocol serves them all.
const last = {
  3: { what: undefined as unknown, bytes: Buffer.alloc(0) },
  2: { what: undefined as unknown, bytes: Buffer.alloc(0) },
};

/**
 * @param what     a key, keys, or undefined: every key
 * @param protocol the receiver's: RESP3 gets a push, RESP2 a message of pub/sub
 * @returns the invalidation; not to be written to
 */
export function invalidation(what: Key | readonly Key[] | undefined, protocol: Protocol): Buffer {
  if (what === undefined) return INVALIDATE_ALL[protocol];
  const memo = last[protocol];
  if (memo.what !== what) {
    const head = protocol === 3 ? PUSH_HEAD : MESSAGE_HEAD;
    const keys =
      typeof what === 'string'
        ? `*1\r\n${bulk(what)}`
        : `*${what.length}\r\n${what.map(bulk).join('')}`;
    memo.bytes = Buffer.from(head + keys, 'latin1');
    memo.what = what;
  }
  return memo.bytes;
}

/** @returns the push that says that invalidations no longer reach the client `id` */
export function redirectBroken(id: number): Buffer {
  return Buffer.from(`>2\r\n$21\r\ntracking-redir-broken\r\n:${id}\r\n`, 'latin1');
}

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
