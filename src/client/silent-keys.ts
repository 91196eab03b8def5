import type { CommandInfo } from '../commands/table.ts';
import { type Key, keyOf } from '../key.ts';
import { decode } from '../resp/decode.ts';
import { TYPE } from '../resp/scanner.ts';
import type { ReaderId } from '../tracking/table.ts';
import { SilentCall } from '../upstream/silent.ts';
import { isFenced } from './entries.ts';
import type { Step } from './handler.ts';
import type { Keyed } from './keyed.ts';
import { KEEP, type Owed, type Reply, type Verdict } from './ledger.ts';
import { refuses } from './owed.ts';
import type { SessionParts } from './parts.ts';
import { silentOwed } from './roles.ts';
import type { Session } from './session.ts';

/**
 * A request that changes the keys it names, and may do so unannounced: its reply has to tell.
 * Others have read these keys, so it is looked at whether or not its own client tracks. It is never
 * attributed: a client with NOLOOP is spared what is told here, and hears what is announced.
 */
export function sendSilent(session: Session, info: CommandInfo, keys: readonly Key[]): Step {
  const { tracked, multi, counts, parts } = session;
  const writer = tracked.wanted.noloop ? tracked.id : undefined;
  const fences = isFenced(session, info);
  let flight: Keyed | undefined;
  if (multi !== undefined) {
    multi.queue({ kind: 'keys', keys, reads: false, writes: true });
    if (!info.blocks) multi.flushes = true;
    if (fences) multi.fences = true;
  } else {
    if (writer !== undefined) counts.unattributedWrites += 1;
    if (tracked.wanted.on) flight = tracked.depart(keys, tracked.cachesWrites, true, info.blocks);
  }
  const waits = info.blocks && multi === undefined;
  const write = new SilentWrite(parts, { info, keys, writer, flight, waits, fences });
  session.takeEffect(() => write.sent(), 'aside');
  return session.forward(write);
}

/**
 * As `sendSilent`, for a request that was too long to be held: any key may be one of its.
 *
 * @returns the entry for its reply; undefined: it changes nothing unannounced
 */
export function unseenSilent(session: Session, info: CommandInfo | undefined): Owed | undefined {
  if (info === undefined || !session.parts.silentLog.hides(info.name)) return undefined;
  if (session.multi !== undefined) session.multi.flushes = true;
  return silentOwed(session, info.name, true);
}

interface SilentRequest {
  readonly info: CommandInfo;
  readonly keys: readonly Key[];
  /** Who need not hear of it. */
  readonly writer: ReaderId | undefined;
  /** The entry that it would have as a request of a tracking client. */
  readonly flight: Keyed | undefined;
  /** It may wait for other clients. */
  readonly waits: boolean;
  /** Its reply is fenced. */
  readonly fences: boolean;
}

/**
 * The entry for a request that changes keys unannounced. Others are told before its client gets the
 * reply; its own client right behind it.
 */
class SilentWrite implements Owed {
  readonly keep = KEEP.all;
  readonly lenient = true;
  readonly drop = false;
  readonly blocks: boolean;
  /** A pop that waits for a push must not keep its lane: it would take what nobody gets. */
  readonly flushes: boolean;
  readonly fences: boolean;
  readonly #parts: SessionParts;
  readonly #request: SilentRequest;
  readonly #keys: readonly Key[];
  readonly #call: SilentCall;

  constructor(parts: SessionParts, request: SilentRequest) {
    const { info, keys, waits, fences } = request;
    this.#parts = parts;
    this.#request = request;
    this.#call = new SilentCall(parts.silentLog, info.name);
    this.#keys = FIRST_ONLY.has(info.name) ? keys.slice(0, 1) : keys;
    this.blocks = waits;
    this.flushes = !info.blocks;
    this.fences = fences;
  }

  settle(reply: Reply): Verdict {
    this.#request.flight?.settle(reply);
    this.#call.settle(!refuses(reply));
    this.#tell(changedBy(this.#request.info.name, this.#keys, reply));
    return 'pass';
  }

  after(reply: Reply): void {
    this.#request.flight?.after(reply);
  }

  lost(): void {
    this.#call.lose();
    this.#tell(this.#keys);
  }

  cancelled(): void {
    this.#call.settle(false);
  }

  /** Upstream may execute it from now on. */
  sent(): void {
    // To the watch a pop is nothing unusual: the push that it takes from is announced.
    if (!this.#request.info.blocks) this.#call.send();
  }

  #tell(changed: readonly Key[]): void {
    const { tracker } = this.#parts;
    for (const key of changed) tracker.changed(key, 'write', this.#request.writer);
    tracker.endOfBatch();
  }
}

/** Of these the first key is changed in silence; the others are read, or are announced. */
const FIRST_ONLY: ReadonlySet<string> = new Set(['sinterstore', 'brpoplpush']);

/** As much of a reply as tells nothing and nought from all others. */
const HEAD_BYTES = 8;

/** PERSIST of a key without a time, MIGRATE of none, BLPOP in vain in either protocol. */
const NOTHING_DONE = /^(:0\r|\+NOKEY|\*-1|\$-1|_)/;

/** @returns those of `keys` that the command, by its reply, may have changed unannounced */
function changedBy(name: string, keys: readonly Key[], reply: Reply): readonly Key[] {
  // Where MIGRATE fails, some of its keys may have gone before.
  if (reply.type === TYPE.error) return name === 'migrate' && !refuses(reply) ? keys : NO_KEYS;
  const head = reply.bytes?.toString('latin1', 0, HEAD_BYTES) ?? '';
  // What it stores is announced; what it deletes, because the result is empty, is not.
  if (name === 'sinterstore') return head === ':0\r\n' ? keys : NO_KEYS;
  if (NOTHING_DONE.test(head)) return NO_KEYS;
  return reply.type === TYPE.array ? poppedFrom(keys, reply.bytes) : keys;
}

/** @param bytes a pop's reply, whose first element is the key; undefined: it was too long */
function poppedFrom(keys: readonly Key[], bytes: Buffer | undefined): readonly Key[] {
  if (keys.length === 1 || bytes === undefined) return keys;
  const reply = decode(bytes);
  const key: unknown = Array.isArray(reply) ? reply[0] : undefined;
  return typeof key === 'string' ? [keyOf(key)] : keys;
}

const NO_KEYS: readonly Key[] = [];
