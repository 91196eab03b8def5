import { ProxyError } from '../../src/errors.ts';
import { FOUND } from '../../src/resp/found.ts';
import { NAME_MAX_BYTES } from '../../src/resp/name.ts';
import { RequestScanner } from '../../src/resp/request.ts';
import { FrameScanner } from '../../src/resp/scanner.ts';
import { request } from '../../src/resp/write.ts';
import { parseRequests } from './resp.ts';

/** A request as the scanner has told it. Texts are latin1. */
export interface ScannedRequest {
  readonly kind: 'words' | 'inline' | 'empty';
  /** Its bytes as they are after mending. */
  readonly bytes: string;
  /** The command name that the scanner has shown; '' for those without. */
  readonly name: string;
  /** Words 1 and up, cut out of the bytes by the bounds that the scanner has kept. */
  readonly words: readonly string[];
}

/** What a scanner has made of some bytes. */
export interface ScannedRequests {
  readonly requests: readonly ScannedRequest[];
  readonly midRequest: boolean;
  readonly refusal: string | undefined;
}

/** How to scan. */
export interface ScanOptions {
  /** What to set on the scanner after each command name. */
  readonly mendSubcommand: boolean;
}

/** Drives a scanner through the pieces of one byte string, as a connection would. */
class Reader {
  readonly requests: ScannedRequest[] = [];
  readonly #scanner = new RequestScanner();
  readonly #mendSubcommand: boolean;
  readonly #seen: Buffer[] = [];
  #base = 0; // index of the current piece's first byte in the whole
  #name = '';
  #wordCount = 0;

  constructor({ mendSubcommand }: ScanOptions) {
    this.#mendSubcommand = mendSubcommand;
  }

  read(pieces: readonly Buffer[]): ScannedRequests {
    try {
      for (const piece of pieces) this.#readPiece(piece);
    } catch (error) {
      if (!(error instanceof ProxyError) || error.code !== 'REQUEST_MALFORMED') throw error;
      return { requests: this.requests, midRequest: true, refusal: error.message };
    }
    const { midRequest } = this.#scanner;
    return { requests: this.requests, midRequest, refusal: undefined };
  }

  #readPiece(piece: Buffer): void {
    const scanner = this.#scanner;
    this.#seen.push(piece);
    for (let steps = 0; ; steps++) {
      // Each step but the last pays for itself with a byte, or ends what the one before has begun.
      if (steps > 2 * piece.length + 1) throw new Error('the scanner does not get on');
      const found = scanner.advance(piece);
      if (found === FOUND.more) break;
      if (found === FOUND.name) this.#beginWords();
      else if (found === FOUND.end) this.#end('words');
      else this.#end(found === FOUND.inline ? 'inline' : 'empty');
    }
    if (scanner.at !== piece.length) throw new Error('the scanner has left bytes unread');
    scanner.nextChunk(piece.length);
    this.#base += piece.length;
  }

  #beginWords(): void {
    const { name, nameLength, wordCount, isSameName } = this.#scanner;
    // Who has looked up the last name need not look at it again.
    if (!isSameName) this.#name = Buffer.from(name.subarray(0, nameLength)).toString('latin1');
    this.#wordCount = wordCount;
    this.#scanner.keepWords = true;
    this.#scanner.mendSubcommand = this.#mendSubcommand;
  }

  #end(kind: ScannedRequest['kind']): void {
    const scanner = this.#scanner;
    const start = this.#base + scanner.origin;
    const text = Buffer.concat(this.#seen).toString('latin1');
    const bytes = text.slice(start, this.#base + scanner.at);
    const words: string[] = [];
    if (kind === 'words') {
      for (let index = 1; index < this.#wordCount; index++) {
        words.push(bytes.slice(scanner.bounds.start(index), scanner.bounds.end(index)));
      }
    }
    this.requests.push({ kind, bytes, name: kind === 'words' ? this.#name : '', words });
  }
}

const PLAIN: ScanOptions = { mendSubcommand: false };

/** @returns what a scanner makes of the pieces of one byte string, all words kept */
export function scanRequests(pieces: readonly Buffer[], options = PLAIN): ScannedRequests {
  return new Reader(options).read(pieces);
}

/** @returns what `scanRequests` should make of the bytes, by the slow parser */
export function slowScanRequests(bytes: Buffer, options = PLAIN): ScannedRequests {
  const parsed = parseRequests(bytes);
  const text = bytes.toString('latin1');
  const requests = parsed.requests.map((found): ScannedRequest => {
    const raw = text.slice(found.start, found.end);
    if (found.kind !== 'words') {
      const bytes = found.kind === 'inline' ? raw : `${raw.slice(0, -1)}\n`;
      return { kind: found.kind, bytes, name: '', words: [] };
    }
    const words = found.words.map(([from, to], index) => {
      const mended = index === 0 || (index === 1 && options.mendSubcommand);
      const word = text.slice(from, to);
      return mended ? word.replaceAll('\0', '\x01') : word;
    });
    const name = (words[0] ?? '').replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    return {
      kind: 'words',
      bytes: request(...words).toString('latin1'),
      name: name.length > NAME_MAX_BYTES ? '' : name,
      words: words.slice(1),
    };
  });
  const { refusal, end } = parsed;
  return { requests, midRequest: refusal !== undefined || end < bytes.length, refusal };
}

/** @returns text as bytes, one character a byte */
export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** What a scanner has made of some bytes. */
export interface ScannedFrames {
  /** Index just past each frame. */
  readonly ends: readonly number[];
  readonly midFrame: boolean;
  /** The code it has thrown. */
  readonly code: string | undefined;
}

/** @returns what a scanner makes of the pieces of one byte string */
export function scanFrames(pieces: readonly Buffer[], scanner = new FrameScanner()): ScannedFrames {
  const ends: number[] = [];
  let base = 0;
  try {
    for (const piece of pieces) {
      for (let at = scanner.next(piece, 0); at !== -1; at = scanner.next(piece, at)) {
        ends.push(base + at);
      }
      base += piece.length;
    }
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    return { ends, midFrame: scanner.midFrame, code: error.code };
  }
  return { ends, midFrame: scanner.midFrame, code: undefined };
}
