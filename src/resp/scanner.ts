import { ProxyError } from '../errors.ts';
import { pastWholeBulk } from './bulk.ts';

const CR = 0x0d;
const LF = 0x0a;
const MINUS = 0x2d;
const ZERO = 0x30;

/** First bytes of RESP2 and RESP3 values, by the protocol's own names. */
export const TYPE = {
  status: 0x2b, // +
  error: 0x2d, // -
  integer: 0x3a, // :
  bulk: 0x24, // $
  array: 0x2a, // *
  null: 0x5f, // _
  double: 0x2c, // ,
  boolean: 0x23, // #
  bigNumber: 0x28, // (
  verbatim: 0x3d, // =
  set: 0x7e, // ~
  map: 0x25, // %
  push: 0x3e, // >
  attribute: 0x7c, // |
} as const;

/**
 * The longest bulk string that a reply may announce, in bytes. Source: our choice, far above what
 * a server can hold in one string (512 MiB by default, more by configuration), low enough that
 * every sum stays an exact integer.
 */
export const BULK_MAX_BYTES = 2 ** 40;

/** The most elements that one aggregate may announce. Source: a server counts them in 32 bits. */
export const AGGREGATE_MAX_COUNT = 2 ** 32;

/** A longer number is no length of anything; so many digits are still an exact integer. */
const LENGTH_MAX_DIGITS = 15;

// Phases of a value. Numbers, so that the switch below stays a jump table.
const P_TYPE = 0; // at the type byte
const P_LINE = 1; // in a value of one line, before its CR
const P_LINE_LF = 2; // that line's LF is due
const P_NUMBER = 3; // in the number of a header, before its CR
const P_NUMBER_LF = 4; // that header's LF is due
const P_BODY = 5; // in the body of a bulk string
const P_BODY_CR = 6;
const P_BODY_LF = 7;

// How far the frame has come.
const F_FRESH = 0; // nothing of it has been read
const F_ATTRIBUTE = 1; // in an attribute before its value, or just behind it
const F_ELEMENTS = 2; // past the header of its value, which is an aggregate

// What the bytes of the first column announce: a line, a body, or an aggregate of elements.
const SHAPE = new Uint8Array(256);
const S_LINE = 1;
const S_BODY = 2;
const S_ELEMENTS = 3;
for (const type of '+-:_,#(') SHAPE[type.charCodeAt(0)] = S_LINE;
for (const type of '$=') SHAPE[type.charCodeAt(0)] = S_BODY;
for (const type of '*~%>|') SHAPE[type.charCodeAt(0)] = S_ELEMENTS;

const NULLABLE: ReadonlySet<number> = new Set([TYPE.bulk, TYPE.array]);

/**
 * Finds where RESP2 and RESP3 replies end, without decoding them.
 *
 * A frame is whole when nothing is owed. It starts owing one value; each value read pays one, each
 * aggregate of n owes n more (a map 2n). An attribute owes 2n and pays nothing: the value that it
 * describes still follows. A push inside another value pays nothing either: servers up to 7.0 put
 * the messages of a PUBLISH into the EXEC array that holds it. Deep nesting therefore costs one
 * integer, not a stack.
 *
 * The scanner may be fed chunks cut anywhere; all that it keeps between two chunks is a handful of
 * small integers. After it has thrown it is of no more use.
 */
export class FrameScanner {
  #phase = P_TYPE;
  #frame = F_FRESH;
  #owed = 1;
  #type = 0;
  #number = 0;
  #digits = 0;
  #negative = false;
  #left = 0; // bytes of the body still to come

  /**
   * Set before a frame begins: an aggregate then ends with its header, and its elements come as
   * frames of their own. Cleared at the end of that frame.
   */
  headerOnly = false;

  /**
   * After a frame that was begun with `headerOnly`: how many frames follow as its elements. 0 where
   * the value was no aggregate and came whole, -1 for the null array `*-1`.
   */
  elements = 0;

  /** Whether the last chunk ended inside a frame. */
  get midFrame(): boolean {
    return this.#frame !== F_FRESH || this.#phase !== P_TYPE;
  }

  /**
   * @param chunk bytes as received, cut anywhere
   * @param from  index of the first unread byte
   * @returns     index just past the frame, or -1 if the chunk ends inside it
   * @throws ProxyError FRAME_BAD_TYPE, FRAME_BAD_LENGTH, FRAME_NO_CRLF, FRAME_TOO_LARGE
   */
  next(chunk: Uint8Array, from: number): number {
    let at = from;
    const end = chunk.length;
    while (at < end) {
      switch (this.#phase) {
        case P_TYPE:
          at = this.#readType(chunk, at);
          break;
        case P_LINE:
          at = this.#readLine(chunk, at);
          break;
        case P_NUMBER:
          at = this.#readNumber(chunk, at);
          break;
        case P_BODY:
          at = this.#skipBody(at, end);
          break;
        case P_BODY_CR:
          expect(chunk, at++, CR);
          this.#phase = P_BODY_LF;
          break;
        default:
          at = this.#endLine(chunk, at);
      }
      if (this.#owed === 0) {
        this.#endFrame();
        return at;
      }
    }
    return -1;
  }

