import Parser from 'redis-parser';

/**
 * Decodes a whole RESP2 frame with redis-parser: for the few places where the value matters and not
 * only its end.
 *
 * @returns text (latin1), a number, null, an Error for an error reply, or an array of these
 */
export function decode(frame: Buffer): unknown {
  let value: unknown;
  const parser = new Parser({
    returnBuffers: true,
    returnReply: (reply: unknown) => {
      value = textual(reply);
    },
    returnError: (error: Error) => {
      value = error;
    },
  });
  parser.execute(frame);
  return value;
}

function textual(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  return Array.isArray(value) ? value.map(textual) : value;
}
