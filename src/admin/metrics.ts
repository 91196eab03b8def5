import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { Meter } from '../client/meter.ts';
import { COUNTERS, GAUGES, LATENCY, type Place, PREFIX } from './catalog.ts';
import { LatencyHistogram } from './latency.ts';

/**
 * What hot code counts, as plain numbers that only grow: `metrics.counts.forwarded += n`. They
 * are copied into prom-client when somebody scrapes, never before.
 */
export type Counts = { -readonly [name in keyof typeof COUNTERS]: number };

/** What is read at a scrape. A part names what it owns; what nobody names reads 0. */
export type Observed = { [name in keyof typeof GAUGES]: () => number | boolean };

/** The numbers of one proxy. */
export interface Metrics {
  readonly counts: Counts;
  /** Measures invalidations on their way. */
  readonly meter: Meter;
  /** Adds gauges; one that was named before is replaced. */
  observe(gauges: Partial<Observed>): void;
  /** The text that Prometheus scrapes. */
  expose(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/**
 * Makes the numbers of one proxy, in a registry of their own. Next to them stand the process
 * metrics of prom-client under their usual names (`process_*`, `nodejs_*`), which dashboards know.
 */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const counts = Object.fromEntries(Object.keys(COUNTERS).map((name) => [name, 0])) as Counts;
  const observed: Partial<Observed> = {};
  const latency = new LatencyHistogram(PREFIX + LATENCY.metric, LATENCY.help);
  registerCounters(registry, counts);
  registerGauges(registry, observed);
  collectDefaultMetrics({ register: registry });
  return {
    counts,
    meter: meterOf(counts, latency),
    observe: (gauges) => {
      Object.assign(observed, gauges);
    },
    expose: async () => {
      const text = `${await registry.metrics()}\n${latency.expose()}`;
      return { contentType: registry.contentType, text };
    },
  };
}

function meterOf(counts: Counts, latency: LatencyHistogram): Meter {
  return new Meter({
    now: () => performance.now(),
    counts,
    observe: (tookMs, times) => latency.observe(tookMs, times),
  });
}

function registerCounters(registry: Registry, counts: Counts): void {
  const metrics = new Map<string, (keyof Counts)[]>();
  for (const name of Object.keys(COUNTERS) as (keyof Counts)[]) {
    const { metric } = COUNTERS[name];
    metrics.set(metric, [...(metrics.get(metric) ?? []), name]);
  }
  for (const [metric, names] of metrics) {
    const places = names.map((name) => ({ name, place: COUNTERS[name] as Place }));
    new Counter({
      name: PREFIX + metric,
      help: places[0]?.place.help ?? metric,
      labelNames: places.flatMap(({ place }) => place.label?.[0] ?? []).slice(0, 1),
      registers: [registry],
      collect() {
        this.reset();
        for (const { name, place } of places) {
          const [label, value] = place.label ?? [];
          this.inc(label === undefined ? {} : { [label]: value ?? '' }, counts[name]);
        }
      },
    });
  }
}

function registerGauges(registry: Registry, observed: Partial<Observed>): void {
  for (const name of Object.keys(GAUGES) as (keyof Observed)[]) {
    const { metric, help } = GAUGES[name];
    new Gauge({
      name: PREFIX + metric,
      help,
      registers: [registry],
      collect() {
        this.set(Number(observed[name]?.() ?? 0));
      },
    });
  }
}
