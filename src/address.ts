import { isIPv6 } from 'node:net';
import { ProxyError } from './errors.ts';
import type { Setting } from './settings.ts';
import type { TlsFiles } from './tls.ts';

/** A place of our own to listen: a TCP host and port (port 0: any free one), or a Unix socket. */
export type SocketAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Where to listen: also a socket that whoever has started us has opened, by its descriptor. */
export type ListenAddress = SocketAddress | { readonly kind: 'fd'; readonly fd: number };

/**
 * Who to be at the upstream. `user` undefined means the default user; `password` undefined means
 * that no AUTH is sent. A user without a password has the empty one (a `nopass` user takes any).
 */
export interface Identity {
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Names the file that the password is from, which may be read again; undefined: there is none. */
  readonly passwordFile?: Setting | undefined;
}

/** Who to be, and where to begin. */
export interface Login extends Identity {
  /** Who the proxy's own connections are; undefined: the same. */
  readonly control?: Identity | undefined;
  /** The database number of the URL, 0 when it names none. */
  readonly db: number;
}

/** How an upstream is spoken to over TLS: see the flags `--upstream-tls-...`. */
export interface UpstreamTls {
  readonly files: TlsFiles;
  /** The name that it is asked for (SNI), and that its certificate has to be for. */
  readonly serverName: string;
  /** Whether any certificate will do. */
  readonly insecure: boolean;
}

/** A Redis to stand in front of. `host` is a name or an address, IPv6 without brackets. */
export type UpstreamAddress =
  | ({ readonly kind: 'tcp'; readonly host: string; readonly port: number } & Login)
  | ({
      readonly kind: 'tls';
      readonly host: string;
      readonly port: number;
      readonly tls: UpstreamTls;
    } & Login)
  | ({ readonly kind: 'unix'; readonly path: string } & Login);

/** What `--upstream` takes: a Redis, or a private one that we start ourselves. */
export type UpstreamChoice = UpstreamAddress | { readonly kind: 'embedded' };

/** The port of a Redis whose URL names none. */
const REDIS_PORT = 6379;

/** Longest path of a Unix socket, in bytes. Source: `sun_path` of Linux, less its final NUL. */
const SOCKET_PATH_MAX_BYTES = 107;

/** The highest database that SELECT takes. Source: servers read its number into a C int. */
const DATABASE_MAX = 2 ** 31 - 1;

/** The first descriptor that is not stdin, stdout or stderr. Source: POSIX; systemd begins there. */
const DESCRIPTOR_MIN = 3;

const LISTEN_FORMS =
  'host:port, [v6]:port, port (on 127.0.0.1), the path of a Unix socket with a / in it, or fd:3';

/** What {@link parseUpstream} accepts, as `--help` and errors say it. */
export const UPSTREAM_FORMS =
  'redis://[user[:password]@]host[:port][/db], rediss://... (TLS), ' +
  'unix://[user[:password]@]path[?db=n], or embedded';

/**
 * Reads a place to listen: `host:port`, `[v6]:port`, `port`, or a Unix socket path (anything with
 * a `/`, with or without `unix://`), or `fd:3` for a socket that was opened for us. A bare port is 127.0.0.1, never all interfaces; `:port` and
 * `*:port` are refused because programs differ in what they mean by them.
 *
 * @param text what the operator wrote
 * @param name the option, for the message
 * @throws ProxyError CONFIG_INVALID with one line for the operator
 */
export function parseListen(text: string, name: string): ListenAddress {
  const refuse = (why: string) => invalid(name, text, why, LISTEN_FORMS);
  const path = /^unix:\/\/(.*)$/is.exec(text)?.[1];
  if (path !== undefined) return { kind: 'unix', path: socketPath(path, refuse) };
  if (text.includes('://')) throw refuse('is a URL');
  if (text.includes('/')) return { kind: 'unix', path: socketPath(text, refuse) };
  const fd = /^fd:(.*)$/is.exec(text)?.[1];
  if (fd !== undefined) return { kind: 'fd', fd: descriptor(fd, refuse) };
  if (/^\d+$/.test(text)) {
    return { kind: 'tcp', host: '127.0.0.1', port: portNumber(text, 0, refuse) };
  }
  if (/^\*?:\d+$/.test(text)) {
    const port = text.slice(text.indexOf(':') + 1);
    throw refuse(`names no host (all interfaces: 0.0.0.0:${port} or [::]:${port})`);
  }
  const { host, port } = splitHost(text, refuse);
  if (port === undefined) throw refuse('has no port');
  return { kind: 'tcp', host, port: portNumber(port, 0, refuse) };
}

