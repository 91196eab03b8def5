import { WordBounds } from './bounds.ts';
import { FOUND, type Found } from './found.ts';
import {
  HEADER_LENGTH_MASK,
  HEADER_NUMBER_SHIFT,
  LINE_MAX_BYTES,
  malformed,
  mend,
  plainHeader,
  RequestHeader,
} from './header.ts';
import { COMMON_NAME, hasNul, mendNul, NAME_BYTE, NAME_MAX_BYTES } from './name.ts';
import { SameHead } from './same-head.ts';

const CR = 0x0d;
const LF = 0x0a;
const STAR = 0x2a;
const DOLLAR = 0x24;

const P_START = 0;
const P_COUNT = 1; // in the request's header
const P_WORD = 2; // at the first byte of a word's header
const P_LENGTH = 3; // in a word's header
const P_BODY = 4;
const P_BODY_CR = 5;
const P_BODY_LF = 6;
const P_INLINE = 7;
const P_NAME_ONLY = 8; // a request of one word: its name has been reported, its end has not

/**
 * Finds where requests end and where their words lie, by the rules of a Redis server, which are
 * looser than the protocol: a server never looks at the byte behind a header's CR, nor at the two
 * bytes behind a word. What servers of different versions read differently is mended in place, in
 * the chunk itself and at equal length, so that whoever reads the bytes next can only read them as
 * this scanner did: line ends become CR LF, and a NUL in a command name (or, where
 * `mendSubcommand` is set, in word 1) becomes 0x01, because servers find commands by the part
 * before the NUL when their hash table happens to be laid out so.
 *
 * Requests may be cut anywhere. Word positions count from the request's first byte, wherever the
 * chunk boundaries were.
 */
export class RequestScanner {
  /** Index of the first unread byte of the chunk. */
  at = 0;
  /** Index of the request's first byte in the chunk; negative if it came in an earlier one. */
  origin = 0;
  /** Command name, ASCII letters in lower case. Valid up to `nameLength`, until any scanner reads on. */
  name = COMMON_NAME;
  /** Bytes in `name`; 0 when the name is empty or longer than any command's. */
  nameLength = 0;
  /** How many words the request has, the name included. */
  wordCount = 0;
  /** Set after `FOUND.name`: record where the words of this request lie. */
  keepWords = false;
  /** Set after `FOUND.name`: word 1 is a subcommand's name. */
  mendSubcommand = false;

  /** Where the kept words lie, counted from the request's first byte. */
  readonly bounds = new WordBounds();
  /** How many bytes of the current word are still to come. */
  wordLeft = 0;

  /** The request has the name of the one before it in the chunk. `name` does not hold then. */
  isSameName = false;

  #phase = P_START;
  readonly #head = new SameHead();
  readonly #header = new RequestHeader();
  #line = 0; // bytes of the inline line read so far
  #word = 0; // index of the word that is being read
  #isNamed = false; // the name has been reported

  /**
   * Reads the requests that follow one that has ended, as long as each begins as that one did and lies
   * whole in the chunk. Their words are not kept.
   *
   * @returns how many there were
   */
  passSame(chunk: Buffer): number {
    for (let count = 0; ; count++) {
      const end = this.#head.pastSame(chunk, this.at, this.wordCount);
      if (end === -1) return count;
      this.at = end;
    }
  }

  /** Whether a request has begun and not ended. */
  get midRequest(): boolean {
    return this.#phase !== P_START;
  }

  /** Goes on to the chunk that follows one of `length` bytes, all of which have been read. */
  nextChunk(length: number): void {
    this.origin -= length;
    this.at = 0;
    this.#head.forget();
  }

  /**
   * Reads on from `at`.
   *
   * @throws ProxyError REQUEST_MALFORMED, its message being Redis's text behind "Protocol error: "
   */
  advance(chunk: Buffer): Found {
    if (this.#phase === P_NAME_ONLY) {
      this.#phase = P_START;
      return FOUND.end;
    }
    while (this.at < chunk.length) {
      let found: Found = FOUND.more;
      switch (this.#phase) {
        case P_START:
          found = this.#begin(chunk);
          break;
        case P_WORD:
          found = this.#readWords(chunk);
          break;
        case P_COUNT:
        case P_LENGTH:
          found = this.#readHeader(chunk);
          break;
        case P_BODY:
          found = this.#readBody(chunk);
          break;
        case P_BODY_CR:
          mend(chunk, this.at++, CR);
          this.#phase = P_BODY_LF;
          break;
        case P_BODY_LF:
          mend(chunk, this.at++, LF);
          found = this.#endWord();
          break;
        default:
          found = this.#readInline(chunk);
      }
      if (found !== FOUND.more) return found;
    }
    return FOUND.more;
  }

