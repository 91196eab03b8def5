/** Figures of many samples. */

/**
 * @param {readonly number[]} samples
 * @returns {number} the middle one, or the mean of the middle two
 */
export function median(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * @param {readonly number[]} samples
 * @param {number} share 0.99 for the 99th percentile
 * @returns {number} the least sample that so many are not above
 */
export function percentile(samples, share) {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

/**
 * @param {readonly number[]} samples
 * @returns {{ p50: number, p99: number, max: number }}
 */
export function summary(samples) {
  return {
    p50: percentile(samples, 0.5),
    p99: percentile(samples, 0.99),
    max: Math.max(...samples),
  };
}
