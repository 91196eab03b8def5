import { TYPE } from '../resp/scanner.ts';
import type { Rule } from '../translate/rules.ts';
import type { Owed, Reply } from './ledger.ts';

/**
 * What upstream holds in a client's MULTI, learnt from the replies: a request belongs to it when it
 * was answered QUEUED. Only entries whose reply needs care are remembered, by their place in the
 * array that EXEC will give.
 */
export class Transaction {
  #open = false;
  #queued = 0;
  #hidden = 0;
  #slots: Map<number, Owed> | undefined; // undefined: none
  #rules: Map<number, Rule> | undefined; // undefined: none

  /** Whether upstream is known to be in MULTI. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** MULTI was accepted. */
  begin(): void {
    this.end();
    this.#open = true;
  }

  /** DISCARD or RESET was executed, or EXEC refused: nothing that was queued will be. */
  cancel(): void {
    const slots = this.#slots?.values() ?? [];
    this.end();
    for (const owed of slots) owed.cancelled?.();
  }

  /** EXEC may have been executed; its reply will never come. */
  lose(): void {
    const slots = this.#slots?.values() ?? [];
    this.end();
    for (const owed of slots) owed.lost?.();
  }

  /** EXEC was executed. */
  end(): void {
    this.#open = false;
    this.#queued = 0;
    this.#hidden = 0;
    this.#slots = undefined;
    this.#rules = undefined;
  }

  /** Whether some element of EXEC's reply needs more than being passed on. */
  get hasSlots(): boolean {
    return this.#slots !== undefined;
  }

  /** How many elements of EXEC's reply are not for the client. */
  get hiddenCount(): number {
    return this.#hidden;
  }

  /** Whether `reply` says that its request waits for EXEC. */
  takes(reply: Reply): boolean {
    return (
      this.#open && reply.type === TYPE.status && reply.bytes !== undefined && isQueued(reply.bytes)
    );
  }

  queue(owed: Owed): void {
    if (owed.hidden === true) this.#hidden += 1;
    if (owed.rule !== undefined) {
      this.#rules ??= new Map();
      this.#rules.set(this.#queued, owed.rule);
    }
    if (owed.slot !== false) {
      this.#slots ??= new Map();
      this.#slots.set(this.#queued, owed);
    }
    this.#queued += 1;
  }

  /** @returns how element `index` of EXEC's reply is to be translated */
  rule(index: number): Rule | undefined {
    return this.#rules?.get(index);
  }

  /** @returns the entry for element `index` of EXEC's reply, where it needs care */
  slot(index: number): Owed | undefined {
    return this.#slots?.get(index);
  }
}

const QUEUED = Buffer.from('+QUEUED\r\n');

function isQueued(bytes: Buffer): boolean {
  return bytes.equals(QUEUED);
}
