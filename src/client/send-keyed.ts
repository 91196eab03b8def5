import { keysOf, readsOf } from '../commands/keys.ts';
import type { CommandInfo } from '../commands/table.ts';
import { isFenced, queuedEntry } from './entries.ts';
import type { Step } from './handler.ts';
import type { HeldWords } from './held.ts';
import { QueuedKeyed } from './multi.ts';
import { opaqueOwed, SCRIPTS, sendPassing } from './passing.ts';
import type { Session } from './session.ts';
import { sendSilent } from './silent-keys.ts';

/**
 * Whether a request has to be looked at for the keys that it names: its client may cache them, or it
 * may change them without anybody else saying so.
 */
export function looksAtKeys({ tracked, multi, parts }: Session, info: CommandInfo): boolean {
  if (info.keys.kind === 'none') return false;
  if (tracked.wanted.on || multi?.tracks === true || parts.silentLog.hides(info.name)) return true;
  return info.writes && parts.passing !== undefined;
}

/**
 * A request that may name keys, of a client with tracking on or one that may change them unannounced.
 * They are noted before it is sent: no change that comes after its execution can then be missed.
 */
export function sendKeyed(session: Session, info: CommandInfo, words: HeldWords): Step {
  const { tracked, multi, noloop, counts, parts } = session;
  const isHidden = parts.silentLog.hides(info.name);
  if (info.readsOne && words.count > 1 && multi === undefined && tracked.tracks && !isHidden) {
    counts.tracked += 1;
    const { buffer } = words;
    session.replies.ledger.push(tracked.departSingle(buffer, words.start(1), words.end(1)));
    return 'forward';
  }
  const keys = keysOf(info, words);
  if (keys.length === 0) {
    return session.forward(opaqueOwed(session, info, false) ?? session.entryFor(info));
  }
  const reads = readsOf(info, words);
  const { writes, blocks } = info;
  // Redis tells a BCAST client of what its own scripts write: it can't know what they do.
  const isTold = tracked.wanted.bcast && SCRIPTS.has(info.name);
  const mayAttribute = writes && noloop.attributes && !isTold;
  // What is attributed is told by its notifications alone: they come in upstream's order.
  if (writes && parts.passing !== undefined && !mayAttribute) {
    return sendPassing(session, { info, keys, reads, isTold });
  }
  if (isHidden) return sendSilent(session, info, keys);
  const fences = isFenced(session, info);
  if (multi !== undefined) {
    if (isTold) multi.isTold = true;
    multi.queue({ kind: 'keys', keys, reads, writes });
    const entry = queuedEntry(session, fences);
    return session.forward(reads ? new QueuedKeyed(tracked, keys, fences) : entry);
  }
  if (reads) counts.tracked += 1;
  else counts.forwarded += 1;
  const cached = reads || (writes && tracked.cachesWrites);
  if (mayAttribute && !blocks && !noloop.watching) {
    const flight = tracked.depart(keys, cached, false, false);
    flight.fences = fences;
    noloop.send(words.bytes(), flight);
    return 'done';
  }
  if (writes && tracked.wanted.noloop && !isTold) counts.unattributedWrites += 1;
  const flight = tracked.depart(keys, cached, writes, blocks);
  flight.fences = fences;
  session.replies.ledger.push(flight);
  return 'forward';
}
