import { describe, expect, test } from 'vitest';
import { refusalOf, rightFixes } from '../../../src/doctor/fixes.ts';

const NEED = { user: 'app', command: 'PUBLISH', rule: '+publish', on: '&__sidetrack__:*' };

/** Refusals as servers of several versions put them. */
const REFUSALS = [
  [
    "NOPERM this user has no permissions to run the 'publish' command or its subcommand",
    'denied',
    'ACL SETUSER app +publish',
  ],
  [
    "NOPERM User app has no permissions to run the 'publish' command",
    'denied',
    'ACL SETUSER app +publish',
  ],
  [
    'NOPERM this user has no permissions to access one of the channels used as arguments',
    'denied',
    'ACL SETUSER app &__sidetrack__:*',
  ],
  ['NOPERM No permissions to access a channel', 'denied', 'ACL SETUSER app &__sidetrack__:*'],
  [
    "ERR unknown command 'publish', with args beginning with: 'x'",
    'unknown',
    'delete the line: rename-command PUBLISH ...',
  ],
  [
    'ERR Syntax error, try CLIENT (LIST | KILL | GETNAME | SETNAME)',
    'unknown',
    'delete the line: rename-command PUBLISH ...',
  ],
  ['ERR not today', 'other', undefined],
] as const;

describe('a right that is refused', () => {
  test.for(REFUSALS)('%s', ([message, refusal, how]) => {
    const error = new Error(message);
    expect(refusalOf(error)).toBe(refusal);
    expect(rightFixes(error, NEED).map((fix) => fix.how)).toEqual(how === undefined ? [] : [how]);
  });
});
