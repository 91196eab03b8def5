import type { CommandInfo } from '../commands/table.ts';
import { TYPE } from '../resp/scanner.ts';
import { error, integer, status, trackingInfo } from '../resp/write.ts';
import { parseTracking, refuseCaching, type TrackingState } from '../tracking/options.ts';
import type { Step } from './handler.ts';
import type { HeldWords } from './held.ts';
import { KEEP, type Owed, type Reply, type Verdict } from './ledger.ts';
import { consequent, isStatus, REPLY_ON } from './owed.ts';
import { patchClients } from './reports.ts';
import type { Session } from './session.ts';
import { type Answered, StandIn, standInFor, wrongStandInFor } from './stand-in.ts';

/** The subcommands of CLIENT that servers have. Any other ends the mark of CLIENT CACHING. */
const SUBCOMMANDS: ReadonlySet<string> = new Set(
  (
    'caching capa getname getredir help id import-source info kill list no-evict no-touch pause ' +
    'reply setinfo setname tracking trackinginfo unblock unpause'
  ).split(' '),
);

/** Answers the commands of CLIENT that are ours, and lets the others through. */
export function handleClient(session: Session, info: CommandInfo, words: HeldWords): Step {
  const subcommand = words.count > 1 ? words.text(1).toLowerCase() : '';
  const inMulti = session.multi !== undefined;
  const known = SUBCOMMANDS.has(subcommand) || subcommand === 'fence-writes';
  if (words.count > 1 && !known && !inMulti) session.tracked.mark.clear();
  switch (subcommand) {
    case 'tracking':
      return words.count < 3 ? wrongArity(session, 'tracking') : tracking(session, words);
    case 'trackinginfo':
      if (words.count !== 2) return wrongArity(session, subcommand);
      return answer(session, subcommand, (marked) =>
        trackingInfo(session.tracked.info(marked), session.replies.protocol),
      );
    case 'getredir':
      if (words.count !== 2) return wrongArity(session, subcommand);
      return answer(session, subcommand, () => integer(session.tracked.info(false).redirect));
    case 'caching':
      return words.count !== 3 ? wrongArity(session, subcommand) : caching(session, words.text(2));
    case 'fence-writes':
      if (words.count !== 3) return wrongArity(session, subcommand);
      return fenceWrites(session, words.text(2).toLowerCase());
    case 'id':
      if (session.ownId === undefined || words.count !== 2) break;
      return answer(session, subcommand, () => integer(session.ownId ?? 0));
    case 'list':
    case 'info':
      if (session.ownId !== undefined) break; // upstream's ids are not ours
      return session.forward(listOwed(session));
    case 'reply':
      if (words.count === 3 && replyMode(session, words.text(2))) return 'done';
      break;
  }
  return session.forward(session.entryFor(info));
}

/** Our clients' lines tell of their tracking, which upstream knows nothing of. */
function listOwed(session: Session): Owed {
  const settle = (reply: Reply): Verdict =>
    reply.bytes === undefined
      ? 'pass'
      : patchClients(reply.bytes, (id) => session.parts.tracker.target(id)?.listed);
  return consequent({ settle }, { keep: KEEP.all, lenient: true, patches: true });
}

/**
 * Sends a stand-in; the answer is worked out when its reply has come, from what is confirmed then.
 *
 * @param work is told whether the mark of CLIENT CACHING was set where the request takes effect
 */
function answer(session: Session, subcommand: Answered, work: (marked: boolean) => Buffer): Step {
  let marked = false;
  const standIn = new StandIn(
    subcommand,
    () => work(marked),
    () => {
      session.counts.answered += 1;
    },
  );
  session.takeEffect(() => {
    marked = session.tracked.mark.isSet;
  });
  session.ask(standInFor(subcommand, session.parts.nativeTracking()), standIn);
  return 'done';
}

function wrongArity(session: Session, subcommand: Answered): Step {
  const text = error(`ERR wrong number of arguments for 'client|${subcommand}' command`);
  const owed = consequent({
    settle: (reply) => (/^-(NOAUTH|NOPERM)/.test(textOf(reply)) ? 'pass' : text),
  });
  session.ask(wrongStandInFor(subcommand, session.parts.nativeTracking()), owed);
  return 'done';
}

const OK = status('OK');

