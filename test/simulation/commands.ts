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

/** The commands of the model, by their names in lower case; those that end MULTI stand elsewhere. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['ping', () => '+PONG\r\n'],
  ['echo', (_redis, _connection, [, text = '']) => bulkOf(text)],
  [
    'get',
    (redis, { protocol }, [, key = '']) => {
      const value = redis.store.value(key);
      if (typeof value === 'object') return WRONG_TYPE;
      return value === undefined ? nullOf(protocol) : bulkOf(value);
    },
  ],
  [
    'mget',
    (redis, { protocol }, [, ...keys]) =>
      arrayOf(
        keys.map((key) => {
          redis.store.value(key); // may be over
          return redis.store.answer('get', key, protocol);
        }),
      ),
  ],
  [
    'exists',
    (redis, _connection, [, key = '']) => integer(redis.store.value(key) === undefined ? 0 : 1),
  ],
  [
    'lrange',
    (redis, { protocol }, [, key = '']) => {
      if (typeof redis.store.value(key) === 'string') return WRONG_TYPE;
      return redis.store.answer('lrange', key, protocol);
    },
  ],
  [
    'set',
    (redis, _connection, [, key = '', text = '', , forMs]) => {
      redis.store.set(key, text, forMs === undefined ? undefined : Number(forMs));
      return OK;
    },
  ],
  [
    'append',
    (redis, _connection, [, key = '', text = '']) => {
      const length = redis.store.append(key, text);
      return length === undefined ? WRONG_TYPE : integer(length);
    },
  ],
  [
    'del',
    (redis, _connection, [, ...keys]) =>
      integer(keys.filter((key) => redis.store.delete(key)).length),
  ],
  [
    'pexpire',
    (redis, _connection, [, key = '', ms = '0']) =>
      integer(redis.store.expire(key, Number(ms)) ? 1 : 0),
  ],
  [
    'rpush',
    (redis, _connection, [, key = '', text = '']) => {
      const length = redis.store.push(key, text);
      if (length === undefined) return WRONG_TYPE;
      redis.pushed(key);
      return integer(length);
    },
  ],
  [
    'lpop',
    (redis, { protocol }, [, key = '']) => {
      if (typeof redis.store.value(key) === 'string') return WRONG_TYPE;
      const text = redis.store.pop(key);
      return text === undefined ? nullOf(protocol) : bulkOf(text);
    },
  ],
  ['blpop', blpop],
  ['eval', evalScript],
  [
    'publish',
    (redis, _connection, [, channel = '', text = '']) => integer(redis.publish(channel, text)),
  ],
  [
    'subscribe',
    (_redis, { protocol }, [, channel = '']) =>
      `${protocol === 3 ? '>' : '*'}3\r\n${bulkOf('subscribe')}${bulkOf(channel)}:1\r\n`,
  ],
  [
    'flushall',
    (redis) => {
      redis.store.flush();
      return OK;
    },
  ],
  ['client', client],
  [
    'auth',
    (_redis, connection) => {
      connection.isLetIn = true;
      return OK;
    },
  ],
  ['hello', hello],
  [
    'reset',
    (redis, connection) => {
      connection.reset();
      connection.isLetIn = !redis.hasPassword;
      return '+RESET\r\n';
    },
  ],
  [
    'watch',
    (redis, connection, [, ...keys]) => {
      if (connection.multi !== undefined) return '-ERR WATCH inside MULTI is not allowed\r\n';
      for (const key of keys) connection.watched.set(key, redis.store.version(key));
      return OK;
    },
  ],
  [
    'unwatch',
    (_redis, connection) => {
      connection.watched.clear();
      return OK;
    },
  ],
  [
    'multi',
    (_redis, connection) => {
      if (connection.multi !== undefined) return '-ERR MULTI calls can not be nested\r\n';
      connection.multi = [];
      connection.isSpoilt = false;
      return OK;
    },
  ],
  [
    'discard',
    (_redis, connection) => {
      if (connection.multi === undefined) return '-ERR DISCARD without MULTI\r\n';
      connection.multi = undefined;
      connection.watched.clear();
      return OK;
    },
  ],
]);

function blpop(
  redis: Upstream,
  connection: UpstreamConnection,
  [, key = '', timeout = '0']: readonly string[],
): string | undefined {
  if (typeof redis.store.value(key) === 'string') return WRONG_TYPE;
  const text = redis.store.pop(key);
  if (text !== undefined) return arrayOf([bulkOf(key), bulkOf(text)]);
  if (redis.inTransaction) return nullOf(connection.protocol, '*');
  redis.block(connection, key, Number(timeout) * 1_000);
  return undefined;
}

function evalScript(
  redis: Upstream,
  { protocol }: UpstreamConnection,
  words: readonly string[],
): string {
  const values: string[] = [];
  for (const operation of operationsOf(words)) {
    if (operation.kind === 'fail') return SCRIPT_FAILED;
    if (operation.kind === 'write') redis.store.set(operation.key, operation.text);
    else {
      redis.store.value(operation.key); // may be over
      values.push(redis.store.answer('get', operation.key, protocol));
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
