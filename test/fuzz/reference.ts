import type { ErrorCode } from '../../src/errors.ts';
import { AGGREGATE_MAX_COUNT, BULK_MAX_BYTES } from '../../src/resp/scanner.ts';

/** What a frame turns out to be: whole, cut by the end of the bytes, or broken. */
export type SlowFrame =
  | { readonly kind: 'whole'; readonly end: number }
  | { readonly kind: 'cut' }
  | { readonly kind: 'broken'; readonly code: ErrorCode };

const CUT: SlowFrame = { kind: 'cut' };

/** The bytes end inside a frame. */
class Cut extends Error {}

/** The bytes are no frame. */
class Broken extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode) {
    super(code);
    this.code = code;
  }
}

const LENGTH_MAX_DIGITS = 15;

/**
 * Reads one frame a byte at a time, with a call for each value inside it: as plain as can be, and
 * as strict as `FrameScanner`, whose error codes it gives too. (`decodeReply` of the helpers takes
 * more than that, for what it reads has been sent by a server.)
 */
class SlowReader {
  readonly #text: string;
  at: number;

  constructor(text: string, from: number) {
    this.#text = text;
    this.at = from;
  }

  /** @param nested a push here is no value of its own: the value still follows */
  readValue(nested: boolean): void {
    const type = this.#read();
    if ('+-:_,#('.includes(type)) {
      while (this.#read() !== '\r');
      this.#expect('\n');
    } else if (type === '$' || type === '=') {
      this.#readBody(type);
    } else if ('*~%>|'.includes(type)) {
      const count = this.#readLength(type);
      if (count > AGGREGATE_MAX_COUNT) throw new Broken('FRAME_TOO_LARGE');
      const values = type === '%' || type === '|' ? count * 2 : count;
      for (let read = 0; read < values; read++) this.readValue(true);
      if (type === '|' || (type === '>' && nested)) this.readValue(nested);
    } else {
      throw new Broken('FRAME_BAD_TYPE');
    }
  }

  #readBody(type: string): void {
    const length = this.#readLength(type);
    if (length === -1) return;
    if (length > BULK_MAX_BYTES) throw new Broken('FRAME_TOO_LARGE');
    this.at += length;
    this.#expect('\r');
    this.#expect('\n');
  }

  /** @returns the number in a header; -1 only for the two nulls of RESP2, one of them as 0 */
  #readLength(type: string): number {
    let digits = '';
    for (let byte = this.#read(); byte !== '\r'; byte = this.#read()) {
      const isSign = byte === '-' && digits === '';
      if (!isSign && !/\d/.test(byte)) throw new Broken('FRAME_BAD_LENGTH');
      digits += byte;
      if (digits.replace('-', '').length > LENGTH_MAX_DIGITS) throw new Broken('FRAME_TOO_LARGE');
    }
    if (digits === '' || digits === '-') throw new Broken('FRAME_BAD_LENGTH');
    this.#expect('\n');
    if (!digits.startsWith('-')) return Number(digits);
    if (digits !== '-1' || (type !== '$' && type !== '*')) throw new Broken('FRAME_BAD_LENGTH');
    return type === '$' ? -1 : 0;
  }

  #read(): string {
    if (this.at >= this.#text.length) throw new Cut();
    return this.#text.charAt(this.at++);
  }

  #expect(wanted: string): void {
    if (this.#read() !== wanted) throw new Broken('FRAME_NO_CRLF');
  }
}

/** @returns what the bytes (latin1) from `from` on are */
export function slowFrame(text: string, from: number): SlowFrame {
  return slowly(text, from, (reader) => reader.readValue(false));
}

function slowly(text: string, from: number, read: (reader: SlowReader) => void): SlowFrame {
  const reader = new SlowReader(text, from);
  try {
    read(reader);
  } catch (error) {
    if (error instanceof Cut) return CUT;
    if (error instanceof Broken) return { kind: 'broken', code: error.code };
    throw error;
  }
  return { kind: 'whole', end: reader.at };
}

/** What a header says that stands alone. */
export interface SlowHeader {
  readonly end: number;
  readonly count: number;
}

/** @returns the array header at `from`; undefined where it is cut or broken */
export function slowArrayHeader(text: string, from: number): SlowHeader | undefined {
  const match = /^\*(\d{1,15}|-1)\r\n/.exec(text.slice(from, from + 20));
  const count = Number(match?.[1]);
  if (match === null || count > AGGREGATE_MAX_COUNT) return undefined;
  return { end: from + match[0].length, count: Math.max(0, count) };
}
