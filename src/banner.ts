import { readFileSync } from 'node:fs';
import type { ListenAddress } from './address.ts';
import type { Admin } from './admin/http.ts';
import type { Config } from './config.ts';
import type { EmbeddedRedis } from './embedded.ts';

/**
 * What is printed on stdout once the proxy listens. The two lines to paste come only with a Redis
 * of our own: nobody should be led to write a trial key into a Redis that others use.
 */
export function banner(facts: {
  /** All places, with commas between them, which no place has in it. */
  readonly listen: string;
  readonly upstream: string;
  readonly config: Config;
  readonly admin: Admin | undefined;
  readonly embedded: EmbeddedRedis | undefined;
}): string {
  const { listen, upstream, config, admin, embedded } = facts;
  const kind = embedded === undefined ? '' : ' (embedded, keeps nothing)';
  const admins = config.admin?.kind === 'unix' ? admin?.address : `http://${admin?.address}`;
  const startedByNpm = process.env.npm_lifecycle_event === 'start'; // npx says 'npx'
  const lines = [
    `Sidetrack ${readVersion()}`,
    `  listening on  ${listen}`,
    `  upstream      ${upstream}${kind}`,
    `  admin         ${admin === undefined ? 'off' : `${admins} (/metrics /healthz /readyz)`}`,
  ];
  if (embedded !== undefined && config.listen.length > 0) {
    lines.push(
      '',
      'See an invalidation. In one terminal, a client that reads a key with tracking on:',
      '',
      `  ${readerLine(config.listen[0], listen.split(',', 1)[0] ?? '')}`,
      '',
      'In another, a writer that goes straight to Redis; the first prints "invalidate":',
      '',
      `  redis-cli -s ${embedded.upstream.path} set greeting hello`,
      '',
      `Or let it show itself: ${startedByNpm ? 'npm run demo' : 'sidetrack demo'}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** A caching client that needs nothing but bash (or nc, for a Unix socket). */
function readerLine(asked: ListenAddress | undefined, listen: string): string {
  const talk = 'printf "HELLO 3\\r\\nCLIENT TRACKING ON\\r\\nGET greeting\\r\\n"';
  if (asked?.kind !== 'tcp') return `(${talk}; cat) | nc -U '${listen}'`;
  const port = listen.slice(listen.lastIndexOf(':') + 1);
  const everywhere: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  const host = everywhere[asked.host] ?? asked.host;
  return `bash -c 'exec 3<>/dev/tcp/${host}/${port}; ${talk} >&3; cat <&3'`;
}

/** @returns the version of this program, as in 1.2.3 */
export function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version?: unknown }).version);
}
