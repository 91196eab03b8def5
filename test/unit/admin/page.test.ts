import { describe, expect, test } from 'vitest';
import { createMetrics } from '../../../src/admin/metrics.ts';
import { metricsPage } from './page.ts';

describe('docs/metrics.md', () => {
  test('is up to date; if not, run node scripts/metrics.mjs', async () => {
    await expect(metricsPage()).toMatchFileSnapshot('../../../docs/metrics.md');
  });

  test('names every metric of ours that is exposed, with its type, and no other', async () => {
    const { text } = await createMetrics().expose();
    const exposed = [...text.matchAll(/^# TYPE (sidetrack_\w+) (\w+)$/gm)];
    const told = [...metricsPage().matchAll(/^### `(\w+)`\n[\s\S]*?^- Type: (\w+)$/gm)];
    const pairs = (found: readonly RegExpMatchArray[]) =>
      found.map(([, name, type]) => `${name} ${type}`).sort();
    expect(pairs(told)).toEqual(pairs(exposed));
  });
});
