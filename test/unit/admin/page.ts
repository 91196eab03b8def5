import { readFileSync } from 'node:fs';
import { COUNTERS, GAUGES, LATENCY, type Place, PREFIX } from '../../../src/admin/catalog.ts';
import { LATENCY_BOUNDS_SECONDS } from '../../../src/admin/latency.ts';

const HEAD = new URL('./head.md', import.meta.url);

/** @returns `docs/metrics.md` as it must be */
export function metricsPage(): string {
  const sections = [
    ['Gauges', 'gauge', Object.values(GAUGES)],
    ['Counters', 'counter', Object.values(COUNTERS)],
    ['Histograms', 'histogram', [LATENCY]],
  ] as const;
  return [
    readFileSync(HEAD, 'utf8'),
    ...sections.map(([title, type, places]) => section(title, type, places)),
  ].join('\n');
}

function section(title: string, type: string, places: readonly Place[]): string {
  const rows = [...new Set(places.map(({ metric }) => metric))].map((metric) => {
    const same = places.filter((place) => place.metric === metric);
    return row(type, same);
  });
  return `## ${title}\n\n${rows.join('\n')}`;
}

function row(type: string, same: readonly Place[]): string {
  const [{ metric, help } = { metric: '', help: '' }] = same;
  const labels = same.flatMap(({ label }) => (label === undefined ? [] : [label]));
  const values = labels.map(([, value]) => `\`${value}\``).join(', ');
  const lines = [
    `- Type: ${type}`,
    ...(type === 'histogram' ? [`- Buckets: ${LATENCY_BOUNDS_SECONDS.join(', ')}`] : []),
    ...(labels[0] === undefined ? [] : [`- Label \`${labels[0][0]}\`: ${values}`]),
  ];
  return `### \`${PREFIX}${metric}\`\n\n${escaped(help)}.\n\n${lines.join('\n')}\n`;
}

/** Characters that Markdown would take for its own. */
function escaped(text: string): string {
  return text.replace(/[\\`*_<>[\]|]/g, '\\$&');
}
