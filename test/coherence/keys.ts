import type { Random } from '../simulation/random.ts';

/** Kinds of keys. A key keeps its kind for ever; its name begins with it. */
export const KINDS = [
  'string',
  'number',
  'list',
  'hash',
  'set',
  'zset',
  'stream',
  'bitmap',
  'hll',
  'geo',
] as const;

export type Kind = (typeof KINDS)[number];

/** How many keys there are of each kind, and how many of them are hot. */
const KEYS_OF_KIND = 10;
const HOT_KEYS_OF_KIND = 2;

/** @returns some key of a kind; `heat` is the share of requests that is for hot ones alone */
export function drawKey(random: Random, kind: Kind, heat: number): string {
  const count = random.chance(heat) ? HOT_KEYS_OF_KIND : KEYS_OF_KIND;
  return `${kind}:${random.below(count)}`;
}

/** @returns the key of the same kind that follows in a ring */
export function neighbour(key: string): string {
  const [kind, index] = key.split(':');
  return `${kind}:${(Number(index) + 1) % KEYS_OF_KIND}`;
}
