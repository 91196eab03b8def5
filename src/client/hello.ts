import type { Protocol } from '../resp/write.ts';

/** Decides which version a HELLO reply shows, given the upstream's own. */
export type Advertise = (version: string) => string;

/** Clients such as redis-py cache only when HELLO shows this version or a newer one. */
const CACHING_VERSION = '7.4.0';

/** @param choice `auto`, `upstream` or a version X.Y.Z: see `--advertise-version` */
export function advertiser(choice: string): Advertise {
  if (choice === 'upstream') return (version) => version;
  if (choice !== 'auto') return () => choice;
  return (version) => (isOlder(version, CACHING_VERSION) ? CACHING_VERSION : version);
}

function isOlder(version: string, than: string): boolean {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10));
  for (const [index, wanted] of than.split('.').map(Number).entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part < wanted;
  }
  return false;
}

const VERSION = /(\$7\r\nversion\r\n)\$\d+\r\n([^\r]*)\r\n/;

/**
 * @param reply a whole HELLO reply
 * @returns the protocol that it switched to; undefined for an error
 */
export function protocolOf(reply: Buffer): Protocol | undefined {
  if (reply[0] === 0x25) return 3; // %
  return reply[0] === 0x2a ? 2 : undefined; // *
}

/** @returns a whole HELLO reply with the version that is to be shown */
export function advertised(reply: Buffer, advertise: Advertise): Buffer {
  const text = reply.toString('latin1');
  const patched = text.replace(VERSION, (_, head: string, version: string) => {
    const shown = advertise(version);
    return `${head}$${shown.length}\r\n${shown}\r\n`;
  });
  return patched === text ? reply : Buffer.from(patched, 'latin1');
}
