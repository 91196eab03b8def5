import { expect, test } from 'vitest';
import type { ProxyAtWork } from '../coherence/proxy-process.ts';
import { runCoherence } from '../coherence/run.ts';
import { startProxy } from '../helpers/proxy.ts';

/** How long faults are made; on until each kind has come. */
const SECONDS = 20;
const DEADLINE_MS = 180_000;

/** A proxy in this process: its clients and it take turns, which other runs do not have. */
async function startHere(upstream: string): Promise<ProxyAtWork> {
  const proxy = await startProxy(upstream);
  return {
    target: proxy.target,
    get death() {
      return proxy.failures[0]?.message;
    },
    get log() {
      return proxy.log.filter(({ level }) => level >= 30).map((line) => JSON.stringify(line));
    },
    hearsAll: async () => proxy.ready.ok,
    outOfSync: async () => proxy.metrics.counts.lanesOutOfSync,
    stop: () => proxy.stop(),
  };
}

test('whatever breaks, no cache keeps what is no longer true', {
  timeout: DEADLINE_MS,
}, async () => {
  const seed = 1 + Math.floor(Math.random() * 1_000_000);
  console.log(`npm run test:coherence -- --seconds ${SECONDS} --seed ${seed}`);
  const { tally, failure } = await runCoherence({
    seed,
    seconds: SECONDS,
    isBrisk: true,
    startProxy: startHere,
    print: () => {},
  });
  console.log(tally.table.join('\n'));
  expect(failure.join('\n')).toBe('');
  expect(tally.isClean).toBe(true);
  for (const [mode, count] of tally.checkedByMode) expect([mode, count > 0]).toEqual([mode, true]);
});
