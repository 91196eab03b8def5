import type { CommandInfo } from '../commands/table.ts';
import type { HeldWords } from './held.ts';

/** What to do with a request that was held. */
export type Step =
  /** Send it on as it came. */
  | 'forward'
  /** It has been dealt with. */
  | 'done'
  /** It has been dealt with; read no further until `resume`. */
  | 'wait'
  /** It has been dealt with; the client has nothing more to say. */
  | 'stop';

/** Whoever decides what becomes of requests. */
export interface RequestHandler {
  /** Whether upstream has yet to let the client in. */
  readonly isStranger: boolean;
  /** @returns what is known about the command of that name (`length` bytes, in lower case) */
  find(name: Uint8Array, length: number): CommandInfo | undefined;
  /**
   * Asked once for neighbours of the same command that are taken together.
   *
   * @returns whether the words of a request of this command must be known before it is sent
   */
  holds(info: CommandInfo | undefined): boolean;
  /**
   * Requests of one command that are not held have been sent, or all but their last bytes. Nothing may
   * be sent in answer to that: it would come before all of them.
   */
  passed(info: CommandInfo | undefined, count: number): void;
  /** A held request is whole. */
  held(info: CommandInfo, words: HeldWords): Step;
  /** A request is too long to be held. @returns false where it must not be sent for that */
  tooLong(info: CommandInfo | undefined): boolean;
  /** A request without words: servers do not answer it, nor is it sent. */
  empty(): void;
  /** The client broke the protocol; `text` is Redis's own. Nothing more is read. */
  malformed(text: string): void;
  /** Takes bytes for upstream, in order. */
  send(bytes: Buffer): void;
}
