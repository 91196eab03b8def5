import type { Words } from '../commands/keys.ts';
import type { CommandInfo } from '../commands/table.ts';
import { TYPE } from '../resp/scanner.ts';
import { REPORTS } from './reports.ts';
import {
  array,
  BIG_NUMBER,
  BOOLEAN,
  bare,
  DOUBLE,
  entries,
  fixed,
  map,
  PLAIN,
  PUSH,
  pairs,
  type Shape,
  set,
  tuple,
  tupleBy,
  VERBATIM,
} from './shape.ts';

/** How the reply to one request is translated. */
export type Rule = Shape;

/** The rule of a command, or what finds it by the request's arguments. */
type Choice = Rule | ((words: Words) => Rule | undefined);

/** Scores of a sorted set: beside each member, or in a pair with it. */
const BESIDE = tupleBy((index) => (index % 2 === 0 ? PLAIN : DOUBLE));
const SCORED = pairs(DOUBLE);
const MEMBERS = set(PLAIN);
/** Coordinates are the only arrays inside arrays inside the reply. */
const PLACES = array(array(array(DOUBLE)));
const STREAMS = entries(PLAIN);
const LONGEST_MATCH = map(PLAIN);

/**
 * The replies that change their shape between the protocols. Where a reply alone tells which form
 * of the request it answers, the arguments are not looked at: ZADD gives a string only for INCR,
 * XINFO STREAM has arrays in other fields than with FULL.
 * Source: both protocols of servers from 6.0 to 8.0, side by side.
 */
const CHOICES: ReadonlyMap<string, Choice> = new Map<string, Choice>([
  ['bzmpop', tuple(PLAIN, array(tuple(PLAIN, DOUBLE)))],
  ['bzpopmax', tuple(PLAIN, PLAIN, DOUBLE)],
  ['bzpopmin', tuple(PLAIN, PLAIN, DOUBLE)],
  ['geopos', array(array(DOUBLE))],
  ['georadius', PLACES],
  ['georadius_ro', PLACES],
  ['georadiusbymember', PLACES],
  ['georadiusbymember_ro', PLACES],
  ['geosearch', PLACES],
  ['hgetall', map(PLAIN)],
  ['hrandfield', (words) => (has(words, 3, 'withvalues') ? pairs(PLAIN) : undefined)],
  ['info', VERBATIM],
  ['lcs', LONGEST_MATCH],
  ['lolwut', VERBATIM],
  ['ping', pong],
  ['psubscribe', PUSH],
  ['punsubscribe', PUSH],
  ['sdiff', MEMBERS],
  ['sinter', MEMBERS],
  ['smembers', MEMBERS],
  ['spop', MEMBERS],
  ['ssubscribe', PUSH],
  ['stralgo', LONGEST_MATCH],
  ['subscribe', PUSH],
  ['sunion', MEMBERS],
  ['sunsubscribe', PUSH],
  ['unsubscribe', PUSH],
  ['xread', STREAMS],
  ['xreadgroup', STREAMS],
  ['zadd', DOUBLE],
  ['zdiff', (words) => scoredBehindKeys(words)],
  ['zincrby', DOUBLE],
  ['zinter', (words) => scoredBehindKeys(words)],
  ['zmpop', tuple(PLAIN, array(tuple(PLAIN, DOUBLE)))],
  ['zmscore', array(DOUBLE)],
  ['zpopmax', (words) => (words.count > 2 ? SCORED : BESIDE)],
  ['zpopmin', (words) => (words.count > 2 ? SCORED : BESIDE)],
  ['zrandmember', (words) => scored(words, 3)],
  ['zrange', (words) => scored(words, 4)],
  ['zrangebyscore', (words) => scored(words, 4)],
  ['zrank', tuple(PLAIN, DOUBLE)],
  ['zrevrange', (words) => scored(words, 4)],
  ['zrevrangebyscore', (words) => scored(words, 4)],
  ['zrevrank', tuple(PLAIN, DOUBLE)],
  ['zscore', DOUBLE],
  ['zunion', (words) => scoredBehindKeys(words)],
  ['debug|htstats', VERBATIM],
  ['debug|htstats-key', VERBATIM],
  ['debug|protocol', sample],
  ...REPORTS,
]);

