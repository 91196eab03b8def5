import type { ListenAddress, UpstreamAddress, UpstreamChoice } from './address.ts';
import { parseListen, parseUpstream, UPSTREAM_FORMS } from './address.ts';
import { ProxyError } from './errors.ts';

/** Which version the upstream's HELLO reply is made to show: see `--advertise-version`. */
export type AdvertiseVersion = 'auto' | 'upstream' | `${number}.${number}.${number}`;

/** What may be done about the upstream's `notify-keyspace-events`: see `--notify-config`. */
export type NotifyConfig = (typeof NOTIFY_CONFIGS)[number];

/** From which weight on a line is logged. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** JSON lines for machines, or a line for people. */
export type LogFormat = 'json' | 'pretty';

/** What the proxy itself needs to know. */
export interface ProxyConfig {
  readonly listen: ListenAddress;
  /** Never `embedded`: whoever starts the proxy has started that Redis by then. */
  readonly upstream: UpstreamAddress;
  readonly advertiseVersion: AdvertiseVersion;
  readonly notifyConfig: NotifyConfig;
  /** The most keys that are remembered for invalidation at once; 0 is no limit. */
  readonly trackingTableMaxKeys: number;
  /** How often the upstream is looked at for silent changes, in milliseconds; 0: never. */
  readonly watchIntervalMs: number;
  /** Whether BCAST clients hear only of keys that their user may read. */
  readonly bcastAcl: (typeof BCAST_ACLS)[number];
  /** Whether the target of redirected invalidations is told when one of their clients goes. */
  readonly redirectCleanup: boolean;
}

