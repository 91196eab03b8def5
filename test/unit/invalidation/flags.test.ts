import { describe, expect, test } from 'vitest';
import { missingFlags } from '../../../src/invalidation/flags.ts';

const ROWS: readonly { set: string; version: number | undefined; missing: string }[] = [
  { set: '', version: undefined, missing: 'KA' },
  { set: '', version: 700, missing: 'KA' },
  { set: 'KA', version: 700, missing: '' },
  { set: 'AK', version: undefined, missing: '' },
  { set: 'AKE', version: 208, missing: '' },
  { set: 'A', version: 700, missing: 'K' },
  { set: 'AE', version: 700, missing: 'K' },
  { set: 'K', version: 700, missing: 'A' },
  { set: 'E', version: 700, missing: 'KA' },
  { set: 'Ex', version: 700, missing: 'KA' },
  { set: 'KEA', version: 800, missing: '' },
  // All classes one by one: what belongs to A has grown with the versions.
  { set: 'g$lshzxeK', version: undefined, missing: '' },
  { set: 'g$lshzxeK', version: 208, missing: '' },
  { set: 'g$lshzxeK', version: 400, missing: '' },
  { set: 'g$lshzxeK', version: 500, missing: 'A' },
  { set: 'g$lshzxetK', version: 500, missing: '' },
  { set: 'g$lshzxetK', version: 600, missing: '' },
  { set: 'g$lshzxetK', version: 602, missing: 'A' },
  { set: 'g$lshzxetdK', version: 602, missing: '' },
  { set: 'g$lshzxetd', version: 704, missing: 'K' },
  // These are beyond A and needed by nobody here; they do not stand for it either.
  { set: 'Kmn', version: 700, missing: 'A' },
  { set: 'AKmn', version: 700, missing: '' },
];

describe('the flags that notifications lack', () => {
  test.for(ROWS)('in $set of version $version are "$missing"', ({ set, version, missing }) => {
    expect(missingFlags(set, version)).toBe(missing);
    expect(missingFlags(set + missing, version)).toBe('');
  });

  test.for([...'g$lshzxetd'])('include all where %s is missing', (flag) => {
    expect(missingFlags('Kg$lshzxetd'.replace(flag, ''), 704)).toBe('A');
  });
});
