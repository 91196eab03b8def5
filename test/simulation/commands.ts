import type { Upstream } from './redis.ts';
import { operationsOf } from './script.ts';
import { arrayOf, bulkOf, nullOf } from './store.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** A reply: its bytes; of EXEC its elements too. Undefined: the command blocks. */
export type Outcome = { readonly text: string; readonly elements?: readonly string[] } | undefined;

/** Executes a command. @returns the reply's bytes; undefined: it blocks */
type Command = (
  redis: Upstream,
  connection: UpstreamConnection,
  words: readonly string[],
) => string | undefined;

export const OK = '+OK\r\n';
const WRONG_TYPE = '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n';
const SCRIPT_FAILED = '-ERR failed script: f_1, on @user_script:1.\r\n';
const NO_CACHING =
  '-ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled\r\n';

function integer(value: number): string {
  return `:${value}\r\n`;
}

/** The commands of the model, by their names; those that end MULTI stand elsewhere. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['PING', () => '+PONG\r\n'],
  ['ECHO', (_redis, _connection, [, text = '']) => bulkOf(text)],
  [
    'GET',
    (_redis, connection, [, key = '']) => {
      const value = connection.store.value(key);
      if (typeof value === 'object') return WRONG_TYPE;
      return value === undefined ? nullOf(connection.protocol) : bulkOf(value);
    },
  ],
  [
    'MGET',
    (_redis, connection, [, ...keys]) =>
      arrayOf(
        keys.map((key) => {
          connection.store.value(key); // may be over
          return connection.store.answer('get', key, connection.protocol);
        }),
      ),
  ],
  [
    'EXISTS',
    (_redis, connection, [, key = '']) =>
      integer(connection.store.value(key) === undefined ? 0 : 1),
  ],
  [
    'LRANGE',
    (_redis, connection, [, key = '']) => {
      if (typeof connection.store.value(key) === 'string') return WRONG_TYPE;
      return connection.store.answer('lrange', key, connection.protocol);
    },
  ],
  [
    'SET',
    (_redis, connection, [, key = '', text = '', , forMs]) => {
      connection.store.set(key, text, forMs === undefined ? undefined : Number(forMs));
      return OK;
    },
  ],
  [
    'APPEND',
    (_redis, connection, [, key = '', text = '']) => {
      const length = connection.store.append(key, text);
      return length === undefined ? WRONG_TYPE : integer(length);
    },
  ],
  [
    'DEL',
    (_redis, connection, [, ...keys]) =>
      integer(keys.filter((key) => connection.store.delete(key)).length),
  ],
  [
    'PEXPIRE',
    (_redis, connection, [, key = '', ms = '0']) =>
      integer(connection.store.expire(key, Number(ms)) ? 1 : 0),
  ],
  [
    'RPUSH',
    (redis, connection, [, key = '', text = '']) => {
      const length = connection.store.push(key, text);
      if (length === undefined) return WRONG_TYPE;
      redis.pushed(connection.store, key);
      return integer(length);
    },
  ],
  [
    'LPOP',
    (_redis, connection, [, key = '']) => {
      if (typeof connection.store.value(key) === 'string') return WRONG_TYPE;
      const text = connection.store.pop(key);
      return text === undefined ? nullOf(connection.protocol) : bulkOf(text);
    },
  ],
  ['BLPOP', blpop],
  ['EVAL', evalScript],
  [
    'PUBLISH',
    (redis, _connection, [, channel = '', text = '']) => integer(redis.publish(channel, text)),
  ],
  [
    'SUBSCRIBE',
    (_redis, { protocol }, [, channel = '']) =>
      `${protocol === 3 ? '>' : '*'}3\r\n${bulkOf('subscribe')}${bulkOf(channel)}:1\r\n`,
  ],
  [
    'FLUSHALL',
    (redis) => {
      redis.flush();
      redis.silent('flushall');
      return OK;
    },
  ],
  ['CLIENT', client],
  [
    'QUIT',
    (redis, connection) => {
      redis.close(connection);
      return OK;
    },
  ],
  [
    'SELECT',
    (redis, connection, [, db = '']) => {
      connection.store = redis.store(Number(db));
      return OK;
    },
  ],
  [
    'AUTH',
    (_redis, connection) => {
      connection.isLetIn = true;
      return OK;
    },
  ],
  ['HELLO', hello],
  [
    'RESET',
    (redis, connection) => {
      connection.reset();
      connection.store = redis.store(0);
      connection.isLetIn = !redis.hasPassword;
      return '+RESET\r\n';
    },
  ],
  [
    'WATCH',
    (_redis, connection, [, ...keys]) => {
      if (connection.multi !== undefined) return '-ERR WATCH inside MULTI is not allowed\r\n';
      for (const key of keys) connection.watch(key);
      return OK;
    },
  ],
  [
    'UNWATCH',
    (_redis, connection) => {
      connection.watched.length = 0;
      return OK;
    },
  ],
  [
    'MULTI',
    (_redis, connection) => {
      if (connection.multi !== undefined) return '-ERR MULTI calls can not be nested\r\n';
      connection.multi = [];
      connection.isSpoilt = false;
      return OK;
    },
  ],
  [
    'DISCARD',
    (_redis, connection) => {
      if (connection.multi === undefined) return '-ERR DISCARD without MULTI\r\n';
      connection.multi = undefined;
      connection.watched.length = 0;
      return OK;
    },
  ],
]);

function blpop(
  redis: Upstream,
  connection: UpstreamConnection,
  [, key = '', timeout = '0']: readonly string[],
): string | undefined {
  if (typeof connection.store.value(key) === 'string') return WRONG_TYPE;
  const text = connection.store.pop(key);
  if (text !== undefined) return arrayOf([bulkOf(key), bulkOf(text)]);
  if (redis.inTransaction) return nullOf(connection.protocol, '*');
  redis.block(connection, key, Number(timeout) * 1_000);
  return undefined;
}

function evalScript(
  _redis: Upstream,
  connection: UpstreamConnection,
  words: readonly string[],
): string {
  const values: string[] = [];
  for (const operation of operationsOf(words)) {
    if (operation.kind === 'fail') return SCRIPT_FAILED;
    if (operation.kind === 'write') connection.store.set(operation.key, operation.text);
    else {
      connection.store.value(operation.key); // may be over
      values.push(connection.store.answer('get', operation.key, connection.protocol));
    }
  }
  return arrayOf(values);
}

function client(
  _redis: Upstream,
  connection: UpstreamConnection,
  [, subcommand = '']: readonly string[],
): string {
  switch (subcommand.toLowerCase()) {
    case 'id':
      return integer(connection.id);
    case 'getname':
      return nullOf(connection.protocol);
    case 'caching':
      return NO_CACHING;
    case 'tracking':
    case 'reply':
      return OK;
    default:
      return '-ERR unknown subcommand\r\n';
  }
}

function hello(
  redis: Upstream,
  connection: UpstreamConnection,
  [, protocol = '2', auth]: readonly string[],
): string {
  if (auth !== undefined) connection.isLetIn = true;
  if (redis.hasPassword && !connection.isLetIn) {
    return '-NOAUTH HELLO must be called with the client already authenticated\r\n';
  }
  connection.protocol = protocol === '3' ? 3 : 2;
  const fields = [
    ['server', bulkOf('redis')],
    ['version', bulkOf('7.0.15')],
    ['proto', integer(connection.protocol)],
    ['id', integer(connection.id)],
    ['mode', bulkOf('standalone')],
    ['role', bulkOf('master')],
    ['modules', arrayOf([])],
  ] as const;
  const pairs = fields.map(([name, value]) => bulkOf(name) + value).join('');
  return `${connection.protocol === 3 ? '%7' : '*14'}\r\n${pairs}`;
}
