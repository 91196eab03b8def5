/** A decoded reply or push. */
export interface Frame {
  /** The type's first byte; `_` for every null, whichever way it was written. */
  readonly type: string;
  /** What stands in the line or in the body, as latin1; '' for aggregates and nulls. */
  readonly text: string;
  /** Elements, a map's keys and values in turn; none for what is no aggregate. */
  readonly items: readonly Frame[];
}

/** In which way received bytes can break the protocol. */
export type Breach = 'push inside a reply' | 'broken bytes';

/** Thrown for what no client should ever receive. */
export class BrokenFrame extends Error {
  readonly breach: Breach;

  constructor(breach: Breach, message: string) {
    super(message);
    this.breach = breach;
  }
}

const LINES = '+-:_,#(';
const BODIES = '$=';
const AGGREGATES = '*~%>';
const RESP2_TYPES = '+-:$*';

/** How much of the bytes a complaint shows, in characters. */
const SHOWN_MAX_LENGTH = 300;

interface Parsed {
  readonly frame: Frame;
  readonly end: number;
}

/**
 * Decodes what a client receives, strictly: a type is one that the connection speaks, a length is a
 * number, a body ends with CR LF, and a push stands between whole replies.
 */
export class FrameParser {
  /** Whether RESP3 is spoken. */
  resp3 = false;
  #text = '';

  /** @throws BrokenFrame */
  feed(bytes: Buffer, take: (frame: Frame) => void): void {
    this.#text += bytes.toString('latin1');
    let at = 0;
    for (;;) {
      const parsed = this.#parse(at, true);
      if (parsed === undefined) break;
      at = parsed.end;
      take(parsed.frame);
    }
    this.#text = this.#text.slice(at);
  }

  #parse(from: number, isOuter: boolean): Parsed | undefined {
    const text = this.#text;
    if (from >= text.length) return undefined;
    const type = text.charAt(from);
    this.#checkType(type, from, isOuter);
    const lineEnd = text.indexOf('\r\n', from);
    if (lineEnd === -1) return undefined;
    const line = text.slice(from + 1, lineEnd);
    const next = lineEnd + 2;
    if (LINES.includes(type)) return { frame: { type, text: line, items: NO_ITEMS }, end: next };
    if (!/^(?:-1|\d{1,9})$/.test(line)) throw this.#broken('bad length', from);
    const length = Number(line);
    if (length === -1) return { frame: NULL, end: next };
    if (BODIES.includes(type)) {
      const end = next + length;
      if (text.length < end + 2) return undefined;
      if (text.slice(end, end + 2) !== '\r\n') throw this.#broken('no CR LF behind a body', from);
      return { frame: { type, text: text.slice(next, end), items: NO_ITEMS }, end: end + 2 };
    }
    const parsed = this.#parseItems(type === '%' ? length * 2 : length, next);
    return parsed && { frame: { type, text: '', items: parsed.items }, end: parsed.end };
  }

  #parseItems(count: number, from: number) {
    const items: Frame[] = [];
    let end = from;
    while (items.length < count) {
      const parsed = this.#parse(end, false);
      if (parsed === undefined) return undefined;
      items.push(parsed.frame);
      end = parsed.end;
    }
    return { items, end };
  }

  #checkType(type: string, at: number, isOuter: boolean): void {
    const known = this.resp3 ? LINES + BODIES + AGGREGATES : RESP2_TYPES;
    if (!known.includes(type)) throw this.#broken('bad type', at);
    if (type !== '>' || isOuter) return;
    throw new BrokenFrame('push inside a reply', this.#shown(at));
  }

  #broken(what: string, at: number): BrokenFrame {
    return new BrokenFrame('broken bytes', `${what} at ${this.#shown(at)}`);
  }

  #shown(at: number): string {
    const before = this.#text.slice(Math.max(0, at - SHOWN_MAX_LENGTH), at);
    const behind = this.#text.slice(at, at + SHOWN_MAX_LENGTH);
    return `${JSON.stringify(behind)}, behind ${JSON.stringify(before)}`;
  }
}

const NO_ITEMS: readonly Frame[] = [];
const NULL: Frame = { type: '_', text: '', items: NO_ITEMS };
