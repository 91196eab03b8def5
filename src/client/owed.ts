import { TYPE } from '../resp/scanner.ts';
import { KEEP, type Owed, type Reply, type Verdict } from './ledger.ts';

/**
 * First words of the errors by which a server refuses a request before it executes it. Nothing was
 * read then, so nothing is tracked. (An error such as WRONGTYPE comes from an executed read.)
 */
const REFUSALS: ReadonlySet<string> = new Set([
  'NOAUTH',
  'NOPERM',
  'LOADING',
  'BUSY',
  'OOM',
  'MASTERDOWN',
  'MISCONF',
  'READONLY',
  'NOREPLICAS',
  'DENIED',
  'MOVED',
  'ASK',
  'CLUSTERDOWN',
  'CROSSSLOT',
  'TRYAGAIN',
  'EXECABORT',
]);

const REFUSALS_IN_WORDS =
  /^ERR (unknown (sub)?command|wrong number of arguments|Unknown subcommand|Can't execute |only \(P\))/;

/** @returns whether an error reply says that the request was never executed */
export function refuses(reply: Reply): boolean {
  if (reply.type !== TYPE.error || reply.bytes === undefined) return false;
  const text = reply.bytes.toString('latin1', 1, 120);
  return REFUSALS.has(/^\S*/.exec(text)?.[0] ?? '') || REFUSALS_IN_WORDS.test(text);
}

/** @returns whether a kept reply is the status `text` */
export function isStatus(reply: Reply, text: string): boolean {
  return reply.bytes?.toString('latin1') === `+${text}\r\n`;
}

/** What a request with consequences does when its reply has come. */
export interface Consequence {
  /** It waited in a transaction that was never executed. */
  cancelled?(): void;
  /** Sees the reply before the client does. */
  settle?(reply: Reply): Verdict;
  /** Acts on the reply after the client has got it. */
  after?(reply: Reply): void;
  /** The connection ended instead. */
  lost?(): void;
}

/** An entry for a request whose errors and statuses have consequences. */
export function consequent(does: Consequence, also: Partial<Owed> = {}): Owed {
  return {
    keep: KEEP.errors | KEEP.statuses,
    drop: false,
    blocks: false,
    flushes: false,
    settle: () => 'pass',
    ...does,
    ...also,
  };
}

/** CLIENT REPLY ON, which is sent in place of every CLIENT REPLY. */
export const REPLY_ON = Buffer.from('*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$2\r\nON\r\n');
