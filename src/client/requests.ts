import type { CommandInfo } from '../commands/table.ts';
import { ProxyError } from '../errors.ts';
import { FOUND } from '../resp/found.ts';
import { splitInline, trimLineEnd } from '../resp/inline.ts';
import { RequestScanner } from '../resp/request.ts';
import { Run } from '../resp/run.ts';
import { request as encode } from '../resp/write.ts';
import type { RequestHandler } from './handler.ts';
import { HeldWords } from './held.ts';

/**
 * A request whose words must be known is held back until it is whole, but never more than this, in
 * bytes. Source: our choice; a read of 100,000 keys of 100 bytes has 10 MB.
 */
export const HELD_MAX_BYTES = 16 * 1_024 * 1_024;

/** What a client may send before upstream has let it in, in one request. Source: Redis 5.0 and later. */
const STRANGER_MAX_WORDS = 10;
/** As STRANGER_MAX_WORDS, in one word, in bytes. */
const STRANGER_MAX_BYTES = 16_384;

/**
 * Reads what a client sends. Requests that nobody need look at go upstream as ranges of the chunk
 * in which they came, neighbours joined; of the others the handler sees the words.
 */
export class RequestReader {
  readonly #handler: RequestHandler;
  readonly #scanner = new RequestScanner();
  readonly #words: HeldWords;
  #chunk: Buffer = NOTHING;
  readonly #run: Run; // what goes upstream as it came
  #pieces: Buffer[] = []; // of a held request, from earlier chunks
  #piecesBytes = 0;
  #info: CommandInfo | undefined;
  #named = false; // the current request's command is known
  #hold = true;
  #waiting = false;
  #rest: Buffer[] = []; // what came behind a request that has to be waited for
  #restBytes = 0;
  #stopped = false;

  constructor(handler: RequestHandler) {
    this.#handler = handler;
    this.#words = new HeldWords(this.#scanner);
    this.#run = new Run(handler);
  }

  /** Whether a request is waited for before the next is read. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** How many bytes have come and wait to be read. */
  get restBytes(): number {
    return this.#restBytes;
  }

  /** Whether a part of a request has been sent, and not its end: nothing may come between. */
  get isStreaming(): boolean {
    return this.#named && !this.#hold && this.#scanner.midRequest;
  }

  feed(chunk: Buffer): void {
    if (this.#stopped) return;
    if (this.#waiting) {
      this.#keepRest(chunk);
      return;
    }
    this.#chunk = chunk;
    this.#run.begin(chunk);
    try {
      this.#read();
    } catch (error) {
      if (!(error instanceof ProxyError) || error.code !== 'REQUEST_MALFORMED') throw error;
      this.#refuse(error.message);
    }
    this.#chunk = NOTHING;
    this.#run.end();
  }

  /** Goes on behind a request that was waited for. */
  resume(): void {
    this.#waiting = false;
    const rest = this.#rest;
    this.#dropRest();
    for (const chunk of rest) this.feed(chunk);
  }

  /** @returns what has been received and not read; the reader won't read it */
  takeRest(): readonly Buffer[] {
    const rest = this.#rest;
    this.#dropRest();
    this.#waiting = false;
    return rest;
  }

  /** Reads nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#waiting = false;
    this.#dropRest();
  }

  /** Sends bytes upstream behind all requests that came before the current one. */
  send(bytes: Buffer): void {
    this.#run.sendTo(this.#scanner.origin);
    this.#handler.send(bytes);
  }

  #keepRest(chunk: Buffer): void {
    this.#rest.push(chunk);
    this.#restBytes += chunk.length;
  }

