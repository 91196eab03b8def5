/**
 * A second opinion on RESP: a reply decoder and a request parser that are slow, read whole byte
 * strings only, and are as plain as can be. Tests hold the scanners of `src/resp` against them.
 */

/** One reply, any RESP2 or RESP3 type. */
export interface Reply {
  /** The type's first byte, as in `$`. */
  readonly type: string;
  /** What stands in the line or in the body, as latin1; null for aggregates and null strings. */
  readonly text: string | null;
  /**
   * Elements, a map's keys and values in turn; null for what is no aggregate and for null arrays.
   * Pushes among them are extra: the header does not count them.
   */
  readonly items: readonly Reply[] | null;
  /** Each attribute before the value, as keys and values in turn. */
  readonly attributes: readonly (readonly Reply[])[];
}

/** A reply and the index just past it. */
export interface Decoded {
  readonly reply: Reply;
  readonly end: number;
}

const LINE_TYPES = '+-:_,#(';
const BODY_TYPES = '$=';
const PAIR_TYPES = '%|';

/** @returns the reply that begins at `from`, or undefined if the bytes end inside it */
export function decodeReply(bytes: Buffer, from = 0): Decoded | undefined {
  return decode(bytes.toString('latin1'), from);
}

function decode(text: string, from: number): Decoded | undefined {
  const lineEnd = text.indexOf('\r\n', from);
  if (lineEnd === -1) return undefined;
  const type = text.charAt(from);
  const line = text.slice(from + 1, lineEnd);
  const next = lineEnd + 2;
  if (LINE_TYPES.includes(type)) return { reply: replyOf(type, line), end: next };
  const length = Number(line);
  if (!/^-?\d+$/.test(line) || length < -1) throw new Error(`bad length ${line}`);
  if (BODY_TYPES.includes(type)) {
    if (length === -1) return { reply: replyOf(type, null), end: next };
    const end = next + length;
    if (text.length < end + 2) return undefined;
    if (text.slice(end, end + 2) !== '\r\n') throw new Error('no CR LF behind a body');
    return { reply: replyOf(type, text.slice(next, end)), end: end + 2 };
  }
  if (!'*~%>|'.includes(type)) throw new Error(`bad type ${type}`);
  if (length === -1) return { reply: replyOf(type, null), end: next };
  const items = decodeItems(text, next, PAIR_TYPES.includes(type) ? length * 2 : length);
  if (items === undefined || type !== '|') return items && withItems(type, items);
  const described = decode(text, items.end);
  if (described === undefined) return undefined;
  const attributes = [items.items, ...described.reply.attributes];
  return { reply: { ...described.reply, attributes }, end: described.end };
}

function decodeItems(text: string, from: number, count: number) {
  const items: Reply[] = [];
  let end = from;
  for (let paid = 0; paid < count; ) {
    const item = decode(text, end);
    if (item === undefined) return undefined;
    items.push(item.reply);
    end = item.end;
    if (item.reply.type !== '>') paid += 1;
  }
  return { items, end };
}

function withItems(type: string, { items, end }: { items: readonly Reply[]; end: number }) {
  return { reply: { type, text: null, items, attributes: [] }, end };
}

/** @returns a reply that is no aggregate */
export function replyOf(type: string, text: string | null): Reply {
  return { type, text, items: null, attributes: [] };
}

/** @returns an aggregate reply; null for the null array */
export function aggregateOf(type: string, items: readonly Reply[] | null): Reply {
  return { type, text: null, items, attributes: [] };
}

/** @returns the bytes of a reply, each character of its texts one byte */
export function encodeReply(reply: Reply): Buffer {
  return Buffer.from(encode(reply), 'latin1');
}

function encode(reply: Reply): string {
  const { type, text, items } = reply;
  const attributes = reply.attributes.map(
    (pairs) => header('|', pairs) + pairs.map(encode).join(''),
  );
  const before = attributes.join('');
  if (items !== null) return `${before}${header(type, items)}${items.map(encode).join('')}`;
  if (LINE_TYPES.includes(type)) return `${before}${type}${text}\r\n`;
  return text === null ? `${before}${type}-1\r\n` : `${before}${type}${text.length}\r\n${text}\r\n`;
}

function header(type: string, items: readonly Reply[]): string {
  const counted = items.filter((item) => item.type !== '>').length;
  return `${type}${PAIR_TYPES.includes(type) ? counted / 2 : counted}\r\n`;
}

/** One request as a server reads it. Positions are indexes into the parsed bytes. */
export type ParsedRequest =
  | {
      readonly kind: 'words';
      readonly start: number;
      readonly end: number;
      /** Where each word's bytes lie: start, and end (exclusive). */
      readonly words: readonly (readonly [number, number])[];
    }
  | { readonly kind: 'inline' | 'empty'; readonly start: number; readonly end: number };

