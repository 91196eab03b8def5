import { TYPE } from '../resp/scanner.ts';
import { keeps, type Owed } from './ledger.ts';
import type { Transaction } from './transaction.ts';

/** What is done with the bytes of a reply as they come. */
export type Treatment = 'pass' | 'drop' | 'keep' | 'translate';

/**
 * @param type      the reply's first byte
 * @param silent    the client is not to have it
 * @param hasHidden of an array that is read element by element: some are not for the client, so that
 *                  its header is rewritten; undefined for any other reply
 */
export function treatmentOf(
  owed: Owed,
  type: number,
  silent: boolean,
  hasHidden: boolean | undefined,
): Treatment {
  if (hasHidden !== undefined) {
    if (owed.bare === true || silent) return 'drop';
    return hasHidden ? 'keep' : 'pass';
  }
  if (keeps(owed, type)) return 'keep';
  return owed.drop || silent ? 'drop' : 'pass';
}

/** @returns whether a reply of that type passes as it is, and only `after` need be told */
export function isLight({ isLight: light, fences, rule }: Owed, type: number): boolean {
  return light === true && type !== TYPE.error && fences !== true && rule === undefined;
}

/** @returns whether an array that answers `owed` is read element by element */
export function isOpened(owed: Owed, transaction: Transaction, translates: boolean): boolean {
  if (owed.opens === undefined) return false;
  return owed.opens === 'always' || translates || transaction.hasSlots;
}