/** With --blind=refuse: nobody may count on a cache now. */
const TRACKING_REFUSED = error(
  'ERR tracking is refused for now: changes of the data may be missed (--blind=refuse)',
);

function tracking(session: Session, words: HeldWords): Step {
  const args: string[] = [];
  for (let index = 2; index < words.count; index++) args.push(words.text(index));
  const { tracked } = session;
  const exists = (id: number) => session.parts.tracker.target(id) !== undefined;
  let conclude: ((outcome: TrackingState | undefined) => void) | undefined;
  let outcome: TrackingState | undefined;
  const standIn = new StandIn('tracking', OK, (refused) => {
    session.counts.answered += 1;
    conclude?.(refused ? undefined : outcome);
    session.noloop.probeIfNeeded();
  });
  session.takeEffect(() => {
    if (standIn.isConcluded) return; // refused while it waited for EXEC
    const base = tracked.wanted;
    const state = parseTracking(args, base, exists);
    if (typeof state === 'string') standIn.answer = error(state);
    else if (state.on && session.parts.refusesTracking()) standIn.answer = TRACKING_REFUSED;
    else {
      outcome = state;
      conclude = tracked.want(state);
      standIn.answer = () => {
        if (tracked.confirmed === base) return OK;
        // What was believed when it was read has been refused since: it is judged anew.
        const now = parseTracking(args, tracked.confirmed, exists);
        outcome = typeof now === 'string' ? undefined : now;
        return typeof now === 'string' ? error(now) : OK;
      };
    }
  });
  const request = standInFor('tracking', session.parts.nativeTracking());
  if (session.multi !== undefined || !session.noloop.needsProbe) {
    session.ask(request, standIn);
    return 'done';
  }
  // The writes behind it are sent in one way or another, by what the user may do: find out first.
  return session.alone(request, () => {
    session.barrier.askBehind(session.noloop.probe(), true);
    return standIn;
  });
}

/** The mark is set when the request is read; what is said of it, when the state is known. */
function caching(session: Session, word: string): Step {
  const { tracked } = session;
  let doubt: { refused: boolean } | undefined;
  const say = () => {
    const refusal = refuseCaching(word, tracked.confirmed);
    return refusal === undefined ? OK : error(refusal);
  };
  const standIn = new StandIn('caching', say, (refused) => {
    session.counts.answered += 1;
    // Whoever is told that NO has failed counts on its next read being tracked.
    if (doubt !== undefined) doubt.refused = refused;
  });
  session.takeEffect(() => {
    if (standIn.isConcluded) return;
    doubt = tracked.wantCaching(word);
  });
  session.ask(standInFor('caching', session.parts.nativeTracking()), standIn);
  return 'done';
}

/**
 * CLIENT FENCE-WRITES ON|OFF, which no server has: holds for the writes behind it. In MULTI it is
 * open from the moment it is read, for if upstream has refused that MULTI it is executed at once.
 */
function fenceWrites(session: Session, word: string): Step {
  const isKnown = word === 'on' || word === 'off';
  const conclude = isKnown ? session.fences.want(word === 'on') : undefined;
  const answer = isKnown ? OK : error('ERR syntax error');
  const standIn = new StandIn('fence-writes', answer, (refused) => {
    session.counts.answered += 1;
    conclude?.(refused);
  });
  session.ask(standInFor('fence-writes', false), standIn);
  return 'done';
}

/**
 * CLIENT REPLY is played here: upstream goes on answering everything, so that no reply is ever
 * guessed at, and what the client does not want is dropped on its way.
 */
function replyMode(session: Session, word: string): boolean {
  const mode = word.replace(/\0.*$/s, '').toLowerCase();
  if (mode !== 'on' && mode !== 'off' && mode !== 'skip') return false;
  const { replies } = session;
  const owed: Owed = consequent({
    settle: (reply) => (isStatus(reply, 'OK') ? 'drop' : 'pass'),
    after: (reply) => {
      if (!isStatus(reply, 'OK')) return;
      if (mode === 'skip') {
        replies.skipNext = !session.skips.isSpent(owed);
        return;
      }
      replies.muted = mode === 'off';
      if (mode === 'on') replies.write(OK);
    },
  });
  session.ask(REPLY_ON, owed);
  if (mode === 'skip') session.skips.sent(owed);
  return true;
}

function textOf(reply: Reply): string {
  return reply.type === TYPE.error ? (reply.bytes?.toString('latin1') ?? '') : '';
}
