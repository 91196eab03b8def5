import type { Logger } from '../logger.ts';
import type { Finding, FindingId } from './finding.ts';

/** Rights that clients need and the proxy does not: its user may well be without them. */
const FOR_CLIENTS: ReadonlySet<FindingId> = new Set(['publish', 'client-id']);

/** Writes a line for each finding that is not ok: the worse, the louder. */
export function logFindings(findings: readonly Finding[], logger: Logger): void {
  for (const { id, title, state, found, consequence, fixes } of findings) {
    if (state === 'ok') continue;
    const line = {
      check: id,
      state,
      found,
      consequence,
      fixes: fixes.map(({ where, how }) => `${where}: ${how}`),
    };
    const words = `check: ${title}`;
    if (state === 'missing') logger.error(line, words);
    else if (state === 'limited' && !FOR_CLIENTS.has(id)) logger.warn(line, words);
    else logger.info(line, words);
  }
}
