/**
 * `node scripts/metrics.mjs`: writes docs/metrics.md anew from src/admin/catalog.ts. A test fails
 * when the page is stale.
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { ROOT } from './setup.mjs';

const vitest = path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const args = [vitest, 'run', 'test/unit/admin/page.test.ts', '--update'];
execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
