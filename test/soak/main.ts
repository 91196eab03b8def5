import { parseArgs } from 'node:util';
import { startProxyProcess } from '../coherence/proxy-process.ts';
import { COLLECTS_ON_SIGNAL } from './gauges.ts';
import { soak } from './run.ts';

const MEBIBYTE = 2 ** 20;

/** More than this is a leak. Source: our choice; the least that is found again in ten minutes. */
const GROWTH_MAX_BYTES = { heap: 4 * MEBIBYTE, resident: 64 * MEBIBYTE } as const;

/** The program behind scripts/soak.mjs, which says what its flags are. */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    storm: { type: 'string', default: '10' },
    clients: { type: 'string', default: '24' },
    seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 1_000_000)) },
    flags: { type: 'string', default: '' },
    proxy: { type: 'string', default: '' },
  },
});

const flags = values.flags.split(' ').filter(Boolean);
console.log(`soak: ${values.seconds} s, seed ${values.seed}; memory in MiB`);
const wrong = await soak({
  seed: Number(values.seed),
  seconds: Number(values.seconds),
  stormSeconds: Number(values.storm),
  clients: Number(values.clients),
  growthMaxBytes: GROWTH_MAX_BYTES,
  startProxy: (upstream) => startProxyProcess(values.proxy, upstream, flags, COLLECTS_ON_SIGNAL),
  print: (line) => console.log(line),
});
console.log(wrong.length === 0 ? 'nothing is left' : ['FAILED', ...wrong].join('\n'));
process.exit(wrong.length === 0 ? 0 : 1);
