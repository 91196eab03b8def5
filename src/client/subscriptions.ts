import { TYPE } from '../resp/scanner.ts';

/** Kinds of frames that confirm a (P/S)SUBSCRIBE or (P/S)UNSUBSCRIBE. */
const CONFIRMATIONS: ReadonlySet<string> = new Set([
  'subscribe',
  'psubscribe',
  'ssubscribe',
  'unsubscribe',
  'punsubscribe',
  'sunsubscribe',
]);

/** Kinds of frames that carry a published message. */
const MESSAGES: ReadonlySet<string> = new Set(['message', 'pmessage', 'smessage']);

/** @returns whether a frame of this kind confirms that a subscription began or ended */
export function isConfirmation(kind: string): boolean {
  return CONFIRMATIONS.has(kind);
}

/** The longest kind is 12 bytes: `>3\r\n$12\r\npunsubscribe\r\n`. */
const KIND_MAX_BYTES = 40;

/**
 * @param chunk received bytes
 * @param at    index of the type byte of a push, or of an array that may be a pub/sub frame
 * @returns the frame's first element where that is a short bulk string; '' where it is not;
 *          undefined where the chunk ends too early to tell
 */
export function kindAt(chunk: Buffer, at: number): string | undefined {
  const head = chunk.toString('latin1', at, at + KIND_MAX_BYTES);
  const match = /^[*>]0*[1-9]\d*\r\n\$(\d+)\r\n/.exec(head);
  if (match === null) return looksCut(head) ? undefined : '';
  const length = Number(match[1]);
  if (length > KIND_MAX_BYTES - match[0].length) return '';
  const kind = head.slice(match[0].length, match[0].length + length);
  return kind.length === length ? kind : undefined;
}

function looksCut(head: string): boolean {
  // An array of none has no first element to wait for.
  if (/^[*>]0+\r\n/.test(head)) return false;
  return head.length < KIND_MAX_BYTES && /^[*>](\d+(\r(\n(\$(\d+(\r)?)?)?)?)?)?$/.test(head);
}

/** As `kindAt`, for a push. @returns 'push' where it begins with something else than a kind */
export function pushKindAt(chunk: Buffer, at: number): string | undefined {
  const kind = kindAt(chunk, at);
  return kind === '' ? 'push' : kind;
}

/**
 * As `kindAt`, for an array that reaches a RESP2 connection which may hear messages.
 *
 * @returns '' for any other array than a message or a confirmation
 */
export function arrayKindAt(chunk: Buffer, at: number): string | undefined {
  const kind = kindAt(chunk, at);
  return kind === undefined || CONFIRMATIONS.has(kind) || MESSAGES.has(kind) ? kind : '';
}

/** `+<seconds>.<microseconds> [` opens a line of MONITOR. */
const MONITOR_LINE = /^\+\d+\.\d{6} \[/;
const MONITOR_HEAD_BYTES = 24;

/** @returns 'monitor' for a status that is a line of MONITOR, '' for another, undefined: can't tell */
export function monitorKindAt(chunk: Buffer, at: number): string | undefined {
  const head = chunk.toString('latin1', at, at + MONITOR_HEAD_BYTES);
  if (MONITOR_LINE.test(head)) return 'monitor';
  return head.length < MONITOR_HEAD_BYTES && !head.includes('\n') ? undefined : '';
}

/** @returns the count at the end of a confirmation: `:<count>\r\n` */
export function countOf(confirmation: Buffer): number {
  const colon = confirmation.lastIndexOf(TYPE.integer);
  return Number(confirmation.toString('latin1', colon + 1, confirmation.length - 2));
}

/**
 * How many subscriptions a connection holds, learnt from the confirmations alone. Servers report
 * channels and patterns as one sum, shard channels by themselves, so a change of the sum says
 * whether the subscription was new, and no channel name need be kept.
 */
export class Subscriptions {
  #channels = 0;
  #patterns = 0;
  #shards = 0;

  /** Whether the connection is in subscriber mode. */
  get active(): boolean {
    return this.#channels + this.#patterns + this.#shards > 0;
  }

  /** How many frames answer an UNSUBSCRIBE, PUNSUBSCRIBE or SUNSUBSCRIBE without arguments. */
  framesToLeave(kind: string): number {
    if (kind === 'unsubscribe') return Math.max(1, this.#channels);
    if (kind === 'punsubscribe') return Math.max(1, this.#patterns);
    return Math.max(1, this.#shards);
  }

  confirm(kind: string, count: number): void {
    if (kind === 'ssubscribe' || kind === 'sunsubscribe') {
      this.#shards = count;
      return;
    }
    const change = count - (this.#channels + this.#patterns);
    if (kind.startsWith('p')) this.#patterns += change;
    else this.#channels += change;
  }

  clear(): void {
    this.#channels = 0;
    this.#patterns = 0;
    this.#shards = 0;
  }
}
