const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;

/** So many digits always are a length within every limit, and a small integer to V8. */
const PLAIN_MAX_DIGITS = 9;

/**
 * Most of what a server sends are bulk strings that lie whole in the chunk: no state is needed.
 *
 * @param from index of the `$`
 * @returns the index behind the string's CR LF, or -1 where it takes the long way: cut by the
 *   chunk's end, null, of an unusual length, or broken
 */
export function pastWholeBulk(chunk: Uint8Array, from: number): number {
  const end = chunk.length;
  const digitsEnd = Math.min(from + 1 + PLAIN_MAX_DIGITS, end);
  let at = from + 1;
  let length = 0;
  for (; at < digitsEnd; at++) {
    const digit = (chunk[at] as number) - ZERO;
    if (digit < 0 || digit > 9) break;
    length = length * 10 + digit;
  }
  const past = at + length + 4;
  if (at === from + 1 || past > end) return -1;
  if (chunk[at] !== CR || chunk[at + 1] !== LF) return -1;
  return chunk[past - 2] === CR && chunk[past - 1] === LF ? past : -1;
}
