/**
 * Commands that change data without a keyspace notification, by server version (major * 100 +
 * minor), found by experiment on Redis 2.8 to 8 and Valkey 8.
 *
 * `all`: any key may have changed. `keys`: the keys that the command names.
 */
const SILENT: readonly {
  readonly name: string;
  readonly scope: 'all' | 'keys';
  /** First version that does announce it. */
  readonly until?: number;
}[] = [
  { name: 'flushall', scope: 'all' },
  { name: 'flushdb', scope: 'all' },
  { name: 'swapdb', scope: 'all' },
  { name: 'debug', scope: 'all' },
  { name: 'persist', scope: 'keys', until: 600 },
  { name: 'move', scope: 'keys', until: 600 },
  { name: 'restore', scope: 'keys', until: 600 },
  { name: 'restore-asking', scope: 'keys', until: 600 },
  { name: 'migrate', scope: 'keys', until: 600 },
  { name: 'sinterstore', scope: 'keys', until: 600 },
  { name: 'lrem', scope: 'keys', until: 300 },
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
  #scopes: ReadonlyMap<string, 'all' | 'keys'> = scopesFor(undefined);
  #inFlight = 0;

  /** @param version upstream's; undefined: not known, so that all count that ever did */
  learn(version: number | undefined): void {
    this.#scopes = scopesFor(version);
  }

  /** The names of all silent commands of this upstream. */
  get names(): Iterable<string> {
    return this.#scopes.keys();
  }

  /** What a command changes in silence; undefined: it is announced, or changes nothing. */
  scopeOf(name: string): 'all' | 'keys' | undefined {
    return this.#scopes.get(name);
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

function scopesFor(version: number | undefined): ReadonlyMap<string, 'all' | 'keys'> {
  const here = SILENT.filter(({ until }) => until === undefined || (version ?? 0) < until);
  return new Map(here.map(({ name, scope }) => [name, scope]));
}
