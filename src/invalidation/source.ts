import type { ProxyError } from '../errors.ts';
import type { Key } from '../key.ts';

/** Whoever acts on changes. */
export interface SourceListener {
  /** A key has changed, which lies in `chunk`. @returns whether `changed` need be told */
  readonly concerns: (chunk: Buffer, from: number, to: number) => boolean;
  /** `key` has changed, in some database. @param removed by the server: expired or evicted */
  readonly changed: (key: Key, removed: boolean) => void;
  /** The changes told so far came together; others may follow later. */
  readonly endOfBatch: () => void;
  /** A word was heard on the channel of attribution. */
  readonly heardWord: (word: string) => void;
  /** From now on changes may be missed. */
  readonly blind: (cause: ProxyError) => void;
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
  /**
   * Calls back when all changes that happened before have been told: true; false where that can't be
   * known, as the source is lost, or about to be.
   */
  sync(done: (heard: boolean) => void): void;
  /** How long the upstream lately took to answer, in milliseconds. */
  readonly roundTripMs: number;
}
