import { lookup } from 'node:dns/promises';
import net from 'node:net';
import type { UpstreamAddress } from '../address.ts';

/** How long a connection to upstream may take to open, in milliseconds. Source: our choice. */
export const CONNECT_TIMEOUT_MS = 5_000;

/**
 * The one node behind the proxy. A name is resolved once, and every connection goes to that address
 * until the node is lost: with several nodes behind one name, a client could else read from a node
 * whose changes nobody listens to.
 */
export class Endpoint {
  readonly address: UpstreamAddress;
  #pinned: string | undefined;

  constructor(address: UpstreamAddress) {
    this.address = address;
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
