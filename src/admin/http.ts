import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ListenAddress } from '../address.ts';
import { listen } from '../listen.ts';
import type { Metrics } from './metrics.ts';

/** The admin server, to stop with the proxy. */
export interface Admin {
  /** Where it listens, with the real port when port 0 was asked for. */
  readonly address: string;
  stop(): Promise<void>;
}

/** What the admin server tells. */
export interface AdminParts {
  readonly metrics: Metrics;
  /** Read at each `/readyz`. */
  ready(): { readonly ok: boolean; readonly reason: string };
}

/** Connections that the admin server holds at once; scrapers and probes need a handful. */
const CONNECTIONS_MAX = 64;

/** How long a request may take to arrive, in milliseconds. */
const REQUEST_TIMEOUT_MS = 5_000;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly contentType?: string;
  readonly allow?: string;
}

/**
 * Serves `/metrics`, `/healthz` (200 while the process answers at all) and `/readyz` (200, or 503
 * with the reason). Anything else is 404, and methods other than GET and HEAD are 405.
 *
 * @throws ProxyError LISTEN_FAILED
 */
export async function startAdmin(address: ListenAddress, parts: AdminParts): Promise<Admin> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    void respond(request, response, parts);
  });
  server.maxConnections = CONNECTIONS_MAX;
  const printed = await listen(server, address, '--admin');
  return { address: printed, stop: () => stop(server) };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  parts: AdminParts,
): Promise<void> {
  const { status, text, contentType, allow } = await answer(request, parts);
  response.writeHead(status, {
    'content-type': contentType ?? 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...(allow === undefined ? {} : { allow }),
  });
  response.end(text);
}

async function answer(request: IncomingMessage, parts: AdminParts): Promise<Answer> {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  if (!['/metrics', '/healthz', '/readyz'].includes(path)) {
    return { status: 404, text: 'not found; here are /metrics, /healthz and /readyz\n' };
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, text: 'only GET and HEAD\n', allow: 'GET, HEAD' };
  }
  if (path === '/healthz') return { status: 200, text: 'ok\n' };
  if (path === '/readyz') {
    const { ok, reason } = parts.ready();
    return ok ? { status: 200, text: 'ready\n' } : { status: 503, text: `not ready: ${reason}\n` };
  }
  try {
    return { status: 200, ...(await parts.metrics.expose()) };
  } catch (error) {
    return { status: 500, text: `metrics failed: ${String(error)}\n` };
  }
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
