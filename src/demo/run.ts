import { setTimeout as sleep } from 'node:timers/promises';
import type { SocketAddress, UpstreamAddress, UpstreamChoice } from '../address.ts';
import { parseListen, parseUpstream, printListen, printUpstream } from '../address.ts';
import { createMetrics } from '../admin/metrics.ts';
import type { Config } from '../config.ts';
import { startEmbedded } from '../embedded.ts';
import { ProxyError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { createProxy } from '../proxy.ts';
import { Tally } from './tally.ts';
import type { Setting } from './view.ts';
import { heading, picture, plainLine, summary } from './view.ts';
import { Workload } from './workload.ts';

/** What the demo is to do. */
export interface DemoPlan {
  readonly seconds: number;
  /** A proxy of our own in front of the upstream, or one that runs already. */
  readonly through:
    | { readonly kind: 'own'; readonly upstream: Plain<UpstreamChoice> }
    | {
        readonly kind: 'running';
        readonly proxy: SocketAddress;
        readonly direct: Plain<UpstreamAddress>;
      };
}

/** What the demo's own connections can speak to. */
type Plain<T extends UpstreamChoice> = Exclude<T, { readonly kind: 'tls' }>;

/** Where the demo shows itself. */
export interface Stage {
  readonly out: NodeJS.WriteStream;
  readonly logger: Logger;
  /** Ends the demo early, with its summary. */
  readonly signal: AbortSignal;
}

/** Longest demo, in seconds. Each second costs a little memory. */
const SECONDS_MAX = 3_600;

/** How long the proxy may take until it is ready, in milliseconds. */
const READY_DEADLINE_MS = 10_000;

/** Time between pictures on a terminal, and between lines elsewhere, in milliseconds. */
const REDRAW_EVERY_MS = { terminal: 200, plain: 1_000 };

/**
 * Reads the demo's own flags.
 *
 * @throws ProxyError CONFIG_INVALID with one line for the operator
 */
export function readDemoPlan(
  flags: {
    readonly seconds: string;
    readonly proxy: string | undefined;
    readonly direct: string | undefined;
  },
  config: Config,
): DemoPlan {
  const seconds = /^\d{1,4}$/.test(flags.seconds) ? Number(flags.seconds) : 0;
  if (seconds < 1 || seconds > SECONDS_MAX) {
    throw usage(
      `--seconds: '${flags.seconds}' is not accepted: a whole number from 1 to ${SECONDS_MAX}`,
    );
  }
  if (flags.proxy === undefined) {
    if (flags.direct !== undefined) throw usage('--direct: needs --proxy; else use --upstream');
    return { seconds, through: { kind: 'own', upstream: plain(config.upstream, '--upstream') } };
  }
  if (flags.direct === undefined) {
    throw usage('--proxy: needs --direct too, the Redis behind that proxy: redis://host:6379');
  }
  const direct = plain(parseUpstream(flags.direct, '--direct'), '--direct');
  if (direct.kind === 'embedded') throw usage('--direct: embedded has no meaning here');
  const proxy = placeOf(flags.proxy, '--proxy');
  return { seconds, through: { kind: 'running', proxy, direct } };
}

/**
 * Runs the demo until its time is over or `stage.signal` aborts, and shows the summary.
 *
 * @returns whether all went well: nothing stale was read, and no invalidation was missed
 * @throws ProxyError as the proxy and the connections do
 */
export async function runDemo(plan: DemoPlan, config: Config, stage: Stage): Promise<boolean> {
  const cleanup: (() => Promise<void>)[] = [];
  try {
    const { proxy, redis } = await prepare(plan, { config, stage, cleanup });
    const failed = new AbortController();
    const tally = new Tally(performance.now());
    const login = { user: redis.user, password: redis.password, db: redis.db };
    const setting = {
      proxy: printListen(proxy),
      redis: printUpstream(redis),
      seconds: plan.seconds,
    };
    const workload = await Workload.open({
      proxy: { address: proxy, login, where: `the proxy at ${setting.proxy}`, protocol: 3 },
      redis: { address: redis, login, where: setting.redis, protocol: 2 },
      tally,
      lost: (error) => failed.abort(error),
    });
    cleanup.push(() => workload.close());
    await workload.start(plan.seconds);
    const until = AbortSignal.any([failed.signal, stage.signal]);
    await show(tally, { setting, out: stage.out, until });
    failed.signal.throwIfAborted();
    const end = performance.now();
    await workload.settle();
    const score = tally.snapshot(end);
    const style = { colour: hasColour(stage.out) };
    stage.out.write(`${summary(score, style).join('\n')}\n`);
    return score.staleReads === 0 && score.owed === 0;
  } finally {
    for (const step of cleanup.reverse()) await step();
  }
}

/** Starts what the plan asks for. @returns where the client and the writer connect */
async function prepare(
  plan: DemoPlan,
  parts: {
    readonly config: Config;
    readonly stage: Stage;
    readonly cleanup: (() => Promise<void>)[];
  },
): Promise<{ readonly proxy: SocketAddress; readonly redis: Plain<UpstreamAddress> }> {
  const { config, stage, cleanup } = parts;
  if (plan.through.kind === 'running') {
    return { proxy: plan.through.proxy, redis: plan.through.direct };
  }
  let redis = plan.through.upstream;
  if (redis.kind === 'embedded') {
    const embedded = await startEmbedded(stage.logger);
    cleanup.push(() => embedded.stop());
    redis = embedded.upstream;
  }
  const listen: SocketAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 };
  let failure: ProxyError | undefined;
  const proxy = createProxy(
    { ...config, listen: [listen], tls: undefined, proxyProtocol: false, upstream: redis },
    {
      logger: stage.logger,
      metrics: createMetrics(),
      failed: (error) => {
        failure = error;
      },
    },
  );
  await proxy.start();
  cleanup.push(() => proxy.stop());
  const deadlineMs = performance.now() + READY_DEADLINE_MS;
  while (!proxy.ready.ok) {
    if (failure !== undefined) throw failure;
    if (performance.now() > deadlineMs || stage.signal.aborted) {
      throw new ProxyError('UPSTREAM_UNREACHABLE', `not ready: ${proxy.ready.reason}`);
    }
    await sleep(10);
  }
  return { proxy: placeOf(proxy.addresses[0] ?? '', 'proxy'), redis };
}

