import { describe, expect, test } from 'vitest';
import { ofTransaction } from '../../../src/translate/rules.ts';
import { PUSH } from '../../../src/translate/shape.ts';
import { translated } from '../../../src/translate/whole.ts';
import { everyCut } from '../../helpers/resp.ts';
import { bytesOf } from '../../helpers/scan.ts';
import { feed, ruleFor } from '../../helpers/translate.ts';

const LONG = 'x'.repeat(65);

/** Replies that 7.0 gives, and what they turn into. Conformance tests have many more. */
const SAMPLES = [
  { request: 'GET k', resp2: '$-1\r\n', resp3: '_\r\n' },
  { request: 'GET k', resp2: '$5\r\n$-1\r\n\r\n', resp3: '$5\r\n$-1\r\n\r\n' },
  { request: 'SET k v', resp2: '+OK\r\n', resp3: '+OK\r\n' },
  { request: 'EXEC', resp2: '*-1\r\n', resp3: '_\r\n' },
  {
    request: 'EVAL x 0',
    resp2: '*4\r\n*-1\r\n*3\r\n$-1\r\n+a\nb\r\n*0\r\n-ERR x\r\n:-1\r\n',
    resp3: '*4\r\n_\r\n*3\r\n_\r\n+a\nb\r\n*0\r\n-ERR x\r\n:-1\r\n',
  },
  {
    request: 'EVAL x 0',
    resp2: `${'*1\r\n'.repeat(99)}$-1\r\n`,
    resp3: `${'*1\r\n'.repeat(99)}_\r\n`,
  },
  {
    request: 'HGETALL h',
    resp2: '*4\r\n$1\r\na\r\n$2\r\n*2\r\n$0\r\n\r\n$-1\r\n',
    resp3: '%2\r\n$1\r\na\r\n$2\r\n*2\r\n$0\r\n\r\n_\r\n',
  },
  { request: 'HGETALL h', resp2: '*0\r\n', resp3: '%0\r\n' },
  { request: 'HGETALL h', resp2: '-WRONGTYPE x\r\n', resp3: '-WRONGTYPE x\r\n' },
  { request: 'SMEMBERS s', resp2: '*1\r\n$1\r\na\r\n', resp3: '~1\r\n$1\r\na\r\n' },
  { request: 'ZSCORE z a', resp2: '$3\r\n2.5\r\n', resp3: ',2.5\r\n' },
  { request: 'ZSCORE z a', resp2: '$4\r\n-inf\r\n', resp3: ',-inf\r\n' },
  {
    request: 'ZADD z INCR 1 a',
    resp2: '$22\r\n9.9999999999999995e-08\r\n',
    resp3: ',9.9999999999999995e-08\r\n',
  },
  {
    request: 'ZRANGE z 0 -1 WITHSCORES',
    resp2: '*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\n7\r\n$3\r\ninf\r\n',
    resp3: '*2\r\n*2\r\n$1\r\na\r\n,1\r\n*2\r\n$1\r\n7\r\n,inf\r\n',
  },
  { request: 'ZRANGE z 0 -1 WITHSCORES', resp2: '*0\r\n', resp3: '*0\r\n' },
  {
    request: 'ZMPOP 1 z MIN',
    resp2: '*2\r\n$1\r\nz\r\n*1\r\n*2\r\n$1\r\n1\r\n$1\r\n1\r\n',
    resp3: '*2\r\n$1\r\nz\r\n*1\r\n*2\r\n$1\r\n1\r\n,1\r\n',
  },
  {
    request: 'XREAD STREAMS a b 0 0',
    resp2: '*2\r\n*2\r\n$1\r\na\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*-1\r\n*2\r\n$1\r\nb\r\n*0\r\n',
    resp3: '%2\r\n$1\r\na\r\n*1\r\n*2\r\n$3\r\n1-1\r\n_\r\n$1\r\nb\r\n*0\r\n',
  },
  { request: 'XREAD STREAMS a 0', resp2: '*-1\r\n', resp3: '_\r\n' },
  { request: 'INFO', resp2: '$6\r\n# a\r\nb\r\n', resp3: '=10\r\ntxt:# a\r\nb\r\n' },
  { request: 'CLIENT LIST', resp2: '$0\r\n\r\n', resp3: '=4\r\ntxt:\r\n' },
  { request: 'DEBUG PROTOCOL map', resp2: '*2\r\n:0\r\n:1\r\n', resp3: '%1\r\n:0\r\n#t\r\n' },
  { request: 'DEBUG PROTOCOL false', resp2: ':0\r\n', resp3: '#f\r\n' },
  { request: 'DEBUG PROTOCOL bignum', resp2: '$2\r\n12\r\n', resp3: '(12\r\n' },
  { request: 'PING', resp2: '*2\r\n$4\r\npong\r\n$0\r\n\r\n', resp3: '+PONG\r\n' },
  { request: 'PING hi', resp2: '*2\r\n$4\r\npong\r\n$2\r\nhi\r\n', resp3: '$2\r\nhi\r\n' },
  { request: 'PING hi', resp2: '$2\r\nhi\r\n', resp3: '$2\r\nhi\r\n' },
  {
    request: 'UNSUBSCRIBE',
    resp2: '*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n',
    resp3: '>3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n',
  },
] as const;

