/** What the operating system knows of a process, and of this machine. Linux only. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../../scripts/setup.mjs';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const HAS_SCHEDULER_STATISTICS =
  existsSync('/proc/self/task') && existsSync('/proc/self/schedstat');

/** A process rests when it has taken next to no CPU for so long, in milliseconds. */
const REST_MS = 250;
const LOOK_MS = 10;
/** So much between two looks is next to nothing: what every server does now and then. */
const LITTLE_MICROSECONDS = 3_000;
const REST_DEADLINE_MS = 60_000;

/**
 * @param {number} pid
 * @returns {number} CPU time of all its threads so far, user and system, in microseconds
 */
export function cpuMicroseconds(pid) {
  return HAS_SCHEDULER_STATISTICS ? preciseMicroseconds(pid) : tickedMicroseconds(pid);
}

/** The scheduler's own count, in nanoseconds. Threads that have ended are not in it. */
function preciseMicroseconds(pid) {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8');
    nanoseconds += Number(text.slice(0, text.indexOf(' ')));
  }
  return nanoseconds / 1_000;
}

/** The same, rounded to ticks, as a rule of 10 ms. */
function tickedMicroseconds(pid) {
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
  return statusBytes(pid, 'VmRSS');
}

/**
 * @param {number} pid
 * @returns {number} the most that its resident memory has been, since the last `resetPeak`
 */
export function peakBytes(pid) {
  return statusBytes(pid, 'VmHWM');
}

/** @param {number} pid */
export function resetPeak(pid) {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function statusBytes(pid, name) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const [, kibibytes] = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status);
  return Number(kibibytes) * 1_024;
}

/**
 * Waits until a process has done what it had to do. To ask the process itself would cost it some.
 * @param {number} pid
 * @returns {Promise<{ cpu: number, atMs: number }>} its CPU microseconds, and when it was done
 */
export async function rested(pid) {
  const startedMs = performance.now();
  let cpu = cpuMicroseconds(pid);
  let atMs = startedMs;
  while (performance.now() - atMs < REST_MS) {
    if (performance.now() - startedMs > REST_DEADLINE_MS) {
      throw new Error(`process ${pid} does not come to rest`);
    }
    await sleep(LOOK_MS);
    const now = cpuMicroseconds(pid);
    if (now - cpu > LITTLE_MICROSECONDS) atMs = performance.now();
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
    return execFileSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '';
  }
}
