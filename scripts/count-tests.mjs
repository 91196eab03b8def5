/**
 * Prints the closing line of a test run, `123 passed, 0 failed`, from Vitest's JSON report.
 * A test file that could not even be loaded counts as one failed test, as it hides all of its
 * tests. Usage: node scripts/count-tests.mjs REPORT.json
 */
import { existsSync, readFileSync } from 'node:fs';

const [, , reportPath = ''] = process.argv;
if (!existsSync(reportPath)) {
  console.error('no test ran');
  process.exit(1);
}
const report = JSON.parse(readFileSync(reportPath, 'utf8'));
const unloadable = report.testResults.filter(
  (file) => file.status === 'failed' && file.assertionResults.length === 0,
).length;
const passed = report.numPassedTests;
const failed = report.numFailedTests + unloadable;
const skipped = report.numPendingTests + report.numTodoTests;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
if (passed === 0 || failed > 0) process.exitCode = 1;
