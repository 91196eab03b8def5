/** How a client caches. */
export interface Mode {
  readonly name: string;
  /** Which RESP the reading connection speaks. */
  readonly resp: 2 | 3;
  /** Which RESP the connection speaks that hears the invalidations; undefined: the reading one. */
  readonly redirect?: 2 | 3;
  /** Words behind CLIENT TRACKING ON. */
  readonly options: readonly string[];
  /** When a read is tracked: always, only behind CACHING YES, or unless behind CACHING NO. */
  readonly tracks: 'all' | 'optin' | 'optout';
  /** What its keys begin with; none: any key. */
  readonly prefixes: readonly string[];
  /**
   * The cache outlives the reading connection: the proxy tells the hearing one to drop what a reader
   * that has left had read.
   */
  readonly outlives: boolean;
  /** It writes too. With NOLOOP it sees to its own cache, without it is told of its own writes. */
  readonly writes: 'never' | 'told' | 'drops' | 'updates';
}

const SOME_PREFIXES = ['string:', 'hash:1', 'zset', 'list:2'] as const;

/** @returns a mode of which only what is not usual is given */
function mode(name: string, rest: Partial<Omit<Mode, 'name'>> = {}): Mode {
  const usual = { resp: 3, options: [], tracks: 'all', prefixes: [], outlives: false } as const;
  return { name, ...usual, writes: 'never', ...rest };
}

/** All ways of caching that the proxy offers. */
export const MODES: readonly Mode[] = [
  mode('default'),
  mode('default, writes', { writes: 'told' }),
  mode('OPTIN', { options: ['OPTIN'], tracks: 'optin' }),
  mode('OPTOUT', { options: ['OPTOUT'], tracks: 'optout', writes: 'told' }),
  mode('BCAST', { options: ['BCAST'] }),
  mode('BCAST PREFIX', {
    options: ['BCAST', ...SOME_PREFIXES.flatMap((prefix) => ['PREFIX', prefix])],
    prefixes: SOME_PREFIXES,
    writes: 'told',
  }),
  mode('NOLOOP', { options: ['NOLOOP'], writes: 'drops' }),
  mode('NOLOOP OPTIN', { options: ['OPTIN', 'NOLOOP'], tracks: 'optin', writes: 'drops' }),
  mode('NOLOOP BCAST', { options: ['BCAST', 'NOLOOP'], writes: 'updates' }),
  mode('REDIRECT 2 to 2', { resp: 2, redirect: 2 }),
  mode('REDIRECT 2 to 3', { resp: 2, redirect: 3, writes: 'told' }),
  mode('REDIRECT 3 to 2', { redirect: 2 }),
  mode('REDIRECT 3 to 3', { redirect: 3 }),
  mode('REDIRECT BCAST', { resp: 2, redirect: 2, options: ['BCAST'] }),
  mode('REDIRECT OPTIN', { resp: 2, redirect: 2, options: ['OPTIN'], tracks: 'optin' }),
  mode('REDIRECT, cache outlives', { resp: 2, redirect: 2, outlives: true }),
  mode('REDIRECT BCAST, cache outlives', { redirect: 3, options: ['BCAST'], outlives: true }),
  mode('REDIRECT NOLOOP', { redirect: 2, options: ['NOLOOP'], writes: 'drops' }),
];
