/** Times small pieces of code. */
import { median } from './statistics.mjs';

/**
 * @typedef {object} Piece
 * @property {string} name
 * @property {number} operations in one run: enough for some milliseconds
 * @property {number} [bytes] that one run reads
 * @property {() => any} [prepare] makes what a run needs; not timed
 * @property {(prepared: any) => number} run the number must depend on all that was done, or the
 *   compiler may leave it out
 */

/** Kept where the compiler can't know that nobody reads it. */
let sink = 0;

/**
 * @param {Piece} piece
 * @param {{ runs: number, warmUps: number }} options
 * @returns {{ name: string, ns: number, fastest: number, slowest: number, mbPerSecond?: number }}
 *   nanoseconds for each operation, the median of the runs
 */
export function time(piece, { runs, warmUps }) {
  const { name, operations, bytes, prepare = () => undefined, run } = piece;
  const samples = [];
  for (let index = -warmUps; index < runs; index++) {
    const prepared = prepare();
    const startedNs = process.hrtime.bigint();
    sink += run(prepared);
    const ns = Number(process.hrtime.bigint() - startedNs);
    if (index >= 0) samples.push(ns / operations);
  }
  const ns = median(samples);
  const range = { fastest: Math.min(...samples), slowest: Math.max(...samples) };
  if (bytes === undefined) return { name, ns, ...range };
  return { name, ns, ...range, mbPerSecond: (bytes / operations / ns) * 1_000 };
}

/** @returns {number} so that nothing is left out */
export function sinkOf() {
  return sink;
}
