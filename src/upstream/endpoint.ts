import { lookup } from 'node:dns/promises';
import net from 'node:net';
import tls from 'node:tls';
import type { Identity, UpstreamAddress } from '../address.ts';
import { Seldom } from '../seldom.ts';
import { readPassword } from '../small-file.ts';
import type { Reloadable, Reloaded } from '../tls.ts';
import type { Credentials } from './credentials.ts';
import { readUpstreamTls } from './tls.ts';

/**
 * How long a connection of our own to upstream may take to open, in milliseconds, and a client's
 * where nothing else is asked for. Source: our choice.
 */
export const CONNECT_TIMEOUT_MS = 5_000;

/** How a lane begins. */
interface LaneOpening {
  /** The database. */
  readonly db: number;
  /** As whom, where the proxy says that for its client; undefined: the client does. */
  readonly injected: (() => Credentials | undefined) | undefined;
}

/**
 * The one node behind the proxy. A name is resolved once, and every connection goes to that address
 * until the node is lost: with several nodes behind one name, a client could else read from a node
 * whose changes nobody listens to.
 */
export class Endpoint implements Reloadable {
  /** How long a client's connection may take to open, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** How many lanes lead there, open or being opened. */
  laneCount = 0;
  /** Of clients that the proxy can't log in. */
  readonly refusals = new Seldom();
  #address: UpstreamAddress;
  #pinned: string | undefined;
  #tls: ReturnType<typeof readUpstreamTls> | undefined;

  /** @throws ProxyError CONFIG_INVALID where the files for TLS will not do */
  constructor(address: UpstreamAddress, connectTimeoutMs = CONNECT_TIMEOUT_MS) {
    this.#address = address;
    this.connectTimeoutMs = connectTimeoutMs;
    if (address.kind === 'tls') this.#tls = readUpstreamTls(address.tls);
  }

  /** With the passwords that were read last. */
  get address(): UpstreamAddress {
    return this.#address;
  }

  /** As whom the proxy's own connections log in. */
  get ownLogin(): Identity {
    return this.#address.control ?? this.#address;
  }

  /** Reads the passwords' files and those for TLS anew; connections that are open stay. */
  reload(): readonly Reloaded[] {
    const { control } = this.#address;
    let address = readAgain(this.#address);
    if (control?.passwordFile !== undefined) address = { ...address, control: readAgain(control) };
    const read: Reloaded[] = [];
    if (address.kind === 'tls') {
      this.#tls = readUpstreamTls(address.tls);
      read.push('certificates');
    }
    if (address !== this.#address) {
      this.#address = address;
      read.push('password');
    }
    return read;
  }

  /** @param injects whether the proxy logs its clients in */
  opening(injects: boolean): LaneOpening {
    return { db: this.#address.db, injected: injects ? () => this.#credentials() : undefined };
  }

  #credentials(): Credentials | undefined {
    const { user, password } = this.#address;
    if (password === undefined) return undefined;
    return { user: user && asUtf8(user), password: asUtf8(password) };
  }

  /** Resolves the name again, for the node may have moved. @throws what DNS says */
  async resolve(): Promise<void> {
    if (this.address.kind === 'unix') return;
    const { host } = this.address;
    this.#pinned = net.isIP(host) === 0 ? (await lookup(host)).address : host;
  }

  /** Where to connect, for net.connect. Before the name has been resolved: by name. */
  get target(): { readonly path: string } | { readonly host: string; readonly port: number } {
    if (this.address.kind === 'unix') return { path: this.address.path };
    return { host: this.#pinned ?? this.address.host, port: this.address.port };
  }

  /** How to connect there over TLS, for tls.connect; undefined: without. */
  get tls(): tls.ConnectionOptions | undefined {
    return this.#tls;
  }

  /**
   * @param timeoutMs how long the connection may take to open, in milliseconds
   * @param onread    where what is received goes; default: the socket tells it
   */
  connect(timeoutMs: number, onread?: net.OnReadOpts): net.Socket {
    const target = { ...this.target, ...(onread === undefined ? {} : { onread }) };
    const socket =
      this.#tls === undefined
        ? net.connect({ ...target, noDelay: true })
        : tls.connect({ ...target, ...this.#tls });
    limitOpening(socket, this.#tls === undefined ? 'connect' : 'secureConnect', timeoutMs);
    // tls.connect has no option for it
    if (this.#tls !== undefined) socket.on('connect', () => socket.setNoDelay(true));
    return socket;
  }
}

/** @returns the same upstream, where everybody is who the proxy's own connections are */
export function asControl(address: UpstreamAddress): UpstreamAddress {
  const { control } = address;
  return control === undefined ? address : { ...address, ...control, control: undefined };
}

/** @returns with the password that its file holds now; the very same where there is no file */
function readAgain<T extends Identity>(identity: T): T {
  const { passwordFile } = identity;
  return passwordFile === undefined
    ? identity
    : { ...identity, password: readPassword(passwordFile) };
}

/**
 * Gives up a connection that is not open in time. Once it is, nothing of this is left: a timeout of
 * the socket's own would stay with each of thousands of lanes.
 */
function limitOpening(
  socket: net.Socket,
  opened: 'connect' | 'secureConnect',
  timeoutMs: number,
): void {
  const timer = setTimeout(() => {
    const what = socket.connecting ? 'connection' : 'TLS handshake';
    socket.destroy(new Error(`no ${what} within ${timeoutMs} ms`));
  }, timeoutMs);
  const done = () => {
    clearTimeout(timer);
    socket.off(opened, done).off('close', done);
  };
  socket.on(opened, done).on('close', done);
}

function asUtf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
