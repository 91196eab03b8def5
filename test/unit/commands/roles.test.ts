import { expect, test } from 'vitest';
import { roleOf } from '../../../src/commands/roles.ts';

const ROLES = {
  client: 'client',
  hello: 'hello',
  auth: 'auth',
  reset: 'reset',
  quit: 'quit',
  multi: 'multi',
  exec: 'exec',
  discard: 'discard',
  monitor: 'monitor',
  replconf: 'replconf',
  subscribe: 'subscribe psubscribe ssubscribe',
  unsubscribe: 'unsubscribe punsubscribe sunsubscribe',
  sync: 'sync psync',
  flush: 'flushall flushdb swapdb',
  closing: 'shutdown post host:',
  debug: 'debug',
  watch: 'watch',
  unwatch: 'unwatch',
  info: 'info',
  config: 'config',
  acl: 'acl',
  plain: 'get set publish nosuch constructor __proto__ toString',
};

test.for(Object.entries(ROLES))('%s: %s', ([role, names]) => {
  for (const name of names.split(' ')) expect([name, roleOf(name)]).toEqual([name, role]);
});
