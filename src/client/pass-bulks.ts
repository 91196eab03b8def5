import { pastWholeBulk } from '../resp/bulk.ts';
import { TYPE } from '../resp/scanner.ts';
import type { Ledger } from './ledger.ts';

/**
 * What most chunks of a pipeline hold: whole bulk strings that are just passed on, one behind the other.
 *
 * @param from where a reply begins
 * @returns the index behind the last of them, whose entries are gone; `from` where there is none
 */
export function passBulks(ledger: Ledger, chunk: Buffer, from: number): number {
  let at = from;
  let count = 0;
  while (chunk[at] === TYPE.bulk && ledger.isPass(count)) {
    const past = pastWholeBulk(chunk, at);
    if (past === -1) break;
    at = past;
    count += 1;
  }
  ledger.shiftPass(count);
  return at;
}
