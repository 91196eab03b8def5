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
