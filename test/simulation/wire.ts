/** Bytes on their way from one end to the other: they arrive in order, in cuts of any size. */
export class Pipe {
  #chunks: Buffer[] = [];
  #size = 0;

  /** How many bytes are on their way. */
  get size(): number {
    return this.#size;
  }

  push(bytes: Buffer): void {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
  }

  /** @returns the first `count` bytes, or what there is; a copy that the receiver may change */
  take(count: number): Buffer {
    const whole = Buffer.concat(this.#chunks);
    if (count >= whole.length) {
      this.clear();
      return whole;
    }
    this.#chunks = [whole.subarray(count)];
    this.#size = whole.length - count;
    return Buffer.from(whole.subarray(0, count));
  }

  /** What is on its way is lost. */
  clear(): void {
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
    this.#text += bytes.toString('latin1');
    for (;;) {
      const frame = parse(this.#text, 0, true);
      if (frame === undefined) return;
      this.#text = this.#text.slice(frame.raw.length);
      take(frame);
    }
  }
}

function parse(text: string, from: number, isOuter: boolean): Node | undefined {
  if (from >= text.length) return undefined;
  const type = text.charAt(from);
  if (!'+-:_$*%~>'.includes(type)) throw new BrokenFrame(`bad type in ${show(text.slice(from))}`);
  if (type === '>' && !isOuter) throw new BrokenFrame(`a push inside a reply: ${show(text)}`);
  const lineEnd = text.indexOf('\r\n', from);
  if (lineEnd === -1) return undefined;
  const line = text.slice(from + 1, lineEnd);
  const next = lineEnd + 2;
  if ('+-:_'.includes(type)) return node(type, text.slice(from, next), line, NO_ITEMS);
  if (!/^(-1|\d+)$/.test(line)) throw new BrokenFrame(`bad length in ${show(text.slice(from))}`);
  const length = Number(line);
  if (length === -1) return node(type, text.slice(from, next), '', NO_ITEMS);
  if (type === '$') {
    const end = next + length;
    if (text.length < end + 2) return undefined;
    if (text.slice(end, end + 2) !== '\r\n') throw new BrokenFrame(`no CR LF in ${show(text)}`);
    return node(type, text.slice(from, end + 2), text.slice(next, end), NO_ITEMS);
  }
  const items: Node[] = [];
  let at = next;
  for (let left = type === '%' ? length * 2 : length; left > 0; left--) {
    const item = parse(text, at, false);
    if (item === undefined) return undefined;
    items.push(item);
    at += item.raw.length;
  }
  return node(type, text.slice(from, at), '', items);
}

const NO_ITEMS: readonly Node[] = [];

function node(type: string, raw: string, text: string, items: readonly Node[]): Node {
  return { type, raw, text, items };
}

/** @returns bytes as a reader of stories sees them */
export function show(raw: string): string {
  return raw.replaceAll('\r\n', ' ').trim();
}

/** Splits what arrives at a server into requests: arrays of bulk strings, all whole and right. */
export class RequestSplitter {
  #text = '';

  /** @returns the words of the requests that are whole now */
  feed(bytes: Buffer): readonly (readonly string[])[] {
    this.#text += bytes.toString('latin1');
    const requests: (readonly string[])[] = [];
    for (;;) {
      const frame = parse(this.#text, 0, true);
      if (frame === undefined) return requests;
      this.#text = this.#text.slice(frame.raw.length);
      requests.push(frame.items.map(({ text }) => text));
    }
  }
}
