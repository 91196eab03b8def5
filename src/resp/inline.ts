const SPACES: ReadonlySet<number> = new Set([0x20, 0x0d, 0x0a, 0x09, 0x00]);
// Skipped before a word, as C's isspace does, but part of a word once it has begun.
const SKIPPED: ReadonlySet<number> = new Set([...SPACES, 0x0b, 0x0c]);
const ESCAPES = new Map([
  [0x6e, 0x0a], // \n
  [0x72, 0x0d], // \r
  [0x74, 0x09], // \t
  [0x62, 0x08], // \b
  [0x61, 0x07], // \a
]);
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const BACKSLASH = 0x5c;

/**
 * Splits an inline request (as typed into telnet) into words, with the quoting rules of Redis's
 * `sdssplitargs`: `"..."` knows \xHH, \n, \r, \t, \b, \a and \ before any other byte; `'...'` knows
 * only \'; behind a closing quote a blank or the end must follow.
 *
 * @param line the request without its line end
 * @returns the words, possibly none, or undefined where quotes are unbalanced
 */
export function splitInline(line: Buffer): Buffer[] | undefined {
  const words: Buffer[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && SKIPPED.has(line[at] as number)) at++;
    if (at >= line.length) return words;
    const word: number[] = [];
    const end = readWord(line, at, word);
    if (end === -1) return undefined;
    words.push(Buffer.from(word));
    at = end;
  }
}

/** @returns the index behind the word that begins at `from`, or -1 where its quotes are unbalanced */
function readWord(line: Buffer, from: number, word: number[]): number {
  let at = from;
  while (at < line.length && !SPACES.has(line[at] as number)) {
    const byte = line[at] as number;
    if (byte === QUOTE || byte === APOSTROPHE) {
      const end = byte === QUOTE ? readQuoted(line, at + 1, word) : readRaw(line, at + 1, word);
      const closed = end !== -1 && (end >= line.length || SKIPPED.has(line[end] as number));
      return closed ? end : -1;
    }
    word.push(byte);
    at += 1;
  }
  return at;
}

function readQuoted(line: Buffer, from: number, word: number[]): number {
  let at = from;
  while (at < line.length) {
    const byte = line[at] as number;
    if (byte === QUOTE) return at + 1;
    if (byte !== BACKSLASH || at + 1 >= line.length) {
      word.push(byte);
      at += 1;
      continue;
    }
    const hex = line.toString('latin1', at + 1, at + 4);
    if (/^x[0-9a-fA-F]{2}$/.test(hex)) {
      word.push(Number.parseInt(hex.slice(1), 16));
      at += 4;
    } else {
      const escaped = line[at + 1] as number;
      word.push(ESCAPES.get(escaped) ?? escaped);
      at += 2;
    }
  }
  return -1;
}

function readRaw(line: Buffer, from: number, word: number[]): number {
  let at = from;
  while (at < line.length) {
    const byte = line[at] as number;
    if (byte === APOSTROPHE) return at + 1;
    if (byte === BACKSLASH && line[at + 1] === APOSTROPHE) at += 1;
    word.push(line[at] as number);
    at += 1;
  }
  return -1;
}

/** @param line ends with LF, or CR LF; @returns it without that */
export function trimLineEnd(line: Buffer): Buffer {
  const end = line.length - 1; // the LF
  return line.subarray(0, end > 0 && line[end - 1] === 0x0d ? end - 1 : end);
}
