import { describe, expect, test } from 'vitest';
import {
  flagsOf,
  OFF,
  parseTracking,
  refuseCaching,
  type TrackingState,
} from '../../../src/tracking/options.ts';

const ON: TrackingState = { ...OFF, on: true };
const OPTIN: TrackingState = { ...ON, optin: true };
const OPTOUT: TrackingState = { ...ON, optout: true };
const watching = (...prefixes: readonly string[]): TrackingState => ({
  ...ON,
  bcast: true,
  prefixes,
});

/** Clients 5 and 7 are connected. */
const exists = (id: number) => id === 5 || id === 7;

/** @returns what CLIENT TRACKING with the words of `line` says or sets */
function parse(line: string, before = OFF): TrackingState | string {
  return parseTracking(line.split(' '), before, exists);
}

const SYNTAX = 'ERR syntax error';
const TWO = 'ERR A client can only redirect to a single other client';
const INTEGER = 'ERR value is not an integer or out of range';
const NONE = 'ERR The client ID you want redirect to does not exist';
const PREFIX = 'ERR PREFIX option requires BCAST mode to be enabled';
const BCAST =
  "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.";
const BCAST_OPT = 'ERR OPTIN and OPTOUT are not compatible with BCAST';
const BOTH = "ERR You can't specify both OPTIN mode and OPTOUT mode";
const SWITCH =
  "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.";
const NO_OVERLAP = 'Prefixes for a single client must not overlap.';
const existing = (prefix: string, old: string) =>
  `ERR Prefix '${prefix}' overlaps with an existing prefix '${old}'. ${NO_OVERLAP}`;
const provided = (prefix: string, later: string) =>
  `ERR Prefix '${prefix}' overlaps with another provided prefix '${later}'. ${NO_OVERLAP}`;

interface Row {
  readonly line: string;
  readonly before?: TrackingState;
  readonly is: TrackingState | string;
}

describe('CLIENT TRACKING sets', () => {
  const ROWS: readonly Row[] = [
    { line: 'on', is: ON },
    { line: 'ON', is: ON },
    { line: 'On\0ward', is: ON },
    { line: 'off', is: OFF },
    { line: 'OFF', before: watching('a'), is: OFF },
    { line: 'on optin', is: OPTIN },
    { line: 'on OPTOUT', is: OPTOUT },
    { line: 'on optin optin noloop noloop', is: { ...OPTIN, noloop: true } },
    { line: 'on noloop redirect 5', is: { ...ON, noloop: true, redirect: 5 } },
    { line: 'on redirect 7', before: { ...ON, redirect: 5 }, is: { ...ON, redirect: 7 } },
    { line: 'on bcast', is: watching('') },
    { line: 'on bcast prefix b prefix a', is: watching('a', 'b') },
    { line: 'on prefix a bcast', is: watching('a') },
    { line: 'on bcast prefix prefix', is: watching('prefix') },
    { line: 'on bcast prefix \xff prefix Z prefix a', is: watching('Z', 'a', '\xff') },
    { line: 'on bcast prefix c', before: watching('a', 'd'), is: watching('a', 'c', 'd') },
    { line: 'on bcast noloop', before: watching('a'), is: { ...watching('', 'a'), noloop: true } },
    // What is not said again no longer holds.
    { line: 'on', before: { ...OPTIN, noloop: true, redirect: 5 }, is: ON },
    { line: 'on optin', before: OPTIN, is: OPTIN },
    { line: 'on optin', before: ON, is: OPTIN },
    { line: 'on bcast prefix a', before: OFF, is: watching('a') },
    // OFF looks at no option, as long as they can be read.
    { line: 'off optin optout bcast', is: OFF },
    { line: 'off prefix a', before: OPTIN, is: OFF },
    { line: 'off redirect 5', is: OFF },
  ];

  test.for(ROWS)('$line', ({ line, before, is }) => {
    expect(parse(line, before)).toEqual(is);
  });
});

