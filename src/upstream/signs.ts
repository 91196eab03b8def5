import type { SilentLog } from './silent.ts';

/** What the upstream's INFO says about changes that notifications do not tell. */
export interface Signs {
  /** Calls of each command since the counters were reset. */
  readonly calls: ReadonlyMap<string, number>;
  readonly role: string;
  /** Whose history of writes the data set belongs to; '' before 4.0. */
  readonly history: string;
  /** Of a replica: whether it is connected to its master and not loading from it. */
  readonly inStep: boolean;
  /** Of a replica: how far it has followed; else 0. */
  readonly offset: number;
}

/** @param info the sections commandstats and replication of INFO */
export function readSigns(info: string): Signs {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const calls = new Map<string, number>();
  for (const [, name = '', count] of info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
    calls.set(name, Number(count));
  }
  const isReplica = field('role') === 'slave';
  return {
    calls,
    role: field('role'),
    history: field('master_replid'),
    inStep:
      !isReplica ||
      (field('master_link_status') === 'up' && field('master_sync_in_progress') !== '1'),
    offset: isReplica ? Number(field('slave_repl_offset')) : 0,
  };
}

/**
 * Compares one look at the upstream with the one before, less what passed through this proxy.
 *
 * What is on its way counts as executed, so that a look between a command's execution and its reply
 * raises no alarm; what turns out never to have been executed is taken back.
 */
export class SignReader {
  readonly #log: SilentLog;
  #before: Signs | undefined;
  readonly #unexplained = new Map<string, number>(); // calls less those of ours, at the last look
  #behind = 0; // looks in a row at which more of ours were counted than the upstream had

  constructor(log: SilentLog) {
    this.#log = log;
  }

  /** @returns why data may have changed unannounced since the last look; undefined: it has not */
  look(signs: Signs): string | undefined {
    const before = this.#before;
    this.#before = signs;
    const reason = before === undefined ? undefined : changeOf(before, signs);
    if (before !== undefined && reason === undefined) return this.#silentCalls(signs);
    this.#begin(signs);
    return reason;
  }

  #begin(signs: Signs): void {
    this.#behind = 0;
    for (const name of this.#log.names)
      this.#unexplained.set(name, this.#unexplainedOf(name, signs));
  }

  #unexplainedOf(name: string, signs: Signs): number {
    return (signs.calls.get(name) ?? 0) - this.#log.countOf(name);
  }

  #silentCalls(signs: Signs): string | undefined {
    let reason: string | undefined;
    let isBehind = false;
    for (const name of this.#log.names) {
      const unexplained = this.#unexplainedOf(name, signs);
      const known = this.#unexplained.get(name) ?? 0;
      if (unexplained < known) isBehind = true;
      if (unexplained <= known) continue;
      this.#unexplained.set(name, unexplained);
      reason = `${name.toUpperCase()} was executed for somebody else`;
    }
    if (isBehind) this.#catchUp(signs);
    else this.#behind = 0;
    return reason;
  }

  /** More of ours were counted than executed: a connection was lost on the way. */
  #catchUp(signs: Signs): void {
    this.#behind += 1;
    if (!this.#log.hasInFlight && this.#behind >= 2) this.#begin(signs);
  }
}

function changeOf(before: Signs, now: Signs): string | undefined {
  if (now.role !== before.role) return `upstream is now a ${now.role}`;
  if (now.history !== before.history) return 'upstream follows another history of writes';
  if (now.inStep && !before.inStep) return 'upstream has synchronised with its master';
  if (now.offset < before.offset) return 'upstream has gone back in its history of writes';
  for (const [name, count] of before.calls) {
    if ((now.calls.get(name) ?? 0) < count) return 'the counters of upstream were reset';
  }
  return undefined;
}
