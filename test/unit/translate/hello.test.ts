import { describe, expect, test } from 'vitest';
import { helloReply, parseHello } from '../../../src/translate/hello.ts';
import { wordsOf } from '../../helpers/reply-text.ts';
import { bytesOf } from '../../helpers/scan.ts';

function parse(request: string) {
  const words = wordsOf(request);
  return parseHello({ count: words.length, text: (index) => words[index] ?? '' });
}

const NOTHING = { login: undefined, name: undefined, protocol: undefined };

describe('HELLO', () => {
  test.for([
    { request: 'HELLO', asks: {} },
    { request: 'HELLO 2', asks: { protocol: 2 } },
    { request: 'HELLO 3', asks: { protocol: 3 } },
    {
      request: 'hello 3 auth u p setname n',
      asks: { protocol: 3, login: { user: 'u', password: 'p' }, name: 'n' },
    },
    {
      request: 'HELLO 3 AUTH SETNAME AUTH',
      asks: { protocol: 3, login: { user: 'SETNAME', password: 'AUTH' } },
    },
    { request: 'HELLO 3 SETNAME AUTH', asks: { protocol: 3, name: 'AUTH' } },
    { request: 'HELLO 3 SETNAME a SETNAME ""', asks: { protocol: 3, name: '' } },
    {
      request: 'HELLO 2 AUTH a b AUTH "\\xff" "\\0 "',
      asks: { protocol: 2, login: { user: '\xff', password: '\0 ' } },
    },
  ])('$request', ({ request, asks }) => {
    expect(parse(request)).toEqual({ ...NOTHING, ...asks });
  });

  test.for([
    // The version comes first, then the options from left to right; 7.0 has the same errors.
    ['HELLO x FOO', 'ERR Protocol version is not an integer or out of range'],
    ['HELLO 4 FOO', 'NOPROTO unsupported protocol version'],
    ['HELLO 3 FOO SETNAME " "', "ERR Syntax error in HELLO option 'FOO'"],
    [
      'HELLO 3 SETNAME " " FOO',
      'ERR Client names cannot contain spaces, newlines or special characters.',
    ],
    // Here 7.0 tries the password first; from 7.2 on it does not.
    ['HELLO 3 AUTH bad bad FOO', "ERR Syntax error in HELLO option 'FOO'"],
  ])('%s is refused', ([request = '', text]) => {
    expect(parse(request)).toBe(text);
  });
});

describe('the answer to HELLO', () => {
  const FACTS = {
    server: 'valkey',
    version: '4.0.14',
    id: 7,
    mode: 'cluster',
    role: 'replica',
  } as const;
  const HEAD =
    '$6\r\nserver\r\n$6\r\nvalkey\r\n$7\r\nversion\r\n$6\r\n4.0.14\r\n$5\r\nproto\r\n:#\r\n$2\r\nid\r\n:7\r\n' +
    '$4\r\nmode\r\n$7\r\ncluster\r\n$4\r\nrole\r\n$7\r\nreplica\r\n$7\r\nmodules\r\n';
  const MODULES = '*1\r\n#$4\r\nname\r\n$1\r\nm\r\n$3\r\nver\r\n:1\r\n';

  test.for([
    { protocol: 2, modules: undefined, shown: '*0\r\n' },
    { protocol: 3, modules: undefined, shown: '*0\r\n' },
    { protocol: 2, modules: '-ERR unknown command\r\n', shown: '*0\r\n' },
    { protocol: 3, modules: '-NOPERM\r\n', shown: '*0\r\n' },
    { protocol: 2, modules: MODULES.replace('#', '*4\r\n'), shown: MODULES.replace('#', '*4\r\n') },
    { protocol: 3, modules: MODULES.replace('#', '*4\r\n'), shown: MODULES.replace('#', '%2\r\n') },
  ] as const)('in RESP$protocol with modules $shown', ({ protocol, modules, shown }) => {
    const facts = modules === undefined ? FACTS : { ...FACTS, modules: bytesOf(modules) };
    expect(helloReply(facts, protocol).toString('latin1')).toBe(
      `${protocol === 3 ? '%7' : '*14'}\r\n${HEAD.replace('#', String(protocol))}${shown}`,
    );
  });
});
