/**
 * What a command does to the connection it arrives on, beyond its keys. `plain` is everything
 * that gets one reply and leaves the connection as it was.
 *
 * - `subscribe`, `unsubscribe`: as many confirmations as channels, of any of the three kinds
 * - `sync`: the connection stops being one of requests and replies
 * - `flush`: changes a whole database, and no keyspace notification says so
 * - `debug`: may change a whole database, by its subcommand
 * - `watch`, `unwatch`: decide whether a transaction of ours could disturb one of the client's
 * - `info`, `config`: tell of tracking, or set it
 * - `acl`: may change who may read what
 * - `closing`: the server may close without a reply
 */
export type Role =
  | 'plain'
  | 'client'
  | 'hello'
  | 'auth'
  | 'reset'
  | 'quit'
  | 'multi'
  | 'exec'
  | 'discard'
  | 'subscribe'
  | 'unsubscribe'
  | 'monitor'
  | 'sync'
  | 'replconf'
  | 'flush'
  | 'debug'
  | 'watch'
  | 'unwatch'
  | 'info'
  | 'config'
  | 'acl'
  | 'closing';

/**
 * A map and not an object: `constructor` and `__proto__` are names that a client may send.
 * `post` and `host:` are commands of Redis 3.2 and later that hang up on stray HTTP requests.
 */
const ROLES: ReadonlyMap<string, Role> = new Map<string, Role>([
  ['client', 'client'],
  ['hello', 'hello'],
  ['auth', 'auth'],
  ['reset', 'reset'],
  ['quit', 'quit'],
  ['multi', 'multi'],
  ['exec', 'exec'],
  ['discard', 'discard'],
  ['subscribe', 'subscribe'],
  ['psubscribe', 'subscribe'],
  ['ssubscribe', 'subscribe'],
  ['unsubscribe', 'unsubscribe'],
  ['punsubscribe', 'unsubscribe'],
  ['sunsubscribe', 'unsubscribe'],
  ['monitor', 'monitor'],
  ['sync', 'sync'],
  ['psync', 'sync'],
  ['replconf', 'replconf'],
  ['debug', 'debug'],
  ['watch', 'watch'],
  ['unwatch', 'unwatch'],
  ['info', 'info'],
  ['config', 'config'],
  ['acl', 'acl'],
  ['flushall', 'flush'],
  ['flushdb', 'flush'],
  ['swapdb', 'flush'],
  ['shutdown', 'closing'],
  ['post', 'closing'],
  ['host:', 'closing'],
]);

/**
 * @param name a command's name in lower case
 * @returns its role; `plain` for a name that has none, known or not
 */
export function roleOf(name: string): Role {
  return ROLES.get(name) ?? 'plain';
}