describe('CLIENT TRACKING is refused for', () => {
  const ROWS: readonly Row[] = [
    { line: 'maybe', is: SYNTAX },
    { line: '', is: SYNTAX },
    { line: 'on nothing', is: SYNTAX },
    { line: 'on redirect', is: SYNTAX },
    { line: 'on bcast prefix', is: SYNTAX },
    { line: 'on redirect 5 redirect 7', is: TWO },
    { line: 'on redirect x', is: INTEGER },
    { line: 'on redirect 05', is: INTEGER },
    { line: 'on redirect +5', is: INTEGER },
    { line: 'on redirect -0', is: INTEGER },
    { line: 'on redirect 5.0', is: INTEGER },
    { line: 'on redirect 9223372036854775808', is: INTEGER },
    { line: 'on redirect -9223372036854775809', is: INTEGER },
    { line: 'on redirect 9223372036854775807', is: NONE },
    { line: 'on redirect -9223372036854775808', is: NONE },
    { line: 'on redirect 0', is: NONE },
    { line: 'on redirect 6', is: NONE },
    { line: 'on prefix a', is: PREFIX },
    { line: 'on bcast', before: ON, is: BCAST },
    { line: 'on', before: watching('a'), is: BCAST },
    { line: 'on bcast optin', is: BCAST_OPT },
    { line: 'on bcast optout', is: BCAST_OPT },
    { line: 'on optin optout', is: BOTH },
    { line: 'on optin', before: OPTOUT, is: SWITCH },
    { line: 'on optout', before: OPTIN, is: SWITCH },
    { line: 'on bcast prefix ab', before: watching('a'), is: existing('ab', 'a') },
    { line: 'on bcast prefix a', before: watching('ab'), is: existing('a', 'ab') },
    { line: 'on bcast prefix a', before: watching('a'), is: existing('a', 'a') },
    { line: 'on bcast prefix a', before: watching(''), is: existing('a', '') },
    { line: 'on bcast prefix a prefix ab', is: provided('a', 'ab') },
    { line: 'on bcast prefix ab prefix a', is: provided('ab', 'a') },
    { line: 'on bcast prefix a prefix a', is: provided('a', 'a') },
    { line: 'on bcast prefix x prefix y prefix x1 prefix x2', is: provided('x', 'x1') },
  ];

  test.for(ROWS)('$line', ({ line, before, is }) => {
    expect(parse(line, before)).toBe(is);
  });
});

describe('of several things that are wrong the first is told, in the order of Redis', () => {
  const ROWS: readonly Row[] = [
    // Options are read from left to right, and before ON or OFF.
    { line: 'maybe redirect 6', is: NONE },
    { line: 'off redirect 6', is: NONE },
    { line: 'off nothing', is: SYNTAX },
    { line: 'on redirect x nothing', is: INTEGER },
    { line: 'on nothing redirect x', is: SYNTAX },
    { line: 'on redirect 5 redirect x', is: TWO },
    { line: 'maybe prefix a', is: SYNTAX },
    // Then what they mean together.
    { line: 'on prefix a optin optout', before: watching('b'), is: PREFIX },
    { line: 'on bcast optin', before: ON, is: BCAST },
    { line: 'on bcast optin optout', is: BCAST_OPT },
    { line: 'on optin optout', before: OPTOUT, is: BOTH },
    { line: 'on bcast optin prefix a prefix a', is: BCAST_OPT },
    // Of prefixes the first of the new ones that collides, with an old one first.
    {
      line: 'on bcast prefix a prefix a1 prefix b1',
      before: watching('b'),
      is: provided('a', 'a1'),
    },
    {
      line: 'on bcast prefix b1 prefix a prefix a',
      before: watching('b'),
      is: existing('b1', 'b'),
    },
    { line: 'on bcast prefix b1 prefix b2', before: watching('b', 'c'), is: existing('b1', 'b') },
    { line: 'on bcast prefix b prefix b2', before: watching('b1', 'b3'), is: existing('b', 'b1') },
  ];

  test.for(ROWS)('$line', ({ line, before, is }) => {
    expect(parse(line, before)).toBe(is);
  });
});