/** What a server makes of all the bytes that a client has sent. */
export interface ParsedRequests {
  readonly requests: readonly ParsedRequest[];
  /** Where the first request that is not whole begins. */
  readonly end: number;
  /** The text behind "Protocol error: " with which the bytes behind `end` are refused. */
  readonly refusal: string | undefined;
}

const LINE_MAX_BYTES = 65_536;
const COUNT_MAX = 2n ** 31n - 1n;
const LENGTH_MAX = 2n ** 40n;

class Refusal extends Error {}

/**
 * Splits what a client sends into requests. A header ends with its first CR and one byte more,
 * whatever that is; the two bytes behind a word are skipped unseen; any first byte but `*` begins
 * an inline request, which ends with LF; a NUL where a line's end is looked for is refused.
 */
export function parseRequests(bytes: Buffer): ParsedRequests {
  const text = bytes.toString('latin1');
  const requests: ParsedRequest[] = [];
  let end = 0;
  try {
    while (end < text.length) {
      const request = text[end] === '*' ? parseWords(text, end) : parseInline(text, end);
      if (request === undefined) break;
      requests.push(request);
      end = request.end;
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { requests, end, refusal: error.message };
  }
  return { requests, end, refusal: undefined };
}

function parseInline(text: string, start: number): ParsedRequest | undefined {
  const newline = text.indexOf('\n', start);
  const line = text.slice(start, newline === -1 ? text.length : newline);
  if (line.includes('\0') || line.length > LINE_MAX_BYTES) {
    throw new Refusal('too big inline request');
  }
  return newline === -1 ? undefined : { kind: 'inline', start, end: newline + 1 };
}

function parseWords(text: string, start: number): ParsedRequest | undefined {
  const count = parseHeader(text, start, 'too big mbulk count string');
  if (count === undefined) return undefined;
  const { number } = count;
  if (number === undefined || number > COUNT_MAX) throw new Refusal('invalid multibulk length');
  if (number <= 0n) return { kind: 'empty', start, end: count.end };
  const words: [number, number][] = [];
  let end = count.end;
  while (words.length < Number(number)) {
    const length = parseHeader(text, end, 'too big bulk count string');
    if (length === undefined) return undefined;
    const lead = text.charAt(end);
    if (lead !== '$') {
      throw new Refusal(`expected '$', got '${lead === '\r' || lead === '\n' ? ' ' : lead}'`);
    }
    if (length.number === undefined || length.number < 0n || length.number > LENGTH_MAX) {
      throw new Refusal('invalid bulk length');
    }
    const wordEnd = length.end + Number(length.number);
    if (text.length < wordEnd + 2) return undefined;
    words.push([length.end, wordEnd]);
    end = wordEnd + 2;
  }
  return { kind: 'words', start, end, words };
}

/** @returns the header's number, undefined if it is none, and where the header ends */
function parseHeader(text: string, start: number, tooBig: string) {
  const cr = text.indexOf('\r', start);
  const line = text.slice(start, cr === -1 ? text.length : cr);
  if (line.includes('\0') || line.length > LINE_MAX_BYTES) throw new Refusal(tooBig);
  if (cr === -1 || cr + 1 === text.length) return undefined;
  return { number: parseNumber(line.slice(1)), end: cr + 2 };
}

function parseNumber(digits: string): bigint | undefined {
  if (!/^-?\d+$/.test(digits)) return undefined;
  const number = BigInt(digits);
  // Written back, a number with zeros in front, or a negative zero, is not the same text.
  if (String(number) !== digits) return undefined;
  return number >= -(2n ** 63n) && number < 2n ** 63n ? number : undefined;
}

/** @returns the bytes in pieces of the given sizes, over and over; each piece is a copy */
export function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = sizes[pieces.length % sizes.length] ?? bytes.length;
    pieces.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return pieces;
}

/** Longer byte strings are not cut in two at every index: that would take quadratic time. */
const SPLIT_MAX_BYTES = 200;

/** @returns the bytes whole, in pieces of 1, 2 and 3 bytes, and, if short, every cut in two */
export function everyCut(bytes: Buffer): Buffer[][] {
  const cuts = [[Buffer.from(bytes)], cut(bytes, [1]), cut(bytes, [2]), cut(bytes, [3])];
  if (bytes.length > SPLIT_MAX_BYTES) return cuts;
  for (let at = 1; at < bytes.length; at++) cuts.push(cut(bytes, [at, bytes.length]));
  return cuts;
}
