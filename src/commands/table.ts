import { builtinCommands, upstreamCommands } from './catalog.ts';
import type { Role } from './roles.ts';

/**
 * Where a request keeps its keys. Positions count words; word 0 is the command's name.
 *
 * - `range`: every `step`-th word from `first` to `last`; a `last` below zero counts from the end,
 *   -1 being the last word
 * - `counted`: word `countAt` says how many keys stand behind it; `destination` adds word 1
 * - `sub`: word 1 names the subcommand, which has a rule of its own
 * - `library`: as `getKeyIndexes` of @ioredis/commands says
 * - the rest: options have to be walked, each command in its own way
 */
export type KeyRule =
  | { readonly kind: 'none' }
  | { readonly kind: 'range'; readonly first: number; readonly last: number; readonly step: number }
  | { readonly kind: 'counted'; readonly countAt: number; readonly destination: boolean }
  | { readonly kind: 'sub'; readonly subs: ReadonlyMap<string, CommandInfo> }
  | { readonly kind: 'library' }
  | { readonly kind: 'georadius' }
  | { readonly kind: 'migrate' }
  | { readonly kind: 'sort' }
  | { readonly kind: 'stralgo' }
  | { readonly kind: 'streams' };

/** What is known of a command before its arguments are looked at. */
export interface CommandInfo {
  /** Lower case; of a subcommand with its container, as in `object|encoding`. */
  readonly name: string;
  readonly role: Role;
  /**
   * Its keys are tracked: it has the readonly flag and key arguments, or is a script that may
   * read. Of a container: some subcommand does; `readsOf` tells for one request.
   */
  readonly reads: boolean;
  /** It has the write flag or is a script that may write. Of a container: some subcommand with keys. */
  readonly writes: boolean;
  /** It may wait for something before it replies. */
  readonly blocks: boolean;
  /** Word 1 is the name of a subcommand. */
  readonly container: boolean;
  /** It names one key, word 1, which it reads and does not change, and does not wait. */
  readonly readsOne: boolean;
  readonly keys: KeyRule;
}

/**
 * All commands by name. Lookup by bytes is open addressing over a hash of the name, because it
 * happens once for each command that passes: a Map would need the name as text first.
 */
export class CommandTable {
  readonly #byText: ReadonlyMap<string, CommandInfo>;
  readonly #infos: readonly CommandInfo[];
  readonly #longestName: number;
  /** Slot -> 1 + index of the command, 0 if the slot is free. At most a quarter is in use. */
  readonly #slots: Uint16Array;
  readonly #slotMask: number;
  /** All names behind each other; command `i` has the bytes from `#ends[i]` to `#ends[i + 1]`. */
  readonly #names: Uint8Array;
  readonly #ends: Uint32Array;

  private constructor(byText: ReadonlyMap<string, CommandInfo>) {
    // Slots hold 16 bits; no server comes near, and a false one must not make us wrong.
    const infos = [...byText.values()].slice(0, 0xffff);
    // Plain Uint8Arrays, as `find` gets, so that its loops see one kind of array.
    const names = infos.map((info) => new Uint8Array(Buffer.from(info.name, 'latin1')));
    this.#byText = new Map(infos.map((info) => [info.name, info]));
    this.#infos = infos;
    this.#longestName = names.reduce((longest, name) => Math.max(longest, name.length), 0);
    this.#names = new Uint8Array(Buffer.concat(names));
    this.#ends = new Uint32Array(names.length + 1);
    this.#slots = new Uint16Array(2 ** Math.ceil(Math.log2(names.length * 4 + 1)));
    this.#slotMask = this.#slots.length - 1;
    for (const [index, name] of names.entries()) {
      this.#ends[index + 1] = (this.#ends[index] ?? 0) + name.length;
      let slot = hash(name, name.length) & this.#slotMask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#slotMask;
      this.#slots[slot] = index + 1;
    }
  }

  /** The commands of every Redis from 2.8 to 8, and of Valkey; none of modules. */
  static builtin(): CommandTable {
    return new CommandTable(builtinCommands());
  }

  /** @param reply of COMMAND, decoded; read as `upstreamCommands` says */
  static fromUpstream(reply: unknown): CommandTable {
    return new CommandTable(upstreamCommands(reply));
  }

  /**
   * Allocates nothing.
   *
   * @param name the command word's bytes, ASCII letters already in lower case; may be longer
   * @param length how many of these bytes are the name
   */
  find(name: Uint8Array, length: number): CommandInfo | undefined {
    if (length > this.#longestName) return undefined;
    const slots = this.#slots;
    const mask = this.#slotMask;
    let slot = hash(name, length) & mask;
    for (;;) {
      const taken = slots[slot] as number;
      if (taken === 0) return undefined;
      if (this.#isNamed(taken - 1, name, length)) return this.#infos[taken - 1];
      slot = (slot + 1) & mask;
    }
  }

  /** @param name in lower case */
  findText(name: string): CommandInfo | undefined {
    return this.#byText.get(name);
  }

  #isNamed(index: number, name: Uint8Array, length: number): boolean {
    const from = this.#ends[index] as number;
    if ((this.#ends[index + 1] as number) - from !== length) return false;
    const names = this.#names;
    for (let at = 0; at < length; at++) if (names[from + at] !== name[at]) return false;
    return true;
  }
}

/**
 * Mixes the length with four bytes of the name: a hit is compared byte by byte
 * anyway, and these tell the commands of Redis apart nearly as well as all of them would. Gives
 * eighteen bits, as there are never more slots.
 */
function hash(name: Uint8Array, length: number): number {
  const first = name[0] as number;
  const quarter = name[length >> 2] as number;
  const half = name[length >> 1] as number;
  const last = name[length - 1] as number;
  const mixed = first | (quarter << 8) | (half << 16) | (last << 24);
  return Math.imul(mixed ^ length, 0x9e3779b1) >>> 14;
}
