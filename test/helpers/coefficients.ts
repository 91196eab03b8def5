import { COEFFICIENT_COUNT } from '../../src/tracking/key-index.ts';

/** Numbers for a tracking table that look random and are the same in each run. Source: xorshift. */
export const COEFFICIENTS = Int32Array.from(
  (function* numbers() {
    let state = 0x9e37_79b9;
    for (let count = 0; count < COEFFICIENT_COUNT; count++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      yield state | 0;
    }
  })(),
);
