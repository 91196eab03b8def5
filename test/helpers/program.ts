import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';

/** Where the program is as it is shipped: `npm test` builds it. */
const PROGRAM = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** How long the program may take to say what a test waits for, in milliseconds. */
const POLL = { timeout: 20_000, interval: 20 } as const;

/** What a run of the program came to. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the program. */
export interface ProgramRun {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  /** All that it has written so far, on both outputs. */
  readonly text: string;
  /** @returns what its output matched, as soon as it does */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
}

/** A proxy in a process of its own. */
export interface ProgramProxy extends ProgramRun {
  /** The port for clients. */
  readonly port: number;
  /** The URL of the admin server. */
  readonly admin: string;
}

/** Starts the program with nothing but these words and variables. */
export function runProgram(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ProgramRun {
  const child = spawn(process.execPath, [PROGRAM, ...words], {
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill); // however this process ends, short of a SIGKILL
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (piece: string) => {
      said[name] += piece;
    });
  }
  const ended = new Promise<Outcome>((resolve) => {
    child.once('close', (code) => {
      process.off('exit', kill);
      resolve({ code, ...said });
    });
  });
  return {
    child,
    ended,
    get text() {
      return said.stdout + said.stderr;
    },
    printed: (pattern) =>
      vi.waitFor(() => {
        const found = pattern.exec(said.stdout + said.stderr);
        if (found === null) throw new Error(`not printed yet: ${JSON.stringify(said)}`);
        return found;
      }, POLL),
  };
}

/** Starts a proxy on free ports and waits until it listens. */
export async function startProgram(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<ProgramProxy> {
  const run = runProgram(['--listen', '0', '--admin', '0', ...words], environment);
  const found = await run.printed(/listening on {2}\S+:(\d+)[\s\S]*admin +(http\S+)/);
  return Object.assign(run, { port: Number(found[1]), admin: found[2] ?? '' });
}

/** Waits until the proxy has reached its upstream and hears of every change. */
export async function becomesReady({ admin }: ProgramProxy): Promise<void> {
  await vi.waitFor(async () => {
    if (!(await answers(admin, '/readyz')).ok) throw new Error('not ready');
  }, POLL);
}

/** Asks the admin server, on a connection of its own. */
export function answers(admin: string, path: string): Promise<Response> {
  return fetch(`${admin}${path}`, { headers: { connection: 'close' } });
}
