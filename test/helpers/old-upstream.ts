import type { RedisOptions } from './redis.ts';

/** A Redis that refuses HELLO, as all did before 6.0: it speaks RESP2 and nothing else. */
export const WITHOUT_HELLO: RedisOptions = { args: ['--rename-command', 'HELLO', ''] };
