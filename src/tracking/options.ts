/** What CLIENT TRACKING has set for one connection. */
export interface TrackingState {
  readonly on: boolean;
  readonly bcast: boolean;
  readonly optin: boolean;
  readonly optout: boolean;
  readonly noloop: boolean;
  /** The id of the client that is told instead; 0: none. */
  readonly redirect: number;
  /** In bytewise order, each once. Bytes as latin1 text. */
  readonly prefixes: readonly string[];
}

/** No tracking. */
export const OFF: TrackingState = {
  on: false,
  bcast: false,
  optin: false,
  optout: false,
  noloop: false,
  redirect: 0,
  prefixes: [],
};

const SYNTAX = 'ERR syntax error';
const TWO_REDIRECTS = 'ERR A client can only redirect to a single other client';
const NO_INTEGER = 'ERR value is not an integer or out of range';
const NO_SUCH_CLIENT = 'ERR The client ID you want redirect to does not exist';
const PREFIX_WITHOUT_BCAST = 'ERR PREFIX option requires BCAST mode to be enabled';
const BCAST_SWITCHED =
  "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.";
const BCAST_WITH_OPT = 'ERR OPTIN and OPTOUT are not compatible with BCAST';
const BOTH_OPTS = "ERR You can't specify both OPTIN mode and OPTOUT mode";
const OPT_SWITCHED =
  "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.";

/** The options of one CLIENT TRACKING, as they are collected from left to right. */
interface Options {
  bcast: boolean;
  optin: boolean;
  optout: boolean;
  noloop: boolean;
  redirect: number;
  readonly prefixes: string[];
}

/**
 * Reads CLIENT TRACKING, with the checks of Redis 7.4 in their order.
 *
 * One defect of Redis is left out: where it finds a collision between the second and a later of the
 * given prefixes, it sends the error, enables tracking all the same and then sends OK as well.
 * Here the command is refused and gets one reply.
 *
 * @param args   the words behind CLIENT TRACKING, at least one, as latin1
 * @param before what is set now
 * @param exists whether a client of that id is connected
 * @returns what is set afterwards, or the error's text
 */
export function parseTracking(
  args: readonly string[],
  before: TrackingState,
  exists: (id: number) => boolean,
): TrackingState | string {
  const options = readOptions(args, exists);
  if (typeof options === 'string') return options;
  const word = asWord(args[0] ?? '');
  if (word === 'off') return OFF;
  if (word !== 'on') return SYNTAX;
  const conflict = conflictOf(options, before);
  if (conflict !== undefined) return conflict;
  // BCAST without a prefix means every key, and Redis adds that one without looking.
  const added = options.bcast && options.prefixes.length === 0 ? [''] : options.prefixes;
  const prefixes = before.on ? [...before.prefixes, ...added] : added;
  return { ...options, on: true, prefixes: [...new Set(prefixes)].sort(bytewise) };
}

/** Words are compared as C strings: up to the first NUL, whatever the case. */
function asWord(text: string): string {
  const nul = text.indexOf('\0');
  return (nul === -1 ? text : text.slice(0, nul)).toLowerCase();
}

function readOptions(args: readonly string[], exists: (id: number) => boolean): Options | string {
  const options: Options = {
    bcast: false,
    optin: false,
    optout: false,
    noloop: false,
    redirect: 0,
    prefixes: [],
  };
  for (let index = 1; index < args.length; index++) {
    const word = asWord(args[index] as string);
    const value = args[index + 1];
    if (word === 'redirect' && value !== undefined) {
      const error = readRedirect(options, value, exists);
      if (error !== undefined) return error;
      index += 1;
    } else if (word === 'prefix' && value !== undefined) {
      options.prefixes.push(value);
      index += 1;
    } else if (word === 'bcast' || word === 'optin' || word === 'optout' || word === 'noloop') {
      options[word] = true;
    } else {
      return SYNTAX;
    }
  }
  return options;
}

