import { type Key, keyAt } from '../key.ts';
import { decode } from '../resp/decode.ts';

/** What is subscribed to: every change of every key in every database. */
export const PATTERN = '__keyspace@*__:*';

/** Everything before the number of bytes of the channel's name. */
const HEAD = Buffer.from(`*4\r\n$8\r\npmessage\r\n$${PATTERN.length}\r\n${PATTERN}\r\n$`, 'latin1');
const CHANNEL_HEAD_BYTES = '__keyspace@'.length;

const CR = 0x0d;
const UNDERSCORE = 0x5f;

/**
 * Events that are no change of a key's value: a read that found nothing, and what happens to the
 * consumers of a stream, which Redis's own tracking does not announce either.
 */
const SILENT_EVENTS: ReadonlySet<string> = new Set([
  'keymiss',
  'xsetid',
  'xgroup-setid',
  'xgroup-destroy',
  'xgroup-createconsumer',
  'xgroup-delconsumer',
]);

/** @returns whether the frame at `from` is a message to our pattern */
export function isNotification(chunk: Buffer, from: number, end: number): boolean {
  if (end - from <= HEAD.length) return false;
  return chunk.compare(HEAD, 0, HEAD.length, from, from + HEAD.length) === 0;
}

/** Where in a chunk a key lies. */
export interface Place {
  from: number;
  to: number;
}

/**
 * @param chunk holds a whole notification from `from` to `end`
 * @returns the key that has changed; undefined where none has
 */
export function changedKey(chunk: Buffer, from: number, end: number): Key | undefined {
  const place: Place = { from: 0, to: 0 };
  return findKey(chunk, from, end, place) ? keyAt(chunk, place.from, place.to) : undefined;
}

/**
 * As `changedKey`, without making a text of the key: most keys are nobody's concern.
 *
 * @param place is told where the key lies
 * @returns whether one has changed
 */
export function findKey(chunk: Buffer, from: number, end: number, place: Place): boolean {
  let at = from + HEAD.length;
  let length = 0;
  while (chunk[at] !== CR) length = length * 10 + ((chunk[at++] as number) - 0x30);
  const channel = at + 2;
  const channelEnd = channel + length;
  // __keyspace@<db>__:<key>
  let key = channel + CHANNEL_HEAD_BYTES;
  while (key < channelEnd && chunk[key] !== UNDERSCORE) key += 1;
  key += '__:'.length;
  if (key > channelEnd || isSilent(chunk, channelEnd + 2, end)) return false;
  place.from = key;
  place.to = channelEnd;
  return true;
}

/**
 * @param chunk holds a whole notification that ends at `end`
 * @returns whether the server removed the key of its own accord, because its time was up or for want
 *          of memory: nobody's write
 */
export function isRemoval(chunk: Buffer, end: number): boolean {
  const event = end - 2 - 'expired'.length;
  if (chunk[event] !== 0x65 || chunk[event - 1] !== 0x0a) return false; // e, at the line's start
  const name = chunk.toString('latin1', event, end - 2);
  return name === 'expired' || name === 'evicted';
}

/** The event stands as a bulk string from `from` to the end of the frame. */
function isSilent(chunk: Buffer, from: number, end: number): boolean {
  const body = chunk.indexOf(CR, from) + 2;
  const first = chunk[body];
  if (first !== 0x6b && first !== 0x78) return false; // k, x
  return SILENT_EVENTS.has(chunk.toString('latin1', body, end - 2));
}

const MESSAGE_HEAD = Buffer.from('*3\r\n$7\r\nmessage\r\n', 'latin1');

/** @returns the payload of a plain message, as latin1; undefined for any other frame */
export function messageOf(chunk: Buffer, from: number, end: number): string | undefined {
  const isMessage =
    end - from > MESSAGE_HEAD.length &&
    chunk.compare(MESSAGE_HEAD, 0, MESSAGE_HEAD.length, from, from + MESSAGE_HEAD.length) === 0;
  if (!isMessage) return undefined;
  const [, , payload] = decode(chunk.subarray(from, end)) as unknown[];
  return String(payload);
}
