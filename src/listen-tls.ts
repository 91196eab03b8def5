import type net from 'node:net';
import tls from 'node:tls';
import type { ListenAddress } from './address.ts';
import type { Setting } from './settings.ts';
import { readTls, reasonOf } from './tls.ts';

/** How long a TLS handshake may take, in milliseconds. Source: our choice. */
const HANDSHAKE_DEADLINE_MS = 5_000;

/** Where and how clients connect over TLS. */
export interface ListenTls {
  /** At least one. */
  readonly listen: readonly ListenAddress[];
  readonly files: TlsServerFiles;
  /** Whether a client needs a certificate. `optional`: one that it shows has to be good. */
  readonly authClients: 'yes' | 'no' | 'optional';
}

/** As `TlsFiles`; a server shows a certificate. */
interface TlsServerFiles {
  readonly cert: Setting;
  readonly key: Setting;
  readonly ca: Setting | undefined;
}

/** Who is told how handshakes end. */
export interface HandshakeListener {
  /** @param client the client's words, which pass through `socket` encrypted */
  readonly secured: (client: tls.TLSSocket, socket: net.Socket) => void;
  /** The connection is over. Not told of one that ended before it said anything. */
  readonly failed: (reason: string) => void;
}

/** Lets clients in over TLS: takes connections, and hands on what is inside. */
export class Handshakes {
  readonly #tls: ListenTls;
  readonly #listener: HandshakeListener;
  readonly #server: tls.Server; // it does not listen itself: a PROXY protocol header may come first

  /** @throws ProxyError CONFIG_INVALID with one line for the operator */
  constructor(options: ListenTls, listener: HandshakeListener) {
    const { authClients } = options;
    this.#tls = options;
    this.#listener = listener;
    this.#server = tls.createServer({
      ...readTls(options.files),
      requestCert: authClients !== 'no',
      rejectUnauthorized: authClients === 'yes',
      handshakeTimeout: HANDSHAKE_DEADLINE_MS,
    });
    this.#server.on('secureConnection', (client) => this.#secured(client));
    this.#server.on('tlsClientError', (error, client) => this.#failed(error, client));
  }

  /** The next bytes that `socket` brings are those of a handshake. */
  begin(socket: net.Socket): void {
    socket.allowHalfOpen = false; // nobody shakes hands with half a connection
    this.#server.emit('connection', socket);
  }

  /** Reads the files anew; what is open stays. @throws ProxyError CONFIG_INVALID */
  reload(): void {
    this.#server.setSecureContext(readTls(this.#tls.files));
  }

  #secured(client: tls.TLSSocket): void {
    const isShown = client.getPeerX509Certificate() !== undefined;
    if (this.#tls.authClients === 'optional' && isShown && !client.authorized) {
      this.#failed(new Error('refused'), client);
      return;
    }
    client.allowHalfOpen = true;
    this.#listener.secured(client, outerOf(client));
  }

  #failed(error: Error, client: tls.TLSSocket): void {
    client.destroy();
    const { authorizationError } = client;
    if (authorizationError) {
      this.#listener.failed(`TLS: the client's certificate is refused: ${authorizationError}`);
      return;
    }
    const { code } = error as NodeJS.ErrnoException;
    // So load balancers look whether somebody listens.
    if (code === 'ECONNRESET' && outerOf(client).bytesRead === 0) return;
    if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') {
      this.#listener.failed(`TLS: no handshake within ${HANDSHAKE_DEADLINE_MS} ms`);
    } else {
      const left = 'the client left before the end of the handshake';
      this.#listener.failed(`TLS: ${code === 'ECONNRESET' ? left : reasonOf(error)}`);
    }
  }
}

/** Node keeps it, and has no other way to tell which connection a handshake was on. */
function outerOf(client: tls.TLSSocket): net.Socket {
  return (client as tls.TLSSocket & { readonly _parent: net.Socket })._parent;
}