/** What no server sends: it passes as it is, but for nulls. */
const STRANGE = [
  { request: 'HGETALL h', resp2: '*3\r\n:1\r\n*-1\r\n:3\r\n', resp3: '*3\r\n:1\r\n_\r\n:3\r\n' },
  { request: 'HGETALL h', resp2: '$1\r\na\r\n', resp3: '$1\r\na\r\n' },
  { request: 'SMEMBERS s', resp2: ':1\r\n', resp3: ':1\r\n' },
  { request: 'ZSCORE z a', resp2: ':1\r\n', resp3: ':1\r\n' },
  { request: 'ZSCORE z a', resp2: '$0\r\n\r\n', resp3: '$0\r\n\r\n' },
  { request: 'ZSCORE z a', resp2: '$5\r\n1\r\n:2\r\n', resp3: '$5\r\n1\r\n:2\r\n' },
  { request: 'ZSCORE z a', resp2: '$2\r\n1x\r\n', resp3: '$2\r\n1x\r\n' },
  { request: 'ZSCORE z a', resp2: `$65\r\n${LONG}\r\n`, resp3: `$65\r\n${LONG}\r\n` },
  { request: 'ZSCORE z a', resp2: '*1\r\n$-1\r\n', resp3: '*1\r\n_\r\n' },
  { request: 'ZRANGE z 0 -1 WITHSCORES', resp2: '*1\r\n$-1\r\n', resp3: '*1\r\n_\r\n' },
  {
    request: 'ZRANGE z 0 -1 WITHSCORES',
    resp2: '*2\r\n*1\r\n:1\r\n*1\r\n$-1\r\n',
    resp3: '*1\r\n*2\r\n*1\r\n:1\r\n*1\r\n_\r\n',
  },
  { request: 'DEBUG PROTOCOL true', resp2: ':2\r\n', resp3: ':2\r\n' },
  { request: 'PING', resp2: '*1\r\n:1\r\n', resp3: '*1\r\n:1\r\n' },
  {
    request: 'CLIENT TRACKINGINFO',
    resp2: '*4\r\n:1\r\n*0\r\n*1\r\n$5\r\nflags\r\n*0\r\n',
    resp3: '%2\r\n:1\r\n*0\r\n*1\r\n$5\r\nflags\r\n*0\r\n',
  },
  {
    request: 'CLIENT TRACKINGINFO',
    resp2: `*4\r\n$5\r\nflags\r\n*0\r\n$65\r\n${LONG}\r\n*0\r\n`,
    resp3: `%2\r\n$5\r\nflags\r\n~0\r\n$65\r\n${LONG}\r\n*0\r\n`,
  },
] as const;

describe.for([...SAMPLES, ...STRANGE])('$resp2 for $request', ({ request, resp2, resp3 }) => {
  const rule = ruleFor(request);

  test('is translated whole', () => {
    expect(translated(bytesOf(resp2), rule).toString('latin1')).toBe(resp3);
  });

  test('is translated however it is cut', () => {
    for (const pieces of everyCut(bytesOf(resp2))) {
      expect(Buffer.concat(feed(pieces, [rule])).toString('latin1')).toBe(resp3);
    }
  });

  test('is translated between others', () => {
    const bytes = bytesOf(`$-1\r\n${resp2}*2\r\n+a\r\n+b\r\n${resp2}+OK\r\n`);
    const rules = [undefined, rule, ruleFor('SMEMBERS s'), rule, undefined];
    for (const pieces of everyCut(bytes)) {
      const sent = Buffer.concat(feed(pieces, rules)).toString('latin1');
      expect(sent).toBe(`_\r\n${resp3}~2\r\n+a\r\n+b\r\n${resp3}+OK\r\n`);
    }
  });
});

test('a transaction is translated by its requests', () => {
  const samples = SAMPLES.filter(({ request }) => request !== 'UNSUBSCRIBE');
  const rule = ofTransaction(samples.map(({ request }) => ruleFor(request)));
  const resp2 = samples.map((sample) => sample.resp2).join('');
  const resp3 = samples.map((sample) => sample.resp3).join('');
  const [head, more] = [`*${samples.length}\r\n`, `*${samples.length + 1}\r\n`];
  for (const pieces of everyCut(bytesOf(head + resp2))) {
    expect(Buffer.concat(feed(pieces, [rule])).toString('latin1')).toBe(head + resp3);
  }
  // An element that nobody has asked for.
  expect(translated(bytesOf(`${more}${resp2}$-1\r\n`), rule).toString()).toBe(
    `${more}${resp3}_\r\n`,
  );
});

