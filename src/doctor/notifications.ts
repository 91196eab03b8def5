import type { NotifyConfig } from '../config.ts';
import { missingFlags } from '../invalidation/flags.ts';
import { type Finding, flaw, good } from './finding.ts';
import {
  bufferFixes,
  notifyFixes,
  PUBSUB_HARD_BYTES,
  PUBSUB_SOFT_BYTES,
  PUBSUB_SOFT_S,
  refusalOf,
  rightFixes,
} from './fixes.ts';
import type { Visit } from './visit.ts';

const NOTIFY = 'notify-keyspace-events';
const BUFFER = 'client-output-buffer-limit';

/** From 7.0 on a flag may be set that CONFIG GET does not show. */
const HIDDEN_FLAGS_VERSION = 700;

/** What CONFIG says of notifications, or how it was refused. */
export interface NotifyState {
  /** The value; undefined where it cannot be read. */
  readonly set: string | undefined;
  /** What has to be added to it; '' where nothing has. */
  readonly lacks: string;
  readonly findings: readonly Finding[];
}

/** Whether CONFIG SET is allowed: `undefined` where nobody can say without changing something. */
type May = { readonly yes: true } | { readonly yes: false; readonly error: Error } | undefined;

/** What is set, and whether the proxy may read and change it. Changes nothing. */
export async function examineNotify(
  visit: Visit,
  version: number | undefined,
  notifyConfig: NotifyConfig,
): Promise<NotifyState> {
  const got = await visit.ask('CONFIG', 'GET', NOTIFY);
  const set = settingOf(got);
  const lacks = set === undefined ? '' : missingFlags(set, version);
  const may = await mayConfigSet(visit, version, set, lacks);
  const findings = [
    configGetFinding(visit, got),
    configSetFinding(visit, may, set !== undefined && lacks === ''),
    notifyFinding({ set, lacks, may, notifyConfig }),
  ];
  return { set, lacks, findings };
}

/**
 * ACL DRYRUN asks without doing. Where it is not there (before 7.0), the value that is set already
 * is set again; not later, when there may be flags in force that CONFIG GET does not show.
 */
async function mayConfigSet(
  visit: Visit,
  version: number | undefined,
  set: string | undefined,
  lacks: string,
): Promise<May> {
  const value = set === undefined || lacks !== '' ? 'KA' : set;
  const dry = await visit.ask('ACL', 'DRYRUN', visit.user, 'CONFIG', 'SET', NOTIFY, value);
  if (dry === 'OK') return { yes: true };
  if (typeof dry === 'string') return { yes: false, error: new Error(`NOPERM ${dry}`) };
  if (dry instanceof Error && /command 'config' not found/i.test(dry.message)) {
    return { yes: false, error: dry };
  }
  const isSafe = version !== undefined && version < HIDDEN_FLAGS_VERSION;
  if (set === undefined || lacks !== '' || !isSafe) return undefined;
  const answer = await visit.ask('CONFIG', 'SET', NOTIFY, set);
  return answer instanceof Error ? { yes: false, error: answer } : { yes: true };
}

function configGetFinding(visit: Visit, got: unknown): Finding {
  if (!(got instanceof Error)) return good('config-get', 'yes');
  return flaw('config-get', 'limited', {
    found: `no: ${got.message}`,
    consequence:
      'The proxy tries a key of its own at each start, and does not notice when somebody switches ' +
      'notifications off later.',
    fixes: rightFixes(got, { user: visit.user, rule: '+config|get', command: 'CONFIG' }),
  });
}

