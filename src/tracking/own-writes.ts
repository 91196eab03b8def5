import type { Key } from '../key.ts';
import type { ReaderId } from './table.ts';

/** How many keys are kept track of. Beyond it all are forgotten: it costs accuracy, not safety. */
const KEYS_MAX_COUNT = 10_000;

interface Written {
  /** Writes sent whose notification has not been heard; each is taken to have one. */
  writes: number;
  /** Writes sent that are attributed, and whose end has not been heard. */
  windows: number;
  /** The key was read again behind such a write. */
  reread: boolean;
}

/**
 * Tracking clients' own writes whose notifications are still to come. A read that its client sent
 * behind such a write has seen its result, so the notification must not use up that read: Redis,
 * too, tracks the key anew by it.
 *
 * A write that is attributed is known to be over when its end is heard, however many notifications
 * it has. Of another it is not known, and one is expected; a write that changes nothing is never
 * announced and stays in the books until the key changes for another reason. Then the key may be
 * remembered once too often, which is harmless.
 */
export class OwnWrites {
  readonly #byKey = new Map<Key, Map<ReaderId, Written>>();
  #dropAt = KEYS_MAX_COUNT;

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  /** `reader` writes `keys`, and nobody will say when that is over. */
  wrote(keys: readonly Key[], reader: ReaderId): void {
    for (const key of keys) this.#at(key, reader).writes += 1;
  }

  /** `reader` writes `keys`, until `close`. */
  open(keys: readonly Key[], reader: ReaderId): void {
    for (const key of keys) this.#at(key, reader).windows += 1;
  }

  /** All notifications of a write that was opened have been heard, or none will be. */
  close(keys: readonly Key[], reader: ReaderId): void {
    for (const key of keys) {
      const written = this.#byKey.get(key)?.get(reader);
      if (written === undefined || written.windows === 0) continue;
      written.windows -= 1;
      this.#dropIfOver(key, reader, written);
    }
  }

  /** Whether `reader` is known to be writing `key`, attributed. */
  isOpen(key: Key, reader: ReaderId): boolean {
    return (this.#byKey.get(key)?.get(reader)?.windows ?? 0) > 0;
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
      if (written.windows > 0) continue; // more may follow, for the same read
      written.reread = false;
      written.writes -= 1;
      this.#dropIfOver(key, reader, written);
    }
    return reread;
  }

  /** Nothing that is expected need come. */
  clear(): void {
    this.#byKey.clear();
  }

  #at(key: Key, reader: ReaderId): Written {
    let writers = this.#byKey.get(key);
    if (writers === undefined) {
      if (this.#byKey.size >= this.#dropAt) this.#dropCounted();
      writers = new Map();
      this.#byKey.set(key, writers);
    }
    let written = writers.get(reader);
    if (written === undefined) {
      written = { writes: 0, windows: 0, reread: false };
      writers.set(reader, written);
    }
    return written;
  }

  /** Windows stay: they end by themselves, and NOLOOP would lose reads without them. */
  #dropCounted(): void {
    for (const [key, writers] of this.#byKey) {
      for (const [reader, written] of writers) {
        written.writes = 0;
        this.#dropIfOver(key, reader, written);
      }
    }
    // What is left are windows: not each new one looks through them all.
    this.#dropAt = Math.max(KEYS_MAX_COUNT, this.#byKey.size * 2);
  }

  #dropIfOver(key: Key, reader: ReaderId, written: Written): void {
    if (written.writes > 0 || written.windows > 0) return;
    const writers = this.#byKey.get(key);
    writers?.delete(reader);
    if (writers?.size === 0) this.#byKey.delete(key);
  }
}

const NOBODY: readonly ReaderId[] = [];
