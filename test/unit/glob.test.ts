import { describe, expect, test } from 'vitest';
import { globMatches } from '../../src/glob.ts';

/** A pattern, what it stands for, and what it does not. Each agrees with KEYS of a real Redis. */
const ROWS: readonly {
  readonly pattern: string;
  readonly yes: readonly string[];
  readonly no: readonly string[];
}[] = [
  { pattern: '', yes: [''], no: ['a'] },
  { pattern: 'abc', yes: ['abc'], no: ['', 'ab', 'abcd', 'ABC'] },
  // Stars
  { pattern: '*', yes: ['', 'a', '*', 'a\r\nb'], no: [] },
  { pattern: '**', yes: ['a', 'abc'], no: [] },
  { pattern: 'a*', yes: ['a', 'ab', 'a*'], no: ['', 'ba'] },
  { pattern: '*a', yes: ['a', 'ba', 'aa'], no: ['', 'ab'] },
  { pattern: 'a*b*c', yes: ['abc', 'aXbXc', 'abbcc'], no: ['acb', 'ab', 'abcd'] },
  { pattern: '*ab', yes: ['ab', 'aab', 'abab'], no: ['aba', 'b'] },
  { pattern: 'a***b', yes: ['ab', 'axb'], no: ['a', 'abx'] },
  // Any one character
  { pattern: '?', yes: ['a', '?', '*'], no: ['', 'ab'] },
  { pattern: 'a?c', yes: ['abc', 'a?c'], no: ['ac', 'abbc'] },
  { pattern: '?*', yes: ['a', 'ab'], no: [''] },
  { pattern: '*?', yes: ['a', 'ab'], no: [''] },
  // A backslash takes away any meaning
  { pattern: 'a\\*', yes: ['a*'], no: ['ab', 'a\\', 'a\\*'] },
  { pattern: '\\?', yes: ['?'], no: ['a', '\\?'] },
  { pattern: '\\[a]', yes: ['[a]'], no: ['a'] },
  { pattern: '\\a', yes: ['a'], no: ['\\a'] },
  { pattern: '\\\\', yes: ['\\'], no: ['\\\\'] },
  { pattern: 'a\\', yes: ['a\\'], no: ['a', 'a\\\\'] },
  // Classes
  { pattern: '[abc]', yes: ['a', 'b', 'c'], no: ['', 'd', 'ab', '['] },
  { pattern: 'h[ae]llo', yes: ['hallo', 'hello'], no: ['hillo', 'hllo'] },
  { pattern: 'h[^e]llo', yes: ['hallo', 'h^llo'], no: ['hello', 'hllo'] },
  { pattern: '[a-c]', yes: ['a', 'b', 'c'], no: ['d', '-'] },
  { pattern: '[c-a]', yes: ['a', 'b', 'c'], no: ['d', '-'] },
  { pattern: '[a-c0-2]', yes: ['b', '1'], no: ['3', '-'] },
  { pattern: '[^a-c]', yes: ['d', '-', '^'], no: ['a', 'b'] },
  { pattern: '[-a]', yes: ['-', 'a'], no: ['b'] },
  { pattern: '[a^]', yes: ['a', '^'], no: ['b'] },
  { pattern: '[*?]', yes: ['*', '?'], no: ['a'] },
  { pattern: '[\\]]', yes: [']'], no: ['\\', '\\]'] },
  { pattern: '[\\-a]', yes: ['-', 'a'], no: ['\\', 'b'] },
  { pattern: '[]', yes: [], no: ['', ']', '[', '[]'] },
  { pattern: '[^]', yes: ['a', ']', '^'], no: ['', 'ab'] },
  { pattern: '[]a]', yes: [], no: ['a', ']', 'a]'] },
  // A range as any other: up to `]`, and then the class goes on.
  { pattern: '[a-]', yes: ['a', '^', ']'], no: ['b', '-', '['] },
  { pattern: '[a-]x]', yes: ['x', '_'], no: ['y', 'ax]'] },
  { pattern: '*[ab]', yes: ['a', 'xb', 'ab'], no: ['', 'ax'] },
  { pattern: '[ab]*', yes: ['a', 'bx'], no: ['', 'xa'] },
  // Classes that are not closed
  { pattern: '[ab', yes: ['a', 'b'], no: ['[', '[ab', 'ab', 'c'] },
  { pattern: '[^ab', yes: ['c', '['], no: ['a', 'b', ''] },
  { pattern: '[a-c', yes: ['a', 'b', 'c'], no: ['-', 'd'] },
  { pattern: '[', yes: [], no: ['', '[', 'a'] },
  // Bytes
  { pattern: '[\x80-\xff]', yes: ['\x80', '\xe9', '\xff'], no: ['\x7f'] },
  { pattern: '\xc3?', yes: ['\xc3\xa9'], no: ['\xe9'] },
];

describe('a pattern', () => {
  test.for(ROWS)('$pattern', ({ pattern, yes, no }) => {
    expect(yes.filter((text) => !globMatches(pattern, text))).toEqual([]);
    expect(no.filter((text) => globMatches(pattern, text))).toEqual([]);
  });

  test.for([
    { name: 'one star after the other', pattern: '*a'.repeat(30), text: 'a'.repeat(20_000) },
    { name: 'stars that hardly fail', pattern: `${'a*'.repeat(200)}b`, text: 'a'.repeat(20_000) },
    { name: 'nothing but stars', pattern: '*'.repeat(20_000), text: 'a'.repeat(20_000) },
  ])('of $name is matched in no time', ({ pattern, text }) => {
    const from = performance.now();
    globMatches(pattern, text);
    expect(performance.now() - from).toBeLessThan(500);
  });
});
