import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startProxyProcess } from '../coherence/proxy-process.ts';
import { COLLECTS_ON_SIGNAL } from '../soak/gauges.ts';
import { soak } from '../soak/run.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const MEBIBYTE = 2 ** 20;
const DEADLINE_MS = 120_000;

test('clients of every kind come and die, and nothing stays of them', {
  timeout: DEADLINE_MS,
}, async () => {
  const seed = 1 + Math.floor(Math.random() * 1_000_000);
  const printed = [`npm run test:soak -- --seconds 1 --storm 0.4 --clients 8 --seed ${seed}`];
  const wrong = await soak({
    seed,
    seconds: 1,
    stormSeconds: 0.4,
    clients: 8,
    // So little time tells nothing of slow leaks; a heap that has just begun is still growing.
    growthMaxBytes: { heap: 32 * MEBIBYTE, resident: 256 * MEBIBYTE },
    startProxy: (upstream) => startProxyProcess(PROGRAM, upstream, [], COLLECTS_ON_SIGNAL),
    print: (line) => printed.push(line),
  });
  console.log(printed.join('\n'));
  expect(wrong).toEqual([]);
});
