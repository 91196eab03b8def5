import type { ReplySink } from './outflow.ts';

/** How much may be held of one client's replies before its lane is read no further, in bytes. */
export const HOLD_MAX_BYTES = 1_048_576;

/** What a client gets from the reply to one fenced write on, up to the next such reply. */
interface Segment {
  readonly chunks: Buffer[];
  bytes: number;
  passed: boolean;
}

/** The client whose replies may be held. */
export interface HoldClient {
  /** Takes bytes for the client, in order. */
  sendClient(bytes: Buffer): void;
}

/** What it needs for its fences. */
export interface HoldParts {
  readonly counts: { fencedWrites: number };
  /** Raises a fence, and calls back when it is passed; that may be at once. */
  fence(passed: () => void): void;
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
  #bytes = 0;
  #whenOpen: (() => void)[] | undefined;

  constructor(client: HoldClient, parts: HoldParts) {
    this.#client = client;
    this.#parts = parts;
  }

  /** Whether replies are being held. */
  get isHolding(): boolean {
    return this.#segments !== undefined;
  }

  /** How many bytes are held. */
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
    const segment = { chunks: [], bytes: 0, passed: false };
    this.#segments ??= [];
    this.#segments.push(segment);
    this.#parts.fence(() => {
      segment.passed = true;
      this.#release();
    });
  }

  send(bytes: Buffer): void {
    const segment = this.#segments?.at(-1);
    if (segment === undefined) {
      this.#client.sendClient(bytes);
      return;
    }
    segment.chunks.push(bytes);
    segment.bytes += bytes.length;
    this.#bytes += bytes.length;
  }

  /** Sends bytes at once, before all that is held. */
  sendNow(bytes: Buffer): void {
    this.#client.sendClient(bytes);
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
    const segments = this.#segments ?? [];
    while (segments[0]?.passed === true) {
      const segment = segments.shift() as Segment;
      this.#bytes -= segment.bytes;
      for (const chunk of segment.chunks) this.#client.sendClient(chunk);
    }
    if (segments.length > 0) return;
    this.#segments = undefined;
    const runs = this.#whenOpen ?? [];
    this.#whenOpen = undefined;
    for (const run of runs) run();
  }
}
