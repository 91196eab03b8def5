/** Bytes on their way from one end to the other: they arrive in order, in cuts of any size. */

/** A pipe that somebody outside of the proxy writes to: its text becomes bytes on arrival. */
export class TextPipe {
  #text = '';

  /** How many bytes are on their way. */
  get size(): number {
    return this.#text.length;
  }

  /** @param text one character for each byte */
  push(text: string): void {
    this.#text += text;
  }

  /** @returns the first `count` bytes, or what there is; the receiver's own */
  take(count: number): Buffer {
    const text = this.#text;
    this.#text = count >= text.length ? '' : text.slice(count);
    return Buffer.from(count >= text.length ? text : text.slice(0, count), 'latin1');
  }

  /** What is on its way is lost. */
  clear(): void {
    this.#text = '';
  }
}

/** A pipe that the proxy writes to. */
export class BytePipe {
  #chunks: Buffer[] = [];
  #size = 0;

  /** How many bytes are on their way. */
  get size(): number {
    return this.#size;
  }

  /** @param bytes not copied, as a socket does not: whoever sends them must leave them alone */
  push(bytes: Buffer): void {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
  }

  /** @returns the first `count` bytes, or what there is */
  take(count: number): Buffer {
    const chunks = this.#chunks;
    const whole = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, this.#size);
    this.#chunks = [];
    if (count >= whole.length) {
      this.#size = 0;
      return whole;
    }
    this.#chunks.push(whole.subarray(count));
    this.#size = whole.length - count;
    return whole.subarray(0, count);
  }

  /** What is on its way is lost. */
  clear(): void {
    if (this.#size === 0) return;
    this.#chunks = [];
    this.#size = 0;
  }
}

/** A decoded frame. */
export interface Node {
  readonly type: string;
  /** The whole frame, one character for each byte. */
  readonly raw: string;
  /** What stands in the line or in the body; '' for aggregates and nulls. */
  readonly text: string;
  /** Elements, a map's keys and values in turn; none for what is no aggregate. */
  readonly items: readonly Node[];
}

/** Thrown for bytes that are no RESP, or a push where none may be. */
export class BrokenFrame extends Error {}

/**
 * Decodes what a client receives, strictly: a length is a number, a body ends with CR LF, and a
 * push stands between whole replies.
 */
export class FrameReader {
  #text = '';

  /** Whether a part of a frame has come, and not its end. */
  get midFrame(): boolean {
    return this.#text !== '';
  }

  /** @throws BrokenFrame */
  feed(bytes: Buffer, take: (frame: Node) => void): void {
    const text = this.#text + bytes.toString('latin1');
    let at = 0;
    while (at < text.length) {
      const frame = parse(text, at, true);
      if (frame === undefined) break;
      at += frame.raw.length;
      take(frame);
    }
    this.#text = at === text.length ? '' : text.slice(at);
  }
}

/** @returns the one frame that `text` is */
export function decode(text: string): Node {
  return parse(text, 0, true) as Node;
}

function parse(text: string, from: number, isOuter: boolean): Node | undefined {
  if (from >= text.length) return undefined;
  const type = text.charAt(from);
  const kind = KINDS.get(type);
  if (kind === undefined) throw new BrokenFrame(`bad type in ${show(text.slice(from))}`);
  if (kind === 'push' && !isOuter) throw new BrokenFrame(`a push inside a reply: ${show(text)}`);
  const lineEnd = text.indexOf('\r\n', from);
  if (lineEnd === -1) return undefined;
  const next = lineEnd + 2;
  if (kind === 'line') {
    return node(type, text.slice(from, next), text.slice(from + 1, lineEnd), NO_ITEMS);
  }
  const length = lengthAt(text, from + 1, lineEnd);
  if (length === -1) return node(type, text.slice(from, next), '', NO_ITEMS);
  if (kind === 'body') {
    const end = next + length;
    if (text.length < end + 2) return undefined;
    if (!text.startsWith('\r\n', end)) throw new BrokenFrame(`no CR LF in ${show(text)}`);
    return node(type, text.slice(from, end + 2), text.slice(next, end), NO_ITEMS);
  }
  const items: Node[] = [];
  let at = next;
  for (let left = kind === 'map' ? length * 2 : length; left > 0; left--) {
    const item = parse(text, at, false);
    if (item === undefined) return undefined;
    items.push(item);
    at += item.raw.length;
  }
  return node(type, text.slice(from, at), '', items);
}

/** @throws BrokenFrame where the line holds no length */
function lengthAt(text: string, from: number, to: number): number {
  let length = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) {
      if (text.slice(from, to) === '-1') return -1;
      length = Number.NaN;
    }
    length = length * 10 + digit;
  }
  if (to === from || Number.isNaN(length)) {
    throw new BrokenFrame(`bad length in ${show(text.slice(from - 1))}`);
  }
  return length;
}

const NO_ITEMS: readonly Node[] = [];

const KINDS: ReadonlyMap<string, 'line' | 'body' | 'list' | 'map' | 'push'> = new Map([
  ['+', 'line'],
  ['-', 'line'],
  [':', 'line'],
  ['_', 'line'],
  ['$', 'body'],
  ['*', 'list'],
  ['~', 'list'],
  ['%', 'map'],
  ['>', 'push'],
]);

function node(type: string, raw: string, text: string, items: readonly Node[]): Node {
  return { type, raw, text, items };
}

/** @returns bytes as a reader of stories sees them */
export function show(raw: string): string {
  return raw.replaceAll('\r\n', ' ').trim();
}

/** @returns a request as it is sent */
export function encode(words: readonly string[]): string {
  let text = `*${words.length}\r\n`;
  for (const word of words) text += `$${word.length}\r\n${word}\r\n`;
  return text;
}

/** Splits what arrives at a server into requests: arrays of bulk strings, all whole and right. */
export class RequestSplitter {
  #text = '';

  /** @returns the words of the requests that are whole now */
  feed(bytes: Buffer): readonly (readonly string[])[] {
    const text = this.#text + bytes.toString('latin1');
    const requests: (readonly string[])[] = [];
    let at = 0;
    while (at < text.length) {
      const words: string[] = [];
      const end = wordsAt(text, at, words);
      if (end === -1) break;
      requests.push(words);
      at = end;
    }
    this.#text = at === text.length ? '' : text.slice(at);
    return requests;
  }
}

/** @param words gets those of the request at `from` @returns its end; -1: it is not whole */
function wordsAt(text: string, from: number, words: string[]): number {
  let lineEnd = text.indexOf('\r\n', from);
  if (lineEnd === -1) return -1;
  if (text[from] !== '*') throw new BrokenFrame(`no request: ${show(text.slice(from))}`);
  for (let left = lengthAt(text, from + 1, lineEnd); left > 0; left--) {
    const at = lineEnd + 2;
    lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return -1;
    if (text[at] !== '$') throw new BrokenFrame(`no word: ${show(text.slice(at))}`);
    const begin = lineEnd + 2;
    const end = begin + lengthAt(text, at + 1, lineEnd);
    if (text.length < end + 2) return -1;
    if (!text.startsWith('\r\n', end)) throw new BrokenFrame(`no CR LF in ${show(text)}`);
    words.push(text.slice(begin, end));
    lineEnd = end;
  }
  return lineEnd + 2;
}
