import { ProxyError } from '../errors.ts';

const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;
const DOLLAR = 0x24;

/** A header line or inline request may be this long, in bytes. Source: PROTO_INLINE_MAX_SIZE. */
export const LINE_MAX_BYTES = 65_536;
/** The most words one request may announce. Source: Redis 7.0 and later (earlier: 1,048,576). */
export const WORDS_MAX_COUNT = 2 ** 31 - 1;
/**
 * The longest word that one request may announce, in bytes. Source: our choice. The server's own
 * limit (`proto-max-bulk-len`, 512 MiB by default) may be set higher or lower; whatever passes
 * here and exceeds it is refused by the server, which then closes.
 */
export const WORD_MAX_BYTES = 2 ** 40;

/** What a header announces: `*` how many words follow, `$` how many bytes the next word has. */
export type HeaderKind = '*' | '$';

// As servers read numbers: no plus, no blanks, no zeros in front, and no negative zero.
const NUMBER = /^(?:0|-?[1-9][0-9]{0,18})$/;

/** By how many bits `plainHeader` shifts the number that it returns. */
export const HEADER_NUMBER_SHIFT = 4;
/** The bits in which `plainHeader` returns the length of the header. */
export const HEADER_LENGTH_MASK = 0b1111;

/** So many digits always are a number within every limit, and a small integer to V8. */
const PLAIN_MAX_DIGITS = 7;

/**
 * One header of a request, cut anywhere and of any content, as a Redis server reads it: up to the
 * first CR and one byte more, whatever that is. Servers judge a header only when that byte has
 * come, and so does this. The byte is mended to LF in the chunk.
 */
export class RequestHeader {
  #kind: HeaderKind = '*';
  #text = ''; // what has come before the CR, from the first byte on
  #closed = false; // the CR has come

  begin(kind: HeaderKind): void {
    this.#kind = kind;
    this.#text = '';
    this.#closed = false;
  }

  /**
   * @returns the index just past the header, or -1 if the chunk ends inside it
   * @throws ProxyError REQUEST_MALFORMED: no CR in sight, or a NUL, behind which servers see none
   */
  read(chunk: Buffer, from: number): number {
    let at = from;
    if (!this.#closed) {
      const cr = chunk.indexOf(CR, from);
      const end = cr === -1 ? chunk.length : cr;
      this.#append(chunk.toString('latin1', from, Math.min(end, from + LINE_MAX_BYTES + 1)));
      if (cr === -1) return -1;
      this.#closed = true;
      at = cr + 1;
    }
    if (at === chunk.length) return -1;
    mend(chunk, at, LF);
    return at + 1;
  }

  /**
   * @returns the announced number of words (may be negative) or of bytes
   * @throws ProxyError REQUEST_MALFORMED
   */
  value(): number {
    const lead = this.#text.charAt(0);
    const number = parse(this.#text.slice(1));
    if (this.#kind === '*') {
      if (number === undefined || number > WORDS_MAX_COUNT) {
        throw malformed('invalid multibulk length');
      }
      return number;
    }
    if (lead !== '$') throw malformed(`expected '$', got '${/^[^\r\n]$/.test(lead) ? lead : ' '}'`);
    if (number === undefined || number < 0 || number > WORD_MAX_BYTES) {
      throw malformed('invalid bulk length');
    }
    return number;
  }

  #append(text: string): void {
    this.#text += text;
    if (this.#text.length <= LINE_MAX_BYTES && !text.includes('\0')) return;
    const what = this.#kind === '*' ? 'mbulk' : 'bulk';
    throw malformed(`too big ${what} count string`);
  }
}

/** @returns the number that `text` is, or undefined where it is none or does not fit 64 bits */
function parse(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined;
  const exact = BigInt(text);
  return BigInt.asIntN(64, exact) === exact ? Number(exact) : undefined;
}

/**
 * Most headers lie whole in the chunk and hold a small number above 0: they need no state.
 *
 * @param from index of the header's first byte
 * @returns the number, shifted left by four bits, plus the header's length in bytes up to its CR;
 *   or 0 where only `RequestHeader` can tell what there is
 */
export function plainHeader(chunk: Buffer, from: number): number {
  const end = chunk.length - 1; // the CR must have a byte behind it
  let at = from + 1;
  if (at >= end) return 0;
  let number = (chunk[at] as number) - ZERO;
  if (number < 1 || number > 9) return 0;
  const last = from + PLAIN_MAX_DIGITS + 1;
  for (at += 1; at < end && at <= last; at++) {
    const byte = chunk[at] as number;
    if (byte === CR) return (number << HEADER_NUMBER_SHIFT) + (at - from);
    if (byte < ZERO || byte > ZERO + 9) return 0;
    number = number * 10 + byte - ZERO;
  }
  return 0;
}

/**
 * Words that have plain headers and lie whole in the chunk need no state either. Their line ends are
 * mended on the way.
 *
 * @param from index of the first word's header
 * @returns the index behind the last word; -1 where there is anything else
 */
export function pastPlainWords(chunk: Buffer, from: number, count: number): number {
  let at = from;
  for (let left = count; left > 0; left--) {
    const plain = chunk[at] === DOLLAR ? plainHeader(chunk, at) : 0;
    if (plain === 0) return -1;
    const start = at + (plain & HEADER_LENGTH_MASK) + 2;
    const end = start + (plain >> HEADER_NUMBER_SHIFT);
    if (end + 2 > chunk.length) return -1;
    mend(chunk, start - 1, LF);
    mend(chunk, end, CR);
    mend(chunk, end + 1, LF);
    at = end + 2;
  }
  return at;
}

/** Makes a byte that servers skip unseen the one that the protocol wants there. */
export function mend(chunk: Buffer, at: number, byte: number): void {
  if (chunk[at] !== byte) chunk[at] = byte;
}

/** @param text what Redis writes behind "Protocol error: " */
export function malformed(text: string): ProxyError {
  return new ProxyError('REQUEST_MALFORMED', text);
}
