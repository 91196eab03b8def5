/** What the operating system knows of a process, and of this machine. Linux only. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../../scripts/setup.mjs';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** How long a process must take no tick of CPU to count as done, in milliseconds. */
const SETTLED_MS = 200;
const SETTLE_DEADLINE_MS = 60_000;

/**
 * @param {number} pid
 * @returns {number} CPU time of all its threads so far, user and system, in microseconds, rounded
 *   by the kernel to its ticks (as a rule 10 ms)
 */
export function cpuMicroseconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in parentheses, may hold anything; the state is the first field behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return (ticks * 1_000_000) / TICKS_PER_SECOND;
}

/**
 * @param {number} pid
 * @returns {number} its resident memory, in bytes
 */
export function residentBytes(pid) {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(kibibytes) * 1_024;
}

/**
 * Waits until a process takes no CPU any more. To ask the process itself would cost it some.
 * @param {number} pid
 * @returns {Promise<{ cpu: number, atMs: number }>} its CPU microseconds, and when they last grew
 */
export async function settled(pid) {
  const deadlineMs = performance.now() + SETTLE_DEADLINE_MS;
  let cpu = cpuMicroseconds(pid);
  let atMs = performance.now();
  while (performance.now() - atMs < SETTLED_MS) {
    if (performance.now() > deadlineMs) throw new Error(`process ${pid} does not come to rest`);
    await sleep(5);
    const now = cpuMicroseconds(pid);
    if (now !== cpu) atMs = performance.now();
    cpu = now;
  }
  return { cpu, atMs };
}

/** @returns {number} how many files and sockets a process that is started here may open */
export function openFilesMax() {
  const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(
    readFileSync('/proc/self/limits', 'utf8'),
  );
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}

/** @returns {number} processes that want to run, on average over the last minute */
export function loadAverage() {
  return os.loadavg()[0];
}

/**
 * @param {string} redisServer
 * @returns {Record<string, string | number>} what a number must not be quoted without
 */
export function settings(redisServer) {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    node: process.version,
    redis: textOf(redisServer, ['--version']).match(/v=(\S+)/)?.[1] ?? 'unknown',
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.cpus().length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: os.release(),
    loadAverageBefore: loadAverage(),
  };
}

/** @returns {string} the commit that is checked out, and whether files differ from it */
function commit() {
  const hash = textOf('git', ['-C', ROOT, 'rev-parse', '--short', 'HEAD']);
  if (hash === '') return 'unknown';
  return textOf('git', ['-C', ROOT, 'status', '--porcelain']) === '' ? hash : `${hash}, changed`;
}

/** @returns {string} what a program prints, or nothing */
function textOf(program, args) {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim();
  } catch {
    return '';
  }
}
