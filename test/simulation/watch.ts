import { SignReader, type Signs } from '../../src/upstream/signs.ts';
import type { SilentLog } from '../../src/upstream/silent.ts';

/** What the proxy's watch needs. */
export interface SimulatedWatchParts {
  readonly log: SilentLog;
  /** @returns how often Redis has executed each command */
  readonly calls: () => ReadonlyMap<string, number>;
  /** Data may have changed unannounced. */
  readonly silentChange: (reason: string) => void;
}

/**
 * The looks at Redis that find what notifications never tell, as `src/upstream/watch.ts` takes
 * them: Redis answers, and the proxy reads the answer later.
 */
export class SimulatedWatch {
  readonly #parts: SimulatedWatchParts;
  #reader: SignReader;
  #answers: Signs[] = []; // on their way

  constructor(parts: SimulatedWatchParts) {
    this.#parts = parts;
    this.#reader = new SignReader(parts.log);
  }

  /** Whether an answer is on its way. */
  get isAnswered(): boolean {
    return this.#answers.length > 0;
  }

  /** The source begins anew, with a look that only notes how things are. */
  begin(): void {
    this.#reader = new SignReader(this.#parts.log);
    this.#answers = [];
    this.answer();
    this.read();
  }

  /** Redis answers the proxy's question. */
  answer(): void {
    this.#reader.asking();
    const calls = new Map(this.#parts.calls());
    this.#answers.push({ calls, role: 'master', history: 'one', inStep: true, offset: 0 });
  }

  /** The proxy reads an answer. */
  read(): void {
    const signs = this.#answers.shift();
    const reason = signs && this.#reader.look(signs);
    if (reason !== undefined) this.#parts.silentChange(reason);
  }
}
