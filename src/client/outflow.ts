import { Run } from '../resp/run.ts';

/** What goes to the client: ranges of received chunks, and replies and pushes of our own. */
export class Outflow {
  readonly #sink: (bytes: Buffer) => void;
  readonly #run: Run;

  /** @param sink takes bytes for the client, in order */
  constructor(sink: (bytes: Buffer) => void) {
    this.#sink = sink;
    this.#run = new Run((bytes) => this.send(bytes));
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
}
