/** A command that changes data without a keyspace notification. */
interface Silent {
  readonly name: string;
  /** First version that does announce it. Without one it has no keys, but changes a database. */
  readonly until?: number;
}

/**
 * By server version (major * 100 + minor), found by experiment on Redis 2.8 to 8 and Valkey 8.
 * SINTERSTORE is silent where its result is empty, so that it deletes a key.
 */
const SILENT: readonly Silent[] = [
  { name: 'flushall' },
  { name: 'flushdb' },
  { name: 'swapdb' },
  { name: 'debug' },
  { name: 'persist', until: 600 },
  { name: 'move', until: 600 },
  { name: 'restore', until: 600 },
  { name: 'restore-asking', until: 600 },
  { name: 'migrate', until: 600 },
  { name: 'sinterstore', until: 600 },
  { name: 'lrem', until: 300 },
];

/**
 * These announce what they take at once, but not what is pushed while they wait for it. The push is
 * announced, so to the watch they are like other commands; but who reads the key in the pusher's own
 * transaction does so before it is taken.
 */
const SILENT_WAITING: readonly Silent[] = [
  { name: 'blpop', until: 500 },
  { name: 'brpop', until: 500 },
  { name: 'brpoplpush', until: 500 },
];

/** What a DEBUG may do to the data; its other subcommands are harmless. */
const DEBUG_CHANGES: ReadonlySet<string> = new Set([
  'reload',
  'loadaof',
  'populate',
  'flushall',
  'restart',
  'crash-and-recover',
]);

/** @param subcommand of DEBUG, in lower case */
export function debugChanges(subcommand: string): boolean {
  return DEBUG_CHANGES.has(subcommand);
}

/**
 * How CONFIG SET is counted. It may switch notifications off, and on again before anybody looks, so
 * that what changed in between was announced to nobody.
 */
export const CONFIG_SET = 'config|set';

/** From this version on (7.0) subcommands are counted apart; before, CONFIG GET counts too. */
const CONFIG_SET_VERSION = 700;

/**
 * Silent commands that have passed through this proxy, counted so that the watch can tell them from
 * those that were given to the upstream by somebody else.
 *
 * One whose reply does not come must not hide another's for long. So one that is in flight at two
 * looks is disowned at the second: from then on it counts as somebody else's, whatever becomes of it.
 */
export class SilentLog {
  readonly #counts = new Map<string, number>();
  #names: readonly string[] = namesOf(SILENT, undefined);
  #watched: readonly string[] = [...this.#names, CONFIG_SET];
  #keyed = keyedFor(undefined);
  #sent = new Set<SilentCall>(); // in flight, since the last look
  #seen = new Set<SilentCall>(); // in flight at the last look already

  /** @param version upstream's; undefined: not known, so that all count that ever did */
  learn(version: number | undefined): void {
    this.#names = namesOf(SILENT, version);
    const tellsSubcommands = (version ?? CONFIG_SET_VERSION) >= CONFIG_SET_VERSION;
    this.#watched = tellsSubcommands ? [...this.#names, CONFIG_SET] : this.#names;
    this.#keyed = keyedFor(version);
  }

  /** Whether commands of that name may change the keys that they name, and nothing announces it. */
  hides(name: string): boolean {
    return this.#keyed.size > 0 && this.#keyed.has(name);
  }

  /** The names of all silent commands of this upstream. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** The names of all commands whose calls the watch compares. */
  get watched(): readonly string[] {
    return this.#watched;
  }

  /** How many calls of `name` were ours: sent, not refused, and not disowned. */
  countOf(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Of how many of these the outcome is still unknown. */
  inFlightOf(name: string): number {
    let count = 0;
    for (const calls of [this.#sent, this.#seen]) {
      for (const call of calls) if (call.name === name) count += 1;
    }
    return count;
  }

  /** Whether the outcome of any is still unknown. */
  get hasInFlight(): boolean {
    return this.#sent.size + this.#seen.size > 0;
  }

  sent(call: SilentCall): void {
    this.#add(call.name, 1);
    this.#sent.add(call);
  }

  /** @param isOurs false: upstream has refused it, or never ran it, or nobody knows */
  settled(call: SilentCall, isOurs: boolean): void {
    const isKnown = this.#sent.delete(call) || this.#seen.delete(call);
    if (isKnown && !isOurs) this.#add(call.name, -1);
  }

  /** The watch is about to compare what it has seen. */
  looked(): void {
    for (const { name } of this.#seen) this.#add(name, -1);
    this.#seen = this.#sent;
    this.#sent = new Set();
  }

  #add(name: string, count: number): void {
    this.#counts.set(name, this.countOf(name) + count);
  }
}

/**
 * One silent command of a client. In a transaction it counts from EXEC on: until then somebody else's
 * of the same name must not be taken for it.
 */
export class SilentCall {
  readonly name: string;
  readonly #log: SilentLog;
  #state: 'known' | 'sent' | 'over' = 'known';

  constructor(log: SilentLog, name: string) {
    this.#log = log;
    this.name = name;
  }

  /** Upstream may execute it from now on. */
  send(): void {
    if (this.#state !== 'known') return;
    this.#state = 'sent';
    this.#log.sent(this);
  }

  /** @param executed false: upstream has refused it, or never ran it */
  settle(executed: boolean): void {
    if (this.#state === 'sent') this.#log.settled(this, executed);
    this.#state = 'over';
  }

  /** Its connection has ended: upstream may have executed it, may do so yet, or never will. */
  lose(): void {
    this.settle(false);
  }
}

function namesOf(commands: readonly Silent[], version: number | undefined): readonly string[] {
  const isSilent = (until: number | undefined) => until === undefined || (version ?? 0) < until;
  return commands.filter(({ until }) => isSilent(until)).map(({ name }) => name);
}

function keyedFor(version: number | undefined): ReadonlySet<string> {
  const withKeys = SILENT.filter(({ until }) => until !== undefined);
  return new Set(namesOf([...withKeys, ...SILENT_WAITING], version));
}
