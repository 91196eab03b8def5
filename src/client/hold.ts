/** How much may be held of one client's replies before its lane is read no further, in bytes. */
export const HOLD_MAX_BYTES = 1_048_576;

/** What a client gets from the reply to one fenced write on, up to the next such reply. */
interface Segment {
  readonly chunks: Buffer[];
  bytes: number;
  passed: boolean;
}

/**
 * What stands between a client's replies and its socket: it lets everything through, but holds the
 * reply to a fenced write, with all that comes behind, until that write's fence is passed.
 *
 * A hold begins between two whole replies and so does every segment of it. While it lasts, the
 * socket therefore stands between replies, and something urgent may go there directly.
 */
export class Hold {
  readonly #sink: (bytes: Buffer) => void;
  readonly #raise: (passed: () => void) => void;
  #segments: Segment[] = [];
  #bytes = 0;
  #whenOpen: (() => void)[] = [];

  /**
   * @param sink  takes bytes for the client, in order
   * @param raise raises a fence, and calls back when it is passed; that may be at once
   */
  constructor(sink: (bytes: Buffer) => void, raise: (passed: () => void) => void) {
    this.#sink = sink;
    this.#raise = raise;
  }

  /** Whether replies are being held. */
  get isHolding(): boolean {
    return this.#segments.length > 0;
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
    const segment = { chunks: [], bytes: 0, passed: false };
    this.#segments.push(segment);
    this.#raise(() => {
      segment.passed = true;
      this.#release();
    });
  }

  send(bytes: Buffer): void {
    const segment = this.#segments.at(-1);
    if (segment === undefined) {
      this.#sink(bytes);
      return;
    }
    segment.chunks.push(bytes);
    segment.bytes += bytes.length;
    this.#bytes += bytes.length;
  }

  /** Sends bytes at once, before all that is held. */
  sendNow(bytes: Buffer): void {
    this.#sink(bytes);
  }

  /** Runs `run` as soon as nothing is held. */
  whenOpen(run: () => void): void {
    if (this.isHolding) this.#whenOpen.push(run);
    else run();
  }

  #release(): void {
    while (this.#segments[0]?.passed === true) {
      const segment = this.#segments.shift() as Segment;
      this.#bytes -= segment.bytes;
      for (const chunk of segment.chunks) this.#sink(chunk);
    }
    if (this.isHolding) return;
    for (const run of this.#whenOpen.splice(0)) run();
  }
}