/** Everything that the command line and the environment decide. */
export interface Config extends Omit<ProxyConfig, 'upstream'> {
  readonly upstream: UpstreamChoice;
  /** Where health and metrics are served; undefined is nowhere. */
  readonly admin: ListenAddress | undefined;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** An hour: whoever looks more seldom may as well not look. */
const INTERVAL_MAX_MS = 3_600_000;

const NOTIFY_CONFIGS = ['auto', 'check', 'skip'] as const;
const BCAST_ACLS = ['filter', 'native'] as const;
const SWITCH = ['on', 'off'] as const;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const LOG_FORMATS = ['auto', 'json', 'pretty'] as const;

/** One setting: a flag, an environment variable (its name follows from the flag) and a help line. */
export interface OptionSpec {
  readonly flag: string;
  /** Used when neither the flag nor the variable is given; written as on the command line. */
  readonly fallback: string;
  readonly describe: string;
  /** The words that are accepted, when these are all. */
  readonly choices?: readonly string[];
}

/** Every setting there is. The flags, `SIDETRACK_*` variables and `--help` all come from here. */
export const OPTIONS = [
  {
    flag: 'listen',
    fallback: '127.0.0.1:6380',
    describe: 'Where clients connect: host:port, [v6]:port, port (on 127.0.0.1), or a socket path',
  },
  {
    flag: 'upstream',
    fallback: 'embedded',
    describe:
      `The Redis behind: ${UPSTREAM_FORMS} ` +
      '(a private redis-server that ends with the proxy and keeps nothing)',
  },
  {
    flag: 'admin',
    fallback: '127.0.0.1:9380',
    describe: 'Where /metrics, /healthz and /readyz are served; off: nowhere',
  },
  {
    flag: 'advertise-version',
    fallback: 'auto',
    describe:
      'Version that HELLO shows: auto (an older one becomes 7.4.0, which some clients ask for ' +
      'before they cache), upstream (unchanged), or X.Y.Z',
  },
  {
    flag: 'notify-config',
    fallback: 'auto',
    choices: NOTIFY_CONFIGS,
    describe:
      'notify-keyspace-events of the upstream: auto adds what is missing, check only looks, ' +
      'skip never uses CONFIG',
  },
  {
    flag: 'tracking-table-max-keys',
    fallback: '1000000',
    describe: 'Most keys remembered at once; beyond it the oldest is invalidated; 0: no limit',
  },
  {
    flag: 'watch-interval',
    fallback: '250',
    describe:
      'Milliseconds between looks at the upstream for changes that notifications never tell ' +
      '(a flush that did not pass here, a replaced data set); 0: never',
  },
  {
    flag: 'redirect-cleanup',
    fallback: 'on',
    choices: SWITCH,
    describe:
      'When a client goes whose invalidations are redirected, tell their target to drop what the ' +
      'client had read: on, or off as Redis does',
  },
  {
    flag: 'bcast-acl',
    fallback: 'filter',
    choices: BCAST_ACLS,
    describe:
      'Which keys BCAST clients hear of: filter names only those that their user may read, ' +
      'native names all under their prefixes, as Redis does',
  },
  { flag: 'log-level', fallback: 'info', choices: LOG_LEVELS, describe: 'Least weight logged' },
  {
    flag: 'log-format',
    fallback: 'auto',
    choices: LOG_FORMATS,
    describe: 'Form of the log on stderr: auto is pretty on a terminal and json elsewhere',
  },
] as const satisfies readonly OptionSpec[];

/** A flag of {@link OPTIONS}, without its dashes. */
export type Flag = (typeof OPTIONS)[number]['flag'];

/** The environment variable of a flag: `log-level` is `SIDETRACK_LOG_LEVEL`. */
export function environmentName(flag: string): string {
  return `SIDETRACK_${flag.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * Decides every setting: the flag if given, else the environment variable, else the default. An
 * empty variable counts as not set, as compose files make them. Variables that are not ours are
 * ignored even when they begin with `SIDETRACK_`: Kubernetes sets such for a service of this name.
 *
 * @param given      what was given
 * @param given.flags       flags as text, undefined where absent
 * @param given.environment usually `process.env`
 * @param given.terminal    whether the log goes to a terminal
 * @throws ProxyError CONFIG_INVALID with one line for the operator
 */
export function readConfig(given: {
  readonly flags: { readonly [flag in Flag]?: string | undefined };
  readonly environment: { readonly [name: string]: string | undefined };
  readonly terminal: boolean;
}): Config {
  const setting = (flag: Flag): Setting => {
    const fromFlag = given.flags[flag];
    if (fromFlag !== undefined) return { name: `--${flag}`, text: fromFlag };
    const name = environmentName(flag);
    const text = given.environment[name];
    if (text !== undefined && text !== '') return { name, text };
    return { name: `--${flag}`, text: specOf(flag).fallback };
  };
  const logFormat = oneOf(setting('log-format'), LOG_FORMATS);
  const listen = setting('listen');
  const upstream = setting('upstream');
  return {
    listen: parseListen(listen.text, listen.name),
    upstream: parseUpstream(upstream.text, upstream.name),
    admin: adminAddress(setting('admin')),
    advertiseVersion: version(setting('advertise-version')),
    notifyConfig: oneOf(setting('notify-config'), NOTIFY_CONFIGS),
    trackingTableMaxKeys: count(setting('tracking-table-max-keys')),
    watchIntervalMs: interval(setting('watch-interval')),
    bcastAcl: oneOf(setting('bcast-acl'), BCAST_ACLS),
    redirectCleanup: oneOf(setting('redirect-cleanup'), SWITCH) === 'on',
    logLevel: oneOf(setting('log-level'), LOG_LEVELS),
    logFormat: logFormat === 'auto' ? (given.terminal ? 'pretty' : 'json') : logFormat,
  };
}

/**
 * @param word  what was written
 * @param known what could have been meant
 * @returns the known word that is nearest, or undefined if none is near
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.floor(word.length / 2) + 1);
  for (const candidate of known) {
    const distance = editDistance(word, candidate);
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best ?? (word.length < 3 ? undefined : known.find((name) => name.startsWith(word)));
}

/** A setting's text, and the flag or variable that it came from. */
interface Setting {
  readonly name: string;
  readonly text: string;
}

function specOf(flag: Flag): OptionSpec {
  const spec = OPTIONS.find((option) => option.flag === flag);
  if (spec === undefined) throw new ProxyError('CONFIG_INVALID', `no option --${flag}`);
  return spec;
}

function adminAddress({ name, text }: Setting): ListenAddress | undefined {
  if (text.toLowerCase() === 'off') return undefined;
  return parseListen(text, name);
}

function version(setting: Setting): AdvertiseVersion {
  const { text } = setting;
  if (text === 'auto' || text === 'upstream') return text;
  if (isVersion(text)) return text;
  throw refused(setting, 'auto, upstream, or X.Y.Z such as 7.4.0');
}

function isVersion(text: string): text is `${number}.${number}.${number}` {
  return /^\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(text);
}

function count(setting: Setting): number {
  const value = /^\d{1,12}$/.test(setting.text) ? Number(setting.text) : undefined;
  if (value === undefined) throw refused(setting, 'a whole number, 0 or more');
  return value;
}

function interval(setting: Setting): number {
  const value = /^\d{1,7}$/.test(setting.text) ? Number(setting.text) : Number.NaN;
  if (!(value <= INTERVAL_MAX_MS)) throw refused(setting, `0 to ${INTERVAL_MAX_MS} milliseconds`);
  return value;
}

function oneOf<T extends string>(setting: Setting, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === setting.text);
  if (found === undefined) throw refused(setting, choices.join(', '));
  return found;
}

function refused({ name, text }: Setting, accepted: string): ProxyError {
  const shown = text.replace(/\p{Cc}/gu, ' ');
  return new ProxyError('CONFIG_INVALID', `${name}: '${shown}' is not accepted: ${accepted}`);
}

/** Levenshtein's distance, by rows. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
