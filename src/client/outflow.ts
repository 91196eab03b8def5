import { Run, type Sink } from '../resp/run.ts';
import type { Rule } from '../translate/rules.ts';
import { Translator } from '../translate/translator.ts';

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
  #translator: Translator | undefined; // made when there is something to translate

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

  /** A reply begins that is to be translated, by `feed`. */
  beginTranslated(rule: Rule | undefined): void {
    this.#translator ??= new Translator(this);
    this.#translator.begin(rule);
  }

  /**
   * Sends a part of that reply.
   *
   * @param chunk the one that was received
   * @throws ProxyError FRAME_BAD_TYPE
   */
  feed(chunk: Buffer, from: number, to: number): void {
    this.passTo(from);
    this.#translator?.feed(chunk, from, to);
  }

  /**
   * As `feed`, of bytes that came before and were skipped.
   *
   * @param chunk the one that was received last
   * @param at    where it goes on behind them
   */
  feedEarlier(bytes: Buffer, chunk: Buffer, at: number): void {
    this.passTo(at);
    this.begin(bytes);
    this.feed(bytes, 0, bytes.length);
    this.passTo(bytes.length);
    this.begin(chunk);
    this.skipTo(at);
  }

  /** The chunk is done with. */
  end(): void {
    this.#run.end();
  }

  send(bytes: Buffer): void {
    this.#sink.send(bytes);
  }
}
