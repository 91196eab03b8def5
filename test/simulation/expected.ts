import type { Node } from './wire.ts';

/** A request as its client has sent it. */
export interface SentRequest {
  readonly words: readonly string[];
}

/** What a client has to get for a request: these bytes, or elements of which some are any. */
export type Expected =
  | { readonly kind: 'bytes'; readonly text: string }
  /** The proxy's own answer: OK, or an error of its own. */
  | { readonly kind: 'answer' }
  /** Nothing, by CLIENT REPLY. What Redis has replied. */
  | { readonly kind: 'silence'; readonly text: string }
  | { readonly kind: 'elements'; readonly elements: readonly (string | undefined)[] };

const ANSWERED: ReadonlySet<string> = new Set(['TRACKING', 'CACHING', 'REPLY', 'FENCE-WRITES']);

/** Whether a client got what it has to get. */
export function isExpected(frame: Node, expected: Expected): boolean {
  switch (expected.kind) {
    case 'bytes':
      return frame.raw === expected.text;
    case 'answer':
      return isAnswer(frame.raw);
    case 'silence':
      return false;
    case 'elements': {
      const { elements } = expected;
      if (frame.type !== '*' || frame.items.length !== elements.length) return false;
      return frame.items.every(({ raw }, index) => {
        const element = elements[index];
        return element === undefined ? isAnswer(raw) : raw === element;
      });
    }
  }
}

/** What the proxy itself may answer. */
function isAnswer(raw: string): boolean {
  return raw === '+OK\r\n' || raw.startsWith('-ERR ');
}

/** Whether the server refuses what a stand-in stands for. */
export function isRefusal(text: string): boolean {
  return text.startsWith('-') && !text.startsWith('-ERR CLIENT CACHING can be called only');
}

/** Whether `words` may stand for a request that the proxy answers itself. */
export function standsFor(words: readonly string[], asked: readonly string[]): boolean {
  if (words[0] !== 'CLIENT' || asked[0] !== 'CLIENT' || !ANSWERED.has(asked[1] ?? '')) return false;
  if (asked[1] === 'REPLY') return words[1] === 'REPLY' && words[2] === 'ON';
  return words[1] === 'GETNAME' || words[1] === asked[1];
}

/** Whether two requests are the same. */
export function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
