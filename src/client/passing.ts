import type { CommandInfo } from '../commands/table.ts';
import type { Key } from '../key.ts';
import { TYPE } from '../resp/scanner.ts';
import type { ReaderId } from '../tracking/table.ts';
import { SilentCall } from '../upstream/silent.ts';
import { isFenced } from './entries.ts';
import type { Step } from './handler.ts';
import { KEEP, type Owed, type Reply, type Verdict } from './ledger.ts';
import { QueuedKeyed } from './multi.ts';
import { refuses } from './owed.ts';
import type { Session } from './session.ts';

/** Scripts that may write. They may do more than the keys tell that they declare. */
export const SCRIPTS: ReadonlySet<string> = new Set(['eval', 'evalsha', 'fcall']);

/** A write whose keys are known. */
interface PassingRequest {
  readonly info: CommandInfo;
  readonly keys: readonly Key[];
  /** It may read them, too: a script. */
  readonly reads: boolean;
  /** Its own client hears of it even with NOLOOP. */
  readonly isTold: boolean;
}

/**
 * A write that is told at its reply, because notifications may not tell it (`--source`). Others have
 * read its keys, so whose it is does not matter, but for NOLOOP: here, for once, the writer is known.
 */
export function sendPassing(session: Session, request: PassingRequest): Step {
  const { tracked, multi, counts } = session;
  const { info, keys, reads, isTold } = request;
  const writer = isTold ? undefined : writerOf(session, info);
  let noted: Owed | undefined;
  if (multi !== undefined) {
    if (isTold) multi.isTold = true;
    multi.queue({ kind: 'keys', keys, reads, writes: true });
    if (reads) noted = new QueuedKeyed(tracked, keys, false);
  } else {
    if (tracked.wanted.noloop && !isTold && writer === undefined) counts.unattributedWrites += 1;
    const isDoubtful = reads && tracked.doubt !== undefined;
    const isCached = reads || tracked.cachesWrites;
    if (tracked.wanted.on || isDoubtful) {
      noted = tracked.depart(keys, isCached, true, info.blocks);
    }
  }
  const changes = writtenOf(info.name, keys);
  const write = new PassingWrite(session, { info, changes, writer, noted });
  write.enter();
  if (!reads || multi !== undefined || !tracked.wanted.on) return session.forward(write);
  counts.tracked += 1;
  session.replies.ledger.push(write);
  return 'forward';
}

/**
 * A request that may change any key, as far as we can see: a command that we do not know, a script
 * that declares no keys, a write that was too long to be held.
 *
 * @param info undefined: nobody has heard of the command
 * @returns the entry for its reply; undefined: it is none of these, or notifications will tell
 */
export function opaqueOwed(
  session: Session,
  info: CommandInfo | undefined,
  isTooLong: boolean,
): Owed | undefined {
  if (session.parts.passing?.alone !== true) return undefined;
  if (!isOpaque(info) && !(isTooLong && info?.writes === true)) return undefined;
  const { tracked, multi } = session;
  const follows = multi === undefined && tracked.wanted.on;
  // Names no key, but its own client is told behind its reply as of other writes.
  const noted = follows ? tracked.depart(NO_KEYS, false, false, info?.blocks === true) : undefined;
  const write = new PassingWrite(session, { info, changes: 'all', writer: undefined, noted });
  write.enter();
  return write;
}

/** Whether nothing in such a request tells what it may change. */
function isOpaque(info: CommandInfo | undefined): boolean {
  if (info === undefined) return true;
  const isPlain = info.role === 'plain' && info.writes;
  return isPlain && (info.keys.kind === 'none' || SCRIPTS.has(info.name));
}

/**
 * Who need not hear of a write. Where notifications tell of it as well, that is for them to say. A pop
 * that waits is as good as somebody else's: who waited knows nothing of the push.
 */
function writerOf({ tracked, multi, parts }: Session, info: CommandInfo): ReaderId | undefined {
  const waits = info.blocks && multi === undefined;
  const isOwn = tracked.wanted.noloop && parts.passing?.alone === true && !waits;
  return isOwn ? tracked.id : undefined;
}

interface Write {
  /** Undefined: nobody has heard of the command. */
  readonly info: CommandInfo | undefined;
  readonly changes: readonly Key[] | 'all';
  /** Who need not hear of it. */
  readonly writer: ReaderId | undefined;
  /** The entry that it would have if its client alone were concerned. */
  readonly noted: Owed | undefined;
}

/**
 * The entry for a write that is told as it passes. Others are told before its client has the whole
 * reply; its own client right behind it. A write that has changed nothing is told as well: perhaps
 * because its key has expired, which nobody announces.
 */
class PassingWrite implements Owed {
  readonly keep: number;
  readonly lenient = true;
  readonly drop = false;
  readonly blocks: boolean;
  /** A pop that waits for a push must not keep its lane: it would take what nobody gets. */
  readonly flushes: boolean;
  readonly fences: boolean;
  readonly #session: Session;
  readonly #write: Write;
  readonly #call: SilentCall | undefined;
  readonly #isQueued: boolean;
  #isTold = false;

