import type { CommandInfo } from '../commands/table.ts';
import { plainEntry } from './entries.ts';
import type { Owed } from './ledger.ts';
import { opaqueOwed } from './passing.ts';
import type { Session } from './session.ts';
import { unseenSilent } from './silent-keys.ts';
import { doubtfulRead, unseenRead } from './untracked.ts';

/** Makes the entries of requests whose words nobody need look at, or nobody can. */
export class PlainEntries {
  readonly #session: Session;
  #isTooLong = false; // the request that is being read: its words will not be known

  constructor(session: Session) {
    this.#session = session;
  }

  /** The request that is being read is too long to be held. */
  tooLong(): void {
    this.#isTooLong = true;
  }

  /** @returns the entry for a request of that command */
  of(info: CommandInfo | undefined): Owed {
    const entry = plainEntry(this.#session, info);
    if (!this.#isTooLong) return entry;
    this.#isTooLong = false;
    return unseenSilent(this.#session, info) ?? unseenRead(this.#session, info, entry);
  }

  /** Requests of one command were sent that were not held: notes what is owed for them. */
  push(info: CommandInfo | undefined, count: number): void {
    const { replies, multi, tracked } = this.#session;
    let left = count;
    while (left > 0) {
      const entry = this.#ofPassed(info);
      if (multi === undefined) tracked.mark.clear();
      // Where no entry of its own is made for one, neither is for those behind it.
      const alike = Object.isFrozen(entry) ? left : 1;
      replies.ledger.push(entry, alike);
      left -= alike;
    }
  }

  #ofPassed(info: CommandInfo | undefined): Owed {
    const opaque = opaqueOwed(this.#session, info, this.#isTooLong);
    if (opaque !== undefined) this.#isTooLong = false;
    const entry = opaque ?? this.of(info);
    return info?.reads === true && opaque === undefined
      ? doubtfulRead(this.#session, entry)
      : entry;
  }
}
