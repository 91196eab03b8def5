import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Key, keyOf } from '../../../src/key.ts';
import { KeyIndex, SHORT_MAX_BYTES } from '../../../src/tracking/key-index.ts';
import { ReaderLists } from '../../../src/tracking/reader-lists.ts';
import { COEFFICIENTS } from '../../helpers/coefficients.ts';

/** Looks for a key that lies amid other bytes. */
function find(index: KeyIndex, key: Key): number {
  const bytes = Buffer.from(`<${key}>`, 'latin1');
  return index.find(bytes, 1, bytes.length - 1);
}

function add(index: KeyIndex, key: Key): number {
  const bytes = Buffer.from(`<${key}>`, 'latin1');
  return index.add(bytes, 1, bytes.length - 1, 0);
}

describe('an index of keys', () => {
  test('tells keys apart that look alike', () => {
    const index = new KeyIndex(COEFFICIENTS);
    const keys = ['', '\0', '\0\0', 'a', 'a\0', 'ab', 'ba', 'ÿ', 'a'.repeat(SHORT_MAX_BYTES)].map(
      keyOf,
    );
    const long = ['b', 'c'].map((letter) => keyOf(letter.repeat(SHORT_MAX_BYTES + 1)));
    const entries = [...keys, ...long].map((key) => {
      expect(find(index, key)).toBe(-1);
      return add(index, key);
    });
    expect(new Set(entries).size).toBe(index.size);
    for (const [at, key] of [...keys, ...long].entries()) {
      expect(find(index, key)).toBe(entries[at]);
      expect(index.textOf(entries[at] as number)).toBe(key);
    }
  });

  test('does what a map does, however keys come and go', () => {
    const keys = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }).map(String) },
      {
        weight: 2,
        arbitrary: fc.integer({ min: 0, max: 60 }).map((size) => 'x'.repeat(size * 20)),
      },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(keys, fc.boolean()), { maxLength: 600 }), (steps) => {
        const index = new KeyIndex(COEFFICIENTS);
        const model = new Map<Key, number>();
        for (const [text, stays] of steps) {
          const key = keyOf(text);
          const entry = model.get(key);
          expect(find(index, key)).toBe(entry ?? -1);
          if (entry === undefined) model.set(key, add(index, key));
          else if (!stays) {
            index.remove(entry);
            model.delete(key);
          }
        }
        expect(index.size).toBe(model.size);
        for (const [key, entry] of model) {
          expect([index.isUsed(entry), index.textOf(entry)]).toEqual([true, key]);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('uses again what was given back', () => {
    const index = new KeyIndex(COEFFICIENTS);
    for (let round = 0; round < 50; round++) {
      const entries = Array.from({ length: 1_000 }, (_, n) => {
        const key = keyOf(`key:${round}:${n}`);
        find(index, key);
        return add(index, key);
      });
      for (const entry of entries) index.remove(entry);
    }
    expect([index.size, index.end]).toEqual([0, 1_000]);
  });
});

describe('lists of readers', () => {
  test('do what sets do, of whatever length', () => {
    const steps = fc.array(
      fc.tuple(
        fc.integer({ min: 0, max: 3 }),
        fc.oneof(fc.integer({ min: 0, max: 150 }), fc.integer({ min: 65_530, max: 65_540 })),
        fc.boolean(),
      ),
      { maxLength: 1_500 },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const lists = new ReaderLists();
        const model = Array.from({ length: 4 }, () => new Set([0, 1]));
        const codes = model.map(() => lists.create(0, 1));
        for (const [which, value, stays] of list) {
          const code = codes[which] as number;
          if (stays) {
            codes[which] = lists.add(code, value);
            model[which]?.add(value);
          } else {
            expect(lists.delete(code, value)).toBe(model[which]?.delete(value));
          }
          if (model[which]?.size === 0) {
            lists.free(codes[which] as number);
            codes[which] = lists.create(0, 1);
            model[which] = new Set([0, 1]);
          }
        }
        for (const [which, values] of model.entries()) {
          const code = codes[which] as number;
          expect(lists.lengthOf(code)).toBe(values.size);
          expect([...lists.valuesOf(code)].sort()).toEqual([...values].sort());
        }
      }),
      { numRuns: 60 },
    );
  });
});
