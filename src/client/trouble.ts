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

/** Counts and logs that a connection to upstream broke, or could not be opened. */
export function reportLoss(cause: Error, { counts, logger }: ConnectionParts): void {
  counts.upstreamErrorsLane += 1;
  logger.debug({ reason: cause.message }, 'lane lost');
}
