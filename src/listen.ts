import { existsSync, lstatSync, rmSync } from 'node:fs';
import net from 'node:net';
import { dirname } from 'node:path';
import { type ListenAddress, listenFailure, printListen } from './address.ts';

/**
 * Has `server` listen. The file of a Unix socket that a dead process has left behind is replaced.
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
  const place =
    address.kind === 'unix'
      ? { path: address.path }
      : { host: address.host, port: address.port, ipv6Only };
  try {
    await open(server, place);
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    if (!taken || address.kind === 'tcp' || !(await isStale(address.path))) {
      throw listenFailure(flag, address, trueCause(address, error as Error));
    }
    rmSync(address.path, { force: true });
    await open(server, place).catch((again: Error) => {
      throw listenFailure(flag, address, again);
    });
  }
  server.on('error', () => {}); // a failed accept (too many files) is no reason to end
  const bound = server.address();
  return printListen(address, typeof bound === 'object' ? bound?.port : undefined);
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
