import type { CommandInfo } from '../commands/table.ts';
import type { Owed, Reply } from './ledger.ts';
import { consequent, refuses } from './owed.ts';
import type { Session } from './session.ts';

/**
 * A read whose keys were too long to look at: its reply may be used, but not kept.
 *
 * @param entry the entry that any request of this command has
 * @returns the entry for its reply
 */
export function unseenRead(session: Session, info: CommandInfo | undefined, entry: Owed): Owed {
  const { multi, tracked } = session;
  const reads = info?.reads === true;
  if (multi !== undefined) {
    if (reads) multi.unseenReads = true;
    return entry;
  }
  if (!reads || !tracked.wanted.on) return entry;
  const after = (reply: Reply) => {
    if (!refuses(reply)) tracked.distrust('all');
  };
  return consequent({ after }, likeness(entry));
}

/**
 * A read that is not tracked: if what it is untracked by turns out false, its reply must not be
 * kept.
 *
 * @param entry the entry that it has without a doubt
 * @returns the entry for its reply
 */
export function doubtfulRead(session: Session, entry: Owed): Owed {
  const { multi, tracked } = session;
  const { doubt } = tracked;
  if (doubt === undefined) return entry;
  if (multi !== undefined) {
    multi.doubt ??= doubt;
    const after = (reply: Reply) => {
      if (doubt.refused && !refuses(reply)) tracked.distrust('all');
    };
    return consequent({ after }, { ...likeness(entry), slot: false }); // told if it was not queued
  }
  const after = (reply: Reply) => {
    if (doubt.refused && !refuses(reply)) tracked.distrust('all');
  };
  return consequent({ after }, likeness(entry));
}

function likeness({ blocks, fences }: Owed): Partial<Owed> {
  return { blocks, fences: fences === true };
}
