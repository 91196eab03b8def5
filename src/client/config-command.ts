import type { CommandInfo } from '../commands/table.ts';
import { globMatches } from '../glob.ts';
import { missingFlags } from '../invalidation/flags.ts';
import { request } from '../resp/write.ts';
import type { Step } from './handler.ts';
import type { HeldWords } from './held.ts';
import { KEEP, type Owed, type Reply, type Verdict } from './ledger.ts';
import { consequent, isStatus } from './owed.ts';
import { MAX_KEYS_SETTING, patchMaxKeys } from './reports.ts';
import type { Session } from './session.ts';

const NOTIFY_SETTING = 'notify-keyspace-events';

/** CONFIG: one setting is ours, and one must not be taken from us. */
export function config(session: Session, info: CommandInfo, words: HeldWords): Step {
  const subcommand = words.count > 1 ? words.text(1).toLowerCase() : '';
  if (subcommand === 'get') return configGet(session, info, words);
  if (subcommand === 'set' && words.count >= 4) return configSet(session, info, words);
  return session.forward(session.entryFor(info));
}

function configGet(session: Session, info: CommandInfo, words: HeldWords): Step {
  let asked = false;
  for (let index = 2; index < words.count; index++) {
    if (globMatches(words.text(index).toLowerCase(), MAX_KEYS_SETTING)) asked = true;
  }
  if (!asked) return session.forward(session.entryFor(info));
  const settle = (reply: Reply): Verdict =>
    reply.bytes === undefined ? 'pass' : patchMaxKeys(reply.bytes, session.parts.tracker.maxKeys);
  return session.forward(consequent({ settle }, { keep: KEEP.all, lenient: true }));
}

/**
 * Upstream judges all that is set, in one go. Our setting is its own name for the same thing and
 * means nothing to it, because nobody tracks there; what it accepts holds here. Notifications that
 * the source needs stay switched on.
 */
function configSet(session: Session, info: CommandInfo, words: HeldWords): Step {
  const all: string[] = ['CONFIG'];
  for (let index = 1; index < words.count; index++) all.push(words.text(index));
  let maxKeys: number | undefined;
  let merged = false;
  for (let index = 2; index + 1 < all.length; index += 2) {
    const name = (all[index] as string).toLowerCase();
    const value = all[index + 1] as string;
    if (name === MAX_KEYS_SETTING) maxKeys = Number(value);
    if (name === NOTIFY_SETTING) {
      const missing = missingFlags(value, session.parts.upstreamVersion());
      all[index + 1] = value + missing;
      merged ||= missing !== '';
    }
  }
  if (maxKeys === undefined && !merged) return session.forward(session.entryFor(info));
  const owed = settingOwed(session, maxKeys);
  if (!merged) return session.forward(owed);
  session.ask(request(...all), owed);
  return 'done';
}

function settingOwed(session: Session, maxKeys: number | undefined): Owed {
  const after = (reply: Reply) => {
    if (maxKeys !== undefined && isStatus(reply, 'OK')) session.parts.tracker.maxKeys = maxKeys;
  };
  return consequent({ after });
}
