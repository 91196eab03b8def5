import { lookup } from 'node:dns/promises';
import net from 'node:net';
import type { UpstreamAddress } from '../address.ts';

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
export class Endpoint {
  readonly address: UpstreamAddress;
  /** How long a client's connection may take to open, in milliseconds. */
  readonly connectTimeoutMs: number;
  #pinned: string | undefined;

  constructor(address: UpstreamAddress, connectTimeoutMs = CONNECT_TIMEOUT_MS) {
    this.address = address;
    this.connectTimeoutMs = connectTimeoutMs;
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
}