  #dropRest(): void {
    this.#rest = [];
    this.#restBytes = 0;
  }

  #read(): void {
    const scanner = this.#scanner;
    const chunk = this.#chunk;
    scanner.at = 0;
    while (!this.#waiting && !this.#stopped) {
      switch (scanner.advance(chunk)) {
        case FOUND.name:
          this.#begin();
          break;
        case FOUND.end:
          this.#end();
          break;
        case FOUND.inline:
          this.#inline();
          break;
        case FOUND.empty:
          this.#skip();
          this.#handler.empty();
          break;
        default:
          this.#endOfChunk();
          return;
      }
    }
    this.#run.sendTo(scanner.at);
    if (!this.#stopped && scanner.at < chunk.length) this.#keepRest(chunk.subarray(scanner.at));
    scanner.nextChunk(scanner.at);
  }

  #begin(): void {
    const scanner = this.#scanner;
    const { name, nameLength } = scanner;
    if (!scanner.isSameName) this.#info = this.#handler.find(name, nameLength);
    this.#hold = this.#handler.holds(this.#info);
    this.#named = true;
    scanner.keepWords = this.#hold;
    scanner.mendSubcommand = this.#info?.container ?? false;
    if (!this.#hold) this.#sendPieces();
  }

  #end(): void {
    this.#named = false;
    const info = this.#info;
    const scanner = this.#scanner;
    if (!this.#hold || info === undefined) {
      // Of a container each has to be looked at.
      this.#handler.passed(info, scanner.mendSubcommand ? 1 : 1 + scanner.passSame(this.#chunk));
      return;
    }
    if (this.#pieces.length === 0) {
      this.#words.hold(scanner, this.#chunk, scanner.origin, scanner.at);
      this.#take(info, this.#words, false);
    } else {
      const whole = this.#joinPieces(scanner.at);
      this.#words.hold(scanner, whole, 0, whole.length);
      this.#take(info, this.#words, true);
    }
  }

  /** @param apart the request does not lie whole in the chunk */
  #take(info: CommandInfo, words: HeldWords, apart: boolean): void {
    const step = this.#handler.held(info, words);
    if (step === 'forward') {
      if (apart) this.#handler.send(words.bytes());
      else return;
    }
    this.#skip();
    if (step === 'wait') this.#waiting = true;
    if (step === 'stop') this.stop();
  }

  /** The bytes of the current request are not sent, or have been. */
  #skip(): void {
    this.#run.sendTo(this.#scanner.origin);
    this.#run.skipTo(this.#scanner.at);
    this.#dropPieces();
  }

  #inline(): void {
    const scanner = this.#scanner;
    const line =
      this.#pieces.length === 0
        ? this.#chunk.subarray(scanner.origin, scanner.at)
        : this.#joinPieces(scanner.at);
    const words = splitInline(trimLineEnd(line));
    if (words === undefined) {
      this.#refuse('unbalanced quotes in request');
      return;
    }
    if (words.length === 0) {
      this.#skip();
      this.#handler.empty();
      return;
    }
    this.#run.sendTo(scanner.origin);
    this.#takeEncoded(encode(...words));
  }

  /** An inline request goes on as an array of bulk strings: every server reads those alike. */
  #takeEncoded(bytes: Buffer): void {
    const scanner = new RequestScanner();
    scanner.advance(bytes);
    const info = this.#handler.find(scanner.name, scanner.nameLength);
    scanner.keepWords = true;
    scanner.mendSubcommand = info?.container ?? false;
    scanner.advance(bytes);
    if (info === undefined || !this.#handler.holds(info)) {
      this.#handler.send(bytes);
      this.#handler.passed(info, 1);
      this.#skip();
      return;
    }
    const words = new HeldWords(scanner);
    words.hold(scanner, bytes, 0, bytes.length);
    this.#take(info, words, true);
  }

  #endOfChunk(): void {
    const scanner = this.#scanner;
    const chunk = this.#chunk;
    if (!scanner.midRequest || (this.#named && !this.#hold)) {
      this.#run.sendTo(chunk.length);
    } else {
      const from = Math.max(0, scanner.origin);
      this.#run.sendTo(from);
      this.#pieces.push(chunk.subarray(from));
      this.#piecesBytes += chunk.length - from;
      this.#limit();
    }
    scanner.nextChunk(chunk.length);
  }

  /** Nobody may have us hold more than is good, strangers least of all. */
  #limit(): void {
    const { wordCount, wordLeft } = this.#scanner;
    const isStranger = this.#handler.isStranger;
    if (isStranger && wordCount > STRANGER_MAX_WORDS) {
      this.#refuse('unauthenticated multibulk length');
    } else if (isStranger && wordLeft > STRANGER_MAX_BYTES) {
      this.#refuse('unauthenticated bulk length');
    } else if (this.#piecesBytes + wordLeft > HELD_MAX_BYTES) {
      this.#letGo();
    }
  }

  /** A request has grown too long to be held: it streams on, or ends the connection. */
  #letGo(): void {
    if (!this.#named || !this.#handler.tooLong(this.#info)) {
      this.#refuse('invalid bulk length');
      return;
    }
    this.#hold = false;
    this.#scanner.keepWords = false;
    this.#sendPieces();
  }

  #refuse(text: string): void {
    this.#run.sendTo(Math.max(0, this.#scanner.origin));
    this.#run.skipTo(this.#chunk.length);
    this.#dropPieces();
    this.stop();
    this.#handler.malformed(text);
  }

  #sendPieces(): void {
    for (const piece of this.#pieces) this.#handler.send(piece);
    this.#dropPieces();
  }

  #joinPieces(end: number): Buffer {
    return Buffer.concat([...this.#pieces, this.#chunk.subarray(0, end)]);
  }

  #dropPieces(): void {
    if (this.#pieces.length === 0) return;
    this.#pieces = [];
    this.#piecesBytes = 0;
  }
}

const NOTHING = Buffer.alloc(0);
