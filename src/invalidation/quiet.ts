import type { Hearing } from './messages.ts';
import type { InvalidationSource, SourceListener } from './source.ts';
import { type Duty, Vigil, type VigilOptions } from './vigil.ts';

/**
 * Hears of no change: they are told where they pass (`--source=writes`). It only knows upstream, sees
 * whether it is still there and the same, and looks for changes of everything. It subscribes to
 * nothing, and sets nothing.
 *
 * It is blind while upstream can't be reached. What is asked on a lane then may be executed without an
 * answer, and what answers afterwards may have other data.
 */
export class QuietSource implements InvalidationSource {
  readonly #vigil: Vigil;
  #waiting: (() => void)[] = []; // for an answer to the next question

  constructor(options: VigilOptions) {
    this.#vigil = new Vigil(options, SILENCE);
  }

  get roundTripMs(): number {
    return this.#vigil.roundTripMs;
  }

  /** A write is told with its reply, in the turn in which its fence is raised: that turn has to end. */
  sync(done: (heard: boolean) => void): void {
    queueMicrotask(() => done(this.#vigil.isProven));
  }

  /**
   * Calls back when upstream has dealt with all that was sent to it so far. It answers when it has
   * read what had arrived on other connections, too. If it is lost before, that is never.
   */
  whenAnswered(run: () => void): void {
    this.#waiting.push(run);
    if (this.#waiting.length === 1) queueMicrotask(() => this.#ask());
  }

  start(listener: SourceListener): void {
    this.#vigil.start(listener);
  }

  stop(): void {
    this.#vigil.stop();
  }

  #ask(): void {
    const runs = this.#waiting;
    this.#waiting = [];
    const answered = () => {
      for (const run of runs) run();
    };
    this.#vigil.answer()?.then(answered, () => {});
  }
}

const NOTHING_HEARD: Hearing = { changed: () => {}, said: () => {}, endOfBatch: () => {} };

const SILENCE: Duty = {
  checksFlags: false,
  hearing: () => NOTHING_HEARD,
  subscribe: async () => {},
  switchOn: async () => {},
};
