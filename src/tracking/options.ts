/** What a CLIENT TRACKING asks for. */
export interface TrackingWish {
  readonly on: boolean;
}

const OPTIONS: ReadonlySet<string> = new Set([
  'redirect',
  'prefix',
  'bcast',
  'optin',
  'optout',
  'noloop',
]);

/**
 * @param args the words behind CLIENT TRACKING, at least one
 * @returns the wish, or the error's text where it can't be granted
 */
export function parseTracking(args: readonly string[]): TrackingWish | string {
  const [word = '', ...options] = args.map((arg) => arg.toLowerCase());
  const unsupported = options.find((option) => OPTIONS.has(option));
  if (unsupported !== undefined) {
    return `ERR CLIENT TRACKING with ${unsupported.toUpperCase()} is not supported yet`;
  }
  if (options.length > 0 || (word !== 'on' && word !== 'off')) return 'ERR syntax error';
  return { on: word === 'on' };
}
