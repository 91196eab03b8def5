import type { Reason } from '../tracking/tracker.ts';

/** Where a number goes: the metric (less the prefix) and the labels that tell it from others. */
export interface Place {
  readonly metric: string;
  readonly help: string;
  readonly label?: readonly [name: string, value: string];
}

/** With what the names of all metrics of ours begin. */
export const PREFIX = 'sidetrack_';

const COMMANDS_HELP =
  'Commands of clients: forwarded, forwarded with their keys remembered (tracked), or answered here';
const INVALIDATIONS_HELP =
  'Invalidations sent to clients, by what caused them; one that names everything counts once';
const BYTES_HELP = 'Bytes received from clients (in) and sent to them (out)';
const SLOW_HELP =
  'Client connections closed by us: too much waited for them to be read (output_hard, output_soft), ' +
  'they sent too much behind a request that blocks (pipeline), or kept fenced writes waiting (fence)';
const PROTOCOL_HELP = 'Connections closed because a client or the upstream broke the protocol';

const DELIVERIES_HELP =
  'Invalidations by the way that they take: to the client that has read the key (push), to the one that ' +
  'it has named (redirect), or for a prefix (bcast)';

function upstreamErrors(kind: string): Place {
  const help =
    'Failures of connections to the upstream: of the one that listens, each try counted, or of a ' +
    "client's (lane)";
  return { metric: 'upstream_errors_total', help, label: ['kind', kind] };
}

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
export const COUNTERS = {
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
  deliveriesPush: {
    metric: 'invalidation_deliveries_total',
    help: DELIVERIES_HELP,
    label: ['delivery', 'push'],
  },
  deliveriesRedirect: {
    metric: 'invalidation_deliveries_total',
    help: DELIVERIES_HELP,
    label: ['delivery', 'redirect'],
  },
  deliveriesBcast: {
    metric: 'invalidation_deliveries_total',
    help: DELIVERIES_HELP,
    label: ['delivery', 'bcast'],
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
  upstreamErrorsConnection: upstreamErrors('connection'),
  upstreamErrorsTimeout: upstreamErrors('timeout'),
  upstreamErrorsRefused: upstreamErrors('refused'),
  upstreamErrorsNotifications: upstreamErrors('notifications'),
  upstreamErrorsNotRedis: upstreamErrors('not_redis'),
  upstreamErrorsMoved: upstreamErrors('moved'),
  upstreamErrorsLane: upstreamErrors('lane'),
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

/** Every gauge, read at a scrape. */
export const GAUGES = {
  clients: { metric: 'clients', help: 'Client connections open' },
  trackingClients: { metric: 'tracking_clients', help: 'Clients with tracking on' },
  tableKeys: { metric: 'tracking_table_keys', help: 'Keys remembered for invalidation' },
  tableReaders: {
    metric: 'tracking_table_readers',
    help: 'Readers that all keys remembered have, added up: a key with three readers counts three times',
  },
  prefixes: { metric: 'tracking_prefixes', help: 'Different prefixes watched (BCAST)' },
  parked: {
    metric: 'parked_invalidations',
    help: 'Invalidations that wait for the reply to a request in flight',
  },
  lanes: {
    metric: 'lanes',
    help: 'Connections to the upstream for clients, open or being opened: one each, a few have two',
  },
  sourceUp: { metric: 'source_up', help: '1 while changes are certain to be heard, 0 while blind' },
  upstreamUp: {
    metric: 'upstream_up',
    help: '1 if the upstream answered when it was last set up or pinged, be it with a refusal; else 0',
  },
} as const satisfies Record<string, Place>;

/** How late invalidations are. */
export const LATENCY = {
  metric: 'invalidation_latency_seconds',
  help:
    'Time from the arrival of a notification to the push being handed to the socket. Measured once for ' +
    'each chunk of notifications (arrival: its first one; pushes: its last one), and for each push ' +
    'that waited for a reply; not for changes that no notification told',
} as const satisfies Place;
