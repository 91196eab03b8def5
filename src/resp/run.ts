/** Where bytes go, in order. */
export interface Sink {
  send(bytes: Buffer): void;
}

/**
 * The bytes of a received chunk that are going on as they came. They are sent as late as possible,
 * so that neighbours leave as one range, and a chunk that passes whole leaves as itself.
 */
export class Run {
  readonly #sink: Sink;
  #chunk: Buffer = NOTHING;
  #from = 0;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** A new chunk: all of it is to go on, unless `skipTo` says otherwise. */
  begin(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#from = 0;
  }

  /** Sends what lies before `end` and has been neither sent nor skipped. */
  sendTo(end: number): void {
    if (this.#from >= end) return;
    const whole = this.#from === 0 && end === this.#chunk.length;
    const bytes = whole ? this.#chunk : this.#chunk.subarray(this.#from, end);
    this.#from = end;
    this.#sink.send(bytes);
  }

  /** What lies before `end` does not go on. */
  skipTo(end: number): void {
    this.#from = end;
  }

  /** The chunk is done with. */
  end(): void {
    this.#chunk = NOTHING;
    this.#from = 0;
  }
}

const NOTHING = Buffer.alloc(0);
