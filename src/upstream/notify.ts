import type { NotifyConfig } from '../config.ts';
import { ProxyError } from '../errors.ts';
import { missingFlags } from '../invalidation/flags.ts';
import type { Control } from './control.ts';
import { type ProbeSite, probeAny, probeTypes } from './probe.ts';

/** What is needed to see to it that changes are announced. */
export interface EnsureParts {
  readonly control: Control;
  /** Where changes are tried if CONFIG is not used. */
  readonly site: ProbeSite;
  readonly notifyConfig: NotifyConfig;
  readonly probeKeyPrefix: string;
  /** Upstream's version as major * 100 + minor; undefined: not known. */
  readonly version: number | undefined;
  /** The operator's word is taken for it that notifications are on. @param reason why it must be */
  readonly unproven: (reason: string) => void;
}

/**
 * Switches keyspace notifications on, as far as that is allowed and wanted; where the setting cannot
 * be seen, proves that they are on.
 *
 * @throws ProxyError NOTIFICATIONS_UNAVAILABLE, UPSTREAM_UNREACHABLE, UPSTREAM_TIMEOUT
 */
export async function ensureNotifications(parts: EnsureParts): Promise<void> {
  const { control, notifyConfig, unproven, version } = parts;
  if (notifyConfig === 'skip') {
    await prove(parts).catch((cause: Error) => unproven(cause.message));
    return;
  }
  const set = await control.notifyFlags();
  if (set === undefined) {
    await prove(parts);
    return;
  }
  const missing = missingFlags(set, version);
  if (missing === '') return;
  if (notifyConfig === 'check') throw unavailable(`it is set to '${set}'`);
  await control.setNotifyFlags(set + missing).catch((cause: unknown) => {
    throw unavailable(`setting it is refused (${String(cause)})`);
  });
  const now = (await control.notifyFlags()) ?? '';
  if (missingFlags(now, version) !== '') throw unavailable(`it stays at '${now}'`);
}

/** Changes a key of our own in all ways that can be tried, and waits for the news. */
async function prove({ site, probeKeyPrefix, unproven }: EnsureParts): Promise<void> {
  if (isReadOnly(await site.ask('INFO', 'replication'))) {
    unproven(READ_ONLY);
    return;
  }
  const probe = await probeAny(site, probeKeyPrefix);
  if (probe instanceof Error) {
    if (!probe.message.startsWith('READONLY')) {
      throw unavailable(`no probe key can be written (${probe.message})`);
    }
    unproven(READ_ONLY);
    return;
  }
  if (probe.announced === 0) throw unavailable('a key that was changed was not announced');
  const { unheard, untried } = await probeTypes(site, probe);
  if (unheard.length > 0) {
    throw unavailable(`of ${unheard.join(', ')} not every change was announced`);
  }
  if (untried.length > 0) unproven(`no change could be tried of ${untried.join(', ')}`);
}

const READ_ONLY = 'no change can be tried: the upstream is a read-only replica';

/** @param answer to INFO replication */
function isReadOnly(answer: unknown): boolean {
  const text = typeof answer === 'string' ? answer : '';
  return /^role:slave/m.test(text) && !/^slave_read_only:0/m.test(text);
}

function unavailable(why: string): ProxyError {
  return new ProxyError(
    'NOTIFICATIONS_UNAVAILABLE',
    `keyspace notifications are off: notify-keyspace-events must hold KA, and ${why}. ` +
      'Set it in redis.conf or with CONFIG SET notify-keyspace-events KA (on managed services: ' +
      'in the parameter group), or give the proxy a user that may',
  );
}
