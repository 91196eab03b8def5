declare const keyBrand: unique symbol;

/**
 * A key's bytes as latin1 text: one character per byte, so that any byte survives and a lookup
 * stays a string lookup. Databases are not part of it, as in Redis's own tracking table.
 */
export type Key = string & { readonly [keyBrand]: true };

/** @returns the bytes `from` (inclusive) to `to` (exclusive) of `bytes` as a key */
export function keyAt(bytes: Buffer, from: number, to: number): Key {
  return bytes.toString('latin1', from, to) as Key;
}

/** @returns the key whose bytes are the characters of `text`, each 0x00 to 0xFF */
export function keyOf(text: string): Key {
  return text as Key;
}

const SPELT_MAX_BYTES = 1_024;
const SPELT = Buffer.allocUnsafeSlow(SPELT_MAX_BYTES);

/** @returns where the bytes of `key` are, from index 0 on; valid until the next call */
export function spelt(key: Key): Buffer {
  const { length } = key;
  if (length > SPELT_MAX_BYTES) return Buffer.from(key, 'latin1');
  for (let at = 0; at < length; at++) SPELT[at] = key.charCodeAt(at);
  return SPELT;
}
