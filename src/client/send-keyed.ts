import { keysOf, readsOf } from '../commands/keys.ts';
import type { CommandInfo } from '../commands/table.ts';
import type { Step } from './handler.ts';
import type { HeldWords } from './held.ts';
import { PASS_QUEUED } from './ledger.ts';
import { QueuedKeyed } from './multi.ts';
import type { Session } from './session.ts';

const SCRIPTS: ReadonlySet<string> = new Set(['eval', 'evalsha', 'fcall']);

/**
 * A request of a client with tracking on, that may name keys. They are noted before it is sent: no
 * change that comes after its execution can then be missed.
 */
export function sendKeyed(session: Session, info: CommandInfo, words: HeldWords): Step {
  const { tracked, multi, noloop, counts } = session;
  const keys = keysOf(info, words);
  if (keys.length === 0) return session.forward(session.entryFor(info));
  const reads = readsOf(info, words);
  const { writes, blocks } = info;
  // Redis tells a BCAST client of what its own scripts write: it can't know what they do.
  const isTold = tracked.wanted.bcast && SCRIPTS.has(info.name);
  if (multi !== undefined) {
    if (isTold) multi.isTold = true;
    multi.queue({ kind: 'keys', keys, reads, writes });
    return session.forward(reads ? new QueuedKeyed(tracked, keys) : PASS_QUEUED);
  }
  if (reads) counts.tracked += 1;
  else counts.forwarded += 1;
  if (writes && noloop.attributes && !isTold && !blocks && !noloop.watching) {
    noloop.send(words.bytes(), tracked.depart(keys, reads, false, false));
    return 'done';
  }
  if (writes && tracked.wanted.noloop && !isTold) counts.unattributedWrites += 1;
  session.replies.ledger.push(tracked.depart(keys, reads, writes, blocks));
  return 'forward';
}
