/**
 * `npm test`: puts in place what is missing, then runs Vitest once in this process. Arguments
 * are Vitest's, so `npm test -- test/unit` and `npm test -- --project conformance` work.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuild, ensureDependencies, ensureRedis, ROOT } from './setup.mjs';

ensureDependencies();
ensureBuild(); // the interop tests run dist/cli.js
process.env.REDIS_SERVER = ensureRedis();

process.chdir(ROOT);
const vitest = path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
process.argv = [process.execPath, vitest, 'run', ...process.argv.slice(2)];
await import(pathToFileURL(vitest).href);
