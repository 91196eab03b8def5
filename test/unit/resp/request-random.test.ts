import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NAME_MAX_BYTES } from '../../../src/resp/name.ts';
import { cut } from '../../helpers/resp.ts';
import { bytesOf, scanRequests, slowScanRequests } from '../../helpers/scan.ts';

const LONG_NAME = 'N'.repeat(NAME_MAX_BYTES);

const byte = fc.integer({ min: 0, max: 255 }).map((value) => String.fromCharCode(value));
const word = fc.string({ unit: byte, maxLength: 12 });
const name = fc.oneof(
  word,
  fc.constantFrom('GET', 'get', 'Client', 'X\0Y', LONG_NAME, `${LONG_NAME}x`),
);
const odd = fc.oneof(
  { weight: 6, arbitrary: fc.constant('\r\n') },
  fc.string({ unit: byte, minLength: 2, maxLength: 2 }),
);

/** A request of words, now and then with other bytes where CR LF belong, as servers take them. */
const wordsText = fc
  .tuple(fc.array(word, { maxLength: 4 }), name, fc.array(odd, { minLength: 12, maxLength: 12 }))
  .map(([rest, first, ends]) => {
    const all = [first, ...rest];
    const parts = all.map((text, index) => {
      const lf = (ends[index] ?? '\n').slice(-1);
      return `$${text.length}\r${lf}${text}${ends[index + 6]}`;
    });
    return `*${all.length}\r${(ends[5] ?? '\n').slice(-1)}${parts.join('')}`;
  });
const inlineText = fc
  .tuple(word, fc.constantFrom('\r\n', '\n'))
  .map(([line, end]) => `${line.replace(/[\0\n]/g, ' ').replace(/^\*/, 'x')}${end}`);
const emptyText = fc.constantFrom('*0\r\n', '*-1\r\n', '*-77\rx');
const pipeline = fc.array(fc.oneof({ weight: 4, arbitrary: wordsText }, inlineText, emptyText), {
  maxLength: 8,
});
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });

describe('random requests at random cuts', () => {
  test('are read as the slow parser reads them', () => {
    fc.assert(
      fc.property(pipeline, sizes, fc.boolean(), (texts, pieceSizes, mendSubcommand) => {
        const bytes = bytesOf(texts.join(''));
        const expected = slowScanRequests(bytes, { mendSubcommand });
        expect(expected.requests).toHaveLength(texts.length);
        expect(scanRequests(cut(bytes, [bytes.length]), { mendSubcommand })).toEqual(expected);
        expect(scanRequests(cut(bytes, pieceSizes), { mendSubcommand })).toEqual(expected);
      }),
      { numRuns: 120 },
    );
  });

  test('and mended are read alike once more, and not mended again', () => {
    fc.assert(
      fc.property(pipeline, sizes, (texts, pieceSizes) => {
        const first = scanRequests([bytesOf(texts.join(''))]);
        const mended = bytesOf(first.requests.map(({ bytes }) => bytes).join(''));
        expect(scanRequests(cut(mended, pieceSizes))).toEqual(first);
      }),
      { numRuns: 50 },
    );
  });

  test('and garbage are read, or refused, as the slow parser does', () => {
    const piece = fc.constantFrom(
      ...'*$-+012459\r\n\0 aP'.split(''),
      '*1\r\n',
      '*2\r\n$1\r\na\r\n',
      '$1\r\n',
      '\r\n',
    );
    const garbage = fc.array(piece, { maxLength: 40 }).map((parts) => bytesOf(parts.join('')));
    fc.assert(
      fc.property(garbage, sizes, (bytes, pieceSizes) => {
        const expected = slowScanRequests(bytes);
        expect(scanRequests(cut(bytes, [bytes.length]))).toEqual(expected);
        expect(scanRequests(cut(bytes, pieceSizes))).toEqual(expected);
      }),
      { numRuns: 400 },
    );
  });
});
