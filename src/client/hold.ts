import type { ReplySink } from './outflow.ts';

/**
 * How much memory may be taken by what is held of one client's replies before its lane is read no
 * further, in bytes; and how much by what is to be said again.
 */
export const HOLD_MAX_BYTES = 1_048_576;

/** What a piece that is held takes besides its own bytes, about, in bytes. */
export const PIECE_BYTES = 128;

/** What a client gets from the reply to one fenced write on, up to the next such reply. */
interface Segment {
  /** Counted from 1. */
  readonly number: number;
  readonly chunks: Buffer[];
  bytes: number;
  passed: boolean;
}

/** An invalidation that came while something was held, and stands in the last segment of then. */
interface Repeat {
  readonly bytes: Buffer;
  /** The first segment behind which it may be said. */
  readonly from: number;
  /** The segment in which it stands. */
  readonly to: number;
}

/** The client whose replies may be held. */
export interface HoldClient {
  /** Takes bytes for the client, in order. */
  sendClient(bytes: Buffer): void;
  /** More may be held again. */
  hasRoom(): void;
}

/** What it needs for its fences. */
export interface HoldParts {
  readonly counts: { fencedWrites: number };
  /**
   * Raises a fence, and calls back when it is passed, which may be at once; and then `settled`, once
   * for all that are passed together.
   */
  fence(passed: () => void, settled: () => void): void;
}

/**
 * What stands between a client's replies and its socket: it lets everything through, but holds the
 * reply to a fenced write, with all that comes behind, until that write's fence is passed.
 *
 * A hold begins between two whole replies and so does every segment of it. While it lasts, the
 * socket therefore stands between replies, and something urgent may go there directly.
 */
export class Hold implements ReplySink {
  readonly #client: HoldClient;
  readonly #parts: HoldParts;
  #segments: Segment[] | undefined; // undefined: nothing is held
  #front = 0; // those before this index have left
  #bytes = 0; // see HOLD_MAX_BYTES
  #wasFull = false;
  #settled: (() => void) | undefined;
  #count = 0; // of segments so far
  #sealed = 0; // the last that has a reply which changes how pushes are to be read; 0: none
  #repeats: Repeat[] | undefined;
  #repeatBytes = 0; // see HOLD_MAX_BYTES
  #isUntold = false; // an invalidation waits for the end of the reply that the last segment ends in
  #whenOpen: (() => void)[] | undefined;

  constructor(client: HoldClient, parts: HoldParts) {
    this.#client = client;
    this.#parts = parts;
  }

  /** Whether replies are being held. */
  get isHolding(): boolean {
    return this.#segments !== undefined;
  }

  /** How much memory is taken by what is held, about, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether so much is held that no more should be received from upstream. */
  get isFull(): boolean {
    return this.#bytes > HOLD_MAX_BYTES;
  }

  /** The reply to a fenced write begins. */
  begin(): void {
    this.#parts.counts.fencedWrites += 1;
    this.#count += 1;
    const segment = { number: this.#count, chunks: [], bytes: 0, passed: false };
    this.#segments ??= [];
    this.#segments.push(segment);
    this.#grow(segment, PIECE_BYTES);
    this.#settled ??= () => this.#release();
    this.#parts.fence(() => {
      segment.passed = true;
    }, this.#settled);
  }

  send(bytes: Buffer): void {
    const segment = this.#segments?.at(-1);
    if (segment === undefined) {
      this.#client.sendClient(bytes);
      return;
    }
    segment.chunks.push(bytes);
    this.#grow(segment, bytes.length + PIECE_BYTES);
    if (this.isFull && this.#isUntold) this.#release(); // its reply is too long to wait for its end
  }

  #grow(segment: Segment, bytes: number): void {
    segment.bytes += bytes;
    this.#bytes += bytes;
    this.#wasFull ||= this.isFull;
  }

  /** The reply that comes now changes how pushes are to be read, or whether there are any. */
  seal(): void {
    if (this.isHolding) this.#sealed = this.#count;
  }

  /**
   * Sends an invalidation before all that is held. It must also come with that, as usual; and what is
   * let go before that is followed by it as well, for any of it may be an old value.
   *
   * @param all what stands for it and others where there are too many of them
   * @returns false: the client has yet to get a reply without which it can't read it
   */
  sendNow(bytes: Buffer, all: Buffer): boolean {
    const segments = this.#segments ?? [];
    const sealed = this.#sealed >= (segments[this.#front]?.number ?? 0) ? this.#sealed : 0;
    if (sealed === 0) this.#client.sendClient(bytes);
    const from = sealed > 0 ? sealed : (segments[this.#front]?.number ?? 0);
    if (from < this.#count) this.#repeat({ bytes, from, to: this.#count }, all);
    return sealed === 0;
  }

  #repeat(repeat: Repeat, all: Buffer): void {
    this.#repeats ??= [];
    this.#repeats.push(repeat);
    this.#repeatBytes += repeat.bytes.length + PIECE_BYTES;
    if (this.#repeatBytes <= HOLD_MAX_BYTES) return;
    this.#repeats = [{ ...repeat, bytes: all }];
    this.#repeatBytes = all.length + PIECE_BYTES;
  }

  /** An invalidation waits for the end of a reply: what is held of that reply waits with it. */
  untold(): void {
    this.#isUntold = this.isHolding;
  }

  /** It has been sent. */
  told(): void {
    if (!this.#isUntold) return;
    this.#isUntold = false;
    this.#release();
  }

  /** Runs `run` as soon as nothing is held. */
  whenOpen(run: () => void): void {
    if (!this.isHolding) {
      run();
      return;
    }
    this.#whenOpen ??= [];
    this.#whenOpen.push(run);
  }

  #release(): void {
    const segments = this.#segments;
    if (segments === undefined) return;
    let released = 0;
    while (segments[this.#front]?.passed === true) {
      const isLast = this.#front === segments.length - 1;
      if (isLast && this.#isUntold && !this.isFull) break;
      const segment = segments[this.#front] as Segment;
      this.#front += 1;
      released = segment.number;
      this.#bytes -= segment.bytes;
      for (const chunk of segment.chunks) this.#client.sendClient(chunk);
    }
    this.#sayAgain(released);
    if (this.#front === segments.length) this.#open();
    else this.#forgetReleased(segments);
    if (!this.#wasFull || this.isFull) return;
    this.#wasFull = false;
    this.#client.hasRoom();
  }

  #open(): void {
    this.#segments = undefined;
    this.#front = 0;
    this.#isUntold = false;
    const runs = this.#whenOpen ?? [];
    this.#whenOpen = undefined;
    for (const run of runs) run();
  }

  #forgetReleased(segments: Segment[]): void {
    if (this.#front * 2 < segments.length) return;
    segments.splice(0, this.#front);
    this.#front = 0;
  }

  /** @param released the last segment that has left */
  #sayAgain(released: number): void {
    if (this.#repeats === undefined || released === 0) return;
    const left = this.#repeats.filter(({ to }) => to > released);
    this.#repeats = left.length > 0 ? left : undefined;
    this.#repeatBytes = left.reduce((sum, { bytes }) => sum + bytes.length + PIECE_BYTES, 0);
    for (const { bytes, from } of left) if (from <= released) this.#client.sendClient(bytes);
  }
}
