import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { createMetrics, type Metrics } from '../../src/admin/metrics.ts';
import { type ProxyConfig, readConfig } from '../../src/config.ts';
import type { ProxyError } from '../../src/errors.ts';
import { createProxy, type Proxy as StartedProxy } from '../../src/proxy.ts';
import type { Target } from './raw-client.ts';

/** A line of a proxy's log. */
export interface LogLine {
  /** Weight as pino has it: 30 info, 40 warn, 50 error. */
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** What a test may want to set; everything else is the default. */
export type ProxyOverrides = Partial<Omit<ProxyConfig, 'upstream'>> & {
  /** Return as soon as it listens, whatever upstream does. */
  readonly unready?: boolean;
};

/** A proxy in this process. */
export interface RunningProxy {
  /** Where it listens. */
  readonly target: Target;
  /** All places where it listens, as an operator reads them; `target` is the first. */
  readonly addresses: readonly string[];
  readonly metrics: Metrics;
  /** Everything that was logged from debug upwards. */
  readonly log: readonly LogLine[];
  /** What it was told to be beyond hope. */
  readonly failures: readonly ProxyError[];
  readonly ready: StartedProxy['ready'];
  /** Waits until it is ready, or is not. @throws Error if that takes too long */
  becomes(state: 'ready' | 'unready'): Promise<void>;
  stop(): Promise<void>;
}

/** @returns how many blind spells there were, for whatever reason */
export function blindSpellsOf({ metrics: { counts } }: RunningProxy): number {
  let spells = 0;
  for (const [name, count] of Object.entries(counts)) {
    if (name.startsWith('blindSpells')) spells += count;
  }
  return spells;
}

/** How long a proxy may take to become what a test waits for, in milliseconds. */
const DEADLINE_MS = 10_000;
const POLL_MS = 2;

/** Starts a proxy on a free port in front of `upstream` (a URL) and waits until it is ready. */
export async function startProxy(
  upstream: string,
  overrides: ProxyOverrides = {},
): Promise<RunningProxy> {
  const { unready = false, ...settings } = overrides;
  const flags = { upstream, listen: '127.0.0.1:0', admin: 'off' };
  const config = readConfig({ flags, environment: {}, terminal: false });
  if (config.upstream.kind === 'embedded') throw new Error('tests start their own upstream');
  const log: LogLine[] = [];
  const failures: ProxyError[] = [];
  const metrics = createMetrics();
  const proxy = createProxy(
    { ...config, ...settings, upstream: config.upstream },
    {
      logger: pino({ level: 'debug', base: null }, { write: (line) => log.push(JSON.parse(line)) }),
      metrics,
      failed: (error) => failures.push(error),
    },
  );
  await proxy.start();
  const running = {
    target: targetOf(proxy.addresses[0] ?? ''),
    addresses: proxy.addresses,
    metrics,
    log,
    failures,
    get ready() {
      return proxy.ready;
    },
    becomes: (state: 'ready' | 'unready') => becomes(proxy, state, log),
    stop: () => proxy.stop(),
  };
  if (!unready) await running.becomes('ready');
  return running;
}

async function becomes(proxy: StartedProxy, state: string, log: readonly LogLine[]): Promise<void> {
  const until = performance.now() + DEADLINE_MS;
  while (proxy.ready.ok !== (state === 'ready')) {
    if (performance.now() > until) {
      throw new Error(`not ${state}: ${proxy.ready.reason}\n${JSON.stringify(log.slice(-5))}`);
    }
    await sleep(POLL_MS);
  }
}

function targetOf(address: string): Target {
  const port = /:(\d+)$/.exec(address)?.[1];
  return port === undefined ? { path: address } : { port: Number(port) };
}
