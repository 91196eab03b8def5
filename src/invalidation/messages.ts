import type { Key } from '../key.ts';
import { keyAt } from '../key.ts';
import { Kept } from '../resp/kept.ts';
import { FrameScanner } from '../resp/scanner.ts';
import {
  findKey,
  isNotification,
  isRemoval,
  messageOf,
  NOWHERE,
  type Place,
  pastNotification,
} from './notifications.ts';

/** The longest frame that is worth reading, in bytes: a key may have 512 MiB, or by configuration more. */
const FRAME_MAX_BYTES = 2 ** 30;

/** Whoever listens to a subscriber. */
export interface Hearing {
  /** A key has changed, which lies in `chunk`. @returns whether `changed` need be told; default: yes */
  readonly concerns?: (chunk: Buffer, from: number, to: number) => boolean;
  /** @param removed by the server itself: expired or evicted */
  readonly changed: (key: Key, removed: boolean) => void;
  /** A message on another channel than those of notifications. */
  readonly said: (payload: string) => void;
  /** All that one chunk held has been told. */
  readonly endOfBatch: () => void;
}

/**
 * Reads what a subscriber receives. There are as many notifications as there are writes, so those
 * that lie whole in a chunk and look as servers write them are read in one go. Everything else, and
 * what is cut, takes the long way, through the scanner.
 */
export class MessageReader {
  readonly #hears: Hearing;
  readonly #answered: (chunk: Buffer, from: number, end: number) => void;
  readonly #scanner = new FrameScanner();
  readonly #pieces = new Kept(FRAME_MAX_BYTES); // of a frame that is not whole yet
  readonly #place: Place = { from: NOWHERE, to: NOWHERE };

  /** @param answered told of each frame that is no message: where in `chunk` it lies, whole */
  constructor(hears: Hearing, answered: (chunk: Buffer, from: number, end: number) => void) {
    this.#hears = hears;
    this.#answered = answered;
  }

  /**
   * @param chunk bytes as received, cut anywhere; may be used again afterwards
   * @throws ProxyError as `FrameScanner`, and FRAME_TOO_LARGE; then no more can be read
   */
  feed(chunk: Buffer): void {
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    let from = 0;
    while (from < chunk.length) {
      if (this.#pieces.isEmpty) from = this.#takeNotifications(chunk, view, from);
      if (from < chunk.length) from = this.#takeFrame(chunk, from);
    }
    this.#hears.endOfBatch();
  }

  /** @returns where the first frame begins that has to take the long way */
  #takeNotifications(chunk: Buffer, view: DataView, from: number): number {
    const place = this.#place;
    let at = from;
    for (;;) {
      const end = pastNotification(chunk, view, at, place);
      if (end === -1) return at;
      if (place.from !== NOWHERE) this.#tell(chunk, end);
      at = end;
    }
  }

  /** @returns where the next frame begins */
  #takeFrame(chunk: Buffer, from: number): number {
    const end = this.#scanner.next(chunk, from);
    if (end === -1) {
      this.#pieces.add(Buffer.from(chunk.subarray(from)));
      return chunk.length;
    }
    if (this.#pieces.isEmpty) {
      this.#take(chunk, from, end);
      return end;
    }
    this.#pieces.add(chunk.subarray(from, end));
    const frame = this.#pieces.take();
    this.#take(frame, 0, frame.length);
    return end;
  }

  #take(chunk: Buffer, from: number, end: number): void {
    if (isNotification(chunk, from, end)) {
      if (findKey(chunk, from, end, this.#place)) this.#tell(chunk, end);
      return;
    }
    const message = messageOf(chunk, from, end);
    if (message === undefined) this.#answered(chunk, from, end);
    else this.#hears.said(message);
  }

  /** @param end of the notification whose key has its place in `chunk` */
  #tell(chunk: Buffer, end: number): void {
    const { from, to } = this.#place;
    if (this.#hears.concerns?.(chunk, from, to) === false) return;
    this.#hears.changed(keyAt(chunk, from, to), isRemoval(chunk, end));
  }
}
