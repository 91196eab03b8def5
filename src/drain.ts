import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from './logger.ts';
import type { TrackingProxy } from './proxy-parts.ts';

/**
 * How long clients that were cut off at the deadline may take to be gone, in milliseconds. Source:
 * our choice; only who is still taking its last reply is there then.
 */
const CUT_MAX_MS = 1_000;

/**
 * Ends a proxy so that no reply is lost: nobody is let in, no further request is read, and clients
 * go as soon as they have got what they are owed. What is owed for longer, as the replies to blocking
 * commands are, is cut off.
 *
 * @param timeoutMs how long that may take; 0: everybody is cut off at once
 */
export async function drain(
  proxy: TrackingProxy,
  timeoutMs: number,
  logger: Logger,
): Promise<void> {
  if (timeoutMs > 0) {
    logger.info({ clients: proxy.clientCount, timeoutMs }, 'draining: replies are finished');
    await atMost(timeoutMs, proxy.drain());
    const clients = proxy.clientCount;
    if (clients > 0) logger.warn({ clients }, 'clients are cut off: they are still owed replies');
  }
  await atMost(CUT_MAX_MS, proxy.stop());
}

async function atMost(limitMs: number, work: Promise<void>): Promise<void> {
  const limit = new AbortController();
  const late = sleep(limitMs, undefined, { signal: limit.signal }).catch(() => {});
  await Promise.race([work, late]);
  limit.abort();
}
