/**
 * `node scripts/compatibility.mjs`: writes docs/compatibility.md anew from the rows of the
 * conformance tests. A test there fails when the page is stale.
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { ROOT } from './setup.mjs';

const vitest = path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const args = [vitest, 'run', 'test/conformance/page.test.ts', '--update'];
execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
