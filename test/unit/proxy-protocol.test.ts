import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readProxyHeader, V2_MAX_BYTES } from '../../src/proxy-protocol.ts';

const V2_START = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** @returns a header of v2 */
function block(command: number, family: number, body: Buffer, length = body.length): Buffer {
  const head = Buffer.from([command, family, length >> 8, length & 0xff]);
  return Buffer.concat([V2_START, head, body]);
}

function line(text: string): Buffer {
  return Buffer.from(`PROXY ${text}\r\n`, 'latin1');
}

const V4 = Buffer.from([203, 0, 113, 7, 10, 0, 0, 1, 0x14, 0x03, 0x18, 0xeb]);
const V6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from('00000000000000000000000000000001', 'hex'),
  Buffer.from([0x14, 0x03, 0x18, 0xeb]),
]);
const PATHS = Buffer.alloc(216);
PATHS.write('/run/a\u0001pp.sock', 0, 'latin1');
/** A checksum, a name, and one that means nothing to us. */
const TLVS = Buffer.from('0300041122334402000b6578616d706c652e636f6dea000100', 'hex');

const WHOLE: readonly (readonly [name: string, header: Buffer, client: string | undefined])[] = [
  ['v1 TCP4', line('TCP4 203.0.113.7 10.0.0.1 5123 6379'), '203.0.113.7:5123'],
  ['v1 TCP6', line('TCP6 2001:db8::1 ::1 5123 6379'), '[2001:db8::1]:5123'],
  ['v1 TCP6 of a v4 address', line('TCP6 ::ffff:1.2.3.4 ::1 0 65535'), '[::ffff:1.2.3.4]:0'],
  ['v1 UNKNOWN', line('UNKNOWN'), undefined],
  ['v1 UNKNOWN with whatever', line('UNKNOWN ffff:f...f:ffff x 65535 \r'), undefined],
  ['the longest of v1', line(`UNKNOWN ${'x'.repeat(107 - 16)}`), undefined],
  ['v2 TCP4', block(0x21, 0x11, V4), '203.0.113.7:5123'],
  ['v2 TCP4 and more', block(0x21, 0x11, Buffer.concat([V4, TLVS])), '203.0.113.7:5123'],
  ['v2 TCP6', block(0x21, 0x21, V6), '[2001:db8:0:0:0:0:0:1]:5123'],
  ['v2 TCP6 and more', block(0x21, 0x21, Buffer.concat([V6, TLVS])), '[2001:db8:0:0:0:0:0:1]:5123'],
  ['v2 of a Unix socket', block(0x21, 0x31, PATHS), 'unix:/run/a?pp.sock'],
  ['v2 LOCAL', block(0x20, 0x00, Buffer.alloc(0)), undefined],
  ['v2 LOCAL of a family that is none', block(0x20, 0x77, V4), undefined],
  ['v2 LOCAL with less than an address', block(0x20, 0x11, TLVS.subarray(0, 3)), undefined],
  ['v2 of no family', block(0x21, 0x00, TLVS), undefined],
  ['v2 of datagrams', block(0x21, 0x12, V4), undefined],
  ['the longest of v2', block(0x21, 0x11, Buffer.alloc(V2_MAX_BYTES, 1)), '1.1.1.1:257'],
];

