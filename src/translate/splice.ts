/** Where replies go: see `Outflow` of client/outflow.ts. Indexes are those of the received chunk. */
export interface Out {
  /** What lies before `end`, and was neither sent nor skipped, goes on as it is. */
  passTo(end: number): void;
  /** What lies before `end` does not go on. */
  skipTo(end: number): void;
  /** These bytes go on now. */
  send(bytes: Buffer): void;
}

/** A range up to so long is copied to its neighbours, in bytes: to send it alone costs more. */
const COPY_MAX_BYTES = 256;

/** So much is joined into one piece, in bytes. Source: our choice; a page or two. */
const JOINED_MAX_BYTES = 8_192;

/**
 * Replaces bytes of a chunk on their way. What stays as it is leaves as ranges of the chunk, but for
 * short ranges between two replacements: those are joined with them.
 */
export class Splice {
  readonly #out: Out;
  #chunk: Buffer = NOTHING;
  #from = 0; // everything before it has been passed or is in `#joined`
  #joined = ''; // latin1
  #open = false; // something was replaced and `#out` does not know yet

  constructor(out: Out) {
    this.#out = out;
  }

  begin(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#open = false;
  }

  /** @param text latin1, in place of the bytes from `start` to `end`, which lie behind all before */
  replace(start: number, end: number, text: string): void {
    const gap = start - this.#from;
    if (this.#open && gap <= COPY_MAX_BYTES && this.#joined.length <= JOINED_MAX_BYTES) {
      if (gap > 0) this.#joined += this.#chunk.toString('latin1', this.#from, start);
    } else {
      this.#flush();
      this.#out.passTo(start);
      this.#open = true;
    }
    this.#joined += text;
    this.#from = end;
  }

  /** All of the chunk that was to be looked at has been. */
  end(): void {
    this.#flush();
    this.#chunk = NOTHING;
  }

  #flush(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#joined === NULL_TEXT) this.#out.send(NULL);
    else if (this.#joined !== '') this.#out.send(Buffer.from(this.#joined, 'latin1'));
    this.#joined = '';
    this.#out.skipTo(this.#from);
  }
}

// Most replies in which anything changes are just this.
const NULL_TEXT = '_\r\n';
const NULL = Buffer.from(NULL_TEXT);
const NOTHING = Buffer.alloc(0);
