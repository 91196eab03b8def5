import type { Key } from '../key.ts';

/** Whoever acts on changes. */
export interface SourceListener {
  /** `key` has changed, in some database. @param removed by the server: expired or evicted */
  readonly changed: (key: Key, removed: boolean) => void;
  /** The changes told so far came together; others may follow later. */
  readonly endOfBatch: () => void;
  /** A word was heard on the channel of attribution. */
  readonly heardWord: (word: string) => void;
  /** From now on changes may be missed; `reason` is for the operator. */
  readonly blind: (reason: string) => void;
  /** From now on no change is missed, of those that notifications tell. */
  readonly sighted: () => void;
  /** What answered is no Redis. */
  readonly notRedis: (reason: string) => void;
}

/**
 * Where changes come from. A source begins blind, must own up to every gap, and tells no change
 * before it is proven.
 */
export interface InvalidationSource {
  start(listener: SourceListener): void;
  stop(): void;
  /** How long the upstream lately took to answer, in milliseconds. */
  readonly roundTripMs: number;
}
