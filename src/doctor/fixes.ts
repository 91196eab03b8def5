import type { Fix } from './finding.ts';

/** Default limits of a server for connections that subscribe. Source: redis.conf of 2.8 to 8. */
export const PUBSUB_HARD_BYTES = 32 * 2 ** 20;
export const PUBSUB_SOFT_BYTES = 8 * 2 ** 20;
export const PUBSUB_SOFT_S = 60;

/** Changes are taken from the writes that pass through the proxy. */
export const FROM_WRITES: Fix = {
  where: 'sidetrack',
  how: '--source=writes, if every write passes through this proxy',
};

/**
 * How notifications are switched on, wherever the server runs.
 *
 * @param flags what `notify-keyspace-events` has to be
 */
export function notifyFixes(flags: string): readonly Fix[] {
  return [
    { where: 'redis.conf', how: `notify-keyspace-events ${flags}` },
    { where: 'redis-cli', how: `CONFIG SET notify-keyspace-events ${flags}` },
    {
      where: 'ElastiCache, MemoryDB',
      how: `parameter notify-keyspace-events = ${flags}, in a parameter group of your own`,
    },
    {
      where: 'Memorystore',
      how: `gcloud redis instances update NAME --update-redis-config notify-keyspace-events=${flags}`,
    },
    {
      where: 'Azure Cache',
      how: `setting notify-keyspace-events = ${flags}, under Advanced settings`,
    },
    { where: 'Heroku', how: `heroku redis:keyspace-notifications NAME --config ${flags}` },
    { where: 'Redis Cloud', how: `CONFIG SET notify-keyspace-events ${flags}, with redis-cli` },
  ];
}

/** How the subscription gets the room that a server gives it by default. */
export function bufferFixes(): readonly Fix[] {
  return [
    { where: 'redis.conf', how: 'client-output-buffer-limit pubsub 32mb 8mb 60' },
    {
      where: 'redis-cli',
      how:
        'CONFIG SET client-output-buffer-limit ' +
        `"pubsub ${PUBSUB_HARD_BYTES} ${PUBSUB_SOFT_BYTES} ${PUBSUB_SOFT_S}"`,
    },
    {
      where: 'ElastiCache',
      how:
        `parameters client-output-buffer-limit-pubsub-hard-limit = ${PUBSUB_HARD_BYTES}, ` +
        `-pubsub-soft-limit = ${PUBSUB_SOFT_BYTES}, -pubsub-soft-seconds = ${PUBSUB_SOFT_S}`,
    },
  ];
}

/** Why a server has refused something. */
export type Refusal = 'denied' | 'unknown' | 'other';

/** @param error as the server has put it */
export function refusalOf(error: Error): Refusal {
  if (error.message.startsWith('NOPERM')) return 'denied';
  return /unknown (sub)?command|syntax error, try|unknown subcommand|not found/i.test(error.message)
    ? 'unknown'
    : 'other';
}

/** A right that somebody lacks. */
export interface Need {
  readonly user: string;
  /** Its name, which redis.conf may have changed. */
  readonly command: string;
  /** What `ACL SETUSER` adds so that the command may be run, as `+config|get`. */
  readonly rule: string;
  /** The key or channel that it uses, as `~pattern` or `&pattern`. */
  readonly on?: string;
}

/** How a right is given. @param error how it was refused */
export function rightFixes(error: Error, need: Need): readonly Fix[] {
  switch (refusalOf(error)) {
    case 'denied':
      return [{ where: 'ACL', how: `ACL SETUSER ${need.user} ${ruleFor(error, need)}` }];
    case 'unknown':
      return [{ where: 'redis.conf', how: `delete the line: rename-command ${need.command} ...` }];
    case 'other':
      return [];
  }
}

/** Only what is missing: a server refuses a pattern for somebody who has them all. */
function ruleFor(error: Error, { rule, on }: Need): string {
  const isAboutPattern = /\bto access\b/.test(error.message);
  return on !== undefined && isAboutPattern ? on : rule;
}
