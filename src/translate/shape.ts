/**
 * How one value of RESP2 is written in RESP3. Whatever the shape, null strings and null arrays
 * become the one null of RESP3, errors stay errors, and a value of another type than the shape is
 * for passes as it is.
 *
 * - `plain`: nothing else changes, at any depth
 * - `line`: a bulk string that is a number becomes a line that begins with `mark`
 * - `boolean`: `:1` and `:0` become `#t` and `#f`
 * - `verbatim`: a bulk string becomes a verbatim one of plain text
 * - `fixed`: a bulk string becomes `reply`
 */
export type Shape =
  | { readonly kind: 'plain' }
  | { readonly kind: 'line'; readonly mark: ',' | '(' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'verbatim' }
  | { readonly kind: 'fixed'; readonly reply: string }
  | Aggregate;

/**
 * An array, and what it turns into:
 *
 * - `array`, `set`, `push`: the same elements
 * - `list`: an array that is a set when it is empty; only COMMAND has it
 * - `map`: keys and values in turn become a map. An odd number of them is no such list: it passes
 * - `pairs`: the same list becomes an array of arrays of two
 * - `entries`: an array of arrays of two becomes a map; its elements must have `nothing`
 * - `nothing`: two elements that stand there without a header
 */
export interface Aggregate {
  readonly kind: 'aggregate';
  readonly becomes: 'array' | 'set' | 'push' | 'list' | 'map' | 'pairs' | 'entries' | 'nothing';
  /** Whether `of` wants to know the key before a value: in a map whose values differ by key. */
  readonly named: boolean;
  /**
   * @param index of the element in the array of RESP2
   * @param name  the key before it, where that is wanted, not too long, and a bulk string; else ''
   * @returns the element's shape
   */
  readonly of: (index: number, name: string) => Shape;
}

/** What most values are. */
export const PLAIN: Shape = { kind: 'plain' };
/** A score, or whatever else a server holds as a floating point number. */
export const DOUBLE: Shape = { kind: 'line', mark: ',' };
export const BIG_NUMBER: Shape = { kind: 'line', mark: '(' };
export const BOOLEAN: Shape = { kind: 'boolean' };
/** Text for people. */
export const VERBATIM: Shape = { kind: 'verbatim' };

/** @param reply what stands in place of a string, whole; '' if nothing does */
export function fixed(reply: string): Shape {
  return { kind: 'fixed', reply };
}

function aggregate(becomes: Aggregate['becomes'], of: Aggregate['of'], named = false): Aggregate {
  return { kind: 'aggregate', becomes, of, named };
}

export function array(element: Shape): Shape {
  return aggregate('array', () => element);
}

/** An array whose elements differ by their place; those beyond the last that is given are plain. */
export function tuple(...elements: readonly Shape[]): Shape {
  return aggregate('array', (index) => elements[index] ?? PLAIN);
}

/** As `tuple`, for elements that can only be told by a function. */
export function tupleBy(element: (index: number) => Shape): Shape {
  return aggregate('array', element);
}

export function set(element: Shape): Shape {
  return aggregate('set', () => element);
}

/** What servers write a command's subcommands as: an array, but for none an empty set. */
export function list(element: Shape): Shape {
  return aggregate('list', () => element);
}

/** A map whose values are all alike. */
export function map(value: Shape): Shape {
  return aggregate('map', (index) => (index % 2 === 0 ? PLAIN : value));
}

/** A map whose values differ by key; those that are not named are plain. */
export function record(fields: Readonly<Record<string, Shape>>): Shape {
  const byName = new Map(Object.entries(fields));
  return recordBy((name) => byName.get(name) ?? PLAIN);
}

/** As `record`, for values that can only be told by a function. */
export function recordBy(field: (name: string) => Shape): Shape {
  return aggregate('map', (index, name) => (index % 2 === 0 ? PLAIN : field(name)), true);
}

/** `[a, 1, b, 2]` becomes `[[a, 1], [b, 2]]`. */
export function pairs(second: Shape): Shape {
  return aggregate('pairs', (index) => (index % 2 === 0 ? PLAIN : second));
}

/** `[[a, x], [b, y]]` becomes the map of a to x and b to y. */
export function entries(value: Shape): Shape {
  const entry = bare(PLAIN, value);
  return aggregate('entries', () => entry);
}

/** An array of two, of which only the elements remain. */
export function bare(first: Shape, second: Shape): Shape {
  return aggregate('nothing', (index) => (index === 0 ? first : second));
}

/** What pub/sub sends: messages, and confirmations of subscriptions. */
export const PUSH: Shape = aggregate('push', () => PLAIN);

/**
 * @param count of elements in RESP2
 * @returns the header in RESP3; undefined where so many elements can't be such an aggregate
 */
export function headerOf({ becomes }: Aggregate, count: number): string | undefined {
  switch (becomes) {
    case 'array':
      return `*${count}\r\n`;
    case 'list':
      return count === 0 ? '~0\r\n' : `*${count}\r\n`;
    case 'set':
      return `~${count}\r\n`;
    case 'push':
      return `>${count}\r\n`;
    case 'entries':
      return `%${count}\r\n`;
    case 'map':
      return count % 2 === 0 ? `%${count / 2}\r\n` : undefined;
    case 'pairs':
      return count % 2 === 0 ? `*${count / 2}\r\n` : undefined;
    case 'nothing':
      return count === 2 ? '' : undefined;
  }
}
