import type { Sight } from '../sight.ts';
import type { Tracker } from '../tracking/tracker.ts';
import type { Metrics } from './metrics.ts';

/** What a scrape reads of a proxy. */
export interface ObservedParts {
  readonly clientCount: () => number;
  readonly laneCount: () => number;
  readonly tracker: Tracker;
  readonly sight: Sight;
}

/** Names all gauges. */
export function observe(metrics: Metrics, parts: ObservedParts): void {
  const { clientCount, laneCount, tracker, sight } = parts;
  metrics.observe({
    clients: clientCount,
    lanes: laneCount,
    trackingClients: () => tracker.trackingCount,
    tableKeys: () => tracker.keyCount,
    tableReaders: () => tracker.itemCount,
    prefixes: () => tracker.prefixCount,
    parked: () => metrics.meter.parkedCount,
    sourceUp: () => !tracker.blind,
    upstreamUp: () => sight.isReachable,
  });
}
