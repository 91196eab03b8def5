import type { ListenAddress, UpstreamAddress, UpstreamChoice } from './address.ts';
import { parseListen, parseListens, parseUpstream } from './address.ts';
import type { OutputLimit } from './client/output.ts';
import { ProxyError } from './errors.ts';
import {
  BCAST_ACLS,
  BLINDS,
  type Flag,
  LOG_FORMATS,
  LOG_LEVELS,
  NOTIFY_CONFIGS,
  OPTIONS,
  type OptionSpec,
  SOURCES,
  SWITCH,
} from './options.ts';
import {
  count,
  interval,
  oneOf,
  outputLimit,
  prefix,
  type Setting,
  version,
  within,
} from './settings.ts';

/** Which version the upstream's HELLO reply is made to show: see `--advertise-version`. */
export type AdvertiseVersion = 'auto' | 'upstream' | `${number}.${number}.${number}`;

/** How changes are noticed: see `--source`. */
export type SourceKind = (typeof SOURCES)[number];

/** What may be done about the upstream's `notify-keyspace-events`: see `--notify-config`. */
export type NotifyConfig = (typeof NOTIFY_CONFIGS)[number];

/** From which weight on a line is logged. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** JSON lines for machines, or a line for people. */
export type LogFormat = 'json' | 'pretty';

/** What the proxy itself needs to know. */
export interface ProxyConfig {
  /** Where clients connect; at least one. */
  readonly listen: readonly ListenAddress[];
  /** Never `embedded`: whoever starts the proxy has started that Redis by then. */
  readonly upstream: UpstreamAddress;
  /** The most clients at once. */
  readonly maxClients: number;
  /** After how many seconds a silent client is disconnected; 0: never. */
  readonly timeoutSeconds: number;
  /** After how much silence TCP asks whether a client still lives, in milliseconds; 0: never. */
  readonly tcpKeepaliveMs: number;
  /** How long a client's connection to upstream may take to open, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Whether each connection begins with a PROXY protocol header. */
  readonly proxyProtocol: boolean;
  readonly advertiseVersion: AdvertiseVersion;
  readonly source: SourceKind;
  readonly notifyConfig: NotifyConfig;
  /** With what the keys begin that are changed to see whether that is announced. */
  readonly probeKeyPrefix: string;
  /** The most keys that are remembered for invalidation at once; 0 is no limit. */
  readonly trackingTableMaxKeys: number;
  /** How often the upstream is looked at for silent changes, in milliseconds; 0: never. */
  readonly watchIntervalMs: number;
  /** Whether BCAST clients hear only of keys that their user may read. */
  readonly bcastAcl: (typeof BCAST_ACLS)[number];
  /** How much may wait for a client that does not read. */
  readonly outputLimit: OutputLimit;
  /** Whether replies to writes wait until everybody concerned has been told. */
  readonly fenceWrites: boolean;
  /** What becomes of tracking clients while changes may be missed. */
  readonly blind: (typeof BLINDS)[number];
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

/**
 * What may be asked for. Source: redis.conf for clients and their timeout; Linux's TCP_KEEPIDLE; our
 * choice for the last.
 */
const RANGES = {
  clients: { least: 1, most: 2 ** 31 - 1, unit: 'clients' },
  timeout: { least: 0, most: 2 ** 31 - 1, unit: 'seconds' },
  keepalive: { least: 0, most: 32_767, unit: 'seconds' },
  connect: { least: 1, most: 3_600_000, unit: 'milliseconds' },
} as const;

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
    listen: parseListens(listen.text, listen.name),
    upstream: parseUpstream(upstream.text, upstream.name),
    admin: adminAddress(setting('admin')),
    maxClients: within(setting('max-clients'), RANGES.clients),
    timeoutSeconds: within(setting('timeout'), RANGES.timeout),
    tcpKeepaliveMs: within(setting('tcp-keepalive'), RANGES.keepalive) * 1_000,
    connectTimeoutMs: within(setting('connect-timeout'), RANGES.connect),
    proxyProtocol: oneOf(setting('proxy-protocol'), SWITCH) === 'on',
    advertiseVersion: version(setting('advertise-version')),
    source: oneOf(setting('source'), SOURCES),
    notifyConfig: oneOf(setting('notify-config'), NOTIFY_CONFIGS),
    probeKeyPrefix: prefix(setting('probe-key-prefix')),
    trackingTableMaxKeys: count(setting('tracking-table-max-keys')),
    watchIntervalMs: interval(setting('watch-interval')),
    bcastAcl: oneOf(setting('bcast-acl'), BCAST_ACLS),
    blind: oneOf(setting('blind'), BLINDS),
    fenceWrites: oneOf(setting('fence-writes'), SWITCH) === 'on',
    outputLimit: outputLimit(setting('client-output-buffer-limit')),
    redirectCleanup: oneOf(setting('redirect-cleanup'), SWITCH) === 'on',
    logLevel: oneOf(setting('log-level'), LOG_LEVELS),
    logFormat: logFormat === 'auto' ? (given.terminal ? 'pretty' : 'json') : logFormat,
  };
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
