/**
 * `npm run bench:micro`: nanoseconds for each operation of the parts that every command or every
 * notification passes through. Options: lib/prepare.mjs.
 */
import { sinkOf, time } from './lib/loop.mjs';
import { ledgerPieces, prefixPieces, scannerPieces, tablePieces } from './lib/pieces.mjs';
import { prepare } from './lib/prepare.mjs';
import { count, figure, printTable, save } from './lib/report.mjs';

const { dist, name, quick, settings } = prepare();
const repeats = quick ? { runs: 5, warmUps: 2 } : { runs: 25, warmUps: 5 };

const results = [];
for (const pieces of [scannerPieces, tablePieces, prefixPieces, ledgerPieces]) {
  for (const piece of await pieces(dist)) results.push(time(piece, repeats));
}
if (sinkOf() === 0) throw new Error('nothing was done');
printTable(
  ['operation', 'ns', 'fastest', 'slowest', 'MB/s'],
  results.map((one) => [
    one.name,
    ...[one.ns, one.fastest, one.slowest].map(figure),
    one.mbPerSecond === undefined ? '' : count(one.mbPerSecond),
  ]),
);
save('micro', name, { settings, quick, results });
