import { request } from 'node:http';
import { printListen, type SocketAddress } from './address.ts';

/** How long the answer may take, in milliseconds. Source: our choice; Docker's own limit is as long. */
const TIMEOUT_MS = 3_000;

/** How much of an answer is read, in characters; it is one line. */
const ANSWER_MAX_LENGTH = 1_000;

/** What is asked: whether the proxy is alive, or whether it may be relied on. */
export type HealthPath = '/healthz' | '/readyz';

/** Where a server that listens everywhere is found. */
const LOOPBACK: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/**
 * Asks a running proxy how it is.
 *
 * @param admin where it serves its health; undefined: nowhere
 * @returns undefined where all is well, else one line that says what is not
 */
export async function healthcheck(
  admin: SocketAddress | undefined,
  path: HealthPath,
): Promise<string | undefined> {
  if (admin === undefined) return 'no admin server is to be asked: --admin is off';
  const place = printListen(admin);
  if (admin.kind === 'tcp' && admin.port === 0) return `${place} is not a port that can be asked`;
  try {
    const { status, text } = await ask(admin, path);
    return status === 200 ? undefined : `${place}${path} answers ${status}: ${text}`;
  } catch (cause) {
    return `${place}${path} does not answer: ${reasonOf(cause)}`;
  }
}

async function ask(
  admin: SocketAddress,
  path: HealthPath,
): Promise<{ readonly status: number | undefined; readonly text: string }> {
  const place =
    admin.kind === 'unix'
      ? { socketPath: admin.path }
      : { host: LOOPBACK[admin.host] ?? admin.host, port: admin.port };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  return await new Promise((resolve, reject) => {
    const asking = request({ ...place, path, agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('error', reject);
      response.on('data', (piece: string) => {
        text = (text + piece).slice(0, ANSWER_MAX_LENGTH);
      });
      response.on('end', () => {
        resolve({ status: response.statusCode, text: text.replace(/\p{Cc}+/gu, ' ').trim() });
      });
    });
    asking.on('error', reject);
    asking.end();
  });
}

function reasonOf(cause: unknown): string {
  const { name, code, message } = cause as NodeJS.ErrnoException;
  if (name === 'AbortError' || name === 'TimeoutError') return `no answer in ${TIMEOUT_MS} ms`;
  return code ?? message;
}
