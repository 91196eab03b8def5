import fc from 'fast-check';
import { expect } from 'vitest';
import { CORPUS, ENDINGS, type Entry } from '../helpers/corpus.ts';
import { compared, cutAtRandom, type Pair, seeded, withPair } from '../helpers/differential.ts';
import { test as base } from '../helpers/fixtures.ts';
import { RawClient } from '../helpers/raw-client.ts';

/** How many sequences are tried; more where somebody asks for them. */
const RUNS = Number(process.env.SEQUENCES || 300);

/** How many requests a sequence has at most. */
const REQUESTS_MAX = 25;

/** Into how many pieces it is cut at most. */
const PIECES_MAX = 8;

const test = base.extend<{ $file: { pair: Pair } }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads a fixture's needs from its pattern
  pair: [({}, use) => withPair('', use), { scope: 'file' }],
});

const sequences = fc.record({
  entries: fc.array(fc.constantFrom(...CORPUS), { minLength: 1, maxLength: REQUESTS_MAX }),
  ending: fc.option(fc.constantFrom(...ENDINGS), { freq: 3, nil: '' }),
  seed: fc.nat(),
});

/**
 * What the proxy does otherwise on purpose is left out, by construction:
 * - CLIENT REPLY OFF or SKIP inside MULTI acts behind EXEC, not at its place in it;
 * - a protocol error or QUIT under CLIENT REPLY OFF or SKIP closes, where Redis hangs for ever;
 * - REPLCONF inside MULTI is refused at once;
 * - a NUL in a command's name, or in a header, is not in the corpus;
 * - nor is CLIENT TRACKING with colliding prefixes, which Redis answers twice;
 * - nor a failing AUTH, which newer servers leave unanswered behind other replies.
 */
function bytesOf(entries: readonly Entry[], ending: string): Buffer {
  let inMulti = false;
  const taken: string[] = [];
  for (const { kind, bytes } of entries) {
    if (kind === 'silence' && (inMulti || ending !== '')) continue;
    if (kind === 'replication' && inMulti) continue;
    if (kind === 'multi') inMulti = true;
    if (kind === 'exec') inMulti = false;
    taken.push(bytes);
  }
  return Buffer.from(taken.join(''), 'latin1');
}

test(`${RUNS} pipelines out of ${CORPUS.length} requests are answered alike, however they are cut`, {
  timeout: 30_000 + RUNS * 200,
}, async ({ pair }) => {
  const keepers = [await RawClient.connect(pair.native), await RawClient.connect(pair.behind)];
  await fc.assert(
    fc.asyncProperty(sequences, async ({ entries, ending, seed }) => {
      const bytes = bytesOf(entries, ending);
      for (const keeper of keepers) await keeper.pipeline(['FLUSHALL', 'CONFIG RESETSTAT']);
      const count = 1 + (seed % PIECES_MAX);
      const pieces = cutAtRandom(bytes, count, seeded(seed));
      if (ending !== '') pieces.push(Buffer.from(ending, 'latin1'));
      expect(await compared(pair, { pieces, closes: ending !== '' })).toBe('');
    }),
    { seed: 20_262, numRuns: RUNS },
  );
  for (const keeper of keepers) keeper.close();
});
