import { Run } from '../resp/run.ts';
import type { Shape } from './shape.ts';
import { Translator } from './translator.ts';

/**
 * @param reply a whole reply of RESP2
 * @param rule  how it is to be translated
 * @returns it in RESP3
 * @throws ProxyError FRAME_BAD_TYPE
 */
export function translated(reply: Buffer, rule: Shape | undefined): Buffer {
  const pieces: Buffer[] = [];
  const run = new Run({ send: (bytes) => pieces.push(bytes) });
  const translator = new Translator({
    passTo: (end) => run.sendTo(end),
    skipTo: (end) => run.skipTo(end),
    send: (bytes) => pieces.push(bytes),
  });
  run.begin(reply);
  translator.begin(rule);
  translator.feed(reply, 0, reply.length);
  run.sendTo(reply.length);
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
}
