import { readFileSync } from 'node:fs';
import net from 'node:net';
import type { ListenAddress } from './address.ts';
import { demandLocal, type InjectAuth } from './inject-auth.ts';
import { listen } from './listen.ts';
import { Handshakes, type ListenTls } from './listen-tls.ts';
import type { Logger } from './logger.ts';
import { readProxyHeader } from './proxy-protocol.ts';
import { error } from './resp/write.ts';
import { Seldom } from './seldom.ts';
import type { Reloadable, Reloaded } from './tls.ts';

/** How long a PROXY protocol header may take to come, in milliseconds. Source: our choice. */
const HEADER_DEADLINE_MS = 5_000;

/** How long one who is turned away may take to read why, in milliseconds. Source: our choice. */
const FAREWELL_DEADLINE_MS = 2_000;

/** To how many at once that time is given; the others may lose the reason. Source: our choice. */
const FAREWELLS_MAX_COUNT = 100;

/**
 * File descriptors that are left for anything but clients and their lanes: the admin server's 64,
 * our own connections to upstream, files. Source: our choice.
 */
const DESCRIPTORS_RESERVED = 128;

/** Source: Redis says the same. */
const TOO_MANY = error('ERR max number of clients reached');

/** Why a connection is turned away, as the metrics name it. */
type Refusal = 'refusedMaxClients' | 'refusedProxyHeader' | 'refusedTls';

/** What may be set. */
export interface AcceptorOptions {
  /** Where to listen; may be nowhere. */
  readonly listen: readonly ListenAddress[];
  /** Where to listen for TLS, and how; undefined: nowhere. */
  readonly tls: ListenTls | undefined;
  /** Whether clients need no password; `local`: so only this machine may connect. */
  readonly injectAuth: InjectAuth;
  /** The most clients at once. */
  readonly maxClients: number;
  /** Whether a PROXY protocol header comes first. */
  readonly proxyProtocol: boolean;
  /** After how much silence TCP asks whether a client is still there, in milliseconds; 0: never. */
  readonly tcpKeepaliveMs: number;
}

/** What an acceptor needs from the proxy. */
export interface AcceptorParts {
  readonly logger: Logger;
  readonly counts: Record<Refusal, number>;
  /** How many clients there are that were handed on before. */
  readonly clientCount: () => number;
  /** Takes a client; the next bytes are its own. */
  readonly accepted: (client: net.Socket) => void;
}

/**
 * Lets clients in, from all the places where the proxy listens: not too many, and only with the
 * header that a load balancer sends, where one is expected, and TLS behind it, where that is.
 */
