import type { CommandInfo } from '../commands/table.ts';
import { globMatches } from '../glob.ts';
import { missingFlags } from '../invalidation/flags.ts';
import { error, request, status } from '../resp/write.ts';
import { CONFIG_SET, SilentCall } from '../upstream/silent.ts';
import type { Step } from './handler.ts';
import type { HeldWords } from './held.ts';
import { KEEP, type Owed, type Reply, type Verdict } from './ledger.ts';
import { consequent, isStatus, refuses } from './owed.ts';
import { MAX_KEYS_SETTING, patchMaxKeys } from './reports.ts';
import type { Session } from './session.ts';

const NOTIFY_SETTING = 'notify-keyspace-events';

/** CONFIG: one setting is ours, and one must not be taken from us. */
export function config(session: Session, info: CommandInfo, words: HeldWords): Step {
  const subcommand = words.count > 1 ? words.text(1).toLowerCase() : '';
  if (subcommand === 'get') return configGet(session, info, words);
  if (subcommand === 'set' && words.count >= 4) return configSet(session, words);
  return session.forward(session.entryFor(info));
}

function configGet(session: Session, info: CommandInfo, words: HeldWords): Step {
  let asked = false;
  for (let index = 2; index < words.count; index++) {
    if (globMatches(words.text(index).toLowerCase(), MAX_KEYS_SETTING)) asked = true;
  }
  if (!asked) return session.forward(session.entryFor(info));
  const isAlone = words.count === 3;
  const settle = (reply: Reply): Verdict => {
    if (reply.bytes === undefined) return 'pass';
    const isThere = !isAlone || !NOT_THERE.test(reply.bytes.toString('latin1', 0, 64));
    const { protocol, translates } = session.replies;
    const none = protocol === 3 && !translates ? '%0\r\n' : '*0\r\n';
    const found = isThere ? reply.bytes : Buffer.from(none, 'latin1');
    return patchMaxKeys(found, session.parts.tracker.maxKeys);
  };
  return session.forward(consequent({ settle }, { keep: KEEP.all, lenient: true, patches: true }));
}

/**
 * Upstream judges all that is set, in one go. Our setting is its own name for the same thing and
 * means nothing to it, because nobody tracks there; what it accepts holds here. Notifications that
 * the source needs stay switched on. The watch has to know that this one was ours.
 */
function configSet(session: Session, words: HeldWords): Step {
  const all: string[] = ['CONFIG'];
  for (let index = 1; index < words.count; index++) all.push(words.text(index));
  let maxKeys: number | undefined;
  let merged = false;
  for (let index = 2; index + 1 < all.length; index += 2) {
    const name = (all[index] as string).toLowerCase();
    const value = all[index + 1] as string;
    if (name === MAX_KEYS_SETTING) maxKeys = Number(value);
    if (name === NOTIFY_SETTING) {
      const { passing, upstreamVersion } = session.parts;
      const missing = passing?.alone === true ? '' : missingFlags(value, upstreamVersion());
      all[index + 1] = value + missing;
      merged ||= missing !== '';
    }
  }
  const owed = settingOwed(session, maxKeys, all.length === 4);
  if (!merged) return session.forward(owed);
  session.ask(request(...all), owed);
  return 'done';
}

/** Answers of a server that does not have our setting, or no CONFIG at all. */
const NOT_THERE = /^-ERR (unknown command|Unsupported CONFIG parameter)/;
const NO_NUMBER = error(
  `ERR CONFIG SET failed (possibly related to argument '${MAX_KEYS_SETTING}') - argument couldn't be parsed into an integer`,
);

/**
 * @param maxKeys  the value that our setting is given; undefined: another is set
 * @param isAlone  nothing else is set: then it holds here whether or not upstream knows it
 */
function settingOwed(session: Session, maxKeys: number | undefined, isAlone: boolean): Owed {
  const call = new SilentCall(session.parts.silentLog, CONFIG_SET);
  session.takeEffect(() => call.send(), 'aside');
  let isSet = false;
  const settle = (reply: Reply): Verdict => {
    call.settle(!refuses(reply));
    const text = reply.bytes?.toString('latin1') ?? '';
    isSet = isStatus(reply, 'OK');
    if (maxKeys === undefined || !isAlone || !NOT_THERE.test(text)) return 'pass';
    isSet = Number.isSafeInteger(maxKeys) && maxKeys >= 0;
    return isSet ? status('OK') : NO_NUMBER;
  };
  const after = () => {
    if (isSet && maxKeys !== undefined) session.parts.tracker.maxKeys = maxKeys;
  };
  return consequent({
    settle,
    after,
    lost: () => call.lose(),
    cancelled: () => call.settle(false),
  });
}
