import { ProxyError } from '../errors.ts';

/** A decoded reply. Bulk and simple strings are both text; a null of any kind is null. */
export type Reply = string | number | boolean | null | ReplyError | readonly Reply[];

/** An error that Redis answered with: an answer like any other, not a failure of ours. */
export class ReplyError {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** One whole frame: a reply, or a push that nobody asked for. */
export interface Frame {
  readonly push: boolean;
  readonly value: Reply;
}

/** The most bytes of one frame that are kept while it is incomplete. The demo's are under 1 KiB. */
const FRAME_MAX_BYTES = 1 << 20;

/** A value and the index just past it; undefined means that the bytes end inside it. */
type Parsed = { readonly value: Reply; readonly end: number } | undefined;

/**
 * Decodes RESP3 whole, for the demo, whose frames are small. The proxy itself never decodes: it
 * uses the scanner.
 */
export class ReplyReader {
  #rest: Buffer = Buffer.alloc(0);

  /**
   * @param chunk bytes as received, cut anywhere
   * @returns     the frames that are whole now, in order
   * @throws ProxyError FRAME_BAD_TYPE, FRAME_TOO_LARGE
   */
  read(chunk: Buffer): Frame[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    let at = 0;
    for (;;) {
      const parsed = parse(bytes, at);
      if (parsed === undefined) break;
      frames.push({ push: bytes[at] === 0x3e, value: parsed.value });
      at = parsed.end;
    }
    this.#rest = bytes.subarray(at);
    if (this.#rest.length > FRAME_MAX_BYTES) {
      throw new ProxyError('FRAME_TOO_LARGE', 'a reply is larger than the demo reads');
    }
    return frames;
  }
}

function parse(bytes: Buffer, at: number): Parsed {
  const lineEnd = bytes.indexOf('\r\n', at);
  if (lineEnd < 0) return undefined;
  const line = bytes.toString('latin1', at + 1, lineEnd);
  const next = lineEnd + 2;
  const type = String.fromCharCode(bytes[at] ?? 0);
  switch (type) {
    case '+':
    case '(':
      return { value: line, end: next };
    case '-':
      return { value: new ReplyError(line), end: next };
    case ':':
    case ',':
      return { value: Number(line), end: next };
    case '#':
      return { value: line === 't', end: next };
    case '_':
      return { value: null, end: next };
    case '$':
    case '=':
    case '!':
      return parseBulk(bytes, { type, length: Number(line), from: next });
    case '*':
    case '~':
    case '>':
      return parseItems(bytes, Number(line), next);
    case '%':
      return parseItems(bytes, Number(line) * 2, next);
    case '|': {
      const about = parseItems(bytes, Number(line) * 2, next);
      return about === undefined ? undefined : parse(bytes, about.end);
    }
    default:
      throw new ProxyError('FRAME_BAD_TYPE', `a reply begins with ${JSON.stringify(type)}`);
  }
}

function parseBulk(
  bytes: Buffer,
  bulk: { readonly type: string; readonly length: number; readonly from: number },
): Parsed {
  if (bulk.length < 0) return { value: null, end: bulk.from };
  const to = bulk.from + bulk.length;
  if (bytes.length < to + 2) return undefined;
  // A verbatim string begins with its format and a colon ("txt:"), which nobody here wants.
  const text = bytes.toString('utf8', bulk.from + (bulk.type === '=' ? 4 : 0), to);
  return { value: bulk.type === '!' ? new ReplyError(text) : text, end: to + 2 };
}

function parseItems(bytes: Buffer, count: number, from: number): Parsed {
  if (count < 0) return { value: null, end: from };
  const items: Reply[] = [];
  let end = from;
  while (items.length < count) {
    const item = parse(bytes, end);
    if (item === undefined) return undefined;
    items.push(item.value);
    end = item.end;
  }
  return { value: items, end };
}
