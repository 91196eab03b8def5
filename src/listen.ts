import { existsSync, fstatSync, lstatSync, rmSync } from 'node:fs';
import net from 'node:net';
import { dirname } from 'node:path';
import { type ListenAddress, printListen } from './address.ts';
import { ProxyError } from './errors.ts';

/**
 * Has `server` listen. The file of a Unix socket that a dead process has left behind is replaced. A
 * socket that was opened for us stays open elsewhere when the server closes.
 *
 * @param flag what moves this server to another place, for the error: `--listen`
 * @param options
 * @param options.ipv6Only whether `[::]` leaves IPv4 alone
 * @returns where it listens, as an operator reads it, with the real port when port 0 was asked for
 * @throws ProxyError LISTEN_FAILED
 */
export async function listen(
  server: net.Server,
  address: ListenAddress,
  flag: string,
  { ipv6Only = false }: { readonly ipv6Only?: boolean } = {},
): Promise<string> {
  const place = placeOf(address, ipv6Only);
  try {
    if (address.kind === 'fd') demandSocket(address.fd);
    await open(server, place);
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    if (!taken || address.kind !== 'unix' || !(await isStale(address.path))) {
      throw listenFailure(flag, address, trueCause(address, error as Error));
    }
    rmSync(address.path, { force: true });
    await open(server, place).catch((again: Error) => {
      throw listenFailure(flag, address, again);
    });
  }
  server.on('error', () => {}); // a failed accept (too many files) is no reason to end
  const bound = server.address();
  if (bound === null || typeof bound === 'string') return printListen(address);
  if (address.kind !== 'fd') return printListen(address, bound.port);
  return printListen({ kind: 'tcp', host: bound.address, port: bound.port });
}

/**
 * What went wrong with listening, as one line for the operator.
 *
 * @param what    what was to listen there, and how it is moved: `--listen`, `--admin`
 * @param address where
 * @param error   as Node reported it
 */
export function listenFailure(what: string, address: ListenAddress, error: Error): ProxyError {
  const place = printListen(address);
  const why: Record<string, string> = {
    EADDRINUSE: 'it is in use already',
    EACCES: 'permission denied',
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOTFOUND: 'no such host',
    ENOENT: 'its folder does not exist',
    EINVAL: 'nobody has opened a listening socket there',
  };
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const reason = why[code] ?? error.message;
  const message = `cannot listen on ${place}: ${reason} (choose another place with ${what})`;
  return new ProxyError('LISTEN_FAILED', message, { cause: error });
}

function placeOf(address: ListenAddress, ipv6Only: boolean): net.ListenOptions & { fd?: number } {
  switch (address.kind) {
    case 'unix':
      return { path: address.path };
    case 'fd':
      return { fd: address.fd };
    case 'tcp':
      return { host: address.host, port: address.port, ipv6Only };
  }
}

/** What is open there may be anything, also something of our own. @throws Error EINVAL */
function demandSocket(fd: number): void {
  let isSocket = false;
  try {
    isSocket = fstatSync(fd).isSocket();
  } catch {} // it is not open
  if (!isSocket) throw Object.assign(new Error('no socket'), { code: 'EINVAL' });
}

function open(server: net.Server, place: net.ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(place, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

/** Node says that permission is denied where it is the folder of the socket that is missing. */
function trueCause(address: ListenAddress, error: NodeJS.ErrnoException): Error {
  const isMissing =
    error.code === 'EACCES' && address.kind === 'unix' && !existsSync(dirname(address.path));
  return isMissing ? Object.assign(new Error(error.message), { code: 'ENOENT' }) : error;
}

/** @returns whether `path` is a socket on which nobody listens any more */
function isStale(path: string): Promise<boolean> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSocket() === false) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = net.connect(path);
    const tell = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', () => tell(false));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      tell(code === 'ECONNREFUSED' || code === 'ENOENT');
    });
  });
}
