import { TYPE } from '../resp/scanner.ts';
import { error, integer, request, status, trackingInfo } from '../resp/write.ts';
import { parseTracking } from '../tracking/options.ts';
import type { HeldWords } from './held.ts';
import type { Owed, Reply } from './ledger.ts';
import { consequent, isStatus, REPLY_ON, STAND_IN, StandIn } from './owed.ts';
import type { Session } from './session.ts';

/** A stand-in that every server refuses for its number of words, as the client's request was. */
const WRONG_STAND_IN = request('CLIENT', 'GETNAME', 'x');

const CACHING_WITHOUT_TRACKING =
  'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled';

/** Answers the commands of CLIENT that are ours. @returns whether this was one */
export function answerClient(session: Session, words: HeldWords): boolean {
  const subcommand = words.count > 1 ? words.text(1).toLowerCase() : '';
  switch (subcommand) {
    case 'tracking':
      if (words.count < 3) wrongArity(session, subcommand);
      else tracking(session, words);
      return true;
    case 'trackinginfo':
      if (words.count !== 2) wrongArity(session, subcommand);
      else {
        const info = () => trackingInfo(session.tracked.info(), session.replies.protocol);
        answer(session, subcommand, info);
      }
      return true;
    case 'getredir':
      if (words.count !== 2) wrongArity(session, subcommand);
      else answer(session, subcommand, () => integer(session.tracked.info().redirect));
      return true;
    case 'caching':
      if (words.count !== 3) wrongArity(session, subcommand);
      else answer(session, subcommand, () => error(CACHING_WITHOUT_TRACKING));
      return true;
    case 'reply':
      return words.count === 3 && replyMode(session, words.text(2));
    default:
      return false;
  }
}

/** Sends a stand-in; the answer is worked out where the request takes effect. */
function answer(session: Session, subcommand: string, work: () => Buffer): void {
  const standIn = new StandIn(subcommand, OK, () => {
    session.counts.answered += 1;
  });
  session.takeEffect(() => {
    standIn.answer = work();
  });
  session.ask(STAND_IN, standIn);
}

function wrongArity(session: Session, subcommand: string): void {
  const text = error(`ERR wrong number of arguments for 'client|${subcommand}' command`);
  const owed = consequent({
    settle: (reply) => (/^-(NOAUTH|NOPERM)/.test(textOf(reply)) ? 'pass' : text),
  });
  session.ask(WRONG_STAND_IN, owed);
}

const OK = status('OK');

function tracking(session: Session, words: HeldWords): void {
  const args: string[] = [];
  for (let index = 2; index < words.count; index++) args.push(words.text(index));
  let conclude: ((refused: boolean) => void) | undefined;
  const standIn = new StandIn('tracking', OK, (refused) => {
    session.counts.answered += 1;
    conclude?.(refused);
  });
  session.takeEffect(() => {
    const wish = parseTracking(args);
    if (typeof wish === 'string') standIn.answer = error(wish);
    else conclude = session.tracked.want(wish.on);
  });
  session.ask(STAND_IN, standIn);
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
        replies.skipNext = !session.skipIsSpent(owed);
        return;
      }
      replies.muted = mode === 'off';
      if (mode === 'on') replies.write(OK);
    },
  });
  session.ask(REPLY_ON, owed);
  if (mode === 'skip') session.skipped(owed);
  return true;
}

function textOf(reply: Reply): string {
  return reply.type === TYPE.error ? (reply.bytes?.toString('latin1') ?? '') : '';
}