  constructor(session: Session, write: Write) {
    const { info } = write;
    const { parts, multi } = session;
    this.#session = session;
    this.#write = write;
    this.#isQueued = multi !== undefined;
    const blocks = info?.blocks === true;
    this.blocks = blocks && !this.#isQueued;
    this.flushes = parts.passing?.alone === true && !blocks;
    this.fences = isFenced(session, info);
    // A fence is raised where a reply begins, and must find told what it is about.
    const isKept = this.fences || (info !== undefined && SPEAKING.has(info.name));
    const others = this.#isQueued ? KEEP.errors | KEEP.statuses : KEEP.errors;
    this.keep = isKept ? KEEP.all : others;
    const isSilent = info !== undefined && parts.silentLog.hides(info.name);
    this.#call = isSilent ? new SilentCall(parts.silentLog, info.name) : undefined;
  }

  /** It is about to be sent. */
  enter(): void {
    const { multi } = this.#session;
    // To the watch a pop is nothing unusual.
    const call = this.#write.info?.blocks === true ? undefined : this.#call;
    if (call !== undefined) this.#session.takeEffect(() => call.send(), 'aside');
    if (multi === undefined) return;
    if (this.fences) multi.fences = true;
    if (this.flushes) multi.passing.push(() => this.#tellEarly());
  }

  settle(reply: Reply): Verdict {
    this.#notedNow?.settle(reply);
    const executed = !isRefused(this.#write.info, reply);
    this.#call?.settle(executed);
    if (executed && !this.#isTold) this.#tell(this.#changedBy(reply));
    return 'pass';
  }

  after(reply: Reply): void {
    this.#notedNow?.after?.(reply);
  }

  /** It may have been executed, or may yet be: upstream need not have seen the end of the lane. */
  lost(): void {
    const { changes } = this.#write;
    this.#call?.lose();
    this.#tell(changes);
    const { passing } = this.#session.parts;
    if (passing?.alone === true) passing.whenAnswered(() => this.#tell(changes));
  }

  cancelled(): void {
    this.#call?.settle(false);
  }

  /** What is queued is noted by EXEC, unless upstream has refused the MULTI. */
  get #notedNow(): Owed | undefined {
    const isNotedByExec = this.#isQueued && this.#session.replies.transaction.isOpen;
    return isNotedByExec ? undefined : this.#write.noted;
  }

  /** EXEC has been executed, but what became of this one may be seen too late. */
  #tellEarly(): void {
    this.#tell(this.#write.changes);
    this.#isTold = true;
  }

  #changedBy(reply: Reply): readonly Key[] | 'all' {
    const { info, changes } = this.#write;
    const isSpeaking = info !== undefined && SPEAKING.has(info.name);
    return isSpeaking && changes !== 'all' ? toldBy(reply, changes) : changes;
  }

  #tell(changed: readonly Key[] | 'all'): void {
    const { tracker } = this.#session.parts;
    if (changed === 'all') {
      tracker.changedAll('write');
      return;
    }
    for (const key of changed) tracker.changed(key, 'write', this.#write.writer);
    if (changed.length > 0) tracker.endOfBatch();
  }
}

/** Their replies say whether they have changed anything, or which key. */
const SPEAKING: ReadonlySet<string> = new Set(
  'blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin lmpop xreadgroup zmpop'.split(' '),
);

/** How a pop names the key that it has popped from. */
const FIRST_IS_KEY = /^\*\d+\r\n\$(\d+)\r\n/;
const HEAD_BYTES = 32;

/** @returns those of `keys` that such a command, by its reply, may have changed */
function toldBy({ type, bytes }: Reply, keys: readonly Key[]): readonly Key[] {
  const head = bytes?.toString('latin1', 0, HEAD_BYTES) ?? '';
  if (type === TYPE.null || /^[*$]-1\r/.test(head)) return NO_KEYS;
  const found = keys.length > 1 ? FIRST_IS_KEY.exec(head) : null;
  if (found === null) return keys;
  const from = found[0].length;
  const name = bytes?.toString('latin1', from, from + Number(found[1]));
  return keys.filter((key) => key === name);
}

/** Of these the first key is written; the others are read. */
const FIRST_IS_WRITTEN: ReadonlySet<string> = new Set(
  (
    'bitop geosearchstore pfmerge sdiffstore sinterstore sunionstore zdiffstore zinterstore ' +
    'zrangestore zunionstore'
  ).split(' '),
);

/** Of these it is the other way round. Without a key to store in they only read. */
const FIRST_IS_READ: ReadonlySet<string> = new Set(
  'copy georadius georadiusbymember sort'.split(' '),
);

/** @returns those of a request's keys that it may change */
function writtenOf(name: string, keys: readonly Key[]): readonly Key[] {
  if (FIRST_IS_READ.has(name)) return keys.slice(1);
  return keys.length > 1 && FIRST_IS_WRITTEN.has(name) ? keys.slice(0, 1) : keys;
}

/** Errors that only the server itself says, of a request that it has not begun to execute. */
const NEVER_BEGUN = new RegExp(
  '^(NOAUTH Authentication required|NOSCRIPT No matching script|ERR Function not found|' +
    'NOPERM (this user|User \\S+) has no permissions to |' +
    "ERR (unknown (sub)?command|wrong number of arguments for|Unknown subcommand|Can't execute '))",
);
const TEXT_BYTES = 120;

/**
 * Whether a reply says that nothing was executed. A script may give an error of any kind after it has
 * written, even one that it got from a command that was refused to it.
 */
function isRefused(info: CommandInfo | undefined, reply: Reply): boolean {
  if (reply.type !== TYPE.error) return false;
  if (!isOpaque(info)) return refuses(reply);
  return NEVER_BEGUN.test(reply.bytes?.toString('latin1', 1, TEXT_BYTES) ?? '');
}

const NO_KEYS: readonly Key[] = [];
