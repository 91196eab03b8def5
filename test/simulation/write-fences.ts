import { isRefusal } from './expected.ts';

const WRITES: ReadonlySet<string> = new Set([
  'SET',
  'APPEND',
  'DEL',
  'PEXPIRE',
  'RPUSH',
  'LPOP',
  'BLPOP',
  'EVAL',
  'FLUSHALL',
]);

/** Whether a client's writes are fenced, as far as Redis has executed its requests. */
export class WriteFences {
  readonly #isOnAtFirst: boolean;
  #isOn: boolean;
  #isOnInMulti = false; // a write that waits for EXEC is fenced
  #switches: { readonly place: number; readonly isOn: boolean }[] = []; // these wait, too

  /** @param isOn whether they are unless the client chooses otherwise */
  constructor(isOn: boolean) {
    this.#isOnAtFirst = isOn;
    this.#isOn = isOn;
  }

  /** A transaction has begun. */
  multi(): void {
    this.#isOnInMulti = false;
    this.#switches = [];
  }

  /** @param place among what waits for EXEC */
  queued(words: readonly string[], place: number): void {
    this.#isOnInMulti ||= this.#isFenced(words);
    const isOn = switchOf(words);
    if (isOn !== undefined) this.#switches.push({ place, isOn });
  }

  /** @returns whether the reply is to be held */
  executed(words: readonly string[], text: string, elements?: readonly string[]): boolean {
    if (words[0] === 'EXEC') {
      const isFenced = this.#isOnInMulti && elements !== undefined; // else nothing was written
      for (const { place, isOn } of this.#switches) this.#switch(isOn, elements?.[place] ?? text);
      this.multi();
      return isFenced;
    }
    if (words[0] === 'RESET' && text === '+RESET\r\n') this.#isOn = this.#isOnAtFirst;
    const isOn = switchOf(words);
    if (isOn !== undefined) this.#switch(isOn, text);
    return this.#isFenced(words);
  }

  #isFenced(words: readonly string[]): boolean {
    return this.#isOn && WRITES.has(words[0] ?? '');
  }

  /** Whoever asks for OFF does not count on fences behind it, even if he does not get it. */
  #switch(isOn: boolean, text: string): void {
    const isCarriedOut = !isRefusal(text) && text !== '_\r\n' && text !== '*-1\r\n';
    this.#isOn = isOn && (this.#isOn || isCarriedOut);
  }
}

function switchOf(words: readonly string[]): boolean | undefined {
  return words[1] === 'FENCE-WRITES' ? words[2] === 'ON' : undefined;
}
