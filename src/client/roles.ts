import type { CommandInfo } from '../commands/table.ts';
import { TYPE } from '../resp/scanner.ts';
import { request } from '../resp/write.ts';
import { debugChanges, SilentCall } from '../upstream/silent.ts';
import { config } from './config-command.ts';
import { isUnknown } from './emulation.ts';
import type { Step } from './handler.ts';
import type { HeldWords } from './held.ts';
import { KEEP, type Owed, type Reply, type Verdict } from './ledger.ts';
import { handleClient } from './local.ts';
import { auth, hello, refuseInMulti } from './login.ts';
import { OpenMulti } from './multi.ts';
import { consequent, isStatus, refuses } from './owed.ts';
import { patchInfo } from './reports.ts';
import type { Session } from './session.ts';

/** From this version on MONITOR inside MULTI is one ordinary error. */
const MONITOR_REFUSED_VERSION = 602;

/** From this version on (6.0) every refused EXEC ends its transaction. */
const EXEC_ENDS_VERSION = 600;

/** Deals with a request that does more to its connection than get one reply. */
export function handle(session: Session, info: CommandInfo, words: HeldWords): Step {
  switch (info.role) {
    case 'client':
      return handleClient(session, info, words);
    case 'hello':
      return hello(session, words);
    case 'auth':
      return auth(session, words);
    case 'multi':
      return multi(session, words);
    case 'exec':
      return exec(session, words);
    case 'discard':
      return discard(session, words);
    case 'subscribe':
    case 'unsubscribe':
      return subscribe(session, info, words);
    case 'watch':
      return watch(session, info);
    case 'unwatch':
      return session.forward(unwatchOwed(session));
    case 'info':
      return session.forward(infoOwed(session));
    case 'config':
      return config(session, info, words);
    case 'acl':
      return session.forward(consequent({ after: () => session.parts.forgetAccess() }));
    case 'flush':
      if (session.multi !== undefined) session.multi.flushes = true;
      return session.forward(silentOwed(session, info.name, true));
    case 'debug':
      return debug(session, words);
    case 'reset':
      return session.alone(words.bytes(), () => resetOwed(session));
    case 'quit':
      return quit(session, words);
    case 'monitor':
      return monitor(session, words);
    case 'sync':
      return sync(session, words);
    case 'replconf':
      return replconf(session, info, words);
    default:
      return session.forward(session.entryFor(info));
  }
}

/** A second MULTI may turn out to be the first: it waits until the fate of the one before is known. */
function multi(session: Session, words: HeldWords): Step {
  if (words.count !== 1) return session.forward(session.entryFor(undefined));
  if (session.multi !== undefined) {
    if (session.multi.isAccepted) return session.forward(session.entryFor(undefined));
    return session.alone(words.bytes(), () =>
      session.multi === undefined ? beginMulti(session) : consequent({}, { slot: false }),
    );
  }
  const opened = new OpenMulti();
  session.ask(words.bytes(), multiOwed(session, opened));
  session.counts.forwarded += 1;
  if (session.noloop.attributes) opened.attributed = session.noloop.open();
  session.multi = opened;
  return 'done';
}

function beginMulti(session: Session): Owed {
  const opened = new OpenMulti();
  session.multi = opened;
  return multiOwed(session, opened);
}

/** @returns the entry for the MULTI by which `opened` is believed in */
function multiOwed(session: Session, opened: OpenMulti): Owed {
  const after = (reply: Reply) => {
    if (isStatus(reply, 'OK')) {
      opened.isAccepted = true;
      session.replies.transaction.begin();
      return;
    }
    if (session.multi === opened) {
      session.multi = undefined;
      session.tracked.mark.clear();
      opened.disbelieve(session.tracked);
    }
    if (opened.attributed !== undefined) session.noloop.failed(opened.attributed.word, reply);
  };
  return consequent({ after });
}

/** Servers from 6.0 on end the transaction by an EXEC with arguments, too. */
function exec(session: Session, words: HeldWords): Step {
  const ends = (session.parts.upstreamVersion() ?? EXEC_ENDS_VERSION) >= EXEC_ENDS_VERSION;
  if (words.count !== 1 && !ends) return session.forward(session.entryFor(undefined));
  const opened = session.multi ?? new OpenMulti();
  session.multi = undefined;
  const word = opened.attributed?.word;
  if (word !== undefined) session.noloop.say(word);
  const unwatch = session.noloop.unwatchIfNotAgain();
  const ended = (aborted: boolean, reply: Reply) => {
    if (aborted) session.replies.transaction.cancel();
    else session.replies.transaction.end();
    // An EXEC outside MULTI is an error and nothing more.
    if (!aborted || reply.type !== TYPE.error || isExecAbort(reply)) unwatch();
    if (aborted && word !== undefined) session.parts.attribution.forget(word);
  };
  const owed = opened.execute(session.tracked, {
    ended,
    flushed: () => session.flushed(),
    lost: () => session.replies.transaction.lose(),
  });
  if (word !== undefined && opened.isTold) session.parts.attribution.forget(word);
  session.tracked.mark.clear();
  return session.forward(owed);
}

function isExecAbort(reply: Reply): boolean {
  return reply.bytes?.toString('latin1', 0, 10) === '-EXECABORT';
}

/** Where it is not known yet whether MULTI was accepted, DISCARD waits for that. */
function discard(session: Session, words: HeldWords): Step {
  if (words.count !== 1) return session.forward(session.entryFor(undefined));
  if (session.multi === undefined || session.multi.isAccepted) {
    return session.forward(discardOwed(session));
  }
  return session.alone(words.bytes(), () => discardOwed(session));
}

