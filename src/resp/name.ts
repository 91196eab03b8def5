/** A longer command name is no command's name, in bytes. Source: the longest of Redis 8 has 20. */
export const NAME_MAX_BYTES = 64;

/** Where all scanners put the name that was read last, but for one that came in pieces. */
export const COMMON_NAME = new Uint8Array(NAME_MAX_BYTES);

/** What a byte of a name is compared as: letters in lower case, and 0x01 for NUL. */
export const NAME_BYTE = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) NAME_BYTE[byte] = byte;
for (let byte = 0x41; byte <= 0x5a; byte++) NAME_BYTE[byte] = byte | 0x20;
NAME_BYTE[0] = 1;

/** Replaces each NUL from `from` (inclusive) to `to` (exclusive) by 0x01, in the chunk itself. */
export function mendNul(chunk: Buffer, from: number, to: number): void {
  for (let at = from; at < to; at++) if (chunk[at] === 0) chunk[at] = 1;
}

/** @returns whether a NUL stands from `from` (inclusive) to `to` (exclusive) */
export function hasNul(chunk: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (chunk[at] === 0) return true;
  return false;
}
