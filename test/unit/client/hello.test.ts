import { describe, expect, test } from 'vitest';
import { advertised, advertiser, protocolOf } from '../../../src/client/hello.ts';
import { bulk } from '../../../src/resp/write.ts';
import { decodeReply } from '../../helpers/resp.ts';
import { bytesOf } from '../../helpers/scan.ts';

/** @returns a HELLO reply as a server of that version sends it */
function hello(protocol: 2 | 3, version: string, modules = '*0\r\n'): string {
  const pairs =
    `${bulk('server')}${bulk('redis')}${bulk('version')}${bulk(version)}${bulk('proto')}` +
    `:${protocol}\r\n${bulk('id')}:7\r\n${bulk('mode')}${bulk('standalone')}` +
    `${bulk('role')}${bulk('master')}${bulk('modules')}${modules}`;
  return `${protocol === 3 ? '%7' : '*14'}\r\n${pairs}`;
}

const SHOWN: readonly { choice: string; version: string; shown: string }[] = [
  { choice: 'auto', version: '6.0.20', shown: '7.4.0' },
  { choice: 'auto', version: '7.0.15', shown: '7.4.0' },
  { choice: 'auto', version: '7.3.99', shown: '7.4.0' },
  { choice: 'auto', version: '7.4.0', shown: '7.4.0' },
  { choice: 'auto', version: '7.4.1', shown: '7.4.1' },
  { choice: 'auto', version: '7.10.0', shown: '7.10.0' },
  { choice: 'auto', version: '8.0.1', shown: '8.0.1' },
  { choice: 'auto', version: '10.0.0', shown: '10.0.0' },
  { choice: 'auto', version: '255.255.255', shown: '255.255.255' },
  { choice: 'auto', version: '8.0-m01', shown: '8.0-m01' },
  { choice: 'auto', version: '7', shown: '7.4.0' },
  { choice: 'auto', version: '7.4', shown: '7.4' },
  { choice: 'auto', version: '6.0.20-rc1', shown: '7.4.0' },
  { choice: 'auto', version: '7.4.0-v2', shown: '7.4.0-v2' },
  { choice: 'upstream', version: '6.0.20', shown: '6.0.20' },
  { choice: 'upstream', version: '8.0-m01', shown: '8.0-m01' },
  { choice: '6.2.1', version: '7.4.1', shown: '6.2.1' },
  { choice: '10.11.12', version: '6.0.20', shown: '10.11.12' },
];

describe.for([2, 3] as const)('a HELLO reply in RESP%i', (protocol) => {
  test.for(SHOWN)('of $version shows $shown for $choice', ({ choice, version, shown }) => {
    const reply = bytesOf(hello(protocol, version));
    const patched = advertised(reply, advertiser(choice));
    expect(patched.toString('latin1')).toBe(hello(protocol, shown));
    expect(decodeReply(patched)?.end).toBe(patched.length);
    if (shown === version) expect(patched).toBe(reply);
  });

  test('keeps every other byte, a module that is called version too', () => {
    const module = `*1\r\n*4\r\n${bulk('name')}${bulk('version')}${bulk('ver')}${bulk('1\r\n')}`;
    const patched = advertised(bytesOf(hello(protocol, '6.2.0', module)), advertiser('auto'));
    expect(patched.toString('latin1')).toBe(hello(protocol, '7.4.0', module));
  });

  test('keeps bytes above 0x7f', () => {
    const module = `*1\r\n${bulk('\xff\x80\0')}`;
    const patched = advertised(bytesOf(hello(protocol, '6.2.0', module)), advertiser('auto'));
    expect(patched.equals(bytesOf(hello(protocol, '7.4.0', module)))).toBe(true);
  });

  test('tells the protocol', () => {
    expect(protocolOf(bytesOf(hello(protocol, '7.0.0')))).toBe(protocol);
  });
});

test('an error switches no protocol and is not touched', () => {
  const refusal = bytesOf('-NOPROTO unsupported protocol version\r\n');
  expect(protocolOf(refusal)).toBeUndefined();
  expect(advertised(refusal, advertiser('auto'))).toBe(refusal);
});

// A word behind the number (`7.2-rc1`) is read as no number, which no number is greater than.
test('a release candidate of an older version is raised, too', () => {
  expect(advertiser('auto')('7.2-rc1')).toBe('7.4.0');
});
