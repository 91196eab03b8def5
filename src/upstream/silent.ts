/**
 * Commands that change data without a keyspace notification, by server version (major * 100 +
 * minor), found by experiment on Redis 2.8 to 8 and Valkey 8.
 */
const SILENT: readonly {
  readonly name: string;
  /** First version that does announce it. */
  readonly until?: number;
}[] = [
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
 * Silent commands that have passed through this proxy, counted so that the watch can tell them from
 * those that were given to the upstream by somebody else.
 */
export class SilentLog {
  readonly #sent = new Map<string, number>();
  #names: readonly string[] = namesFor(undefined);
  #inFlight = 0;

  /** @param version upstream's; undefined: not known, so that all count that ever did */
  learn(version: number | undefined): void {
    this.#names = namesFor(version);
  }

  /** The names of all silent commands of this upstream. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** How many times `name` was sent and not refused. */
  countOf(name: string): number {
    return this.#sent.get(name) ?? 0;
  }

  /** Whether the outcome of any is still unknown. */
  get hasInFlight(): boolean {
    return this.#inFlight > 0;
  }

  sent(name: string): void {
    this.#sent.set(name, this.countOf(name) + 1);
    this.#inFlight += 1;
  }

  /** @param executed false: upstream has refused it, or never ran it */
  settled(name: string, executed: boolean): void {
    this.#inFlight -= 1;
    if (!executed) this.#sent.set(name, this.countOf(name) - 1);
  }
}

function namesFor(version: number | undefined): readonly string[] {
  const isSilent = (until: number | undefined) => until === undefined || (version ?? 0) < until;
  return SILENT.filter(({ until }) => isSilent(until)).map(({ name }) => name);
}
