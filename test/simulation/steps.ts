import type { OutputLimits } from './output.ts';

/** What is fixed before anything happens. */
export interface Setup {
  readonly seed: number;
  readonly clients: readonly ClientSetup[];
  /** Redis wants a password. */
  readonly hasPassword: boolean;
  /** Redis knows CLIENT TRACKING, so that stand-ins take its form. */
  readonly knowsTracking: boolean;
  /** What users may read has to be asked for. */
  readonly asksForAccess: boolean;
  /** The database in which the proxy's connections begin. */
  readonly db: number;
  /** A key that users must not name. */
  readonly secret: string | undefined;
  /** How many keys the tracking table may hold; 0: any number. */
  readonly maxKeys: number;
  /** Whether writes are fenced: of nobody, of those who ask for it, or of all who don't object. */
  readonly fences: 'never' | 'off' | 'on';
}

export interface ClientSetup {
  /** The place, among the clients, of the one to which it may redirect. */
  readonly target: number | undefined;
  /** Others redirect to it, and it asks for nothing itself. */
  readonly isListener: boolean;
  readonly protocol: 2 | 3;
  /** It may be slow to take what it gets; undefined: it is not. */
  readonly output: OutputLimits | undefined;
}

/** Between whom bytes move, in the order of the way there and back. */
export const HOPS = [
  'client to proxy',
  'proxy to Redis',
  'Redis to proxy',
  'proxy to client',
] as const;

export type Hop = (typeof HOPS)[number];

/** One thing that happens. Replayed where it can't, it does nothing. */
export type Step =
  | {
      readonly kind: 'send';
      readonly client: number;
      readonly requests: readonly (readonly string[])[];
    }
  /** @param count of bytes; 0: all that there are */
  | { readonly kind: 'move'; readonly client: number; readonly hop: Hop; readonly count: number }
  /** Notifications reach the proxy. */
  | { readonly kind: 'hear'; readonly count: number }
  | { readonly kind: 'wait'; readonly ms: number }
  /** Somebody writes at Redis itself. */
  | { readonly kind: 'direct'; readonly words: readonly string[]; readonly db: number }
  /** Redis removes what is over. */
  | { readonly kind: 'expire' }
  /** Redis answers the look of the watch. */
  | { readonly kind: 'look' }
  /** That answer reaches the proxy. */
  | { readonly kind: 'see' }
  /** The operator sets how many keys may be remembered. */
  | { readonly kind: 'limit'; readonly maxKeys: number }
  /** The notification channel breaks. @param drops what is on its way is lost, too */
  | { readonly kind: 'break'; readonly drops: boolean }
  /** The proxy finds out. @param tellsAskersLate see `Channel`; default: no */
  | { readonly kind: 'notice'; readonly tellsAskersLate?: boolean }
  /** The proxy subscribes anew. */
  | { readonly kind: 'subscribe' }
  /** Redis answers the PING that proves the subscription. */
  | { readonly kind: 'prove' }
  /** Redis answers the PINGs with which fences ask whether all has been heard. */
  | { readonly kind: 'answer' }
  | { readonly kind: 'forbid'; readonly client: number; readonly command: string }
  | { readonly kind: 'allow'; readonly client: number }
  /** What users may read has been told, or not, or is not known any more. */
  | { readonly kind: 'access'; readonly fails: boolean }
  /** The client goes. @param drops what it has sent and Redis has not got is lost */
  | { readonly kind: 'leave'; readonly client: number; readonly drops: boolean }
  | { readonly kind: 'lose lane'; readonly client: number; readonly drops: boolean }
  /** The client sends no more, and still reads. */
  | { readonly kind: 'end'; readonly client: number }
  /** Everything arrives, all deadlines pass, and the caches are held against the truth. */
  | { readonly kind: 'settle' };

/** @returns the step as a line of a story */
export function tellStep(step: Step): string {
  switch (step.kind) {
    case 'send':
      return `client ${step.client} sends: ${step.requests.map((words) => words.join(' ')).join('; ')}`;
    case 'move':
      return `${amount(step.count)} of client ${step.client}: ${step.hop}`;
    case 'hear':
      return `notifications reach the proxy: ${amount(step.count)}`;
    case 'wait':
      return `${step.ms} ms pass`;
    case 'direct':
      return `somebody else: ${step.words.join(' ')}, in database ${step.db}`;
    case 'expire':
      return 'Redis removes what is over';
    case 'look':
      return 'Redis answers the watch';
    case 'see':
      return 'the watch reads its answer';
    case 'limit':
      return `${step.maxKeys} keys may be remembered from now on`;
    case 'break':
      return `the notification channel breaks${step.drops ? ', with what is on its way' : ''}`;
    case 'notice':
      return 'the proxy notices that the channel is broken';
    case 'subscribe':
      return 'the proxy subscribes to notifications anew';
    case 'prove':
      return 'Redis answers the PING on the notification channel';
    case 'answer':
      return 'Redis answers the PINGs of fences';
    case 'forbid':
      return `the user of client ${step.client} may no longer use ${step.command}`;
    case 'allow':
      return `the user of client ${step.client} may use everything`;
    case 'access':
      return `what users may read ${step.fails ? 'can not' : 'can'} be told, or is no longer known`;
    case 'leave':
      return `client ${step.client} leaves${step.drops ? '; what it has sent is lost' : ''}`;
    case 'lose lane':
      return `Redis closes the connection of client ${step.client}${step.drops ? '; what was on its way is lost' : ''}`;
    case 'end':
      return `client ${step.client} ends its side of the connection`;
    case 'settle':
      return 'everything settles';
  }
}

function amount(count: number): string {
  return count === 0 ? 'all bytes' : `${count} bytes`;
}