/**
 * Reads the places to listen, with commas between them. Blanks around a place mean nothing.
 *
 * @param text what the operator wrote
 * @param name the option, for the message
 * @returns at least one
 * @throws ProxyError CONFIG_INVALID with one line for the operator
 */
export function parseListens(text: string, name: string): readonly ListenAddress[] {
  const addresses: ListenAddress[] = [];
  const known = new Set<string>();
  for (const part of text.split(',')) {
    const address = parseListen(part.trim(), name);
    const printed = printListen(address);
    const isTwice = known.has(printed) && !(address.kind === 'tcp' && address.port === 0);
    if (isTwice) throw new ProxyError('CONFIG_INVALID', `${name}: ${printed} is named twice`);
    known.add(printed);
    addresses.push(address);
  }
  return addresses;
}

/**
 * Reads an upstream: `redis://[user[:password]@]host[:port][/db]`, the same with `rediss://` for TLS,
 * `unix://[user[:password]@]path[?db=n]`, or `embedded`. User, password and socket path are
 * percent-decoded; whatever stands before the last `@` is taken for user and password, so most
 * characters need no encoding.
 *
 * @param text what the operator wrote
 * @param name the option, for the message
 * @throws ProxyError CONFIG_INVALID with one line for the operator that never shows the password
 */
export function parseUpstream(text: string, name: string): UpstreamChoice {
  const refuse = (why: string) => invalid(name, text, why, UPSTREAM_FORMS);
  if (text.toLowerCase() === 'embedded') return { kind: 'embedded' };
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) throw refuse('has no redis:// or unix://');
  switch (scheme.toLowerCase()) {
    case 'redis':
      return { kind: 'tcp', ...tcpUpstream(rest, refuse) };
    case 'unix':
      return unixUpstream(rest, refuse);
    case 'rediss':
      return tlsUpstream(rest, refuse);
    default:
      throw refuse(`is of a kind that is not known (${scheme}://)`);
  }
}

/**
 * A place to listen as an operator reads it: `127.0.0.1:6380`, `[::1]:6380`, `/run/s.sock`, `fd:3`.
 *
 * @param address what was asked for
 * @param port    the port that was really opened, when port 0 was asked for
 */
export function printListen(address: ListenAddress, port?: number): string {
  if (address.kind === 'unix') return address.path;
  if (address.kind === 'fd') return `fd:${address.fd}`;
  return `${bracketed(address.host)}:${port ?? address.port}`;
}

/** An upstream as an operator reads it. A password is shown as `***`, whatever it is. */
export function printUpstream(address: UpstreamChoice): string {
  if (address.kind === 'embedded') return 'embedded';
  const user = address.user === undefined ? '' : encodeURIComponent(address.user);
  const login = address.password === undefined ? '' : `${user}:***@`;
  if (address.kind === 'unix') {
    return `unix://${login}${address.path}${address.db === 0 ? '' : `?db=${address.db}`}`;
  }
  const db = address.db === 0 ? '' : `/${address.db}`;
  const scheme = address.kind === 'tls' ? 'rediss' : 'redis';
  return `${scheme}://${login}${bracketed(address.host)}:${address.port}${db}`;
}

/** @returns `text` on one line, with whatever could be a user and a password in it hidden */
export function withoutSecrets(text: string): string {
  return text
    .replace(/\p{Cc}/gu, ' ')
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/i, (_, scheme: string | undefined) => {
      return `${scheme ?? ''}***@`;
    });
}

type Refuse = (why: string) => ProxyError;

function invalid(name: string, text: string, why: string, forms: string): ProxyError {
  const shown = withoutSecrets(text);
  return new ProxyError('CONFIG_INVALID', `${name}: '${shown}' ${why}; accepted: ${forms}`);
}