function discardOwed(session: Session): Owed {
  const word = session.multi?.attributed?.word;
  session.multi = undefined;
  session.tracked.mark.clear();
  const unwatch = session.noloop.unwatchIfNotAgain();
  const after = (reply: Reply) => {
    if (!isStatus(reply, 'OK')) return;
    session.replies.transaction.cancel();
    unwatch();
    if (word !== undefined) session.parts.attribution.forget(word);
  };
  return consequent({ after });
}

function unwatchOwed(session: Session): Owed {
  const unwatch = session.noloop.unwatchIfNotAgain();
  const after = (reply: Reply) => {
    if (isStatus(reply, 'OK')) unwatch();
  };
  return consequent({ after });
}

function debug(session: Session, words: HeldWords): Step {
  const changes = words.count > 1 && debugChanges(words.text(1).toLowerCase());
  if (changes && session.multi !== undefined) session.multi.flushes = true;
  return session.forward(silentOwed(session, 'debug', changes));
}

function watch(session: Session, info: CommandInfo): Step {
  session.noloop.watch();
  return session.forward(session.entryFor(info));
}

/** INFO tells of our tracking in place of upstream's. */
function infoOwed(session: Session): Owed {
  const settle = (reply: Reply): Verdict =>
    reply.bytes === undefined ? 'pass' : patchInfo(reply.bytes, session.parts.tracker);
  return consequent({ settle }, { keep: KEEP.all, lenient: true, patches: true });
}

/** Each channel is confirmed by a frame of its own; no channel means all there are. */
function subscribe(session: Session, info: CommandInfo, words: HeldWords): Step {
  const channels = words.count - 1;
  if (channels === 0 && info.role === 'subscribe') {
    return session.forward(session.entryFor(undefined));
  }
  if (session.replies.translates) {
    return session.multi === undefined
      ? session.emulation.subscribe(info, words)
      : refuseInMulti(session);
  }
  const framesLeft = channels === 0 ? undefined : channels;
  return session.forward(consequent({}, { confirms: info.name, framesLeft }));
}

/**
 * FLUSHALL and its kind: no notification tells of them, so their reply has to. The watch, which
 * sees their number, must know which of them were ours.
 *
 * @param changes whether this one changes data
 */
export function silentOwed(session: Session, name: string, changes: boolean): Owed {
  const call = new SilentCall(session.parts.silentLog, name);
  session.takeEffect(() => call.send(), 'aside');
  const after = (reply: Reply) => {
    call.settle(!refuses(reply));
    if (changes && reply.type !== TYPE.error) session.flushed();
  };
  const lost = () => {
    call.lose();
    if (changes) session.flushed();
  };
  const cancelled = () => call.settle(false);
  const fences = changes && session.fences.isOn;
  if (fences && session.multi !== undefined) session.multi.fences = true;
  return consequent({ after, lost, cancelled }, { flushes: changes, fences });
}

/** RESET ends CLIENT REPLY OFF, and says so. */
function resetOwed(session: Session): Owed {
  let isUnknownThere = false;
  const settle = (reply: Reply): Verdict => {
    isUnknownThere = session.replies.translates && isUnknown(reply);
    return isUnknownThere ? 'drop' : 'pass';
  };
  const after = (reply: Reply) => {
    if (isUnknownThere) session.emulation.reset();
    if (!isStatus(reply, 'RESET') || reply.bytes === undefined) return;
    const unsaid = session.replies.muted;
    session.reset();
    if (unsaid) session.replies.write(reply.bytes);
  };
  return consequent({ settle, after });
}

/** Whatever stands behind QUIT is ignored. */
function quit(session: Session, words: HeldWords): Step {
  session.ask(words.bytes(), consequent({ after: () => session.finish() }));
  return 'stop';
}

function monitor(session: Session, words: HeldWords): Step {
  if (session.multi !== undefined) {
    const isPlain = (session.parts.upstreamVersion() ?? 0) >= MONITOR_REFUSED_VERSION;
    return isPlain ? session.forward(session.entryFor(undefined)) : refuseInMulti(session);
  }
  if (words.count !== 1) return session.forward(session.entryFor(undefined));
  if (session.replies.monitoring) {
    session.empty(); // no server answers a second MONITOR
    return 'done';
  }
  const after = (reply: Reply) => {
    if (isStatus(reply, 'OK')) session.replies.monitoring = true;
  };
  return session.alone(words.bytes(), () => consequent({ after }));
}

function sync(session: Session, words: HeldWords): Step {
  if (session.multi !== undefined) return refuseInMulti(session);
  return session.alone(words.bytes(), () => {
    session.expectStream();
    return consequent({});
  });
}

/**
 * REPLCONF ACK and GETACK get no reply from a server that is not our replica. What stands before
 * them is sent without them, for it may be refused; if it is not, nothing is said.
 */
function replconf(session: Session, info: CommandInfo, words: HeldWords): Step {
  if (session.multi !== undefined) return refuseInMulti(session);
  const before: string[] = [];
  for (let index = 1; words.count % 2 === 1 && index < words.count; index += 2) {
    const option = words.text(index).toLowerCase();
    if (option === 'ack' || option === 'getack') {
      const settle = (reply: Reply): Verdict => (isStatus(reply, 'OK') ? 'drop' : 'pass');
      session.ask(request('REPLCONF', ...before), consequent({ settle }));
      return 'done';
    }
    before.push(words.text(index), words.text(index + 1));
  }
  return session.forward(session.entryFor(info));
}
