import { expect, test } from 'vitest';
import { LatencyHistogram } from '../../../src/admin/latency.ts';

test('a bucket holds all that took as long as its bound or less', () => {
  const histogram = new LatencyHistogram('late_seconds', 'How late');
  histogram.observe(0.1, 1); // exactly the first bound
  histogram.observe(0.2, 3);
  histogram.observe(2_000, 1); // longer than any bound
  const lines = histogram.expose().split('\n');
  expect(lines.slice(0, 2)).toEqual([
    '# HELP late_seconds How late',
    '# TYPE late_seconds histogram',
  ]);
  expect(lines).toContain('late_seconds_bucket{le="0.0001"} 1');
  expect(lines).toContain('late_seconds_bucket{le="0.00025"} 4');
  expect(lines).toContain('late_seconds_bucket{le="1"} 4');
  expect(lines).toContain('late_seconds_bucket{le="+Inf"} 5');
  expect(lines).toContain('late_seconds_count 5');
  const sum = lines.find((line) => line.startsWith('late_seconds_sum '))?.split(' ')[1];
  expect(Number(sum)).toBeCloseTo(2.0007, 9);
});
