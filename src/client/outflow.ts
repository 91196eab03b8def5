import { Run } from '../resp/run.ts';

/**
 * What goes to the client: ranges of received chunks, replies of our own, and pushes, which leave
 * only between whole replies.
 */
export class Outflow {
  readonly #sink: (bytes: Buffer) => void;
  readonly #run: Run;
  #withheld: Buffer[] = []; // pushes that wait for the end of a reply

  /** @param sink takes bytes for the client, in order */
  constructor(sink: (bytes: Buffer) => void) {
    this.#sink = sink;
    this.#run = new Run((bytes) => this.send(bytes));
  }

  /** How many pushes wait for the end of the reply that is being sent. */
  get withheldCount(): number {
    return this.#withheld.length;
  }

  /** A chunk was received, whose bytes go on unless they are skipped. */
  begin(chunk: Buffer): void {
    this.#run.begin(chunk);
  }

  /** The chunk's bytes before `end` that were not skipped are sent. */
  passTo(end: number): void {
    this.#run.sendTo(end);
  }

  skipTo(end: number): void {
    this.#run.skipTo(end);
  }

  /** The chunk is done with. */
  end(): void {
    this.#run.end();
  }

  send(bytes: Buffer): void {
    this.#sink(bytes);
  }

  withhold(push: Buffer): void {
    this.#withheld.push(push);
  }

  /** Replaces all withheld pushes by one. */
  collapseWithheld(push: Buffer): void {
    this.#withheld = [push];
  }

  /** The reply has ended: sends the pushes that waited for it. */
  sendWithheld(): void {
    if (this.#withheld.length === 0) return;
    const pushes = this.#withheld;
    this.#withheld = [];
    for (const push of pushes) this.send(push);
  }
}
