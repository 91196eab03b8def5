/** Reads replies and pushes of RESP2 and RESP3. Made for few and short ones. */

const LF = 0x0a;

/**
 * @typedef {object} Frame
 * @property {'push' | 'error' | 'reply'} kind
 * @property {any} value text as latin1, numbers, null, or an array; a map is the array of its pairs
 * @property {number} end index just past it
 */

/**
 * @param {Buffer} bytes
 * @param {number} from
 * @returns {Frame | undefined} undefined where it has not come whole
 */
export function readFrame(bytes, from) {
  const lineEnd = bytes.indexOf(LF, from);
  if (lineEnd === -1) return undefined;
  const type = String.fromCharCode(bytes[from]);
  const line = bytes.latin1Slice(from + 1, lineEnd - 1);
  const start = lineEnd + 1;
  switch (type) {
    case '+':
    case ',':
    case '#':
    case '(':
      return { kind: 'reply', value: line, end: start };
    case '-':
      return { kind: 'error', value: line, end: start };
    case ':':
      return { kind: 'reply', value: Number(line), end: start };
    case '_':
      return { kind: 'reply', value: null, end: start };
    case '$':
    case '=':
      return readBody(bytes, start, Number(line));
    case '*':
    case '~':
    case '>':
      return readElements(bytes, start, Number(line), type === '>' ? 'push' : 'reply');
    case '%':
      return readElements(bytes, start, Number(line) * 2, 'reply');
    default:
      throw new Error(`no RESP type begins with ${type}`);
  }
}

function readBody(bytes, start, length) {
  if (length === -1) return { kind: 'reply', value: null, end: start };
  const end = start + length + 2;
  if (end > bytes.length) return undefined;
  return { kind: 'reply', value: bytes.latin1Slice(start, end - 2), end };
}

function readElements(bytes, start, count, kind) {
  if (count === -1) return { kind, value: null, end: start };
  const value = [];
  let end = start;
  for (let index = 0; index < count; index++) {
    const element = readFrame(bytes, end);
    if (element === undefined) return undefined;
    value.push(element.value);
    end = element.end;
  }
  return { kind, value, end };
}
