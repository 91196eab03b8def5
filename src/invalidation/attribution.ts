/** Says who caused what the source hears. */
interface Expected {
  readonly writer: number;
  readonly ended: () => void;
  readonly declares: (key: string) => boolean;
  begun: boolean;
}

/**
 * Whose write it was. Notifications do not tell; but a write can be sent between two messages on a
 * channel of our own, all in one transaction, and then whatever the source hears between the two
 * was caused by that write.
 *
 * Each pair of messages carries a word that nobody can guess, and each word counts once: whoever
 * can publish on the channel cannot make others' writes look like a client's own.
 */
export class Attribution {
  /** The channel of the messages. */
  readonly channel: string;
  readonly #newWord: () => string;
  readonly #expected = new Map<string, Expected>();
  /** Whether the channel is subscribed to. Set by whoever does. */
  isHeard = false;
  #current: string | undefined;
  #writer: number | undefined;

  /** @param newWord makes a word of letters and digits that nobody can guess */
  constructor(newWord: () => string) {
    this.#newWord = newWord;
    this.channel = `__sidetrack__:${newWord()}`;
  }

  /** Who caused what is heard now; undefined: somebody else. */
  get writer(): number | undefined {
    return this.#writer;
  }

  /** Whether the write that causes what is heard now names `key`. */
  declares(key: string): boolean {
    const current = this.#current === undefined ? undefined : this.#expected.get(this.#current);
    return current?.declares(key) === true;
  }

  /** How many writes are expected to be heard. */
  get expectedCount(): number {
    return this.#expected.size;
  }

  /**
   * @param ended called once when all that the write causes has been heard, or never will be
   * @param declares which keys the write names: it may change others, too
   * @returns the word for the two messages around a write of `writer`'s
   */
  expect(writer: number, ended: () => void, declares: (key: string) => boolean): string {
    const word = this.#newWord();
    this.#expected.set(word, { writer, ended, declares, begun: false });
    return word;
  }

  /** The write was not executed: no messages will come. */
  forget(word: string): void {
    const expected = this.#expected.get(word);
    this.#expected.delete(word);
    if (this.#current === word) this.#end();
    expected?.ended();
  }

  /** A message on the channel was heard. */
  heard(word: string): void {
    const expected = this.#expected.get(word);
    if (expected === undefined) return;
    if (!expected.begun) {
      expected.begun = true;
      this.#current = word;
      this.#writer = expected.writer;
      return;
    }
    this.forget(word);
  }

  /** The source has missed something: nothing that is expected need come. */
  reset(): void {
    const all = [...this.#expected.values()];
    this.#expected.clear();
    this.#end();
    for (const { ended } of all) ended();
  }

  #end(): void {
    this.#current = undefined;
    this.#writer = undefined;
  }
}