test('a message is a push', () => {
  const message = '3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\n\r\n\r\n';
  for (const pieces of everyCut(bytesOf(`*${message}`))) {
    expect(Buffer.concat(feed(pieces, [PUSH])).toString('latin1')).toBe(`>${message}`);
  }
});

describe('what can not be translated', () => {
  test.for(['_\r\n', ',1\r\n', '#t\r\n', '%0\r\n', '~0\r\n', '>1\r\n+a\r\n', '=4\r\ntxt:\r\n'])(
    '%j is no reply of RESP2',
    (text) => {
      expect(() => translated(bytesOf(text), undefined)).toThrow(
        expect.objectContaining({ code: 'FRAME_BAD_TYPE' }),
      );
    },
  );

  test.for([
    '+a\r\n',
    '$-1\r\n',
    '*-1\r\n',
    '*0\r\n',
    '*1\r\n+a\r\n',
    '*3\r\n+a\r\n',
    '$1\r\na\r\n',
  ])('a stream of XREAD that is %j', (text) => {
    const first = '*2\r\n*2\r\n$1\r\na\r\n*0\r\n';
    expect(() => translated(bytesOf(first + text), ruleFor('XREAD STREAMS a b 0 0'))).toThrow(
      expect.objectContaining({ code: 'FRAME_BAD_TYPE' }),
    );
  });
});

describe('bytes that stay as they are', () => {
  test.for(['GET k', 'HGETALL h', 'ZSCORE z a', 'INFO', 'PING'])(
    'are not copied where %s has a long string',
    (request) => {
      const chunks = Array.from({ length: 4 }, () => Buffer.alloc(65_536, '$'));
      const head = bytesOf(`$${65_536 * chunks.length}\r\n`);
      const sent = feed([head, ...chunks, bytesOf('\r\n')], [ruleFor(request)]);
      for (const chunk of chunks) expect(sent).toContain(chunk);
    },
  );

  test('leave as one range with the replies around them', () => {
    const chunk = bytesOf('+OK\r\n*2\r\n$1\r\na\r\n:1\r\n$3\r\nabc\r\n');
    expect(feed([chunk], [undefined])).toEqual([chunk]);
    expect(feed([chunk], [undefined])[0]).toBe(chunk);
    expect(translated(chunk.subarray(5, 18), undefined)).toEqual(chunk.subarray(5, 18));
  });

  test('are joined with what is replaced if they are short', () => {
    const pairs = '$2\r\nme\r\n$1\r\n1\r\n'.repeat(1_000);
    const sent = feed([bytesOf(`*2000\r\n${pairs}`)], [ruleFor('ZRANGE z 0 -1 WITHSCORES')]);
    const wanted = `*1000\r\n${'*2\r\n$2\r\nme\r\n,1\r\n'.repeat(1_000)}`;
    expect(Buffer.concat(sent).toString('latin1')).toBe(wanted);
    expect(sent.length).toBeLessThan(5);
  });

  test('are ranges of the chunk if they are long', () => {
    const member = 'm'.repeat(1_000);
    const pair = `$1000\r\n${member}\r\n$1\r\n1\r\n`;
    const chunk = bytesOf(`*4\r\n${pair}${pair}`);
    const sent = feed([chunk], [ruleFor('ZRANGE z 0 -1 WITHSCORES')]);
    expect(Buffer.concat(sent).toString('latin1')).toBe(
      `*2\r\n${`*2\r\n$1000\r\n${member}\r\n,1\r\n`.repeat(2)}`,
    );
    const own = sent.filter((bytes) => bytes.buffer === chunk.buffer && bytes.length > 1_000);
    expect(own.length).toBe(2);
  });
});

test('a nest deeper than any server has passes below the 64th level', () => {
  const nest = (depth: number): string =>
    depth === 0 ? '*0\r\n' : `*2\r\n$9\r\narguments\r\n*1\r\n${nest(depth - 1)}`;
  const reply = bytesOf(`*2\r\n$3\r\nget\r\n${nest(500)}`);
  const text = translated(reply, ruleFor('COMMAND DOCS get')).toString('latin1');
  expect(text.match(/%1/g)?.length).toBe(33);
  expect(text.match(/\*2/g)?.length).toBe(501 - 33);
  expect(text.endsWith('*0\r\n')).toBe(true);
});
