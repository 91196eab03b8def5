import type { CachingClient } from './client.ts';
import { type Change, idOf, type Journal } from './journal.ts';
import { type LaneOracle, Violation } from './oracle.ts';
import type { SimulatedOutput } from './output.ts';
import { FrameReader, type Node, show } from './wire.ts';

/** A client, and the sockets by which it is told: its own, and that of its target. */
export interface Reader {
  readonly client: CachingClient;
  readonly outputs: readonly SimulatedOutput[];
  /** Whether one of these ends as soon as it has got what is held, and all caching with it. */
  readonly isEnding: () => boolean;
  /** Whether a reply to one of these has come in part. */
  readonly isMidReply: () => boolean;
}

/** When a reader has read so much, it must not hold what is older than these changes. */
interface Mark {
  readonly reader: Reader;
  readonly place: number;
  readonly changes: readonly Change[];
}

/**
 * Sees to it that fences hold: when the reply to a fenced write stands in its client's socket,
 * nobody who has read what stands in his own may hold an older value of what was written.
 */
export class FenceWitness {
  readonly #journal: Journal;
  readonly #readers: readonly Reader[];
  #marks: Mark[] = [];
  #said: { readonly changes: readonly Change[]; readonly writer: CachingClient }[] = []; // in this step
  readonly #excused = new Map<Reader, Set<Change>>(); // fences did not wait for those who did not read
  readonly #changes = new Map<string, Change>(); // of all fenced writes so far, the last of each key

  constructor(journal: Journal, readers: readonly Reader[]) {
    this.#journal = journal;
    this.#readers = readers;
  }

  /** The reply to a fenced write has been handed to a socket. @param changes that it has made */
  said(changes: readonly Change[], writer: CachingClient): void {
    this.#said.push({ changes, writer });
  }

  /** What is written to sockets in one step leaves in one piece: what counts is how they stand then. */
  #mark(): void {
    const said = this.#said;
    this.#said = [];
    for (const { changes, writer } of said) this.#markOne(changes, writer);
  }

  #markOne(changes: readonly Change[], writer: CachingClient): void {
    for (const change of changes) {
      const id = idOf(change.db, change.key);
      const before = this.#changes.get(id);
      if (before === undefined || before.order < change.order) this.#changes.set(id, change);
    }
    for (const reader of this.#readers) {
      const [output, ...others] = reader.outputs;
      // A slow one is not told of its own write in advance: as with Redis, it hears of it behind.
      const isOwn = reader.client === writer && output?.mayBeSlow === true;
      // Nor is one that was slow when the fence was passed, and has since read all but a reply's end.
      const wasSlow = output?.mayBeSlow === true && reader.isMidReply();
      const isExcused = isOwn || wasSlow || reader.outputs.some(({ isSlow }) => isSlow);
      if (isExcused) this.#excuse(reader, changes);
      // One that is told by another connection may read this one first: see `look`.
      if (output === undefined || others.length > 0) continue;
      // What a client is told that does not read, lies behind what it has not read.
      if (!isExcused) this.#marks.push({ reader, place: output.written, changes });
    }
  }

  #excuse(reader: Reader, changes: readonly Change[]): void {
    const before = this.#excused.get(reader) ?? [];
    this.#excused.set(reader, new Set([...before, ...changes]));
  }

  /** @returns how many bytes `output` may take before somebody has to be looked at */
  untilMark(output: SimulatedOutput): number {
    let least = Number.POSITIVE_INFINITY;
    for (const { reader, place } of this.#marks) {
      const left = reader.outputs[0] === output ? place - output.arrived : 0;
      if (left > 0 && left < least) least = left;
    }
    return least;
  }

  /** Bytes have arrived, or may have. @throws Violation Fence */
  look(): void {
    this.#mark();
    if (this.#changes.size === 0) return;
    this.#marks = this.#marks.filter(({ reader, place, changes }) => {
      if (reader.outputs[0]?.hasReached(place) === false) return true;
      for (const change of changes) this.#hold(reader, change);
      return false;
    });
    for (const reader of this.#readers) {
      // One that has just taken all is told the rest as soon as the proxy sees that.
      if (!reader.outputs.every(({ isQuiet, isSlow }) => isQuiet && !isSlow)) continue;
      // What such a one is told stands behind the end of the reply that it is in the middle of.
      if (!reader.isMidReply()) this.#excused.delete(reader);
      const excused = this.#excused.get(reader);
      for (const change of this.#changes.values()) {
        if (excused?.has(change) !== true) this.#hold(reader, change);
      }
    }
  }

  #hold({ client, isEnding }: Reader, change: Change): void {
    if (isEnding()) return;
    const values = client.cache.get(change.key);
    if (values === undefined || client.keepsAtOwnRisk(change.key)) return;
    client.passSilence(false);
    for (const { db, kind, raw } of values.values()) {
      if (db !== change.db || this.#journal.allows(change, kind, raw)) continue;
      const what = `${client.name} holds ${change.key} = ${show(raw)} behind a fenced write of it`;
      throw new Violation('Fence', what);
    }
  }
}

/** Counts the replies that are handed to one client's socket, so as to know which are fenced. */
export class HandedReplies {
  readonly #oracle: LaneOracle;
  readonly #witness: FenceWitness;
  readonly #client: CachingClient;
  readonly #reader = new FrameReader();
  #isBroken = false; // as the client will find out

  constructor(oracle: LaneOracle, witness: FenceWitness, client: CachingClient) {
    this.#client = client;
    this.#oracle = oracle;
    this.#witness = witness;
  }

  handed(bytes: Buffer): void {
    if (this.#isBroken) return;
    try {
      this.#reader.feed(bytes, (frame) => this.#take(frame));
    } catch {
      this.#isBroken = true;
    }
  }

  #take({ type, items }: Node): void {
    // Of pushes, only the confirmation of SUBSCRIBE is a reply.
    if (type === '>' && items[0]?.text !== 'subscribe') return;
    const changes = this.#oracle.said();
    if (changes.length > 0) this.#witness.said(changes, this.#client);
  }
}
