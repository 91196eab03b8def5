import type { UpstreamAddress } from './address.ts';
import { type Admin, startAdmin } from './admin/http.ts';
import { createMetrics } from './admin/metrics.ts';
import type { Config } from './config.ts';
import { drain } from './drain.ts';
import { type EmbeddedRedis, startEmbedded } from './embedded.ts';
import type { Logger } from './logger.ts';
import { createProxy } from './proxy.ts';
import type { ProxyParts, TrackingProxy } from './proxy-parts.ts';

/** A proxy that runs, with what belongs to it. */
export interface Service {
  readonly proxy: TrackingProxy;
  readonly admin: Admin | undefined;
  /** The Redis behind, which is `embedded` where that is ours. */
  readonly upstream: UpstreamAddress;
  readonly embedded: EmbeddedRedis | undefined;
  /** Finishes the replies that are owed, then ends everything. May be called more than once. */
  stop(): Promise<void>;
}

/**
 * Starts all that a configuration asks for: a Redis of our own, the proxy, health and metrics.
 *
 * @throws ProxyError LISTEN_FAILED, EMBEDDED_REDIS_FAILED, with nothing left running
 */
export async function startService(
  config: Config,
  parts: Omit<ProxyParts, 'metrics'>,
): Promise<Service> {
  const metrics = createMetrics();
  const cleanup: (() => Promise<void>)[] = [];
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= inTurn(cleanup.toReversed());
    return stopping;
  };
  try {
    const { upstream, embedded } = await resolveUpstream(config, parts.logger);
    if (embedded !== undefined) cleanup.push(() => embedded.stop());
    const proxy = createProxy({ ...config, upstream }, { ...parts, metrics });
    let admin: Admin | undefined;
    if (config.admin !== undefined) {
      admin = await startAdmin(config.admin, { metrics, ready: () => proxy.ready });
      cleanup.push(admin.stop); // after the proxy: until that has drained, it says so
    }
    await proxy.start();
    cleanup.push(() => drain(proxy, config.drainTimeoutMs, parts.logger));
    return { proxy, admin, upstream, embedded, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

async function inTurn(steps: readonly (() => Promise<void>)[]): Promise<void> {
  for (const step of steps) await step();
}

/** Starts a Redis of our own if no other is named. */
export async function resolveUpstream(
  config: Config,
  logger: Logger,
): Promise<Pick<Service, 'upstream' | 'embedded'>> {
  if (config.upstream.kind !== 'embedded') {
    return { upstream: config.upstream, embedded: undefined };
  }
  const embedded = await startEmbedded(logger);
  return { upstream: embedded.upstream, embedded };
}
