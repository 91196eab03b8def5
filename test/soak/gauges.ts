import { setTimeout as sleep } from 'node:timers/promises';
import type { ProxyInProcess } from '../coherence/proxy-process.ts';

/** What is looked at, by the names that `/metrics` has for it. */
const METRICS = {
  heapBytes: 'nodejs_heap_size_used_bytes',
  externalBytes: 'nodejs_external_memory_bytes',
  residentBytes: 'process_resident_memory_bytes',
  descriptors: 'process_open_fds',
  handles: 'nodejs_active_handles_total',
  timers: 'nodejs_active_resources{type="Timeout"}',
  clients: 'sidetrack_clients',
  trackingClients: 'sidetrack_tracking_clients',
  lanes: 'sidetrack_lanes',
  keys: 'sidetrack_tracking_table_keys',
  readers: 'sidetrack_tracking_table_readers',
  prefixes: 'sidetrack_tracking_prefixes',
  parked: 'sidetrack_parked_invalidations',
  connections: 'sidetrack_connections_total',
  outOfSync: 'sidetrack_lanes_out_of_sync_total',
  cpuSeconds: 'process_cpu_seconds_total',
  collections: 'nodejs_gc_duration_seconds_count{kind="major"}',
} as const satisfies Record<string, string>;

type Gauge = keyof typeof METRICS;

/** What the proxy says of itself at one moment. */
export type Gauges = Readonly<Record<Gauge, number>>;

/** @throws Error when the proxy does not answer */
export async function readGauges(proxy: ProxyInProcess): Promise<Gauges> {
  const text = await proxy.metrics();
  if (text === '') throw new Error(`no metrics: ${proxy.death ?? 'the proxy does not answer'}`);
  const values = new Map(
    text
      .split('\n')
      .filter((line) => !line.startsWith('#'))
      .map((line): readonly [string, number] => {
        const cut = line.lastIndexOf(' ');
        return [line.slice(0, cut), Number(line.slice(cut + 1))];
      }),
  );
  const read = ([gauge, name]: readonly [string, string]) => [gauge, values.get(name) ?? 0];
  return Object.fromEntries(Object.entries(METRICS).map(read)) as Gauges;
}

/** Node's flags for a proxy that collects its garbage, twice, when it is told to. */
export const COLLECTS_ON_SIGNAL = [
  '--expose-gc',
  '--import',
  `data:text/javascript,process.on('SIGUSR2', () => { gc(); gc(); })`,
] as const;

/** How often garbage is collected before memory is looked at: some is let go of only then. */
const COLLECTIONS = 3;
/** How long that may take at most, in milliseconds. */
const COLLECT_MAX_MS = 20_000;
const POLL_MS = 20;

/** @returns what is left when the proxy has collected its garbage */
export async function readCollected(proxy: ProxyInProcess): Promise<Gauges> {
  const untilMs = performance.now() + COLLECT_MAX_MS;
  let gauges = await readGauges(proxy);
  for (let left = COLLECTIONS; left > 0; left--) {
    const before = gauges.collections;
    process.kill(proxy.pid, 'SIGUSR2');
    while (gauges.collections === before && performance.now() < untilMs) {
      await sleep(POLL_MS);
      gauges = await readGauges(proxy);
    }
  }
  return gauges;
}

const COLUMNS = [
  'heap',
  'external',
  'resident',
  'files',
  'handles',
  'timers',
  'clients',
  'tracking',
  'keys',
  'readers',
  'parked',
  'connections',
] as const;

/** The first line of a table of gauges. */
export const HEADING = row('', COLUMNS);

/** @returns a line of it; memory in MiB */
export function rowOf(title: string, gauges: Gauges): string {
  const { heapBytes, externalBytes, residentBytes } = gauges;
  const sizes = [heapBytes, externalBytes, residentBytes].map(mebibytes);
  const { descriptors, handles, timers, clients, trackingClients, keys, readers } = gauges;
  const counts = [descriptors, handles, timers, clients, trackingClients, keys, readers];
  const all = [...sizes, ...[...counts, gauges.parked, gauges.connections].map(String)];
  return row(title, all);
}

/** @returns a size in MiB, as text */
export function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

function row(title: string, cells: readonly string[]): string {
  return title.padEnd(22) + cells.map((cell) => cell.padStart(12)).join('');
}