/** Their reports depend on what is asked for: word 1. */
const CONTAINERS: ReadonlySet<string> = new Set(
  [...CHOICES.keys()].filter((name) => name.includes('|')).map((name) => name.replace(/\|.*/, '')),
);

/** @returns whether the reply to such a request may need a rule: its words must be looked at */
export function hasRule(name: string): boolean {
  return CHOICES.has(name) || CONTAINERS.has(name);
}

/**
 * Decides how the reply to a request is turned from RESP2 into RESP3. What scripts return has the
 * shape of RESP2 in both: they call commands as RESP2 connections do.
 *
 * @returns undefined where nothing but nulls changes
 */
export function translationFor(info: CommandInfo, words: Words): Rule | undefined {
  const isPart = words.count > 1 && CONTAINERS.has(info.name);
  const choice = CHOICES.get(isPart ? `${info.name}|${option(words, 1)}` : info.name);
  return typeof choice === 'function' ? choice(words) : choice;
}

/**
 * Most replies need no translator.
 *
 * @param at index of a reply's first byte
 * @returns whether it passes as it is, however it goes on; false where that can't be told
 */
export function isSame(rule: Rule | undefined, chunk: Buffer, at: number): boolean {
  const type = chunk[at];
  if (type === TYPE.error || type === TYPE.status) return true;
  if (rule !== undefined) return false;
  if (type === TYPE.integer) return true;
  return type === TYPE.bulk && at + 1 < chunk.length && chunk[at + 1] !== MINUS;
}

const MINUS = 0x2d;

/** @param rules of the requests that the transaction holds; @returns that of its EXEC */
export function ofTransaction(rules: readonly (Rule | undefined)[]): Rule {
  return tupleBy((index) => rules[index] ?? PLAIN);
}

/** No option or subcommand is as long; a longer word need not be searched. */
const OPTION_MAX_BYTES = 64;

/** Word `at` as servers compare it: up to the first NUL, whatever its case. */
function option(words: Words, at: number): string {
  const text = words.text(at).slice(0, OPTION_MAX_BYTES);
  return text.replace(/\0.*$/s, '').toLowerCase();
}

/** @returns whether one of the words from `from` on is the option `name` */
function has(words: Words, from: number, name: string): boolean {
  for (let at = from; at < words.count; at++) if (option(words, at) === name) return true;
  return false;
}

/** @param from where the options begin: a key may have the same name */
function scored(words: Words, from: number): Rule | undefined {
  return has(words, from, 'withscores') ? SCORED : undefined;
}

function scoredBehindKeys(words: Words): Rule | undefined {
  const count = words.count > 1 ? words.text(1) : '';
  return /^\d{1,9}$/.test(count) ? scored(words, 2 + Number(count)) : undefined;
}

const PONG = bare(fixed('+PONG\r\n'), fixed(''));
const ECHOED_PONG = bare(fixed(''), PLAIN);

/** A RESP2 connection with subscriptions answers PING like a message. */
function pong(words: Words): Rule {
  return words.count > 1 ? ECHOED_PONG : PONG;
}

const SAMPLES: ReadonlyMap<string, Rule> = new Map([
  ['bignum', BIG_NUMBER],
  ['double', DOUBLE],
  ['false', BOOLEAN],
  ['map', map(BOOLEAN)],
  ['set', MEMBERS],
  ['true', BOOLEAN],
  ['verbatim', VERBATIM],
]);

/** DEBUG PROTOCOL shows a sample of each type. */
function sample(words: Words): Rule | undefined {
  return words.count > 2 ? SAMPLES.get(option(words, 2)) : undefined;
}
