/** What a run has counted. */
export class Tally {
  /** Values asked for: not found in the cache, and found there. */
  reads = 0;
  hits = 0;
  writes = 0;
  /** Keys named by invalidations, and invalidations of everything. */
  invalidations = 0;
  flushes = 0;
  /** Connections that ended. */
  closes = 0;
  /** Replies to words that were sent to see that none is lost or doubled. */
  tags = 0;
  rounds = 0;
  /** Entries of caches that were compared with the truth. */
  checked = 0;
  /** Those that differed at the first look, most of which the invalidation reached just after. */
  late = 0;
  /** For how long such an entry was kept at most, in milliseconds. */
  latestMs = 0;
  stale = 0;
  pushesInsideReplies = 0;
  lostReplies = 0;
  /** What else no client should ever see. */
  otherWrongs = 0;
  readonly faults = new Map<string, number>();
  /** Entries compared, by the mode of their client. */
  readonly checkedByMode = new Map<string, number>();

  countChecked(mode: string, count: number): void {
    this.checked += count;
    this.checkedByMode.set(mode, (this.checkedByMode.get(mode) ?? 0) + count);
  }

  countFault(name: string): void {
    this.faults.set(name, (this.faults.get(name) ?? 0) + 1);
  }

  get isClean(): boolean {
    return this.stale + this.pushesInsideReplies + this.lostReplies + this.otherWrongs === 0;
  }

  /** @returns one line on how far it is */
  get progress(): string {
    const faults = [...this.faults.values()].reduce((sum, count) => sum + count, 0);
    return [
      `round ${this.rounds}`,
      `reads ${this.reads}`,
      `hits ${this.hits}`,
      `writes ${this.writes}`,
      `checked ${this.checked}`,
      `faults ${faults}`,
      `stale ${this.stale}`,
    ].join('  ');
  }

  /** @returns all of it, as lines */
  get table(): readonly string[] {
    const faults = [...this.faults].sort(([one], [other]) => (one < other ? -1 : 1));
    return [
      row('rounds', this.rounds),
      row('reads', this.reads),
      row('cache hits', this.hits),
      row('cache entries checked', this.checked),
      ...[...this.checkedByMode].map(([mode, count]) => row(`  ${mode}`, count)),
      row('  late at the first look', this.late),
      row('  kept for at most, ms', Math.round(this.latestMs)),
      row('writes', this.writes),
      row('keys invalidated', this.invalidations),
      row('invalidations of all', this.flushes),
      row('connections ended', this.closes),
      row('tagged replies', this.tags),
      ...faults.map(([name, count]) => row(`fault: ${name}`, count)),
      row('stale', this.stale),
      row('pushes inside replies', this.pushesInsideReplies),
      row('lost or doubled replies', this.lostReplies),
      row('other wrongs', this.otherWrongs),
    ];
  }
}

function row(name: string, count: number): string {
  return `  ${name.padEnd(44)} ${String(count).padStart(10)}`;
}
