import type { ListenAddress, SocketAddress, UpstreamAddress, UpstreamChoice } from './address.ts';
import { parseListen, parseUpstream } from './address.ts';
import type { OutputLimit } from './client/output.ts';
import { ProxyError } from './errors.ts';
import { type InjectAuth, readInjectAuth } from './inject-auth.ts';
import type { ListenTls } from './listen-tls.ts';
import {
  BCAST_ACLS,
  BLINDS,
  LOG_FORMATS,
  LOG_LEVELS,
  NOTIFY_CONFIGS,
  SOURCES,
  SWITCH,
} from './options.ts';
import { type Decided, decide, type Given } from './origin.ts';
import {
  count,
  interval,
  oneOf,
  outputLimit,
  prefix,
  type Setting,
  userName,
  version,
  within,
} from './settings.ts';
import { readPassword } from './small-file.ts';
import { readListen, withTls } from './tls-settings.ts';

export { environmentName } from './origin.ts';

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
  /** Where clients connect without TLS; at least one, unless `tls` has some. */
  readonly listen: readonly ListenAddress[];
  /** Where clients connect over TLS; undefined: nowhere. */
  readonly tls: ListenTls | undefined;
  /** Never `embedded`: whoever starts the proxy has started that Redis by then. */
  readonly upstream: UpstreamAddress;
  /** Whether clients' connections to upstream are logged in by the proxy. */
  readonly injectAuth: InjectAuth;
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

/** Everything that the command line, the environment and the file of settings decide. */
export interface Config extends Omit<ProxyConfig, 'upstream'> {
  readonly upstream: UpstreamChoice;
  /** Where health and metrics are served; undefined is nowhere. */
  readonly admin: SocketAddress | undefined;
  /** How long clients may wait for what they are owed when the proxy stops, in milliseconds. */
  readonly drainTimeoutMs: number;
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
  drain: { least: 0, most: 86_400, unit: 'seconds' },
} as const;

/**
 * Decides and checks every setting.
 *
 * @throws ProxyError CONFIG_INVALID with one line for the operator
 */
export function readConfig(given: Given): Config {
  const setting = decide(given);
  const logFormat = oneOf(setting('log-format'), LOG_FORMATS);
  const upstream = withControl(
    upstreamOf(setting('upstream'), setting('upstream-password-file')),
    setting('control-user'),
    setting('control-password-file'),
  );
  const listen = readListen(setting);
  const places = [...listen.listen, ...(listen.tls?.listen ?? [])];
  return {
    ...listen,
    upstream: withTls(upstream, setting),
    injectAuth: readInjectAuth(setting('inject-auth'), upstream, places),
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
    drainTimeoutMs: within(setting('drain-timeout'), RANGES.drain) * 1_000,
    logLevel: oneOf(setting('log-level'), LOG_LEVELS),
    logFormat: logFormat === 'auto' ? (given.terminal ? 'pretty' : 'json') : logFormat,
  };
}

/**
 * Decides and checks where health and metrics are served, and nothing else.
 *
 * @returns undefined for nowhere
 * @throws ProxyError CONFIG_INVALID with one line for the operator
 */
export function readAdmin(given: Given): SocketAddress | undefined {
  return adminAddress(decide(given)('admin'));
}

function adminAddress({ name, text }: Setting): SocketAddress | undefined {
  if (text.toLowerCase() === 'off') return undefined;
  const address = parseListen(text, name);
  if (address.kind !== 'fd') return address;
  // Nobody could be told where to ask for health.
  throw new ProxyError('CONFIG_INVALID', `${name}: a descriptor is accepted by --listen only`);
}

function upstreamOf({ name, text }: Setting, file: Decided): UpstreamChoice {
  const upstream = parseUpstream(text, name);
  if (file.origin === 'default') return upstream;
  if (upstream.kind === 'embedded') throw needless(file);
  return { ...upstream, ...passwordFrom(file) };
}

/** Adds as whom the proxy's own connections log in, where that is said. */
function withControl(upstream: UpstreamChoice, user: Decided, file: Decided): UpstreamChoice {
  const isNamed = user.origin !== 'default';
  const hasFile = file.origin !== 'default';
  if (!isNamed && !hasFile) return upstream;
  if (upstream.kind === 'embedded') throw needless(isNamed ? user : file);
  if (!hasFile) {
    throw new ProxyError('CONFIG_INVALID', `${user.name}: needs --control-password-file`);
  }
  return {
    ...upstream,
    control: { user: isNamed ? userName(user) : undefined, ...passwordFrom(file) },
  };
}

function passwordFrom({ name, text }: Setting): { password: string; passwordFile: Setting } {
  const passwordFile = { name, text };
  return { password: readPassword(passwordFile), passwordFile };
}

function needless({ name }: Setting): ProxyError {
  const why = 'the embedded Redis has no password; name another Redis with --upstream';
  return new ProxyError('CONFIG_INVALID', `${name}: ${why}`);
}