export class Acceptor implements Reloadable {
  readonly #options: AcceptorOptions;
  readonly #parts: AcceptorParts;
  readonly #servers: net.Server[] = [];
  readonly #addresses: string[] = [];
  readonly #handshakes: Handshakes | undefined;
  readonly #arriving = new Set<net.Socket>(); // their headers or handshakes have not come yet
  readonly #leaving = new Set<net.Socket>(); // they were turned away
  readonly #told: Readonly<Record<Refusal, Seldom>> = {
    refusedMaxClients: new Seldom(),
    refusedProxyHeader: new Seldom(),
    refusedTls: new Seldom(),
  };
  #isClosing = false;

  /** @throws ProxyError CONFIG_INVALID where the files for TLS will not do */
  constructor(options: AcceptorOptions, parts: AcceptorParts) {
    const maxClients = affordableClients(options.maxClients);
    this.#options = { ...options, maxClients };
    this.#parts = parts;
    if (options.tls !== undefined) {
      this.#handshakes = new Handshakes(options.tls, {
        secured: (client, socket) => {
          this.#arriving.delete(socket);
          parts.accepted(client);
        },
        failed: (reason) => this.#isClosing || this.#refused('refusedTls', reason),
      });
    }
    if (maxClients === options.maxClients) return;
    const asked = options.maxClients;
    parts.logger.info({ maxClients, asked }, 'the limit of file descriptors allows fewer clients');
  }

  /** Where it listens, as an operator reads it, with real ports where port 0 was asked for. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** Listens at all of the addresses, or at none. @throws ProxyError LISTEN_FAILED */
  async open(): Promise<void> {
    const { listen: plain, tls } = this.#options;
    try {
      for (const address of plain) {
        this.#addresses.push(await this.#openAt(address, false));
      }
      for (const address of tls?.listen ?? []) {
        this.#addresses.push(`tls://${await this.#openAt(address, true)}`);
      }
    } catch (cause) {
      void this.close(); // a client may have come already, whose end nobody should wait for
      throw cause;
    }
  }

  async #openAt(address: ListenAddress, isTls: boolean): Promise<string> {
    const { listen: plain, tls, tcpKeepaliveMs } = this.#options;
    const server = net.createServer(
      {
        allowHalfOpen: true,
        noDelay: true,
        keepAlive: tcpKeepaliveMs > 0,
        keepAliveInitialDelay: tcpKeepaliveMs,
      },
      (socket) => this.#arrived(socket, isTls),
    );
    const ipv6Only = hasTwin(address, [...plain, ...(tls?.listen ?? [])]);
    const opened = await listen(server, address, isTls ? '--tls-listen' : '--listen', { ipv6Only });
    this.#servers.push(server);
    // What was opened for us shows only now where it is.
    const bound = server.address();
    if (this.#options.injectAuth === 'local' && bound !== null && typeof bound === 'object') {
      demandLocal({ kind: 'tcp', host: bound.address, port: bound.port });
    }
    return opened;
  }

  /** Reads the files for TLS anew; clients that are connected stay. */
  reload(): readonly Reloaded[] {
    this.#handshakes?.reload();
    return this.#handshakes === undefined ? [] : ['certificates'];
  }

  /** Lets nobody in any more. @returns when all that were let in have gone, too */
  async close(): Promise<void> {
    this.#isClosing = true;
    const closed = this.#servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    for (const socket of [...this.#arriving, ...this.#leaving]) socket.destroy();
    await Promise.all(closed);
  }

  #arrived(socket: net.Socket, isTls: boolean): void {
    const { maxClients, proxyProtocol } = this.#options;
    if (this.#parts.clientCount() + this.#arriving.size >= maxClients)
      this.#turnAway(socket, isTls);
    else if (proxyProtocol) this.#awaitHeader(socket, isTls);
    else this.#greet(socket, isTls);
  }

  #turnAway(socket: net.Socket, isTls: boolean): void {
    this.#refused('refusedMaxClients', `there are ${this.#options.maxClients} clients`);
    socket.on('error', () => {}); // 'close' follows
    if (isTls) {
      socket.destroy(); // as Redis: before a handshake nothing can be said
      return;
    }
    socket.end(TOO_MANY);
    if (this.#leaving.size >= FAREWELLS_MAX_COUNT) {
      socket.destroySoon();
      return;
    }
    // What it says is read and dropped: unread, it would cost a reset, and perhaps the reason.
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), FAREWELL_DEADLINE_MS);
    this.#leaving.add(socket);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#leaving.delete(socket);
    });
  }

  /** Whatever a load balancer has to say has been said. */
  #greet(socket: net.Socket, isTls: boolean): void {
    if (!isTls) {
      this.#parts.accepted(socket);
      return;
    }
    this.#arriving.add(socket);
    socket.on('close', () => this.#arriving.delete(socket));
    this.#handshakes?.begin(socket);
  }

  #awaitHeader(socket: net.Socket, isTls: boolean): void {
    let received: Buffer = Buffer.alloc(0);
    this.#arriving.add(socket);
    const leave = () => {
      clearTimeout(timer);
      this.#arriving.delete(socket);
      socket.off('data', take).off('end', end).off('close', leave);
    };
    const refuse = (reason: string) => {
      leave();
      this.#refused('refusedProxyHeader', reason);
      socket.destroy();
    };
    const late = () => refuse(`no PROXY protocol header within ${HEADER_DEADLINE_MS} ms`);
    const timer = setTimeout(late, HEADER_DEADLINE_MS);
    const end = () => {
      if (received.length > 0) refuse('the end inside a PROXY protocol header');
      else socket.destroy(); // so load balancers look whether somebody listens
    };
    const take = (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const header = readProxyHeader(received);
      if (header.kind === 'partial') return;
      if (header.kind === 'malformed') {
        refuse(header.reason);
        return;
      }
      leave();
      socket.pause();
      if (header.end < received.length) socket.unshift(received.subarray(header.end));
      this.#parts.logger.debug({ client: header.client ?? 'unknown' }, 'client accepted');
      this.#greet(socket, isTls);
    };
    socket.on('data', take).on('end', end).on('close', leave);
    socket.on('error', () => {}); // 'close' follows
  }

  #refused(refusal: Refusal, reason: string): void {
    const { counts, logger } = this.#parts;
    counts[refusal] += 1;
    this.#told[refusal].tell((unsaid) =>
      logger.warn({ reason, ...unsaid }, 'a connection is turned away'),
    );
  }
}

/**
 * How many clients the limit of file descriptors allows: each has its own connection to upstream.
 *
 * @param asked the most clients that the operator wants
 * @returns `asked`, or fewer; as Redis, at least one
 */
function affordableClients(asked: number): number {
  const affordable = Math.floor((descriptorLimit() - DESCRIPTORS_RESERVED) / 2);
  return Math.max(1, Math.min(asked, affordable));
}

/** Node has raised the soft limit as far as it goes. @returns Infinity where it is not known */
function descriptorLimit(): number {
  try {
    const text = readFileSync('/proc/self/limits', 'utf8');
    return Number(/^Max open files +(\d+)/m.exec(text)?.[1] ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY; // not Linux
  }
}

/** Whether `[::]` must leave IPv4 alone, because that is listened to by itself at the same port. */
function hasTwin(address: ListenAddress, addresses: readonly ListenAddress[]): boolean {
  if (address.kind !== 'tcp' || !net.isIPv6(address.host)) return false;
  return addresses.some(
    (other) => other.kind === 'tcp' && net.isIPv4(other.host) && other.port === address.port,
  );
}
