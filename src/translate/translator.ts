import { ProxyError } from '../errors.ts';
import { pastWholeBulk } from '../resp/bulk.ts';
import { HEADER_LENGTH_MASK, HEADER_NUMBER_SHIFT, plainHeader } from '../resp/header.ts';
import { TYPE } from '../resp/scanner.ts';
import { type Aggregate, headerOf, PLAIN, type Shape } from './shape.ts';
import { type Out, Splice } from './splice.ts';

const CR = 0x0d;
const LF = 0x0a;

/** A longer string is neither a number nor the name of a field. */
const TEXT_MAX_BYTES = 64;

/** More than the length of such a string, with its `$` and the CR LF of header and body, takes. */
const HEADER_MAX_BYTES = 16;

/** What servers write for a double or a big number. */
const NUMBER = /^-?(?:inf|nan|\d+(?:\.\d+)?(?:e[-+]?\d+)?)$/i;

/**
 * Deeper down all is plain. Source: our choice. The deepest that a server has are the arguments of
 * COMMAND DOCS, some 12 levels.
 */
const LEVELS_MAX_COUNT = 64;

// Phases of a value.
const P_TYPE = 0; // at the type byte
const P_LINE = 1; // in a line that passes
const P_LINE_LF = 2; // that line's LF is due
const P_HEADER = 3; // in a header, or in a line that may change
const P_BODY = 4; // in a body, its CR LF included
const P_TEXT = 5; // in a body that is held back until it is whole

/** An aggregate that is being read. */
interface Level {
  /** Undefined: all in it is plain. */
  readonly shape: Aggregate | undefined;
  /** Values still to come; where all is plain, those of the arrays inside it too. */
  left: number;
  /** Index of the next value. */
  index: number;
  /** The key before that value, if its shape depends on it. */
  name: string;
}

/**
 * Turns RESP2 replies into those of RESP3, as they stream by: headers change, bodies pass. Held
 * back are a header that is cut, and a string of up to 64 bytes where a number stands.
 *
 * It trusts what it reads: a `FrameScanner` has been over these bytes, and says where replies end.
 */
export class Translator {
  readonly #splice: Splice;
  readonly #above: Level[] = []; // the aggregates around `#level`
  #level: Level | undefined; // the innermost one
  #rule: Shape = PLAIN;
  #shape: Shape = PLAIN; // of the value that is being read
  #phase = P_TYPE;
  #head = ''; // the start of a header that was cut
  #left = 0; // bytes of the body still to come
  #drops = false; // the body does not go on
  #keeps = false; // the body is a key that decides about the value behind it
  #text = ''; // what has come of a body that is held back or looked at

  constructor(out: Out) {
    this.#splice = new Splice(out);
  }

  /** A reply begins. @param rule how it is to be translated */
  begin(rule: Shape | undefined): void {
    this.#rule = rule ?? PLAIN;
    this.#above.length = 0;
    this.#level = undefined;
    this.#phase = P_TYPE;
    this.#head = '';
  }

  /**
   * Translates a part of one reply, or the rest of it. What changes is given to `out`, what does not
   * is left in the chunk for `out` to pass.
   *
   * @param from index of the first byte that was not fed yet
   * @param to   index behind the reply's last byte, or the chunk's
   * @throws ProxyError FRAME_BAD_TYPE: no reply of RESP2, or not of the form that its request has
   */
  feed(chunk: Buffer, from: number, to: number): void {
    this.#splice.begin(chunk);
    let at = from;
    while (at < to) {
      switch (this.#phase) {
        case P_TYPE:
          at = this.#beginValue(chunk, at);
          break;
        case P_LINE:
          at = this.#passLine(chunk, at, to);
          break;
        case P_LINE_LF:
          at += 1;
          this.#endValue();
          break;
        case P_HEADER:
          at = this.#readHeader(chunk, at, to);
          break;
        default:
          at = this.#readBody(chunk, at, to);
      }
    }
    this.#splice.end();
  }