/** Shows the numbers as they grow, until the time is over or `until` aborts. */
async function show(
  tally: Tally,
  parts: {
    readonly setting: Setting;
    readonly out: NodeJS.WriteStream;
    readonly until: AbortSignal;
  },
): Promise<void> {
  const { setting, out, until } = parts;
  const terminal = out.isTTY === true && (out.columns ?? 80) >= 80 && (out.rows ?? 24) >= 20;
  const style = { colour: hasColour(out) };
  const endMs = performance.now() + setting.seconds * 1_000;
  const pauseMs = terminal ? REDRAW_EVERY_MS.terminal : REDRAW_EVERY_MS.plain;
  out.write(`${heading(setting, style).join('\n')}\n`);
  let drawn = 0;
  const draw = () => {
    const now = tally.snapshot(performance.now());
    const lines = terminal ? picture(now, setting, style) : [plainLine(now)];
    const up = drawn === 0 ? '' : `\u001b[${drawn}A`;
    out.write(up + lines.map((line) => `${terminal ? '\u001b[2K' : ''}${line}\n`).join(''));
    drawn = terminal ? lines.length : 0;
  };
  if (terminal) draw();
  while (!until.aborted && performance.now() < endMs) {
    const leftMs = endMs - performance.now();
    await sleep(Math.min(pauseMs, leftMs), undefined, { signal: until }).catch(() => {});
    if (terminal || performance.now() < endMs) draw();
  }
}

function hasColour(out: NodeJS.WriteStream): boolean {
  return out.isTTY === true && !process.env.NO_COLOR;
}

function plain(upstream: UpstreamChoice, flag: string): Plain<UpstreamChoice> {
  if (upstream.kind === 'tls') throw usage(`${flag}: the demo speaks no TLS`);
  return upstream;
}

function placeOf(text: string, name: string): SocketAddress {
  const address = parseListen(text, name);
  if (address.kind === 'fd') throw usage(`${name}: nobody can connect to a descriptor`);
  return address;
}

function usage(message: string): ProxyError {
  return new ProxyError('CONFIG_INVALID', message);
}
