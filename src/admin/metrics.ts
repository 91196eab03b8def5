import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Reason } from '../tracking/tracker.ts';

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
  /** Adds gauges; one that was named before is replaced. */
  observe(gauges: Partial<Observed>): void;
  /** The text that Prometheus scrapes. */
  expose(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Where a number goes: the metric (less the prefix) and the labels that tell it from others. */
interface Place {
  readonly metric: string;
  readonly help: string;
  readonly label?: readonly [name: string, value: string];
}

const PREFIX = 'sidetrack_';

const COMMANDS_HELP =
  'Commands of clients: forwarded, forwarded with their keys remembered (tracked), or answered here';
const INVALIDATIONS_HELP =
  'Invalidations sent to clients, by what caused them; one that names everything counts once';
const BYTES_HELP = 'Bytes received from clients (in) and sent to them (out)';
const SLOW_HELP =
  'Client connections closed by us: too much waited for them to be read (output_hard, output_soft), ' +
  'they sent too much behind a request that blocks (pipeline), or kept fenced writes waiting (fence)';
const PROTOCOL_HELP = 'Connections closed because a client or the upstream broke the protocol';

function refused(reason: string): Place {
  const help =
    'Client connections closed at once: the upstream could not be reached (upstream), there were ' +
    'too many (max_clients), a PROXY protocol header did not come or was malformed (proxy_header), or ' +
    'a TLS handshake failed (tls)';
  return { metric: 'connections_refused_total', help, label: ['reason', reason] };
}

function blindSpells(reason: string): Place {
  const help = 'Times that the source of changes was lost or in doubt, by the first reason';
  return { metric: 'blind_spells_total', help, label: ['reason', reason] };
}

function blindSeconds(reason: string): Place {
  const help =
    'Seconds spent in blind spells that have ended, by the first reason; start: before the first sight';
  return { metric: 'blind_seconds_total', help, label: ['reason', reason] };
}

/** Every counter. Labels come from this table alone, so their number is fixed. */
const COUNTERS = {
  connections: { metric: 'connections_total', help: 'Client connections accepted' },
  refusedUpstream: refused('upstream'),
  refusedMaxClients: refused('max_clients'),
  refusedProxyHeader: refused('proxy_header'),
  refusedTls: refused('tls'),
  idleClients: {
    metric: 'idle_clients_total',
    help: 'Client connections closed because they were silent for too long (--timeout)',
  },
  forwarded: { metric: 'commands_total', help: COMMANDS_HELP, label: ['kind', 'forwarded'] },
  tracked: { metric: 'commands_total', help: COMMANDS_HELP, label: ['kind', 'tracked'] },
  answered: { metric: 'commands_total', help: COMMANDS_HELP, label: ['kind', 'answered'] },
  notifications: {
    metric: 'notifications_total',
    help: 'Keyspace notifications received from the upstream',
  },
  invalidationsWrite: {
    metric: 'invalidations_total',
    help: INVALIDATIONS_HELP,
    label: ['reason', 'write'],
  },
  invalidationsFlush: {
    metric: 'invalidations_total',
    help: INVALIDATIONS_HELP,
    label: ['reason', 'flush'],
  },
  invalidationsSilent: {
    metric: 'invalidations_total',
    help: INVALIDATIONS_HELP,
    label: ['reason', 'silent'],
  },
  invalidationsBlind: {
    metric: 'invalidations_total',
    help: INVALIDATIONS_HELP,
    label: ['reason', 'blind'],
  },
  invalidationsTableFull: {
    metric: 'invalidations_total',
    help: INVALIDATIONS_HELP,
    label: ['reason', 'table_full'],
  },
  extraInvalidations: {
    metric: 'extra_invalidations_total',
    help: 'Invalidations sent to be safe where it could not be known whether a cache was still right',
  },
  bytesIn: { metric: 'client_bytes_total', help: BYTES_HELP, label: ['direction', 'in'] },
  bytesOut: { metric: 'client_bytes_total', help: BYTES_HELP, label: ['direction', 'out'] },
  blindSpellsStart: blindSpells('start'),
  blindSpellsConnection: blindSpells('connection'),
  blindSpellsTimeout: blindSpells('timeout'),
  blindSpellsRefused: blindSpells('refused'),
  blindSpellsNotifications: blindSpells('notifications'),
  blindSpellsNotRedis: blindSpells('not_redis'),
  blindSpellsMoved: blindSpells('moved'),
  blindSecondsStart: blindSeconds('start'),
  blindSecondsConnection: blindSeconds('connection'),
  blindSecondsTimeout: blindSeconds('timeout'),
  blindSecondsRefused: blindSeconds('refused'),
  blindSecondsNotifications: blindSeconds('notifications'),
  blindSecondsNotRedis: blindSeconds('not_redis'),
  blindSecondsMoved: blindSeconds('moved'),
  clientProtocolErrors: {
    metric: 'protocol_errors_total',
    help: PROTOCOL_HELP,
    label: ['side', 'client'],
  },
  upstreamProtocolErrors: {
    metric: 'protocol_errors_total',
    help: PROTOCOL_HELP,
    label: ['side', 'upstream'],
  },
  lanesOutOfSync: {
    metric: 'lanes_out_of_sync_total',
    help: 'Upstream connections closed because a reply came that nothing had asked for',
  },
  unattributedWrites: {
    metric: 'unattributed_writes_total',
    help: 'Writes of NOLOOP clients that could not be told from others, so that they come back',
  },
  slowClientsHard: {
    metric: 'slow_clients_total',
    help: SLOW_HELP,
    label: ['limit', 'output_hard'],
  },
  slowClientsSoft: {
    metric: 'slow_clients_total',
    help: SLOW_HELP,
    label: ['limit', 'output_soft'],
  },
  slowClientsPipeline: {
    metric: 'slow_clients_total',
    help: SLOW_HELP,
    label: ['limit', 'pipeline'],
  },
  slowClientsFence: {
    metric: 'slow_clients_total',
    help: SLOW_HELP,
    label: ['limit', 'fence'],
  },
  collapsedInvalidations: {
    metric: 'collapsed_invalidations_total',
    help: 'Times that so many keys waited for one client that it was told to drop everything',
  },
  fencedWrites: {
    metric: 'fenced_writes_total',
    help: 'Replies to writes held until everybody concerned had been told',
  },
} as const satisfies Record<string, Place>;

/** Which counter counts the invalidations of a reason. */
export const INVALIDATION_COUNTERS = {
  write: 'invalidationsWrite',
  flush: 'invalidationsFlush',
  silent: 'invalidationsSilent',
  blind: 'invalidationsBlind',
  table_full: 'invalidationsTableFull',
} as const satisfies Record<Reason, keyof typeof COUNTERS>;

const GAUGES = {
  clients: { metric: 'clients', help: 'Client connections open' },
  trackingClients: { metric: 'tracking_clients', help: 'Clients with tracking on' },
  tableKeys: { metric: 'tracking_table_keys', help: 'Keys remembered for invalidation' },
  sourceUp: { metric: 'source_up', help: '1 while changes are certain to be heard, 0 while blind' },
  upstreamUp: { metric: 'upstream_up', help: '1 while the upstream can be reached, else 0' },
} as const satisfies Record<string, Place>;

/**
 * Makes the numbers of one proxy, in a registry of their own. Next to them stand the process
 * metrics of prom-client under their usual names (`process_*`, `nodejs_*`), which dashboards know.
 */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const counts = Object.fromEntries(Object.keys(COUNTERS).map((name) => [name, 0])) as Counts;
  const observed: Partial<Observed> = {};
  registerCounters(registry, counts);
  registerGauges(registry, observed);
  collectDefaultMetrics({ register: registry });
  return {
    counts,
    observe: (gauges) => {
      Object.assign(observed, gauges);
    },
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
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
