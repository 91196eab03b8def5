import type { Key } from '../key.ts';
import type { ReaderId } from './table.ts';

/** How many keys are kept track of. Beyond it all are forgotten: it costs accuracy, not safety. */
const KEYS_MAX_COUNT = 10_000;

interface Written {
  /** Writes sent whose notification has not been heard. */
  writes: number;
  /** The key was read again behind such a write. */
  reread: boolean;
}

/**
 * Tracking clients' own writes whose notifications are still to come. A read that its client sent
 * behind such a write has seen its result, so the notification must not use up that read: Redis,
 * too, tracks the key anew by it.
 *
 * A write that changes nothing is never announced and stays in the books until the key changes for
 * another reason; then the key may be remembered once too often, which is harmless.
 */
export class OwnWrites {
  readonly #byKey = new Map<Key, Map<ReaderId, Written>>();

  wrote(keys: readonly Key[], reader: ReaderId): void {
    for (const key of keys) {
      let writers = this.#byKey.get(key);
      if (writers === undefined) {
        if (this.#byKey.size >= KEYS_MAX_COUNT) this.#byKey.clear();
        writers = new Map();
        this.#byKey.set(key, writers);
      }
      const written = writers.get(reader);
      if (written === undefined) writers.set(reader, { writes: 1, reread: false });
      else written.writes += 1;
    }
  }

  read(keys: readonly Key[], reader: ReaderId): void {
    if (this.#byKey.size === 0) return;
    for (const key of keys) {
      const written = this.#byKey.get(key)?.get(reader);
      if (written !== undefined) written.reread = true;
    }
  }

  /** A change of `key` was announced. @returns who has read it again since */
  heard(key: Key): readonly ReaderId[] {
    const writers = this.#byKey.size === 0 ? undefined : this.#byKey.get(key);
    if (writers === undefined) return NOBODY;
    const reread: ReaderId[] = [];
    for (const [reader, written] of writers) {
      if (written.reread) reread.push(reader);
      written.reread = false;
      written.writes -= 1;
      if (written.writes === 0) writers.delete(reader);
    }
    if (writers.size === 0) this.#byKey.delete(key);
    return reread;
  }

  /** Nothing that is expected need come. */
  clear(): void {
    this.#byKey.clear();
  }
}

const NOBODY: readonly ReaderId[] = [];