function configSetFinding(visit: Visit, may: May, complete: boolean): Finding {
  if (may?.yes === true) return good('config-set', 'yes');
  const effect = complete
    ? 'if somebody switches notifications off, the proxy cannot switch them on again.'
    : 'the proxy cannot switch notifications on.';
  if (may === undefined) {
    return flaw('config-set', 'untried', {
      found: 'trying it could change something, and there is no ACL DRYRUN for this user',
      consequence: `If it is refused, ${effect}`,
    });
  }
  return flaw('config-set', 'limited', {
    found: `no: ${may.error.message}`,
    consequence: effect.replace(/^./, (first) => first.toUpperCase()),
    fixes: rightFixes(may.error, { user: visit.user, rule: '+config|set', command: 'CONFIG' }),
  });
}

function notifyFinding(state: {
  readonly set: string | undefined;
  readonly lacks: string;
  readonly may: May;
  readonly notifyConfig: NotifyConfig;
}): Finding {
  const { set, lacks, may, notifyConfig } = state;
  if (set === undefined) {
    return flaw('notifications', 'untried', {
      found: 'not to be seen: CONFIG GET is refused',
      consequence: 'Only a change can show whether they are on.',
    });
  }
  if (lacks === '') return good('notifications', `notify-keyspace-events ${set}`);
  const found = `notify-keyspace-events '${set}' lacks ${lacks}`;
  const fixes = notifyFixes(set + lacks);
  if (notifyConfig !== 'auto') {
    const consequence = `Changes go unnoticed, and --notify-config=${notifyConfig} keeps the proxy from adding flags.`;
    return flaw('notifications', 'missing', { found, consequence, fixes });
  }
  if (may?.yes === false) {
    const consequence = 'Changes go unnoticed, and the proxy may not add flags.';
    return flaw('notifications', 'missing', { found, consequence, fixes });
  }
  const trying = may === undefined ? 'tries to add' : 'adds';
  const consequence = `The proxy ${trying} what is missing when it starts, and after each restart of the server.`;
  return flaw('notifications', 'limited', { found, consequence, fixes });
}

/** @returns the value in a reply of CONFIG GET: '' where there is no such setting */
function settingOf(reply: unknown): string | undefined {
  return Array.isArray(reply) ? String(reply[1] ?? '') : undefined;
}

/** How much may wait for the subscription before the server drops it. */
export async function bufferFinding(visit: Visit): Promise<Finding> {
  const got = await visit.ask('CONFIG', 'GET', BUFFER);
  const value = settingOf(got) ?? '';
  const [, hard, soft, seconds] = /\bpubsub (\d+) (\d+) (\d+)/.exec(value) ?? [];
  const limits = { hard: Number(hard), soft: Number(soft), seconds: Number(seconds) };
  if (hard === undefined) {
    const found =
      got instanceof Error && refusalOf(got) !== 'other'
        ? 'not to be seen: CONFIG GET is refused'
        : 'not to be seen: the server does not say';
    const consequence = 'Where it is small, many writes at once make the server drop the proxy.';
    return flaw('output-buffer', 'untried', { found, consequence });
  }
  const found = `${inWords(limits.hard)}, or ${inWords(limits.soft)} for ${limits.seconds} s`;
  if (!isSmall(limits)) return good('output-buffer', found);
  return flaw('output-buffer', 'limited', {
    found,
    consequence:
      'Many writes at once make the server drop the subscription; each time every cache is emptied.',
    fixes: bufferFixes(),
  });
}

/** A limit of 0 is none. */
function isSmall(limits: {
  readonly hard: number;
  readonly soft: number;
  readonly seconds: number;
}): boolean {
  const { hard, soft, seconds } = limits;
  if (hard !== 0 && hard < PUBSUB_HARD_BYTES) return true;
  if (soft === 0) return false;
  if (hard !== 0 && soft >= hard) return false; // the hard limit comes first
  return soft < PUBSUB_SOFT_BYTES || (soft < PUBSUB_HARD_BYTES && seconds < PUBSUB_SOFT_S);
}

function inWords(bytes: number): string {
  return bytes === 0 ? 'no limit' : `${Math.round((bytes / 2 ** 20) * 10) / 10} MiB`;
}
