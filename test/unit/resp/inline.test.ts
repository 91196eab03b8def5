import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitInline } from '../../../src/resp/inline.ts';

function split(line: string): string[] | undefined {
  return splitInline(Buffer.from(line, 'latin1'))?.map((word) => word.toString('latin1'));
}

const ROWS = [
  { name: 'nothing', line: '', words: [] },
  { name: 'blanks only', line: ' \t\r\n\v\f ', words: [] },
  { name: 'one word', line: 'PING', words: ['PING'] },
  { name: 'words between blanks', line: '  GET \t k  ', words: ['GET', 'k'] },
  { name: 'CR ends a word', line: 'ECHO\ra', words: ['ECHO', 'a'] },
  { name: 'LF ends a word', line: 'ECHO\na', words: ['ECHO', 'a'] },
  { name: 'NUL ends a word', line: 'ECHO\0a', words: ['ECHO', 'a'] },
  { name: 'a second CR before the line end', line: 'PING\r', words: ['PING'] },
  { name: 'vertical tab inside a word', line: 'a\vb', words: ['a\vb'] },
  { name: 'form feed inside a word', line: 'a\fb', words: ['a\fb'] },
  { name: 'vertical tab and form feed before a word', line: 'a \v\fb', words: ['a', 'b'] },
  { name: 'high bytes', line: '\x85 \xa0\xff', words: ['\x85', '\xa0\xff'] },
  { name: 'a backslash outside quotes', line: 'a\\n \\', words: ['a\\n', '\\'] },
  { name: 'double quotes', line: '"a b"', words: ['a b'] },
  { name: 'empty double quotes', line: 'SET k ""', words: ['SET', 'k', ''] },
  { name: 'double quotes inside a word', line: 'PI"NG" a"b c"', words: ['PING', 'ab c'] },
  { name: 'hex escapes', line: '"\\x41\\xfF\\x00"', words: ['A\xff\0'] },
  { name: 'hex escapes that are none', line: '"\\x4 \\xg1 \\x"', words: ['x4 xg1 x'] },
  { name: 'a hex escape in capitals is none', line: '"\\X41"', words: ['X41'] },
  { name: 'control escapes', line: '"\\n\\r\\t\\b\\a"', words: ['\n\r\t\b\x07'] },
  { name: 'other escapes', line: '"\\"\\\\\\q\\\'"', words: ['"\\q\''] },
  { name: 'an apostrophe in double quotes', line: `"it's"`, words: ["it's"] },
  { name: 'single quotes', line: "'a b'", words: ['a b'] },
  { name: 'empty single quotes', line: "''", words: [''] },
  { name: 'single quotes inside a word', line: "a'b c'", words: ['ab c'] },
  { name: 'the escape of single quotes', line: "'it\\'s'", words: ["it's"] },
  { name: 'no other escape in single quotes', line: "'\\n\\x41\\\\ '", words: ['\\n\\x41\\\\ '] },
  { name: 'a double quote in single quotes', line: `'"'`, words: ['"'] },
  { name: 'line ends in quotes', line: '"a\r\nb" \'\r\n\'', words: ['a\r\nb', '\r\n'] },
  { name: 'any blank behind a quote', line: '"a"\v"b"\t\'c\'\r', words: ['a', 'b', 'c'] },
  { name: 'a letter behind a double quote', line: '"a"b', words: undefined },
  { name: 'a letter behind a single quote', line: "'a'b", words: undefined },
  { name: 'a quote behind a quote', line: '"a""b"', words: undefined },
  { name: 'a single behind a double quote', line: `"a"'b'`, words: undefined },
  { name: 'a letter behind a quote inside a word', line: '"PI"NG', words: undefined },
  { name: 'an open double quote', line: 'a "b', words: undefined },
  { name: 'an open single quote', line: "a 'b", words: undefined },
  { name: 'a lone quote', line: '"', words: undefined },
  { name: 'an escaped closing quote', line: '"a\\"', words: undefined },
  { name: 'an escaped closing apostrophe', line: "'a\\'", words: undefined },
  { name: 'a backslash at the end', line: '"a\\', words: undefined },
] as const;

const byte = fc.integer({ min: 0, max: 255 }).map((value) => String.fromCharCode(value));
const HOW = ['bare', 'double', 'single', 'hex', 'inside'] as const;

/** A word with how to quote it, and the blanks behind it. */
const quoted = fc.tuple(
  fc.string({ unit: byte, maxLength: 10 }),
  fc.constantFrom(...HOW),
  fc.constantFrom(' ', '\t', '\r', '  ', ' \v', '\n'),
);

function hexEscape(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

function quote(word: string, how: (typeof HOW)[number]): string {
  const double = `"${word.replace(/["\\]/g, '\\$&')}"`;
  switch (how) {
    case 'double':
      return double;
    case 'hex':
      return `"${[...word].map(hexEscape).join('')}"`;
    case 'single':
      // A backslash before the closing quote, or before an apostrophe, cannot be told in these.
      return /\\(?:$|')/.test(word) ? double : `'${word.replaceAll("'", "\\'")}'`;
    case 'bare':
      return /^[^\s\0"']+$/.test(word) ? word : double;
    case 'inside':
      return /^[^\s\0"'\v\f]/.test(word)
        ? `${word.charAt(0)}${quote(word.slice(1), 'hex')}`
        : double;
  }
}

describe('an inline request', () => {
  test.for(ROWS)('with $name', ({ line, words }) => {
    expect(split(line)).toEqual(words);
  });

  test('gives back the words that were quoted into it', () => {
    fc.assert(
      fc.property(fc.array(quoted, { maxLength: 6 }), (words) => {
        const line = words.map(([word, how, blanks]) => quote(word, how) + blanks).join('');
        expect(split(line)).toEqual(words.map(([word]) => word));
      }),
      { numRuns: 300 },
    );
  });

  test('of any bytes is split or refused', () => {
    const unit = fc.constantFrom(...'ab"\'\\x4 \t\r\n\0'.split(''));
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 30 }), (line) => {
        const words = split(line);
        if (!/["']/.test(line)) expect(words).toEqual(line.split(/[ \t\r\n\0]/).filter((w) => w));
      }),
      { numRuns: 300 },
    );
  });
});
