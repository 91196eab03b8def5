/**
 * What an operation of a script does: read a declared key, write one, write a key that was not
 * declared, or fail.
 */
export type Operation =
  | { readonly kind: 'read'; readonly key: string }
  | { readonly kind: 'write'; readonly key: string; readonly text: string }
  | { readonly kind: 'fail' };

/**
 * A script of the model: operations one behind the other, each a word. `r0` reads the first
 * declared key, `w0=x` writes it, `u:k=x` writes the key `k`, declared or not, `fail` gives up.
 *
 * @param words of an EVAL
 */
export function operationsOf(words: readonly string[]): readonly Operation[] {
  const keys = words.slice(3);
  return (words[1] as string).split(' ').map((word): Operation => {
    if (word === 'fail') return { kind: 'fail' };
    const [place = '', text = ''] = word.split('=');
    if (place.startsWith('u:')) return { kind: 'write', key: place.slice(2), text };
    const key = keys[Number(place.slice(1))] ?? '';
    return place.startsWith('r') ? { kind: 'read', key } : { kind: 'write', key, text };
  });
}

/** @returns the keys that a request, which is no script, writes */
export function writtenBy(words: readonly string[]): readonly string[] {
  switch (words[0]) {
    case 'DEL':
      return words.slice(1);
    case 'SET':
    case 'APPEND':
    case 'PEXPIRE':
    case 'RPUSH':
    case 'LPOP':
    case 'BLPOP':
      return words.slice(1, 2);
    default:
      return [];
  }
}

/** Whether a request, if it is executed, may change `key`. */
export function mayWrite(words: readonly string[], key: string): boolean {
  if (words[0] !== 'EVAL') return writtenBy(words).includes(key);
  return operationsOf(words).some(
    (operation) => operation.kind === 'write' && operation.key === key,
  );
}