  #readType(chunk: Uint8Array, at: number): number {
    const type = chunk[at] as number;
    if (type === TYPE.bulk) {
      const past = pastWholeBulk(chunk, at);
      if (past !== -1) {
        this.#owed -= 1;
        return past;
      }
    }
    this.#type = type;
    const shape = SHAPE[type];
    if (shape === S_LINE) {
      this.#phase = P_LINE;
      return this.#readLine(chunk, at + 1);
    }
    if (shape === 0) {
      throw new ProxyError(
        'FRAME_BAD_TYPE',
        `no RESP type begins with byte 0x${type.toString(16)}`,
      );
    }
    this.#phase = P_NUMBER;
    this.#number = 0;
    this.#digits = 0;
    this.#negative = false;
    return this.#readNumber(chunk, at + 1);
  }

  #readLine(chunk: Uint8Array, from: number): number {
    const end = chunk.length;
    let at = from;
    while (at < end) {
      if (chunk[at++] !== CR) continue;
      this.#phase = P_LINE_LF;
      return at < end ? this.#endLine(chunk, at) : at;
    }
    return at;
  }

  #readNumber(chunk: Uint8Array, from: number): number {
    const end = chunk.length;
    let at = from;
    let number = this.#number;
    while (at < end) {
      const byte = chunk[at++] as number;
      const digit = byte - ZERO;
      if (digit >= 0 && digit <= 9) {
        number = number * 10 + digit;
        if (++this.#digits > LENGTH_MAX_DIGITS) {
          throw new ProxyError('FRAME_TOO_LARGE', `a length of over ${LENGTH_MAX_DIGITS} digits`);
        }
      } else if (byte === CR && this.#digits > 0) {
        this.#number = number;
        this.#phase = P_NUMBER_LF;
        return at < end ? this.#endLine(chunk, at) : at;
      } else if (byte === MINUS && this.#digits === 0 && !this.#negative) {
        this.#negative = true;
      } else {
        throw new ProxyError('FRAME_BAD_LENGTH', `byte 0x${byte.toString(16)} in a length`);
      }
    }
    this.#number = number;
    return at;
  }

  #skipBody(at: number, end: number): number {
    const here = end - at;
    if (here < this.#left) {
      this.#left -= here;
      return end;
    }
    this.#phase = P_BODY_CR;
    return at + this.#left;
  }

  /** Reads the LF of a line, of a header or of a body. */
  #endLine(chunk: Uint8Array, at: number): number {
    expect(chunk, at, LF);
    if (this.#phase !== P_NUMBER_LF) this.#endValue();
    else if (SHAPE[this.#type] === S_BODY) this.#beginBody();
    else this.#beginElements();
    return at + 1;
  }

  #endValue(): void {
    this.#phase = P_TYPE;
    this.#owed -= 1;
  }

  #beginBody(): void {
    if (this.#isNull()) {
      this.#endValue();
      return;
    }
    if (this.#number > BULK_MAX_BYTES) {
      throw new ProxyError('FRAME_TOO_LARGE', `a bulk string of ${this.#number} bytes`);
    }
    this.#left = this.#number;
    this.#phase = P_BODY;
  }

  #beginElements(): void {
    const isNull = this.#isNull();
    if (this.#number > AGGREGATE_MAX_COUNT) {
      throw new ProxyError('FRAME_TOO_LARGE', `an aggregate of ${this.#number} elements`);
    }
    this.#phase = P_TYPE;
    const type = this.#type;
    const pairs = type === TYPE.map || type === TYPE.attribute;
    const count = isNull ? 0 : pairs ? this.#number * 2 : this.#number;
    // Only in an attribute's pairs is more than one value owed before the frame's value begins.
    const outermost = this.#frame !== F_ELEMENTS && this.#owed === 1;
    if (type === TYPE.attribute || (type === TYPE.push && !outermost)) {
      this.#owed += count;
      if (this.#frame === F_FRESH) this.#frame = F_ATTRIBUTE;
    } else if (outermost && this.headerOnly) {
      this.headerOnly = false;
      this.elements = isNull ? -1 : count;
      this.#owed = 0;
    } else {
      this.#owed += count - 1;
      if (outermost) this.#frame = F_ELEMENTS;
    }
    if (this.#owed > Number.MAX_SAFE_INTEGER) {
      throw new ProxyError('FRAME_TOO_LARGE', 'more nested elements than can be counted');
    }
  }

  #isNull(): boolean {
    if (!this.#negative) return false;
    if (this.#number === 1 && this.#digits === 1 && NULLABLE.has(this.#type)) return true;
    throw new ProxyError('FRAME_BAD_LENGTH', 'a negative length other than -1');
  }

  #endFrame(): void {
    this.#owed = 1;
    this.#frame = F_FRESH;
    if (this.headerOnly) {
      // Still set, so no header ended this frame.
      this.headerOnly = false;
      this.elements = 0;
    }
  }
}

function expect(chunk: Uint8Array, at: number, wanted: number): void {
  if (chunk[at] !== wanted) {
    throw new ProxyError('FRAME_NO_CRLF', 'a line or a bulk string does not end with CR LF');
  }
}