  #begin(chunk: Buffer): Found {
    this.origin = this.at;
    this.keepWords = false;
    this.mendSubcommand = false;
    this.bounds.clear();
    const sameLength = this.#head.lengthAt(chunk, this.at);
    this.isSameName = sameLength > 0;
    if (sameLength > 0) {
      this.at += sameLength;
      this.#word = 1;
      return this.#endName();
    }
    this.#head.forget();
    this.name = COMMON_NAME;
    this.nameLength = 0;
    this.wordCount = 0;
    this.#isNamed = false;
    if (chunk[this.at] !== STAR) {
      this.#line = 0;
      this.#phase = P_INLINE;
      return FOUND.more;
    }
    const plain = plainHeader(chunk, this.at);
    if (plain !== 0) {
      this.at += (plain & HEADER_LENGTH_MASK) + 2;
      mend(chunk, this.at - 1, LF);
      return this.#beginWords(plain >> HEADER_NUMBER_SHIFT);
    }
    this.#header.begin('*');
    this.#phase = P_COUNT;
    return FOUND.more;
  }

  #readHeader(chunk: Buffer): Found {
    const past = this.#header.read(chunk, this.at);
    this.at = past === -1 ? chunk.length : past;
    if (past === -1) return FOUND.more;
    const number = this.#header.value();
    return this.#phase === P_COUNT ? this.#beginWords(number) : this.#beginWord(number);
  }

  #beginWords(count: number): Found {
    if (count <= 0) {
      this.#phase = P_START;
      return FOUND.empty;
    }
    this.wordCount = count;
    this.#word = 0;
    this.#phase = P_WORD;
    return FOUND.more;
  }

  /** Reads words that lie whole in the chunk. The first other one takes the long way. */
  #readWords(chunk: Buffer): Found {
    const end = chunk.length;
    let word = this.#word;
    let at = this.at;
    while (at < end) {
      const plain = chunk[at] === DOLLAR ? plainHeader(chunk, at) : 0;
      const from = at + (plain & HEADER_LENGTH_MASK) + 2;
      const to = from + (plain >> HEADER_NUMBER_SHIFT);
      if (plain === 0 || to + 2 > end) {
        this.#header.begin('$');
        this.#phase = P_LENGTH;
        break;
      }
      mend(chunk, from - 1, LF);
      mend(chunk, to, CR);
      mend(chunk, to + 1, LF);
      if (this.keepWords) this.#keep(word, from, to);
      at = to + 2;
      word += 1;
      if (word === 1) {
        this.#word = 1;
        this.at = at;
        this.#readName(chunk, from, to);
        this.#head.keep(this.origin, at);
        return this.#endName();
      }
      if (word === 2 && this.mendSubcommand) mendNul(chunk, from, to);
      if (word === this.wordCount) {
        this.at = at;
        this.#phase = P_START;
        return FOUND.end;
      }
    }
    this.#word = word;
    this.at = at;
    return FOUND.more;
  }

  #beginWord(length: number): Found {
    if (this.keepWords) this.#keep(this.#word, this.at, this.at + length);
    this.wordLeft = length;
    if (this.#word === 0) this.name = new Uint8Array(NAME_MAX_BYTES);
    this.#phase = length === 0 ? P_BODY_CR : P_BODY;
    // No command has so long a name, and nobody need hold it to see which.
    const isUnknown = this.#word === 0 && length > NAME_MAX_BYTES;
    this.#isNamed = isUnknown;
    return isUnknown ? FOUND.name : FOUND.more;
  }

  #keep(word: number, start: number, end: number): void {
    this.bounds.keep(word, start - this.origin, end - this.origin);
  }

  #readBody(chunk: Buffer): Found {
    const from = this.at;
    const to = Math.min(from + this.wordLeft, chunk.length);
    if (this.#word === 0) this.#readName(chunk, from, to);
    else if (this.#word === 1 && this.mendSubcommand) mendNul(chunk, from, to);
    this.at = to;
    this.wordLeft -= to - from;
    if (this.wordLeft === 0) this.#phase = P_BODY_CR;
    return FOUND.more;
  }

  #readName(chunk: Buffer, from: number, to: number): void {
    const name = this.name;
    let at = this.nameLength;
    for (let index = from; index < to; index++) {
      const byte = chunk[index] as number;
      if (byte === 0) chunk[index] = 1;
      if (at < NAME_MAX_BYTES) name[at] = NAME_BYTE[byte] as number;
      at++;
    }
    this.nameLength = at;
  }

  /** The long way's end of a word. */
  #endWord(): Found {
    this.#word += 1;
    if (this.#word === 1 && !this.#isNamed) return this.#endName();
    const isLast = this.#word === this.wordCount;
    this.#phase = isLast ? P_START : P_WORD;
    return isLast ? FOUND.end : FOUND.more;
  }

  #endName(): Found {
    if (this.nameLength > NAME_MAX_BYTES) this.nameLength = 0;
    this.#phase = this.wordCount > 1 ? P_WORD : P_NAME_ONLY;
    return FOUND.name;
  }

  #readInline(chunk: Buffer): Found {
    const newline = chunk.indexOf(LF, this.at);
    const end = newline === -1 ? chunk.length : newline;
    this.#line += end - this.at;
    // Only the line is searched: to search the chunk for each line would take quadratic time.
    if (this.#line > LINE_MAX_BYTES || hasNul(chunk, this.at, end)) {
      throw malformed('too big inline request');
    }
    this.at = newline === -1 ? end : end + 1;
    if (newline === -1) return FOUND.more;
    this.#phase = P_START;
    return FOUND.inline;
  }
}
