import { readdirSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/**
 * One project per folder of `test/`, with how long one test, and one hook, may take there, in
 * milliseconds. Source: our choice; some ten times what the slowest takes on two busy cores.
 */
const PROJECTS = {
  unit: { timeoutMs: 5_000 },
  simulation: { timeoutMs: 60_000 },
  integration: { timeoutMs: 30_000 },
  conformance: { timeoutMs: 30_000 },
  interop: { timeoutMs: 60_000 },
} as const;

/**
 * Vitest is content as long as any project has a test. In CI each must, or a renamed folder
 * would take its tests out of the run unnoticed.
 */
function demandTests(folder: string): void {
  const names = readdirSync(new URL(`./${folder}/`, import.meta.url), { recursive: true });
  if (names.some((name) => String(name).endsWith('.test.ts'))) return;
  throw new Error(`${folder} has no test`);
}

if (process.env.CI) {
  for (const name of Object.keys(PROJECTS)) demandTests(`test/${name}`);
}

export default defineConfig({
  test: {
    projects: Object.entries(PROJECTS).map(([name, { timeoutMs }]) => ({
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        environment: 'node',
        pool: 'forks',
        testTimeout: timeoutMs,
        hookTimeout: timeoutMs,
      },
    })),
  },
});
