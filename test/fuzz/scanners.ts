import { cut, decodeReply } from '../helpers/resp.ts';
import {
  type ScannedRequests,
  scanFrames,
  scanRequests,
  slowScanRequests,
} from '../helpers/scan.ts';
import type { Random } from '../simulation/random.ts';
import { slowFrame } from './reference.ts';

/**
 * Reads an input as requests, cut and whole, and the slow way.
 *
 * @returns what is wrong with what the scanner made of it, '' if nothing is
 */
export function checkRequests(text: string, sizes: readonly number[], random: Random): string {
  const bytes = Buffer.from(text, 'latin1');
  const options = { mendSubcommand: random.chance(0.5) };
  const slow = slowScanRequests(bytes, options);
  for (const pieces of [cut(bytes, sizes), [Buffer.from(bytes)]]) {
    const scanned = scanRequests(pieces, options);
    if (!isSame(scanned, slow)) return `requests: ${JSON.stringify({ options, scanned, slow })}`;
  }
  return '';
}

function isSame(one: ScannedRequests, other: ScannedRequests): boolean {
  if (one.midRequest !== other.midRequest || one.refusal !== other.refusal) return false;
  if (one.requests.length !== other.requests.length) return false;
  return one.requests.every((request, index) => {
    const twin = other.requests[index];
    if (twin === undefined || request.kind !== twin.kind || request.bytes !== twin.bytes) {
      return false;
    }
    const { words } = request;
    return (
      request.name === twin.name &&
      words.length === twin.words.length &&
      words.every((word, place) => word === twin.words[place])
    );
  });
}

/**
 * Reads an input as frames, cut and whole, and the slow way; what is a frame is one for the
 * decoder of the helpers too.
 *
 * @returns what is wrong with what the scanner made of it, '' if nothing is
 */
export function checkFrames(text: string, sizes: readonly number[]): string {
  const bytes = Buffer.from(text, 'latin1');
  const ends: number[] = [];
  let code: string | undefined;
  let at = 0;
  while (at < text.length) {
    const frame = slowFrame(text, at);
    if (frame.kind === 'broken') code = frame.code;
    if (frame.kind !== 'whole') break;
    if (decodeReply(bytes, at)?.end !== frame.end) return `the decoder differs at ${at}`;
    at = frame.end;
    ends.push(at);
  }
  for (const pieces of [cut(bytes, sizes), [bytes]]) {
    const scanned = scanFrames(pieces);
    const isSound =
      scanned.code === code &&
      scanned.ends.length === ends.length &&
      scanned.ends.every((end, index) => end === ends[index]) &&
      (code !== undefined || scanned.midFrame === at < text.length);
    if (!isSound) return `frames: ${JSON.stringify({ scanned, ends, code })}`;
  }
  return '';
}
