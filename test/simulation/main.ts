import { runSeed, tellFailure } from './run.ts';
import { shrink } from './shrink.ts';

/**
 * The program behind scripts/simulate.mjs: `<first seed> <count> [<mode> [<seeds to skip>]]`. Modes:
 * `story` tells the first failure, `first` and `all` print failures as JSON for another program.
 */
const [first = '1', count = '10000', mode = 'story', skip = ''] = process.argv.slice(2);

const skipped = new Set(skip.split(',').filter(Boolean).map(Number));
const startedMs = performance.now();
const failures: { readonly seed: number; readonly rule: string; readonly message: string }[] = [];
let checked = 0;
while (checked < Number(count) && (failures.length === 0 || mode === 'all')) {
  const seed = Number(first) + checked;
  checked += 1;
  const failure = skipped.has(seed) ? undefined : runSeed(seed);
  if (failure === undefined) continue;
  failures.push({ seed, rule: failure.rule, message: failure.message });
  if (mode === 'story') console.log(tellFailure(shrink(failure)));
}
if (mode !== 'story') {
  console.log(JSON.stringify({ checked, failures }));
} else if (failures.length === 0) {
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  console.log(`${checked} schedules from seed ${first}: every promise kept, in ${seconds} s`);
}
process.exitCode = failures.length > 0 ? 1 : 0;
