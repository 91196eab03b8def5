import { CLUSTER_ROWS, DATA, ROWS, type Row, STATE } from '../translation/rows.ts';

/** How the replies of two servers to one request are compared. */
export type Likeness =
  | 'bytes'
  /** Numbers may differ: times, sizes, ids; and where a server listens. */
  | 'digits'
  /** Texts may differ, types and their nesting not. */
  | 'types'
  /** Elements may stand in another order: each server hashes with a seed of its own. */
  | 'order'
  /** As `types`, in another order. */
  | 'types, order';

/** One request, made of a Redis and of a proxy before another one just like it. */
export interface CommandRow {
  readonly request: string;
  /** What is done to both servers before. */
  readonly before: readonly string[];
  /** What the connection itself does before. */
  readonly first: readonly string[];
  readonly like: Likeness;
  /** Why the proxy says something else. */
  readonly differs?: string;
}

/** What is in both servers before each request. Of a busy machine the slow log would tell. */
export const PREPARATION: readonly string[] = [
  'CONFIG SET slowlog-log-slower-than -1',
  ...DATA,
  ...STATE,
];

/** Requests whose replies two servers, or one and the same a second later, do not have in common. */
const LIKENESS: Readonly<Record<string, Likeness>> = {
  'ACL CAT string': 'order',
  'ACL LOG': 'types',
  COMMAND: 'order',
  'COMMAND DOCS': 'order',
  'COMMAND DOCS client zadd set geosearch': 'order',
  'COMMAND INFO': 'order',
  'COMMAND INFO get none client xgroup': 'order',
  'COMMAND LIST': 'order',
  'COMMAND LIST FILTERBY PATTERN z*': 'order',
  'CONFIG GET max*': 'order',
  'CONFIG GET maxmemory appendonly': 'order',
  'config get *': 'types, order',
  'CLIENT LIST TYPE pubsub': 'types',
  // A node has a name of its own.
  'CLUSTER LINKS': 'types',
  'CLUSTER MYID': 'types',
  'CLUSTER NODES': 'types',
  'CLUSTER SHARDS': 'types',
  'CLUSTER SLOTS': 'types',
  'FUNCTION LIST': 'order',
  'FUNCTION LIST WITHCODE': 'order',
  LASTSAVE: 'digits',
  'MEMORY STATS': 'types',
};

const SUBSCRIBER = "the proxy's own subscription is there";

/** Requests that show that there is a proxy, and why. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  'PUBSUB CHANNELS': SUBSCRIBER,
  'PUBSUB NUMPAT': SUBSCRIBER,
};

/** Rows of the translation that two servers can't both have, and why. */
const NOT_HERE: Readonly<Record<string, string>> = {
  'SCAN 0': 'how many keys one step finds depends on a seed: there is a row with a COUNT',
};

/** Requests that the rows of the translation lack, since they say little of it. */
const MORE: readonly CommandRow[] = [
  ...['SCAN 0 COUNT 1000', 'SHUTDOWN ABORT', 'SHUTDOWN NONE', 'MONITOR', 'HELLO x'].map((request) =>
    rowOf(request, request.startsWith('SCAN') ? 'order' : 'bytes'),
  ),
  ...['HELLO', 'HELLO 2', 'HELLO 3'].map((request) => rowOf(request, 'types')),
  ...['SAVE', 'BGSAVE', 'BGREWRITEAOF', 'PFSELFTEST'].map((request) => rowOf(request)),
];

function rowOf(request: string, like: Likeness = 'bytes'): CommandRow {
  return { request, like, before: [], first: [] };
}

/** Rows for servers that are no clusters; most are those that show the translation to RESP3. */
export const SERVER_ROWS: readonly CommandRow[] = [
  ...ROWS.filter(({ request }) => !(request in NOT_HERE)).map(ofTranslation),
  ...MORE,
];

/** Rows for clusters of one node. */
export const NODE_ROWS: readonly CommandRow[] = CLUSTER_ROWS.map(ofTranslation);

/** What is done to both clusters before each request. */
export const NODE_PREPARATION: readonly string[] = [
  'CLUSTER FLUSHSLOTS',
  'CLUSTER ADDSLOTSRANGE 0 16383',
];

function ofTranslation({ request, before = [], first = [], same = 'bytes' }: Row): CommandRow {
  const row = { request, before, first, like: LIKENESS[request] ?? same };
  const differs = DIFFERENCES[request];
  return differs === undefined ? row : { ...row, differs };
}

/** @returns whether elements are compared without their order */
export function ignoresOrder(like: Likeness): boolean {
  return like === 'order' || like === 'types, order';
}

/** Commands of 7.0 that no row makes, and why. */
export const NOT_MADE: Readonly<Record<string, string>> = {
  psync: 'the connection is one of replication then: integration/replication.test.ts',
  sync: 'as PSYNC',
};