function readRedirect(
  options: Options,
  value: string,
  exists: (id: number) => boolean,
): string | undefined {
  if (options.redirect !== 0) return TWO_REDIRECTS;
  if (!/^(0|-?[1-9]\d{0,18})$/.test(value)) return NO_INTEGER;
  const big = BigInt(value);
  if (BigInt.asIntN(64, big) !== big) return NO_INTEGER;
  const id = Number(value);
  if (!exists(id)) return NO_SUCH_CLIENT;
  options.redirect = id;
  return undefined;
}

function conflictOf(options: Options, before: TrackingState): string | undefined {
  if (options.prefixes.length > 0 && !options.bcast) return PREFIX_WITHOUT_BCAST;
  if (before.on && before.bcast !== options.bcast) return BCAST_SWITCHED;
  if (options.bcast && (options.optin || options.optout)) return BCAST_WITH_OPT;
  if (options.optin && options.optout) return BOTH_OPTS;
  if ((options.optin && before.optout) || (options.optout && before.optin)) return OPT_SWITCHED;
  return options.bcast ? collisionOf(options.prefixes, before.prefixes) : undefined;
}

/**
 * Two prefixes collide when one begins with the other. Which two are named is decided as in Redis:
 * the first of the new ones that collides at all, with an existing one, or else with a later one.
 */
function collisionOf(added: readonly string[], existing: readonly string[]): string | undefined {
  const colliding = collidingOf([...added, ...existing]);
  const index = added.findIndex((_, at) => colliding.has(at));
  const prefix = added[index];
  if (prefix === undefined) return undefined;
  const old = existing.find((other) => collide(prefix, other));
  if (old !== undefined) {
    return `ERR Prefix '${prefix}' overlaps with an existing prefix '${old}'. ${NO_OVERLAP}`;
  }
  const later = added.find((other, at) => at > index && collide(prefix, other));
  return `ERR Prefix '${prefix}' overlaps with another provided prefix '${later}'. ${NO_OVERLAP}`;
}

/**
 * In bytewise order whatever begins with a prefix stands right behind it, so one pass with a stack
 * of the prefixes that are still open finds all that collide.
 *
 * @returns the indexes of those that collide with any other
 */
function collidingOf(prefixes: readonly string[]): ReadonlySet<number> {
  const order = [...prefixes.keys()].sort((a, b) =>
    bytewise(prefixes[a] as string, prefixes[b] as string),
  );
  const colliding = new Set<number>();
  const open: number[] = [];
  for (const index of order) {
    const prefix = prefixes[index] as string;
    while (open.length > 0 && !prefix.startsWith(prefixes[open.at(-1) as number] as string)) {
      open.pop();
    }
    if (open.length > 0) {
      colliding.add(index);
      // Those below the last have been found when it was opened.
      colliding.add(open.at(-1) as number);
    }
    open.push(index);
  }
  return colliding;
}

const NO_OVERLAP = 'Prefixes for a single client must not overlap.';

function collide(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

function bytewise(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const CACHING_UNWANTED =
  'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled';
const CACHING_YES = 'ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.';
const CACHING_NO = 'ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.';

/** @returns why CLIENT CACHING `word` is refused; undefined where it sets the mark */
export function refuseCaching(word: string, state: TrackingState): string | undefined {
  if (!state.on) return CACHING_UNWANTED;
  switch (asWord(word)) {
    case 'yes':
      return state.optin ? undefined : CACHING_YES;
    case 'no':
      return state.optout ? undefined : CACHING_NO;
    default:
      return SYNTAX;
  }
}

/** @returns the flags of CLIENT TRACKINGINFO, in its order */
export function flagsOf(state: TrackingState, caching: boolean, broken: boolean): string[] {
  const flags = [state.on ? 'on' : 'off'];
  if (state.bcast) flags.push('bcast');
  if (state.optin) flags.push('optin', ...(caching ? ['caching-yes'] : []));
  if (state.optout) flags.push('optout', ...(caching ? ['caching-no'] : []));
  if (state.noloop) flags.push('noloop');
  if (state.on && broken) flags.push('broken_redirect');
  return flags;
}
