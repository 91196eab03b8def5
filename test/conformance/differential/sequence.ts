import fc from 'fast-check';

/** The clients of a sequence. */
export const NAMES = ['a', 'b', 'c'] as const;
export type Name = (typeof NAMES)[number];

/** What one client sends in one piece. */
export interface Piece {
  readonly client: Name;
  /** Lines as `wordsOf` reads them; `$b` stands for the id of client b. */
  readonly lines: readonly string[];
}

export interface Sequence {
  readonly protocols: Readonly<Record<Name, 2 | 3>>;
  readonly pieces: readonly Piece[];
  /** Clients speak without waiting until what the others have changed is known everywhere. */
  readonly rush: boolean;
}

const KEYS = ['a1', 'a2', 'b1', 'c'] as const;
const LIST = 'l';

/** All that sequences read and write. */
export const ALL_KEYS: readonly string[] = [...KEYS, LIST];

const key = fc.constantFrom(...KEYS);
const value = fc.nat({ max: 9 }).map(String);
const name = fc.constantFrom(...NAMES);

/** A script that writes its key and reads it back. */
export const SET_AND_GET = "redis.call('set', KEYS[1], ARGV[1]) return redis.call('get', KEYS[1])";

const read = fc.oneof(
  { weight: 8, arbitrary: key.map((k) => `GET ${k}`) },
  { weight: 2, arbitrary: fc.tuple(key, key).map(([k, l]) => `MGET ${k} ${l}`) },
  { weight: 1, arbitrary: key.map((k) => `EXISTS ${k}`) },
  { weight: 1, arbitrary: fc.constantFrom(`LRANGE ${LIST} 0 -1`, `LLEN ${LIST}`) },
  { weight: 1, arbitrary: key.map((k) => `EVAL "return redis.call('get', KEYS[1])" 1 ${k}`) },
);

const write = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(key, value).map(([k, v]) => `SET ${k} ${v}`) },
  { weight: 1, arbitrary: fc.tuple(key, value).map(([k, v]) => `SET ${k} ${v} EX 1000`) },
  { weight: 1, arbitrary: fc.tuple(key, value).map(([k, v]) => `SET ${k} ${v} NX`) },
  { weight: 1, arbitrary: key.map((k) => `DEL ${k}`) },
  { weight: 1, arbitrary: key.map((k) => `GETDEL ${k}`) },
  { weight: 1, arbitrary: key.map((k) => `INCR ${k}`) },
  {
    weight: 1,
    arbitrary: fc.tuple(key, key, value).map(([k, l, v]) => `MSET ${k} ${v} ${l} ${v}`),
  },
  { weight: 1, arbitrary: fc.tuple(key, key).map(([k, l]) => `RENAME ${k} ${l}`) },
  { weight: 1, arbitrary: fc.tuple(key, key).map(([k, l]) => `COPY ${k} ${l} REPLACE`) },
  { weight: 2, arbitrary: fc.constantFrom(`RPUSH ${LIST} x`, `LPOP ${LIST}`) },
  {
    weight: 1,
    arbitrary: fc.tuple(key, value).map(([k, v]) => `EVAL "${SET_AND_GET}" 1 ${k} ${v}`),
  },
);

const option = fc.oneof(
  { weight: 3, arbitrary: fc.constant('NOLOOP') },
  { weight: 2, arbitrary: fc.constantFrom('OPTIN', 'OPTOUT') },
  { weight: 3, arbitrary: name.map((target) => `REDIRECT $${target}`) },
);

/** Two prefixes at most: with three, Redis may give two replies to one command. */
const prefixes = fc.oneof(
  { weight: 2, arbitrary: fc.constant('') },
  { weight: 3, arbitrary: fc.constantFrom(' PREFIX a', ' PREFIX b', ' PREFIX a PREFIX b') },
  { weight: 1, arbitrary: fc.constantFrom(' PREFIX ""', ' PREFIX a PREFIX a1', ' PREFIX a1') },
);

const on = fc
  .tuple(
    fc.uniqueArray(option, { maxLength: 2 }),
    fc.option(
      prefixes.map((words) => `BCAST${words}`),
      { freq: 2, nil: '' },
    ),
  )
  .map(([options, bcast]) => ['CLIENT TRACKING ON', ...options, bcast].join(' ').trimEnd());

const tracking = fc.oneof(
  { weight: 6, arbitrary: on },
  { weight: 1, arbitrary: fc.constant('CLIENT TRACKING OFF') },
  { weight: 3, arbitrary: fc.constantFrom('CLIENT CACHING YES', 'CLIENT CACHING NO') },
  { weight: 2, arbitrary: fc.constantFrom('CLIENT TRACKINGINFO', 'CLIENT GETREDIR') },
);

const other = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom('HELLO 3', 'HELLO 2') },
  { weight: 2, arbitrary: fc.constantFrom('SUBSCRIBE x', 'SUBSCRIBE x', 'UNSUBSCRIBE x') },
  { weight: 1, arbitrary: fc.constantFrom('FLUSHALL', 'RESET', 'PING', 'NOSUCH') },
  { weight: 1, arbitrary: fc.constantFrom('WATCH c', 'UNWATCH', 'CLIENT NOSUCH', 'GET') },
  { weight: 1, arbitrary: fc.constant('QUIT') },
);

const plain = fc.oneof(
  { weight: 10, arbitrary: read },
  { weight: 8, arbitrary: write },
  { weight: 6, arbitrary: tracking },
);

const transaction = fc
  .tuple(
    fc.array(plain, { minLength: 1, maxLength: 4 }),
    fc.constantFrom('EXEC', 'EXEC', 'EXEC', 'DISCARD'),
  )
  .map(([lines, end]) => ['MULTI', ...lines, end]);

const lines = fc.oneof(
  { weight: 10, arbitrary: fc.array(plain, { minLength: 1, maxLength: 4 }) },
  { weight: 2, arbitrary: transaction },
  {
    weight: 1,
    arbitrary: fc.tuple(tracking, transaction).map(([first, rest]) => [first, ...rest]),
  },
  { weight: 2, arbitrary: other.map((line) => [line]) },
);

/** Sequences begin with somebody tracking: without it nothing is to be seen. */
const first = fc.record({ client: name, lines: on.map((line) => [line]) });

export const sequence: fc.Arbitrary<Sequence> = fc
  .record({
    protocols: fc.record({
      a: fc.constantFrom<2 | 3>(3, 3, 2),
      b: fc.constantFrom<2 | 3>(3, 3, 2),
      c: fc.constantFrom<2 | 3>(3, 2),
    }),
    first,
    rest: fc.array(fc.record({ client: name, lines }), { minLength: 2, maxLength: 12 }),
    rush: fc.boolean(),
  })
  .map(({ protocols, first: begin, rest, rush }) => {
    const pieces = [begin, ...rest];
    const targets = pieces.flatMap(({ lines: said }) => said.join().match(/\$[abc]/g) ?? []);
    return { protocols, pieces: pieces.map((piece) => withoutMulti(piece, targets)), rush };
  });

/**
 * Before 7.2 Redis tells a target of what it writes itself in the middle of the reply to EXEC, which
 * no client can read.
 */
function withoutMulti(piece: Piece, targets: readonly string[]): Piece {
  if (!targets.includes(`$${piece.client}`)) return piece;
  const kept = piece.lines.filter((line) => !/^(MULTI|EXEC|DISCARD)$/.test(line));
  return { ...piece, lines: kept };
}
