import { parseArgs } from 'node:util';
import { startProxyProcess } from './proxy-process.ts';
import { runCoherence } from './run.ts';

/** A shorter run is brisk. */
const BRISK_BELOW_SECONDS = 60;

/** The program behind scripts/coherence.mjs, which says what its flags are. */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 1_000_000)) },
    faults: { type: 'string' },
    flags: { type: 'string', default: '' },
    proxy: { type: 'string', default: '' },
  },
});

const seed = Number(values.seed);
const seconds = Number(values.seconds);
console.log(`coherence: ${seconds} s, seed ${seed}`);
const flags = values.flags.split(' ').filter(Boolean);
const startedMs = performance.now();
const elapsed = () => `${Math.round((performance.now() - startedMs) / 1_000)} s`.padStart(6);
const { tally, failure } = await runCoherence({
  seed,
  seconds,
  isBrisk: seconds < BRISK_BELOW_SECONDS,
  ...(values.faults === undefined ? {} : { faults: values.faults.split(',') }),
  startProxy: (upstream) => startProxyProcess(values.proxy, upstream, flags),
  print: (line) => console.log(`${elapsed()}  ${line}`),
});
for (const line of [`after ${elapsed().trim()}, seed ${seed}:`, ...tally.table]) console.log(line);
const isGood = failure.length === 0 && tally.isClean;
console.log(isGood ? 'every promise kept' : ['FAILED', ...failure].join('\n'));
process.exit(isGood ? 0 : 1);
