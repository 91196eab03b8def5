/**
 * What a load balancer says first, so that we learn whose connection it passes on: a line (v1) or a
 * block of bytes (v2).
 *
 * Source: The PROXY protocol, versions 1 and 2, of HAProxy (doc/proxy-protocol.txt).
 */
export type ProxyHeader =
  /** So far it could become one. */
  | { readonly kind: 'partial' }
  | { readonly kind: 'malformed'; readonly reason: string }
  | {
      readonly kind: 'whole';
      /** Index of the first byte behind it, which is the client's. */
      readonly end: number;
      /** The client's address, `203.0.113.7:5123`; undefined where the header names none. */
      readonly client: string | undefined;
    };

const V1_START = Buffer.from('PROXY ');
const V2_START = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** The longest line of v1 with its line end, in bytes. Source: the specification. */
const V1_MAX_BYTES = 107;

/** What stands before the length of v2 and the length itself, in bytes. */
const V2_HEAD_BYTES = 16;

/**
 * The longest block behind a header's head of v2, in bytes. Source: our choice; the length could say
 * 65,535, but a client certificate is the longest thing that a load balancer adds.
 */
export const V2_MAX_BYTES = 16_384;

/** By the address family and the transport of v2. `bytes` is what the addresses take at least. */
const FAMILIES: Readonly<Record<number, { readonly bytes: number; readonly read?: ReadAddress }>> =
  {
    0: { bytes: 0 }, // not specified
    17: { bytes: 12, read: readV4 },
    18: { bytes: 12 }, // datagrams, which make no connection: whoever it was, it is not named
    33: { bytes: 36, read: readV6 },
    34: { bytes: 36 },
    49: { bytes: 216, read: readPath },
    50: { bytes: 216 },
  };

type ReadAddress = (block: Buffer) => string;

const PARTIAL: ProxyHeader = { kind: 'partial' };

/**
 * Reads the header at the beginning of a connection.
 *
 * @param bytes all that has been received so far
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (begins(bytes, V1_START)) return readLine(bytes);
  if (begins(bytes, V2_START)) return readBlock(bytes);
  return malformed('no PROXY protocol header');
}

/** @returns whether `bytes` is the start of what begins with `start`, or the other way round */
function begins(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
}

function readLine(bytes: Buffer): ProxyHeader {
  const head = bytes.subarray(0, V1_MAX_BYTES);
  const end = head.indexOf('\r\n');
  if (end < 0) {
    return bytes.length < V1_MAX_BYTES ? PARTIAL : malformed('a v1 header without an end');
  }
  const words = head.toString('latin1', V1_START.length, end).split(' ');
  if (words[0] === 'UNKNOWN') return { kind: 'whole', end: end + 2, client: undefined };
  const [family, source = '', target = '', sourcePort = '', targetPort = '', ...more] = words;
  if (family !== 'TCP4' && family !== 'TCP6') return malformed('a v1 header of an unknown kind');
  const isAddress = family === 'TCP4' ? isV4 : isV6;
  const isGood = isAddress(source) && isAddress(target) && isPort(sourcePort) && isPort(targetPort);
  if (!isGood || more.length > 0) return malformed('a v1 header with wrong addresses');
  const host = family === 'TCP6' ? `[${source}]` : source;
  return { kind: 'whole', end: end + 2, client: `${host}:${sourcePort}` };
}

function readBlock(bytes: Buffer): ProxyHeader {
  if (bytes.length < V2_HEAD_BYTES) return PARTIAL;
  const command = bytes.readUInt8(12);
  const isLocal = command === 0x20; // from the load balancer itself, which looks whether we live
  if (!isLocal && command !== 0x21) return malformed('a v2 header of another version or command');
  const family = FAMILIES[bytes.readUInt8(13)];
  if (!isLocal && family === undefined) return malformed('a v2 header of an unknown family');
  const length = bytes.readUInt16BE(14);
  if (length > V2_MAX_BYTES) return malformed(`a v2 header of more than ${V2_MAX_BYTES} bytes`);
  if (!isLocal && length < (family?.bytes ?? 0)) return malformed('a v2 header without addresses');
  const end = V2_HEAD_BYTES + length;
  if (bytes.length < end) return PARTIAL;
  // Behind the addresses may stand more of which we need nothing.
  const client = isLocal ? undefined : family?.read?.(bytes.subarray(V2_HEAD_BYTES, end));
  return { kind: 'whole', end, client };
}

function readV4(block: Buffer): string {
  return `${[...block.subarray(0, 4)].join('.')}:${block.readUInt16BE(8)}`;
}

function readV6(block: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    block.readUInt16BE(index * 2).toString(16),
  );
  return `[${groups.join(':')}]:${block.readUInt16BE(32)}`;
}

/** The path ends at its first NUL, and may have any bytes in it. */
function readPath(block: Buffer): string {
  const path = block.toString('latin1', 0, 108);
  return `unix:${path.split('\0', 1)[0]?.replace(/[^\x20-\x7e]/g, '?')}`;
}

function isV4(text: string): boolean {
  const numbers = text.split('.');
  return numbers.length === 4 && numbers.every((one) => isNumber(one) && Number(one) <= 255);
}

function isV6(text: string): boolean {
  return /^[\da-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]/`);
}

function isPort(text: string): boolean {
  return isNumber(text) && Number(text) <= 65_535;
}

/** Whether it is a decimal number without leading zeros. */
function isNumber(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text);
}

function malformed(reason: string): ProxyHeader {
  return { kind: 'malformed', reason };
}
