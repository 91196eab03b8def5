import { describe, expect, test } from 'vitest';
import type { Reply } from '../../../src/client/ledger.ts';
import { consequent, isStatus, refuses } from '../../../src/client/owed.ts';
import { StandIn } from '../../../src/client/stand-in.ts';
import { bytesOf } from '../../helpers/scan.ts';

function reply(text: string): Reply {
  return { type: text.charCodeAt(0), bytes: bytesOf(`${text}\r\n`) };
}

const REFUSALS = [
  'NOAUTH Authentication required.',
  "NOPERM this user has no permissions to run the 'get' command",
  'LOADING Redis is loading the dataset in memory',
  'BUSY Redis is busy running a script.',
  "OOM command not allowed when used memory > 'maxmemory'.",
  'MASTERDOWN Link with MASTER is down',
  'MISCONF Redis is configured to save RDB snapshots',
  "READONLY You can't write against a read only replica.",
  'NOREPLICAS Not enough good replicas to write.',
  'DENIED Redis is running in protected mode',
  'MOVED 1 127.0.0.1:7000',
  'ASK 1 127.0.0.1:7000',
  'CLUSTERDOWN Hash slot not served',
  "CROSSSLOT Keys in request don't hash to the same slot",
  'TRYAGAIN Multiple keys request during rehashing of slot',
  'EXECABORT Transaction discarded because of previous errors.',
  "ERR unknown command 'FOO', with args beginning with: ",
  "ERR unknown subcommand 'FOO'. Try OBJECT HELP.",
  "ERR wrong number of arguments for 'get' command",
  "ERR Can't execute 'get': only (P|S)SUBSCRIBE / PING / QUIT are allowed in this context",
  'ERR only (P)SUBSCRIBE / (P)UNSUBSCRIBE / PING / QUIT allowed in this context',
];

const EXECUTED = [
  'WRONGTYPE Operation against a key holding the wrong kind of value',
  'ERR value is not an integer or out of range',
  'ERR syntax error',
  'ERR no such key',
  'BUSYGROUP Consumer Group name already exists',
  'NOAUTHS is a word of its own',
  'ERR the text NOPERM stands elsewhere',
  '',
];

describe('an error', () => {
  test.for(REFUSALS)('says that the request was not executed: %s', (text) => {
    expect(refuses(reply(`-${text}`))).toBe(true);
  });

  test.for(EXECUTED)('comes from an executed request: %s', (text) => {
    expect(refuses(reply(`-${text}`))).toBe(false);
  });

  test('is not every reply that reads like one, nor one that was not kept', () => {
    expect(refuses(reply('+NOAUTH'))).toBe(false);
    expect(refuses({ type: 0x2d, bytes: undefined })).toBe(false);
  });
});

test('a status is compared whole', () => {
  expect(isStatus(reply('+OK'), 'OK')).toBe(true);
  for (const text of ['+OKAY', '+O', '+ok', '-OK', '$OK']) {
    expect([text, isStatus(reply(text), 'OK')]).toEqual([text, false]);
  }
  expect(isStatus({ type: 0x2b, bytes: undefined }, 'OK')).toBe(false);
});

describe('a stand-in', () => {
  const ANSWER = bytesOf('+OK\r\n');

  test('is answered by us, whatever upstream says to it', () => {
    const standIn = new StandIn('tracking', bytesOf('+later\r\n'), () => {});
    standIn.answer = ANSWER;
    for (const said of ['$-1', '_', '+x']) expect(standIn.settle(reply(said))).toBe(ANSWER);
    expect(standIn.settle({ type: 0x24, bytes: undefined })).toBe(ANSWER);
  });

  test.for([
    ['-NOAUTH Authentication required.', '-NOAUTH Authentication required.'],
    [
      "-NOPERM User al has no permissions to run the 'client|getname' command",
      "-NOPERM User al has no permissions to run the 'client|tracking' command",
    ],
  ] as const)('passes a refusal on in the name of what was asked: %s', ([said, wanted]) => {
    const verdict = new StandIn('tracking', ANSWER, () => {}).settle(reply(said));
    expect(verdict.toString('latin1')).toBe(`${wanted}\r\n`);
  });

  test.for([
    ['its reply is there', false, (one: StandIn) => one.after({ type: 0x24, bytes: undefined })],
    ['it is refused', true, (one: StandIn) => one.after(reply('-NOPERM no'))],
    ['its reply is lost', true, (one: StandIn) => one.lost()],
  ] as const)('concludes when %s', ([, refused, end]) => {
    const concluded: boolean[] = [];
    end(new StandIn('tracking', ANSWER, (told) => void concluded.push(told)));
    expect(concluded).toEqual([refused]);
  });
});

test('an entry with consequences sees errors and statuses, unless told otherwise', () => {
  expect(consequent({})).toMatchObject({ keep: 3, drop: false, blocks: false, flushes: false });
  expect(consequent({}, { drop: true, keep: 4 })).toMatchObject({ keep: 4, drop: true });
});
