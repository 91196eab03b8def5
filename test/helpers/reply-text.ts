import { type Reply, replyOf } from './resp.ts';

/**
 * A reply as one line, with all that distinguishes it from others: `+OK`, `-ERR syntax error`, `:1`,
 * `"bulk"`, `_` (RESP3 null), `$-1` and `*-1` (RESP2 nulls), `*["a" :1]`, `%["key" "value"]`, `~[]`,
 * `>["invalidate" *["k"]]`. Other types are their first byte and their text: `,1.5`, `#t`, `(12`;
 * `="txt:..."`. Bytes that are no printable ASCII are `\xHH`.
 */
export function textOf(reply: Reply): string {
  const { type, text, items } = reply;
  const attributes = reply.attributes.map((pairs) => `|[${pairs.map(textOf).join(' ')}] `);
  return attributes.join('') + plainTextOf(type, text, items);
}

function plainTextOf(type: string, text: string | null, items: Reply['items']): string {
  if (items !== null) return `${type}[${items.map(textOf).join(' ')}]`;
  if (text === null) return `${type}-1`;
  if (type === '$') return quoted(text);
  return type === '=' ? `=${quoted(text)}` : type + escaped(text);
}

/** @returns latin1 text in double quotes, with escapes for what is not printable */
export function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', '\\"')}"`;
}

function escaped(text: string): string {
  return text.replace(/[^\x20-\x7e]|\\/g, (character) =>
    character === '\\' ? '\\\\' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/**
 * @param line words between blanks; a word in double quotes may be empty, hold blanks, and bytes as
 *             `\xHH`, `\r`, `\n`, `\0`
 */
export function wordsOf(line: string): readonly string[] {
  const found = line.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  return found.map((word) => (word.startsWith('"') ? unescaped(word.slice(1, -1)) : word));
}

const ESCAPES: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '0': '\0' };

/** @returns text in which `\xHH`, `\r`, `\n`, `\t`, `\0` and `\` before any other stand for bytes */
export function unescaped(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{2})|(.))/gi, (_, hex?: string, character = '') =>
    hex === undefined ? (ESCAPES[character] ?? character) : String.fromCharCode(parseInt(hex, 16)),
  );
}

/** Kinds of frames that answer a (P/S)SUBSCRIBE or (P/S)UNSUBSCRIBE. */
const CONFIRMATION = /^[ps]?(un)?subscribe$/;
const MESSAGE = /^[ps]?message$/;

/** How a frame stands to the requests: it answers one, or came by itself. */
export type FrameKind = 'reply' | 'confirmation' | 'push';

/** @param subscribed whether the connection holds subscriptions, so that arrays may be messages */
export function kindOf(reply: Reply, subscribed: boolean): FrameKind {
  const [first, , third] = reply.items ?? [];
  const name = first?.type === '$' ? (first.text ?? '') : '';
  const isArray = reply.type === '*' || reply.type === '>';
  if (isArray && CONFIRMATION.test(name) && third?.type === ':') return 'confirmation';
  if (reply.type === '>') return 'push';
  return subscribed && reply.type === '*' && MESSAGE.test(name) ? 'push' : 'reply';
}

/** @returns the count at the end of a confirmation */
export function subscriptionsAfter(confirmation: Reply): number {
  return Number((confirmation.items?.[2] ?? replyOf(':', '0')).text);
}
