import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import type { Target } from './raw-client.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** How long the proxy may take to be ready, and to end, in milliseconds. */
const POLL = { timeout: 20_000, interval: 20 } as const;

/** A proxy in a process of its own, as it is shipped: `npm test` builds it. */
export interface ChildProxy {
  readonly target: Target;
  readonly pid: number;
  readonly alive: boolean;
  /** Its resident memory now, in bytes. */
  rssBytes(): number;
  /** How many file descriptors it has open. */
  descriptors(): number;
  /** @returns the value of a metric without labels, less the prefix `sidetrack_` */
  metric(name: string): Promise<number>;
  stop(): Promise<void>;
}

/** Starts dist/cli.js on a free port in front of `upstream` (a URL) and waits until it is ready. */
export async function startChildProxy(
  upstream: string,
  ...flags: readonly string[]
): Promise<ChildProxy> {
  const words = ['--listen', '0', '--admin', '0', '--upstream', upstream, ...flags];
  const child = spawn(process.execPath, [PROGRAM, ...words], {
    env: { PATH: process.env.PATH ?? '' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const closed = once(child, 'close');
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill); // however this process ends, short of a SIGKILL
  try {
    const [port, admin] = await addressesOf(child);
    await vi.waitFor(async () => {
      if (!(await fetch(`${admin}/readyz`, { headers: { connection: 'close' } })).ok)
        throw new Error('the proxy is not ready');
    }, POLL);
    const stop = async () => {
      kill();
      await closed;
      process.off('exit', kill);
    };
    return runningProxy(child.pid ?? 0, { port }, admin, stop);
  } catch (error) {
    kill();
    throw error;
  }
}

function runningProxy(
  pid: number,
  target: Target,
  admin: string,
  stop: () => Promise<void>,
): ChildProxy {
  return {
    target,
    pid,
    get alive() {
      return existsSync(`/proc/${pid}/status`);
    },
    rssBytes: () => {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024;
    },
    descriptors: () => readdirSync(`/proc/${pid}/fd`).length,
    metric: async (name) => {
      const text = await (
        await fetch(`${admin}/metrics`, { headers: { connection: 'close' } })
      ).text();
      return Number(new RegExp(`^sidetrack_${name} (\\d+)$`, 'm').exec(text)?.[1]);
    },
    stop,
  };
}

/** @returns the port for clients, and the URL of the admin server */
async function addressesOf(child: ChildProcess): Promise<readonly [number, string]> {
  let printed = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  return await vi.waitFor(() => {
    const found = /listening on {2}\S+:(\d+)[\s\S]*admin +(\S+)/.exec(printed);
    if (found === null) throw new Error(`not printed yet: ${JSON.stringify(printed)}`);
    return [Number(found[1]), found[2] ?? ''] as const;
  }, POLL);
}
