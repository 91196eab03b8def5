import { type Key, keyAt } from '../key.ts';
import { pastWholeBulk } from '../resp/bulk.ts';
import { decode } from '../resp/decode.ts';

/** What is subscribed to: every change of every key in every database. */
export const PATTERN = '__keyspace@*__:*';

/** Everything before the number of bytes of the channel's name. */
const HEAD = Buffer.from(`*4\r\n$8\r\npmessage\r\n$${PATTERN.length}\r\n${PATTERN}\r\n$`, 'latin1');
const CHANNEL_HEAD_BYTES = '__keyspace@'.length;

/** The same as numbers of four bytes. */
const HEAD_WORDS = Int32Array.from({ length: Math.ceil(HEAD.length / 4) }, (_, index) =>
  HEAD.readInt32BE(wordAt(index)),
);

const CR = 0x0d;
const LF = 0x0a;
const DOLLAR = 0x24;
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
/** What is added to streams or trimmed has a shorter name: no text need be made of it. */
const SILENT_MIN_BYTES = 'xsetid'.length;

/** @returns whether the frame at `from` is a message to our pattern */
export function isNotification(chunk: Buffer, from: number, end: number): boolean {
  if (end - from <= HEAD.length) return false;
  return chunk.compare(HEAD, 0, HEAD.length, from, from + HEAD.length) === 0;
}

/** @returns where in the head its number `index` lies: the last one where it ends with the head */
function wordAt(index: number): number {
  return Math.min(index * 4, HEAD.length - 4);
}

/** In a place: no key has changed. */
export const NOWHERE = -1;

/** Where in a chunk a key lies. */
export interface Place {
  from: number;
  to: number;
}

/**
 * Reads a notification that lies whole in a chunk, with nothing unusual about it.
 *
 * @param view  of all bytes of `chunk`
 * @param from  where a frame begins
 * @param place is told where the key lies that has changed; from `NOWHERE` on where none has
 * @returns the index just past the frame; -1: it takes the long way (`FrameScanner`, `findKey`), and
 *          `place` says nothing
 */
export function pastNotification(
  chunk: Buffer,
  view: DataView,
  from: number,
  place: Place,
): number {
  if (!hasHead(view, from)) return -1;
  const event = pastWholeBulk(chunk, from + HEAD.length - 1);
  if (event === -1 || chunk[event] !== DOLLAR) return -1;
  const end = pastWholeBulk(chunk, event);
  if (end !== -1 && !findKey(chunk, from, end, place)) place.from = NOWHERE;
  return end;
}

/** As `isNotification`, a number at a time: a byte at a time would take longer than all the rest. */
function hasHead(view: DataView, from: number): boolean {
  if (view.byteLength - from < HEAD.length) return false;
  for (let index = 0; index < HEAD_WORDS.length; index++) {
    if (view.getInt32(from + wordAt(index)) !== HEAD_WORDS[index]) return false;
  }
  return true;
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
  let body = from;
  while (body < end && chunk[body] !== LF) body += 1;
  body += 1;
  const first = chunk[body];
  if (first !== 0x6b && first !== 0x78) return false; // k, x
  if (end - 2 - body < SILENT_MIN_BYTES) return false;
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
