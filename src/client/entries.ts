import type { CommandInfo } from '../commands/table.ts';
import {
  type Owed,
  PASS,
  PASS_BLOCKING,
  PASS_BLOCKING_FENCED,
  PASS_FENCED,
  PASS_QUEUED,
  PASS_QUEUED_FENCED,
} from './ledger.ts';
import type { Session } from './session.ts';

/** @returns whether the reply to such a request is fenced; what we do not know may write */
export function isFenced(session: Session, info: CommandInfo | undefined): boolean {
  return session.fences.isOn && (info === undefined || info.writes);
}

/** @returns the entry for a request of which nothing is noted, in or outside MULTI */
export function plainEntry(session: Session, info: CommandInfo | undefined): Owed {
  const fences = isFenced(session, info);
  if (session.multi !== undefined) return queuedEntry(session, fences);
  if (info?.blocks === true) return fences ? PASS_BLOCKING_FENCED : PASS_BLOCKING;
  return fences ? PASS_FENCED : PASS;
}

/** @returns the entry for a request inside MULTI of which nothing is noted */
export function queuedEntry(session: Session, fences: boolean): Owed {
  if (fences && session.multi !== undefined) session.multi.fences = true;
  return fences ? PASS_QUEUED_FENCED : PASS_QUEUED;
}
