import { lookup } from 'node:dns/promises';
import net from 'node:net';
import tls from 'node:tls';
import type { UpstreamAddress } from '../address.ts';
import type { Reloadable } from '../tls.ts';
import { readUpstreamTls } from './tls.ts';

/**
 * How long a connection of our own to upstream may take to open, in milliseconds, and a client's
 * where nothing else is asked for. Source: our choice.
 */
export const CONNECT_TIMEOUT_MS = 5_000;

/**
 * The one node behind the proxy. A name is resolved once, and every connection goes to that address
 * until the node is lost: with several nodes behind one name, a client could else read from a node
 * whose changes nobody listens to.
 */
export class Endpoint implements Reloadable {
  readonly address: UpstreamAddress;
  /** How long a client's connection may take to open, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** How many lanes lead there, open or being opened. */
  laneCount = 0;
  #pinned: string | undefined;
  #tls: ReturnType<typeof readUpstreamTls> | undefined;

  /** @throws ProxyError CONFIG_INVALID where the files for TLS will not do */
  constructor(address: UpstreamAddress, connectTimeoutMs = CONNECT_TIMEOUT_MS) {
    this.address = address;
    this.connectTimeoutMs = connectTimeoutMs;
    this.reload();
  }

  /** Reads the files for TLS anew; connections that are open stay. */
  reload(): boolean {
    if (this.address.kind === 'tls') this.#tls = readUpstreamTls(this.address.tls);
    return this.address.kind === 'tls';
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

  /** @param timeoutMs how long the connection may take to open, in milliseconds */
  connect(timeoutMs: number): net.Socket {
    const target = { ...this.target, noDelay: true };
    const socket = this.#tls === undefined ? net.connect(target) : this.#connectTls();
    socket.setTimeout(timeoutMs, () => {
      const what = socket.connecting ? 'connection' : 'TLS handshake';
      socket.destroy(new Error(`no ${what} within ${timeoutMs} ms`));
    });
    socket.on(this.#tls === undefined ? 'connect' : 'secureConnect', () => socket.setTimeout(0));
    return socket;
  }

  #connectTls(): net.Socket {
    const socket = tls.connect({ ...this.target, ...this.#tls });
    socket.on('connect', () => socket.setNoDelay(true)); // tls.connect has no option for it
    return socket;
  }
}
