import type { Snapshot } from './tally.ts';

/** Widest line, in columns. */
const COLUMNS = 80;

/** How the demo is set up, as shown above the numbers. */
export interface Setting {
  readonly proxy: string;
  readonly redis: string;
  readonly seconds: number;
}

/** Whether escape sequences for colours may be used. */
export interface Style {
  readonly colour: boolean;
}

/** The lines at the top, shown once. */
export function heading(setting: Setting, style: Style): string[] {
  return [
    '',
    bold('  Sidetrack demo: a client that caches, and a writer that bypasses the proxy', style),
    '',
    clipped(`  caching client -> ${setting.proxy} (Sidetrack) -> ${setting.redis}`),
    clipped(`  writer         -> ${setting.redis}`),
    '',
  ];
}

/** The picture that is drawn over and over on a terminal; always the same number of lines. */
export function picture(now: Snapshot, setting: Setting, style: Style): string[] {
  const seconds = Math.min(setting.seconds, now.elapsedMs / 1_000);
  const filled = Math.round((seconds / setting.seconds) * 24);
  const bar = `${'#'.repeat(filled)}${'.'.repeat(24 - filled)}`;
  const last =
    now.last === undefined
      ? 'waiting for the first write'
      : `key ${now.last.key.slice(-2)} written, dropped ${ms(now.last.delayMs)} later`;
  return [
    clipped(`  [${bar}] ${Math.floor(seconds)} of ${setting.seconds} s`),
    '',
    ...rates(now, style),
    '',
    clipped(`  write to invalidation           ${delays(now)}`),
    clipped(`  just now                        ${last}`),
    '',
  ];
}

/** One line a second, for a log or a pipe. */
export function plainLine(now: Snapshot): string {
  const seconds = String(Math.round(now.elapsedMs / 1_000)).padStart(3);
  const reads = `cache ${count(now.cachedReads)} (${percent(now)})  redis ${count(now.redisReads)}`;
  return `${seconds} s  ${reads}  writes ${count(now.writes)}  drops ${count(now.invalidations)}`;
}

/** The table at the end. */
export function summary(now: Snapshot, style: Style): string[] {
  const reads = now.cachedReads + now.redisReads;
  const verdict = (bad: number, what: string) => {
    const text = `${count(bad)}  ${bad === 0 ? 'none' : what}`;
    return paint(text, bad === 0 ? 32 : 31, style);
  };
  const lines = [
    bold('  Summary', style),
    rule(),
    ...rates(now, style),
    rule(),
    row('hit rate', percent(now)),
    row('reads a second', rate(reads, now)),
    row('write to invalidation', delays(now)),
    row('stale reads', verdict(now.staleReads, 'older values than allowed were read')),
    row('invalidations missed', verdict(now.owed, 'cached keys changed unannounced')),
  ];
  if (now.dropAlls > 0) lines.push(row('drop-everything messages', count(now.dropAlls)));
  return [...lines, rule(), ''];
}

function rates(now: Snapshot, style: Style): string[] {
  const line = (name: string, value: number) =>
    `  ${name.padEnd(30)}${count(value).padStart(12)}${`${rate(value, now)}/s`.padStart(14)}`;
  return [
    paint(line('reads from the client cache', now.cachedReads), 32, style),
    line('reads that went to Redis', now.redisReads),
    line('writes straight to Redis', now.writes),
    line('invalidations received', now.invalidations),
  ];
}

function delays(now: Snapshot): string {
  const { p50, p99, max } = now.delayMs;
  return `p50 ${ms(p50)}   p99 ${ms(p99)}   max ${ms(max)}`;
}

function row(name: string, value: string): string {
  return `  ${name.padEnd(32)}${value}`;
}

function rule(): string {
  return `  ${'-'.repeat(70)}`;
}

function percent(now: Snapshot): string {
  const reads = now.cachedReads + now.redisReads;
  return `${reads === 0 ? '0.0' : ((now.cachedReads / reads) * 100).toFixed(1)} %`;
}

function rate(value: number, now: Snapshot): string {
  return count(Math.round(value / Math.max(0.001, now.elapsedMs / 1_000)));
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function clipped(line: string): string {
  return line.length <= COLUMNS ? line : `${line.slice(0, COLUMNS - 3)}...`;
}

function bold(text: string, style: Style): string {
  return paint(text, 1, style);
}

function paint(text: string, code: number, { colour }: Style): string {
  return colour ? `\u001b[${code}m${text}\u001b[0m` : text;
}
