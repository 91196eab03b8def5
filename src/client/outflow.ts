import { Run, type Sink } from '../resp/run.ts';

/** Where the client's bytes go. */
export interface ReplySink extends Sink {
  /** The reply to a fenced write begins: its bytes follow. */
  begin(): void;
  /** The reply that comes now changes how pushes are to be read. */
  seal?(): void;
}

/** What goes to the client: ranges of received chunks, and replies and pushes of our own. */
export class Outflow implements Sink {
  readonly #sink: Sink;
  readonly #run: Run;

  constructor(sink: Sink) {
    this.#sink = sink;
    this.#run = new Run(sink);
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
    this.#sink.send(bytes);
  }
}