/** With what is trusted where nothing else is said. */
function tlsUpstream(rest: string, refuse: Refuse): UpstreamAddress {
  const server = tcpUpstream(rest, refuse);
  const files = { cert: undefined, key: undefined, ca: undefined };
  return { kind: 'tls', ...server, tls: { files, serverName: server.host, insecure: false } };
}

function tcpUpstream(
  rest: string,
  refuse: Refuse,
): Login & { readonly host: string; readonly port: number } {
  const at = rest.lastIndexOf('@');
  const login = readLogin(at < 0 ? undefined : rest.slice(0, at), refuse);
  const [, authority, , tail] = /^([^/?#]*)(\/([^?#]*))?/.exec(rest.slice(at + 1)) ?? [];
  if (/[?#]/.test(rest.slice(at + 1))) throw refuse('has a ? or # part, which means nothing here');
  const { host, port } = splitHost(authority ?? '', refuse);
  return {
    host,
    port: port === undefined ? REDIS_PORT : portNumber(port, 1, refuse),
    ...login,
    db: databaseNumber(tail ?? '', refuse),
  };
}

function unixUpstream(rest: string, refuse: Refuse): UpstreamAddress {
  // A socket path may hold an @ itself, so only one before the first slash ends a login.
  const slash = rest.indexOf('/');
  const at = slash < 0 ? rest.lastIndexOf('@') : rest.lastIndexOf('@', slash);
  const login = readLogin(at < 0 ? undefined : rest.slice(0, at), refuse);
  const [path = '', query] = split(rest.slice(at + 1), '?');
  const db = query === undefined ? '' : /^db=(\d+)$/.exec(query)?.[1];
  if (db === undefined) throw refuse('has a ? part that is not ?db=n');
  const decoded = socketPath(decode(path, refuse), refuse);
  return { kind: 'unix', path: decoded, ...login, db: databaseNumber(db, refuse) };
}

function readLogin(text: string | undefined, refuse: Refuse): Omit<Login, 'db'> {
  if (text === undefined || text === '') return { user: undefined, password: undefined };
  const [user = '', password = ''] = split(text, ':');
  return {
    user: user === '' ? undefined : decode(user, refuse),
    password: decode(password, refuse),
  };
}

function splitHost(text: string, refuse: Refuse): { host: string; port: string | undefined } {
  const bracket = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracket !== null) {
    const host = bracket[1] ?? '';
    if (!isIPv6(host)) throw refuse('has no IPv6 address between its brackets');
    return { host, port: bracket[2] };
  }
  if (text.split(':').length > 2) throw refuse('is an IPv6 address without brackets');
  const [host = '', port] = split(text, ':');
  if (host === '') throw refuse('names no host');
  if (!/^[a-z0-9._-]+$/i.test(host)) throw refuse('has characters in it that no host name has');
  return { host, port };
}

function portNumber(text: string, least: 0 | 1, refuse: Refuse): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < least || port > 65_535) throw refuse(`has no port from ${least} to 65535`);
  return port;
}

function descriptor(text: string, refuse: Refuse): number {
  const fd = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (fd < DESCRIPTOR_MIN) throw refuse(`has no descriptor of ${DESCRIPTOR_MIN} or more`);
  return fd;
}

function databaseNumber(text: string, refuse: Refuse): number {
  if (text === '') return 0;
  if (!/^\d+$/.test(text)) throw refuse('has a database that is not a number');
  if (Number(text) > DATABASE_MAX) throw refuse(`has a database above ${DATABASE_MAX}`);
  return Number(text);
}

function socketPath(text: string, refuse: Refuse): string {
  if (text === '' || text.endsWith('/')) throw refuse('names no socket file');
  if (/\p{Cc}/u.test(text)) throw refuse('has control characters in its path');
  if (Buffer.byteLength(text) > SOCKET_PATH_MAX_BYTES) {
    throw refuse(`is a longer path than a socket may have (${SOCKET_PATH_MAX_BYTES} bytes)`);
  }
  return text;
}

function decode(text: string, refuse: Refuse): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse('has a % that is not followed by two hex digits of UTF-8 (write % as %25)');
  }
}

function split(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
