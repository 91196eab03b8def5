import { ProxyError } from '../errors.ts';
import { error } from '../resp/write.ts';
import type { ConnectionParts } from './connection-parts.ts';
import type { Session } from './session.ts';

/** Counts and logs why a connection ends: an upstream that refuses it or is broken, or a defect. */
export function reportTrouble(cause: unknown, { counts, endpoint, logger }: ConnectionParts): void {
  const code = cause instanceof ProxyError ? cause.code : undefined;
  if (cause instanceof ProxyError && code === 'UPSTREAM_REFUSED') {
    counts.upstreamErrorsLane += 1;
    endpoint.refusals.tell((unsaid) =>
      logger.warn({ reason: cause.message, ...unsaid }, 'upstream refuses to log a client in'),
    );
    return;
  }
  if (code === 'LANE_OUT_OF_SYNC') counts.lanesOutOfSync += 1;
  else if (code?.startsWith('FRAME_')) counts.upstreamProtocolErrors += 1;
  if (code === 'LANE_OUT_OF_SYNC' || code?.startsWith('FRAME_')) {
    logger.warn({ code, reason: String(cause) }, 'upstream sent what it must not');
  } else {
    logger.error({ err: cause }, 'defect in a connection, which ends');
  }
}

/** However broken one session is, the others go on. */
export function closeSession(session: Session, parts: ConnectionParts): void {
  try {
    session.close();
  } catch (cause) {
    reportTrouble(cause, parts);
  }
}

const UNREACHABLE = error('ERR the upstream Redis cannot be reached');

/** Counts that a client gets no lane. @returns what to tell it */
export function unreachable({ counts }: ConnectionParts): Buffer {
  counts.refusedUpstream += 1;
  return UNREACHABLE;
}

/** Counts and logs that a connection to upstream broke, or could not be opened. */
export function reportLoss(cause: Error, { counts, logger }: ConnectionParts): void {
  counts.upstreamErrorsLane += 1;
  logger.debug({ reason: cause.message }, 'lane lost');
}

/** Why a client is disconnected that takes too little or sends too much, as the metrics name it. */
type Slow = 'slowClientsHard' | 'slowClientsSoft' | 'slowClientsPipeline' | 'slowClientsFence';

const DOES_NOT_READ = 'a client does not read what it gets and is disconnected';
const SLOW: Readonly<Record<Slow, readonly [fields: object, text: string]>> = {
  slowClientsHard: [{ limit: 'hard' }, DOES_NOT_READ],
  slowClientsSoft: [{ limit: 'soft' }, DOES_NOT_READ],
  slowClientsPipeline: [{}, 'a client sends too much behind a blocked request and is disconnected'],
  slowClientsFence: [{}, 'a client is disconnected: fenced writes wait for what it is to be told'],
};

/** Counts and logs that a client is disconnected for being slow. */
export function reportSlow(slow: Slow, { counts, logger }: ConnectionParts): void {
  counts[slow] += 1;
  logger.warn(...SLOW[slow]);
}
