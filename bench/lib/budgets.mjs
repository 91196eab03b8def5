/** What the proxy may cost. Source: our own aims, for a machine of two cores. */
export const BUDGETS = {
  /** CPU per command to the bare pipe's, tracking off. */
  trackingOffRatio: 1.1,
  /** The same with tracking on, nearly every read of a key that was not known. */
  trackingOnRatio: 1.5,
  /** CPU microseconds from a notification's arrival to its key having been looked up. */
  notificationMicroseconds: 0.4,
  /** Memory of a tracked key of 23 bytes, by the number of its readers. */
  keyBytes: { 1: 75, 10: 150 },
  /** From a write to its push: what the median may be above native. */
  pushMedianOverNativeMs: 0.3,
  /** The same: the 99th percentile to native's. */
  pushP99Ratio: 2,
  /** From the first of 100,000 DELs to the last invalidation. */
  stormMs: 500,
  /** Memory of 8,000 idle clients to the bare pipe's. */
  idleRatio: 1.5,
};

/**
 * @typedef {object} Verdict
 * @property {string} what
 * @property {number} measured
 * @property {number} budget
 */

/**
 * @param {string} what
 * @param {number} measured
 * @param {number} budget
 * @returns {Verdict}
 */
export function judge(what, measured, budget) {
  return { what, measured, budget };
}

/**
 * @param {readonly Verdict[]} verdicts
 * @returns {readonly (readonly string[])[]} rows of a table
 */
export function verdictRows(verdicts) {
  return verdicts.map(({ what, measured, budget }) => [
    what,
    measured.toFixed(2),
    String(budget),
    measured <= budget ? 'met' : 'missed',
  ]);
}

/** The columns of `verdictRows`. */
export const VERDICT_COLUMNS = ['budget', 'measured', 'at most', ''];
