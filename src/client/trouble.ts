import { ProxyError } from '../errors.ts';
import type { ConnectionParts } from './connection-parts.ts';

/** Counts and logs why a connection ends: a broken upstream, or a defect of ours. */
export function reportTrouble(cause: unknown, { counts, logger }: ConnectionParts): void {
  const code = cause instanceof ProxyError ? cause.code : undefined;
  if (code === 'LANE_OUT_OF_SYNC') counts.lanesOutOfSync += 1;
  else if (code?.startsWith('FRAME_')) counts.upstreamProtocolErrors += 1;
  if (code === 'LANE_OUT_OF_SYNC' || code?.startsWith('FRAME_')) {
    logger.warn({ code, reason: String(cause) }, 'upstream sent what it must not');
  } else {
    logger.error({ err: cause }, 'defect in a connection, which ends');
  }
}
