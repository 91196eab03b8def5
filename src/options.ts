import { UPSTREAM_FORMS } from './address.ts';
import { PROBE_KEY_PREFIX } from './upstream/probe.ts';

/** See the flag of that name. */
export const NOTIFY_CONFIGS = ['auto', 'check', 'skip'] as const;
/** See the flag of that name. */
export const SOURCES = ['events', 'writes', 'both'] as const;
/** See the flag of that name. */
export const BCAST_ACLS = ['filter', 'native'] as const;
/** See the flag of that name. */
export const BLINDS = ['invalidate', 'refuse'] as const;
/** See the flag of that name. */
export const AUTH_CLIENTS = ['yes', 'no', 'optional'] as const;
/** See the flag of that name. */
export const SWITCH = ['on', 'off'] as const;
/** See the flag of that name. */
export const INJECT_AUTHS = ['off', 'local', 'anyone'] as const;
/** See the flag of that name. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
/** See the flag of that name. */
export const LOG_FORMATS = ['auto', 'json', 'pretty'] as const;

/** One setting: a flag, an environment variable (its name follows from the flag) and a help line. */
export interface OptionSpec {
  readonly flag: string;
  /** Used when nobody says otherwise; written as on the command line. Empty: there is none. */
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
    describe:
      'Where clients connect: host:port, [v6]:port, port (on 127.0.0.1), a socket path, or fd:3 for ' +
      'a socket that is opened already, as by systemd; several with commas between them, or the ' +
      'flag again; off: only --tls-listen',
  },
  {
    flag: 'tls-listen',
    fallback: '',
    describe: 'Where clients connect over TLS, beside --listen; places as there',
  },
  {
    flag: 'tls-cert-file',
    fallback: '',
    describe: 'The certificate that clients are shown, with its chain (PEM; SIGHUP reads it anew)',
  },
  { flag: 'tls-key-file', fallback: '', describe: 'The key of that certificate (PEM)' },
  {
    flag: 'tls-ca-cert-file',
    fallback: '',
    describe: "Certificates of those who sign clients' certificates (PEM)",
  },
  {
    flag: 'tls-auth-clients',
    fallback: 'yes',
    choices: AUTH_CLIENTS,
    describe:
      'Whether a client over TLS needs a certificate: optional lets in who shows none, but nobody ' +
      'with a wrong one',
  },
  {
    flag: 'upstream',
    fallback: 'embedded',
    describe:
      `The Redis behind: ${UPSTREAM_FORMS} ` +
      '(a private redis-server that ends with the proxy and keeps nothing)',
  },
  {
    flag: 'upstream-password-file',
    fallback: '',
    describe:
      'A file that holds the password for the upstream, and nothing else but perhaps the end of ' +
      'its line; it outweighs a password in the URL (SIGHUP reads it anew)',
  },
  {
    flag: 'control-user',
    fallback: '',
    describe:
      "The user as whom the proxy's own connections log in; it needs --control-password-file. " +
      'Without both: that of --upstream',
  },
  {
    flag: 'control-password-file',
    fallback: '',
    describe:
      'A file that holds the password for these connections, as --upstream-password-file; without ' +
      "--control-user it is the default user's (SIGHUP reads it anew)",
  },
  {
    flag: 'inject-auth',
    fallback: 'off',
    choices: INJECT_AUTHS,
    describe:
      'Whether the proxy logs its clients in, with the user and password of --upstream: local ' +
      'does, and listens only on loopback and Unix sockets; anyone does for whoever can connect',
  },
  {
    flag: 'upstream-tls-ca',
    fallback: '',
    describe:
      'Certificates of those who sign the certificate of a rediss:// upstream (PEM); without: ' +
      'those that Node trusts',
  },
  {
    flag: 'upstream-tls-cert',
    fallback: '',
    describe: 'The certificate that a rediss:// upstream is shown, with its chain (PEM)',
  },
  { flag: 'upstream-tls-key', fallback: '', describe: 'The key of that certificate (PEM)' },
  {
    flag: 'upstream-tls-sni',
    fallback: '',
    describe:
      'The name that a rediss:// upstream is asked for, and that its certificate has to be for; ' +
      'without: the host of the URL',
  },
  {
    flag: 'upstream-tls-insecure',
    fallback: 'off',
    choices: SWITCH,
    describe: 'Whether a rediss:// upstream may show any certificate: on only to try things out',
  },
  {
    flag: 'admin',
    fallback: '127.0.0.1:9380',
    describe: 'Where /metrics, /healthz and /readyz are served; off: nowhere',
  },
  {
    flag: 'max-clients',
    fallback: '10000',
    describe:
      'Most clients at once; further ones are told so and disconnected. Each needs two file ' +
      'descriptors: where those do not suffice there are fewer clients',
  },
  {
    flag: 'timeout',
    fallback: '0',
    describe:
      'Seconds after which a silent client is disconnected, unless it waits for a reply, has ' +
      'subscribed, or is in MONITOR; 0: never',
  },
  {
    flag: 'tcp-keepalive',
    fallback: '300',
    describe: 'Seconds of silence after which TCP asks whether a client still lives; 0: never',
  },
  {
    flag: 'connect-timeout',
    fallback: '5000',
    describe: "Milliseconds that a client's connection to the upstream may take to open",
  },
  {
    flag: 'proxy-protocol',
    fallback: 'off',
    choices: SWITCH,
    describe:
      'Whether a load balancer sends a PROXY protocol header (v1 or v2) first on each connection: ' +
      'on refuses connections without one',
  },
  {
    flag: 'advertise-version',
    fallback: 'auto',
    describe:
      'Version that HELLO shows: auto (an older one becomes 7.4.0, which some clients ask for ' +
      'before they cache), upstream (unchanged), or X.Y.Z',
  },
  {
    flag: 'source',
    fallback: 'events',
    choices: SOURCES,
    describe:
      'How changes are noticed: events by keyspace notifications; writes by the writes that pass ' +
      'through this proxy, and no others, for an upstream without notifications; both, so that ' +
      'what passes is told sooner',
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
    flag: 'probe-key-prefix',
    fallback: PROBE_KEY_PREFIX,
    describe:
      'With what the keys begin that prove notifications where CONFIG is not used; ' +
      'they are gone within a second',
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
  {
    flag: 'blind',
    fallback: 'invalidate',
    choices: BLINDS,
    describe:
      'While changes may be missed: invalidate keeps tracking clients and invalidates whatever ' +
      'they read; refuse disconnects them and refuses CLIENT TRACKING ON',
  },
  {
    flag: 'fence-writes',
    fallback: 'off',
    choices: SWITCH,
    describe:
      'Hold the reply to each write until the invalidations that it caused are on their way: on, ' +
      'or off (a client may choose for itself: CLIENT FENCE-WRITES ON|OFF)',
  },
  {
    flag: 'client-output-buffer-limit',
    fallback: '32mb 8mb 60',
    describe:
      'What may wait for a client that does not read, as in redis.conf: hard limit, soft limit, ' +
      'and for how many seconds the soft one may be exceeded; 0: no limit',
  },
  {
    flag: 'drain-timeout',
    fallback: '10',
    describe:
      'Seconds that clients have, when the proxy is told to stop, to get the replies that they ' +
      'are owed; 0: all are disconnected at once',
  },
  { flag: 'log-level', fallback: 'info', choices: LOG_LEVELS, describe: 'Least weight logged' },
  {
    flag: 'log-format',
    fallback: 'auto',
    choices: LOG_FORMATS,
    describe: 'Form of the log on stderr: auto is pretty on a terminal and json elsewhere',
  },
  {
    flag: 'config',
    fallback: '',
    describe:
      'A file of settings, YAML or JSON: the names of flags without their dashes, one a line. ' +
      'Flags and variables outweigh it',
  },
] as const satisfies readonly OptionSpec[];

/** A flag of {@link OPTIONS}, without its dashes. */
export type Flag = (typeof OPTIONS)[number]['flag'];