describe('20,000 prefixes', () => {
  const name = (index: number) => String(index).padStart(6, '0');
  const words = (count: number) =>
    Array.from({ length: count }, (_, index) => ['prefix', name(index)]).flat();

  test.for([
    { what: 'that are apart', more: [], is: undefined },
    {
      what: 'of which the last two collide',
      more: ['prefix', 'z', 'prefix', 'zz'],
      is: provided('z', 'zz'),
    },
    {
      what: 'of which the first and the last collide',
      more: ['prefix', name(0)],
      is: provided(name(0), name(0)),
    },
  ])('$what are read in less than 500 ms', ({ more, is }) => {
    const from = performance.now();
    const state = parseTracking(['on', 'bcast', ...words(20_000), ...more], OFF, exists);
    expect(performance.now() - from).toBeLessThan(500);
    if (is !== undefined) expect(state).toBe(is);
    else expect(typeof state === 'string' ? state : state.prefixes.length).toBe(20_000);
  });

  test('each of which begins with the one before are no slower', () => {
    const long = Array.from({ length: 2_000 }, (_, index) => ['prefix', 'a'.repeat(index + 1)]);
    const from = performance.now();
    const state = parseTracking(['on', 'bcast', ...long.flat()], OFF, exists);
    expect(performance.now() - from).toBeLessThan(500);
    expect(state).toBe(provided('a', 'aa'));
  });

  test('beside as many that are set are no slower', () => {
    const prefixes = Array.from({ length: 20_000 }, (_, index) => `x${name(index)}`);
    const from = performance.now();
    const state = parseTracking(['on', 'bcast', ...words(20_000)], watching(...prefixes), exists);
    expect(performance.now() - from).toBeLessThan(500);
    expect(typeof state === 'string' ? state : state.prefixes.length).toBe(40_000);
  });
});

describe('CLIENT CACHING', () => {
  const UNWANTED =
    'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled';
  const YES = 'ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.';
  const NO = 'ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.';

  test.for([
    { word: 'yes', state: OFF, is: UNWANTED },
    { word: 'maybe', state: OFF, is: UNWANTED },
    { word: 'yes', state: OPTIN, is: undefined },
    { word: 'YES\0', state: OPTIN, is: undefined },
    { word: 'no', state: OPTIN, is: NO },
    { word: 'NO', state: OPTOUT, is: undefined },
    { word: 'yes', state: OPTOUT, is: YES },
    { word: 'yes', state: ON, is: YES },
    { word: 'no', state: ON, is: NO },
    { word: 'maybe', state: OPTIN, is: SYNTAX },
    { word: '', state: OPTOUT, is: SYNTAX },
  ])('$word: $is', ({ word, state, is }) => {
    expect(refuseCaching(word, state)).toBe(is);
  });
});

describe('the flags of CLIENT TRACKINGINFO are', () => {
  test.for([
    { state: OFF, marked: false, broken: false, flags: 'off' },
    { state: OFF, marked: true, broken: true, flags: 'off' },
    { state: ON, marked: true, broken: false, flags: 'on' },
    { state: OPTIN, marked: false, broken: false, flags: 'on optin' },
    { state: OPTIN, marked: true, broken: false, flags: 'on optin caching-yes' },
    { state: OPTOUT, marked: true, broken: false, flags: 'on optout caching-no' },
    { state: watching('a'), marked: false, broken: false, flags: 'on bcast' },
    {
      state: { ...OPTIN, noloop: true },
      marked: true,
      broken: true,
      flags: 'on optin caching-yes noloop broken_redirect',
    },
  ])('$flags', ({ state, marked, broken, flags }) => {
    expect(flagsOf(state, marked, broken).join(' ')).toBe(flags);
  });
});