  #beginValue(chunk: Buffer, at: number): number {
    const level = this.#level;
    this.#keeps = false;
    if (level === undefined) this.#shape = this.#rule;
    else if (level.shape === undefined) this.#shape = PLAIN;
    else this.#expect(level.shape, level, chunk, at);
    const type = chunk[at];
    if (type === TYPE.bulk) {
      const past = this.#takeWholeBulk(chunk, at);
      if (past !== -1) return past;
    } else if (type === TYPE.status || type === TYPE.error || type === TYPE.integer) {
      this.#phase = type === TYPE.integer && this.#shape.kind === 'boolean' ? P_HEADER : P_LINE;
      return at;
    } else if (type !== TYPE.array) {
      throw new ProxyError('FRAME_BAD_TYPE', `byte 0x${type?.toString(16)} begins no RESP2 reply`);
    }
    this.#phase = P_HEADER;
    return at;
  }

  /** An element of an aggregate that changes is about to begin. */
  #expect(shape: Aggregate, level: Level, chunk: Buffer, at: number): void {
    const isFirst = level.index % 2 === 0;
    this.#shape = shape.of(level.index, level.name);
    this.#keeps = shape.named && isFirst;
    if (this.#keeps) level.name = '';
    if (shape.becomes === 'pairs' && isFirst) this.#splice.replace(at, at, '*2\r\n');
    // The header of the map has gone by: too late to leave this as it is.
    if (shape.becomes === 'entries' && chunk[at] !== TYPE.array) throw noEntry();
  }

  /** Most strings lie whole in the chunk. @returns the index behind it; -1: the long way */
  #takeWholeBulk(chunk: Buffer, at: number): number {
    const { kind } = this.#shape;
    if (this.#keeps || kind === 'verbatim' || kind === 'fixed') return -1;
    const past = pastWholeBulk(chunk, at);
    if (past === -1) return -1;
    if (kind === 'line' && past - at <= TEXT_MAX_BYTES + HEADER_MAX_BYTES) {
      const whole = chunk.toString('latin1', at, past);
      const line = this.#numberLine(whole.slice(whole.indexOf('\n') + 1));
      if (line !== undefined) this.#splice.replace(at, past, line);
    }
    this.#endValue();
    return past;
  }

  /** @param body of a string, with its CR LF. @returns undefined if it is no number */
  #numberLine(body: string): string | undefined {
    const text = body.slice(0, -2);
    if (this.#shape.kind !== 'line' || text.length > TEXT_MAX_BYTES) return undefined;
    return NUMBER.test(text) ? this.#shape.mark + body : undefined;
  }

  #passLine(chunk: Buffer, from: number, to: number): number {
    let at = from;
    while (at < to && chunk[at] !== CR) at += 1;
    if (at === to) return to;
    this.#phase = P_LINE_LF;
    return at + 1;
  }

  #readHeader(chunk: Buffer, from: number, to: number): number {
    if (this.#head === '') {
      const plain = plainHeader(chunk, from);
      const end = from + (plain & HEADER_LENGTH_MASK) + 2;
      if (plain !== 0 && end <= to) {
        const changed = this.#translate(chunk[from] as number, plain >> HEADER_NUMBER_SHIFT);
        if (changed !== undefined) this.#splice.replace(from, end, changed);
        return end;
      }
    }
    return this.#readAnyHeader(chunk, from, to);
  }

  /** Reads a header that is cut, null, or of an unusual number. */
  #readAnyHeader(chunk: Buffer, from: number, to: number): number {
    let end = from;
    while (end < to && chunk[end] !== LF) end += 1;
    const text = this.#head + chunk.toString('latin1', from, end);
    if (end === to) {
      this.#splice.replace(from, to, '');
      this.#head = text;
      return to;
    }
    const changed = this.#translate(text.charCodeAt(0), Number(text.slice(1, -1)));
    if (changed !== undefined) this.#splice.replace(from, end + 1, changed);
    else if (this.#head !== '') this.#splice.replace(from, end + 1, `${text}\n`);
    this.#head = '';
    return end + 1;
  }

  /** A header has been read. @returns what stands in its place; undefined: it stays */
  #translate(type: number, number: number): string | undefined {
    switch (type) {
      case TYPE.bulk:
        return number < 0 ? this.#null() : this.#beginBody(number);
      case TYPE.array:
        return number < 0 ? this.#null() : this.#beginElements(number);
      default:
        this.#endValue();
        if (number === 1) return '#t\r\n';
        return number === 0 ? '#f\r\n' : undefined;
    }
  }

  #null(): string {
    this.#demandEntry(-1);
    this.#endValue();
    return '_\r\n';
  }

  #beginBody(length: number): string | undefined {
    const { kind } = this.#shape;
    this.#left = length + 2;
    this.#text = '';
    this.#drops = kind === 'fixed';
    this.#phase = P_BODY;
    if (length > TEXT_MAX_BYTES) this.#keeps = false;
    else if (kind === 'line') {
      this.#phase = P_TEXT;
      return '';
    }
    if (kind === 'verbatim') return `=${length + 4}\r\ntxt:`;
    return this.#shape.kind === 'fixed' ? this.#shape.reply : undefined;
  }

  #readBody(chunk: Buffer, from: number, to: number): number {
    const end = Math.min(from + this.#left, to);
    this.#left -= end - from;
    const isHeld = this.#phase === P_TEXT;
    if (isHeld || this.#keeps) this.#text += chunk.toString('latin1', from, end);
    if (isHeld || this.#drops) {
      this.#splice.replace(from, end, isHeld && this.#left === 0 ? this.#heldBack() : '');
    }
    if (this.#left > 0) return end;
    if (this.#keeps && this.#level !== undefined) this.#level.name = this.#text.slice(0, -2);
    this.#endValue();
    return end;
  }

  #heldBack(): string {
    return this.#numberLine(this.#text) ?? `$${this.#text.length - 2}\r\n${this.#text}`;
  }

  #beginElements(count: number): string | undefined {
    this.#demandEntry(count);
    const level = this.#level;
    if (level !== undefined && level.shape === undefined) {
      level.left += count;
      this.#endValue();
      return undefined;
    }
    const isDeep = this.#above.length === LEVELS_MAX_COUNT;
    const wanted = this.#shape.kind === 'aggregate' && !isDeep ? this.#shape : undefined;
    const changed = wanted && headerOf(wanted, count);
    this.#phase = P_TYPE;
    if (count === 0) {
      this.#endValue();
      return changed;
    }
    if (level !== undefined) this.#above.push(level);
    const shape = changed === undefined ? undefined : wanted;
    this.#level = { shape, left: count, index: 0, name: '' };
    return changed;
  }

  /** @param count elements of the array that begins; -1 for a null */
  #demandEntry(count: number): void {
    if (count !== 2 && this.#level?.shape?.becomes === 'entries') throw noEntry();
  }

  /** A value is whole, and with it perhaps the aggregates that it is the last one of. */
  #endValue(): void {
    this.#phase = P_TYPE;
    for (let level = this.#level; level !== undefined; level = this.#above.pop()) {
      this.#level = level;
      level.left -= 1;
      level.index += 1;
      if (level.left > 0) return;
    }
    this.#level = undefined;
  }
}

function noEntry(): ProxyError {
  return new ProxyError('FRAME_BAD_TYPE', 'a reply is no list of pairs, as its request has it');
}
