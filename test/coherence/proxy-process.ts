import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from '../helpers/raw-client.ts';

/** The proxy of a run. */
export interface ProxyAtWork {
  readonly target: Target;
  /** Why it is not there any more; undefined: it is. */
  readonly death: string | undefined;
  /** Whether it says that it hears every change. */
  hearsAll(): Promise<boolean>;
  /** The last lines of its log. */
  readonly log: readonly string[];
  /** How often it had a reply that nothing had asked for. */
  outOfSync(): Promise<number>;
  stop(): Promise<void>;
}

/** A proxy in a process of its own. */
export interface ProxyInProcess extends ProxyAtWork {
  readonly pid: number;
  /** @returns what `/metrics` says; '' if it does not answer */
  metrics(): Promise<string>;
}

/** How long the proxy may take to be ready, in milliseconds. */
const START_DEADLINE_MS = 20_000;
const POLL_MS = 20;
const LOG_MAX_LINES = 200;

/**
 * Starts a proxy in a process of its own and waits until it is ready.
 *
 * @param program   the compiled src/cli.ts
 * @param upstream  a URL
 * @param more      flags for the proxy
 * @param nodeFlags flags for Node
 */
export async function startProxyProcess(
  program: string,
  upstream: string,
  more: readonly string[],
  nodeFlags: readonly string[] = [],
): Promise<ProxyInProcess> {
  const flags = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--upstream', upstream];
  const words = [...nodeFlags, program, ...flags, '--log-format', 'json', ...more];
  const child = spawn(process.execPath, words, {
    env: { PATH: process.env.PATH ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const proxy = new ProxyProcess(child, async () => {
    kill();
    await closed;
    process.off('exit', kill);
  });
  await proxy.ready();
  return proxy;
}

class ProxyProcess implements ProxyInProcess {
  readonly pid: number;
  readonly stop: () => Promise<void>;
  readonly #log: string[] = [];
  #printed = '';
  #death: string | undefined;

  constructor(child: ChildProcess, stop: () => Promise<void>) {
    this.pid = child.pid ?? 0;
    this.stop = stop;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#printed += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log.push(...text.trimEnd().split('\n'));
      this.#log.splice(0, this.#log.length - LOG_MAX_LINES);
    });
    child.once('close', (code, signal) => {
      this.#death = `the proxy has ended: ${signal ?? code}`;
    });
  }

  get target(): Target {
    return { port: Number(/listening on {2}\S+:(\d+)/.exec(this.#printed)?.[1]) };
  }

  get death(): string | undefined {
    return this.#death;
  }

  get log(): readonly string[] {
    return this.#log;
  }

  /** @throws Error if it is not ready in time */
  async ready(): Promise<void> {
    const untilMs = performance.now() + START_DEADLINE_MS;
    while (!(await this.hearsAll())) {
      const isLate = performance.now() > untilMs;
      if (isLate || this.#death)
        throw new Error(`no proxy: ${this.#death}\n${this.#log.join('\n')}`);
      await sleep(POLL_MS);
    }
  }

  async hearsAll(): Promise<boolean> {
    return (await this.#ask('/readyz'))?.ok ?? false;
  }

  async metrics(): Promise<string> {
    return (await (await this.#ask('/metrics'))?.text()) ?? '';
  }

  async outOfSync(): Promise<number> {
    return Number(/^sidetrack_lanes_out_of_sync_total (\d+)$/m.exec(await this.metrics())?.[1]);
  }

  async #ask(path: string): Promise<Response | undefined> {
    const admin = /admin +(http\S+)/.exec(this.#printed)?.[1];
    if (admin === undefined) return undefined;
    return await fetch(admin + path, { headers: { connection: 'close' } }).catch(() => undefined);
  }
}