const MALFORMED: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['a request', Buffer.from('*1\r\n$4\r\nPING\r\n')],
  ['an inline request', Buffer.from('PING\r\n')],
  ['an empty line', Buffer.from('\r\nPING\r\n')],
  ['small letters', Buffer.from('proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n')],
  ['no kind', line('')],
  ['another kind', line('UDP4 1.2.3.4 1.2.3.4 1 2')],
  ['the name of what every object has', line('constructor 1.2.3.4 1.2.3.4 1 2')],
  ['too few words', line('TCP4 1.2.3.4 1.2.3.4 1')],
  ['too many words', line('TCP4 1.2.3.4 1.2.3.4 1 2 3')],
  ['two blanks', line('TCP4  1.2.3.4 1.2.3.4 1 2')],
  ['a number above 255', line('TCP4 1.2.3.256 1.2.3.4 1 2')],
  ['leading zeros', line('TCP4 1.2.3.04 1.2.3.4 1 2')],
  ['a name for an address', line('TCP4 localhost 1.2.3.4 1 2')],
  ['the other family', line('TCP4 ::1 ::1 1 2')],
  ['the other family again', line('TCP6 1.2.3.4 1.2.3.4 1 2')],
  ['too many colons', line('TCP6 1::2::3 ::1 1 2')],
  ['brackets', line('TCP6 ::1]/[::1 ::1 1 2')],
  ['a port above 65535', line('TCP4 1.2.3.4 1.2.3.4 65536 2')],
  ['a negative port', line('TCP4 1.2.3.4 1.2.3.4 -1 2')],
  ['a line end of one byte', Buffer.from(`PROXY UNKNOWN\n${'x'.repeat(107)}`)],
  ['a line that is too long', line(`UNKNOWN ${'x'.repeat(107 - 15)}`)],
  ['v2 of version 1', block(0x11, 0x11, V4)],
  ['v2 of version 3', block(0x31, 0x11, V4)],
  ['v2 of another command', block(0x22, 0x11, V4)],
  ['v2 of another family', block(0x21, 0x41, V4)],
  ['v2 of another transport', block(0x21, 0x13, V4)],
  ['v2 with half an address', block(0x21, 0x11, V4.subarray(0, 11))],
  ['v2 with half a v6 address', block(0x21, 0x21, V6.subarray(0, 35))],
  ['v2 with half a path', block(0x21, 0x31, PATHS.subarray(0, 215))],
  ['v2 that is too long', block(0x21, 0x11, V4, V2_MAX_BYTES + 1)],
  ['v2 LOCAL that is too long', block(0x20, 0x00, V4, 65_535)],
];

describe('a PROXY protocol header', () => {
  test.for(WHOLE)('%s is read at every cut', ([, header, client]) => {
    const whole = { kind: 'whole', end: header.length, client };
    expect(readProxyHeader(header)).toEqual(whole);
    for (const behind of ['*1\r\n$4\r\nPING\r\n', '\r\n', '\0']) {
      expect(readProxyHeader(Buffer.concat([header, Buffer.from(behind)]))).toEqual(whole);
    }
    for (let cut = 0; cut < header.length; cut++) {
      expect(readProxyHeader(header.subarray(0, cut)).kind).toBe('partial');
    }
  });

  test.for(MALFORMED)('%s is none, and never becomes one', ([, bytes]) => {
    expect(readProxyHeader(bytes).kind).toBe('malformed');
    let wasMalformed = false;
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { kind } = readProxyHeader(bytes.subarray(0, cut));
      expect(kind).toBe(wasMalformed || kind === 'malformed' ? 'malformed' : 'partial');
      wasMalformed = kind === 'malformed';
    }
    expect(wasMalformed).toBe(true);
  });

  test('of random bytes never needs more than its limit, and what is decided stays', () => {
    const starts = fc.constantFrom(Buffer.alloc(0), V2_START, Buffer.from('PROXY TCP4 '));
    fc.assert(
      fc.property(starts, fc.uint8Array({ maxLength: 300 }), (start, rest) => {
        const bytes = Buffer.concat([start, rest]);
        let decided: unknown;
        for (let cut = 0; cut <= bytes.length; cut++) {
          const header = readProxyHeader(bytes.subarray(0, cut));
          if (decided !== undefined) expect(header).toEqual(decided);
          else if (header.kind !== 'partial') decided = header;
        }
        const padded = Buffer.concat([bytes, Buffer.alloc(V2_MAX_BYTES + 16)]);
        expect(readProxyHeader(padded).kind).not.toBe('partial');
      }),
      { numRuns: 300 },
    );
  });
});
