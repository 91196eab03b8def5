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
  /** Of a replica: what it keeps of the writes that it has followed. */
  readonly backlog?: Backlog | undefined;
}

/** A replica's last writes, which it keeps for replicas of its own. It has none before 4.0. */
export interface Backlog {
  /** The offset at which they begin. Moves on when the backlog is full. */
  readonly from: number;
  readonly isFull: boolean;
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
    backlog: isReplica ? readBacklog(field) : undefined,
  };
}

function readBacklog(field: (name: string) => string): Backlog {
  return {
    from: Number(field('repl_backlog_first_byte_offset')),
    isFull: Number(field('repl_backlog_histlen')) >= Number(field('repl_backlog_size')),
  };
}

/** What is known of the calls of one command. */
interface Tally {
  /** How many were somebody else's. */
  readonly others: number;
  /** At how many looks in a row more of ours were counted than the upstream had executed. */
  readonly behind: number;
}

/** At so many such looks it is no accident of timing. */
const BEHIND_MAX_LOOKS = 2;

/**
 * Compares one look at the upstream with the one before, less what passed through this proxy.
 *
 * What is on its way counts as executed, so that a look between a command's execution and its reply
 * raises no alarm; what turns out never to have been executed is taken back. Where it cannot be known,
 * the others are told: an alarm too many costs a read, one too few would be a defect.
 */
export class SignReader {
  readonly #log: SilentLog;
  readonly #tallies = new Map<string, Tally>();
  readonly #executed = new Map<string, number>(); // of ours, when upstream was asked
  #before: Signs | undefined;

  constructor(log: SilentLog) {
    this.#log = log;
  }

  /** Upstream is about to be looked at: what was answered by now, it has executed. */
  asking(): void {
    for (const name of this.#log.watched) {
      this.#executed.set(name, this.#log.countOf(name) - this.#log.inFlightOf(name));
    }
  }

  /** @returns why data may have changed unannounced since the last look; undefined: it has not */
  look(signs: Signs): string | undefined {
    this.#log.looked();
    const before = this.#before;
    this.#before = signs;
    const reason = before === undefined ? undefined : changeOf(before, signs);
    if (before !== undefined && reason === undefined) return this.#silentCalls(signs);
    for (const name of this.#log.watched) {
      this.#tallies.set(name, { others: this.#othersOf(name, signs), behind: 0 });
    }
    return reason;
  }

  #othersOf(name: string, signs: Signs): number {
    return (signs.calls.get(name) ?? 0) - this.#log.countOf(name);
  }

  #silentCalls(signs: Signs): string | undefined {
    let reason: string | undefined;
    for (const name of this.#log.watched) {
      const others = this.#othersOf(name, signs);
      const known = this.#tallies.get(name) ?? { others: 0, behind: 0 };
      if (others > known.others) {
        this.#tallies.set(name, { others, behind: 0 });
        reason = `${name.toUpperCase().replace('|', ' ')} was executed for somebody else`;
      } else {
        const atMost = (signs.calls.get(name) ?? 0) - (this.#executed.get(name) ?? 0);
        this.#tallies.set(name, this.#caughtUp(known, others, atMost));
      }
    }
    return reason;
  }

  /**
   * Even of those that had been answered when upstream was asked, more were counted than it had. If it
   * stays so, some of ours never were executed, and would hide as many of somebody else's.
   *
   * @param atMost how many others' there can be
   */
  #caughtUp(known: Tally, others: number, atMost: number): Tally {
    const behind = atMost < known.others ? known.behind + 1 : 0;
    if (behind < BEHIND_MAX_LOOKS) return { others: known.others, behind };
    return { others, behind: 0 };
  }
}

function changeOf(before: Signs, now: Signs): string | undefined {
  if (now.role !== before.role) return `upstream is now a ${now.role}`;
  if (now.history !== before.history) return 'upstream follows another history of writes';
  if (now.inStep && !before.inStep) return 'upstream has synchronised with its master';
  if (now.offset < before.offset) return 'upstream has gone back in its history of writes';
  if (isMadeAnew(before.backlog, now.backlog)) {
    return 'upstream has synchronised in full with its master';
  }
  for (const [name, count] of before.calls) {
    if ((now.calls.get(name) ?? 0) < count) return 'the counters of upstream were reset';
  }
  return undefined;
}

/** A replica that is given all data drops its backlog. One that is not full has not moved on. */
function isMadeAnew(before: Backlog | undefined, now: Backlog | undefined): boolean {
  return now !== undefined && !now.isFull && now.from !== before?.from;
}
