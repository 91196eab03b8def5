/** What a bench leaves behind: tables on stdout, files in bench/results/. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../scripts/setup.mjs';
import { loadAverage } from './system.mjs';

const RESULTS = path.join(ROOT, 'bench', 'results');

/**
 * Prints a table: the first column to the left, numbers to the right.
 * @param {readonly string[]} columns
 * @param {readonly (readonly string[])[]} rows an empty row is a blank line
 */
export function printTable(columns, rows) {
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const isNumber = columns.map((_column, index) =>
    rows.every((row) => /^(?:[\d,.%x-]*|[\d,.]+ [a-zA-Z]+)$/.test(row[index] ?? '')),
  );
  const line = (cells) =>
    cells
      .map((cell, index) =>
        isNumber[index] ? cell.padStart(widths[index]) : cell.padEnd(widths[index]),
      )
      .join('  ')
      .trimEnd();
  console.log(line(columns));
  console.log(widths.map((width) => '-'.repeat(width)).join('  '));
  for (const row of rows) console.log(row.length === 0 ? '' : line(row));
  console.log();
}

/**
 * Says what is being measured; on stderr, so that stdout holds the results alone.
 * @param {string} text
 */
export function progress(text) {
  console.error(`  ${text}`);
}

/**
 * @param {string} bench
 * @param {string} name
 * @param {{ settings: object, [part: string]: unknown }} results all that was measured
 * @param {string} [chart] as SVG
 */
export function save(bench, name, results, chart) {
  mkdirSync(RESULTS, { recursive: true });
  const stem = path.join(RESULTS, `${name}-${bench}`);
  const settings = { ...results.settings, loadAverageAfter: loadAverage() };
  writeFileSync(`${stem}.json`, `${JSON.stringify({ ...results, settings }, undefined, 2)}\n`);
  if (chart !== undefined) writeFileSync(`${stem}.svg`, chart);
  const files = chart === undefined ? 'json' : '{json,svg}';
  console.log(`${path.relative(process.cwd(), stem)}.${files}`);
}

/** @returns {string} with commas between thousands */
export function count(number) {
  return Math.round(number).toLocaleString('en-US');
}

/** @returns {string} with as many decimals as it deserves; nothing for what is not there */
export function figure(number) {
  if (number === undefined || Number.isNaN(number)) return '';
  if (number >= 100) return count(number);
  return number.toFixed(number >= 10 ? 1 : number >= 1 ? 2 : 3);
}

/** @returns {string} bytes as MB, of a million */
export function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}
