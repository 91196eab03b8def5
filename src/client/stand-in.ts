import { TYPE } from '../resp/scanner.ts';
import { error, request } from '../resp/write.ts';
import { KEEP, type Owed, type Reply, type Verdict } from './ledger.ts';

/** The subcommands of CLIENT that are answered here. */
export type Answered =
  | 'tracking'
  | 'trackinginfo'
  | 'getredir'
  | 'caching'
  | 'fence-writes'
  | 'id'
  | 'subscribe';

/** For a server that does not know tracking, or does not let us: every one knows this. */
const GETNAME = request('CLIENT', 'GETNAME');
const GETNAME_WRONG = request('CLIENT', 'GETNAME', 'x');

/** The same subcommand in a form that changes nothing, as nobody tracks at the server. */
const OWN: Partial<Record<Answered, Buffer>> = {
  tracking: request('CLIENT', 'TRACKING', 'OFF'),
  trackinginfo: request('CLIENT', 'TRACKINGINFO'),
  getredir: request('CLIENT', 'GETREDIR'),
  caching: request('CLIENT', 'CACHING', 'YES'),
};

const OWN_WRONG: Partial<Record<Answered, Buffer>> = {
  tracking: request('CLIENT', 'TRACKING'),
  trackinginfo: request('CLIENT', 'TRACKINGINFO', 'x'),
  getredir: request('CLIENT', 'GETREDIR', 'x'),
  caching: request('CLIENT', 'CACHING'),
};

/** What a server says to CLIENT CACHING that it would execute: for us that is its consent. */
const CONSENT = '-ERR CLIENT CACHING can be called only when';

/**
 * @param native whether the server knows tracking; then it judges by the user's right to the very
 *               subcommand
 * @returns the harmless request that stands for one that is answered here
 */
export function standInFor(subcommand: Answered, native: boolean): Buffer {
  return (native ? OWN[subcommand] : undefined) ?? GETNAME;
}

/** @returns a request that is refused for its number of words, as the client's was */
export function wrongStandInFor(subcommand: Answered, native: boolean): Buffer {
  return (native ? OWN_WRONG[subcommand] : undefined) ?? GETNAME_WRONG;
}

/**
 * An entry for a stand-in: its reply is replaced by ours, unless upstream refuses it. The refusal
 * then stands, with the name of the command that the client did send.
 */
export class StandIn implements Owed {
  readonly keep = KEEP.errors | KEEP.statuses;
  readonly drop = true;
  readonly blocks = false;
  readonly flushes = false;
  /** What the client gets: bytes, or what makes them when the reply has come. */
  answer: Buffer | (() => Buffer);
  readonly #subcommand: Answered;
  readonly #whenConcluded: (refused: boolean) => void;
  #concluded = false;

  /** @param concluded called once, with whether upstream refused the stand-in or never ran it */
  constructor(
    subcommand: Answered,
    answer: Buffer | (() => Buffer),
    concluded: (refused: boolean) => void,
  ) {
    this.#subcommand = subcommand;
    this.answer = answer;
    this.#whenConcluded = concluded;
  }

  /** Whether upstream's word has come. */
  get isConcluded(): boolean {
    return this.#concluded;
  }

  settle(reply: Reply): Verdict {
    if (!isRefusal(reply) || reply.bytes === undefined) {
      return typeof this.answer === 'function' ? this.answer() : this.answer;
    }
    const text = reply.bytes.toString('latin1', 1, reply.bytes.length - 2);
    return error(text.replace('client|getname', `client|${this.#subcommand}`));
  }

  after(reply: Reply): void {
    this.#conclude(isRefusal(reply));
  }

  lost(): void {
    this.#conclude(true);
  }

  cancelled(): void {
    this.#conclude(true);
  }

  #conclude(refused: boolean): void {
    if (this.#concluded) return;
    this.#concluded = true;
    this.#whenConcluded(refused);
  }
}

function isRefusal(reply: Reply): boolean {
  if (reply.type !== TYPE.error) return false;
  return reply.bytes?.toString('latin1', 0, CONSENT.length) !== CONSENT;
}
