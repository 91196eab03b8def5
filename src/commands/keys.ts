import { getKeyIndexes } from '@ioredis/commands';
import { type Key, keyOf } from '../key.ts';
import type { CommandInfo } from './table.ts';

/** A request's words, looked at lazily. Word 0 is the command's name. */
export interface Words {
  readonly count: number;
  /** @returns the bytes of word `index`, from 0 to below `count`, as latin1 text */
  text(index: number): string;
}

/**
 * The keys that a request names, in the order of its words, duplicates kept: what `COMMAND
 * GETKEYS` of Redis 7.0 says wherever the command itself agrees. Never throws, and takes time and
 * memory by the number of words, whatever numbers stand in them.
 *
 * @returns none if the arguments make no sense; fewer than the command needs if some are missing
 */
export function keysOf(info: CommandInfo, words: Words): Key[] {
  const rule = info.keys;
  switch (rule.kind) {
    case 'range':
      return inRange(words, rule.first, rule.last, rule.step);
    case 'none':
      return [];
    case 'counted':
      return counted(words, rule.countAt, rule.destination);
    case 'sub': {
      const sub = subcommand(rule.subs, words);
      return sub === undefined ? [] : keysOf(sub, words);
    }
    case 'library':
      return byLibrary(info.name, words);
    case 'georadius':
      return ofGeoradius(words);
    case 'migrate':
      return ofMigrate(words);
    case 'sort':
      return ofSort(words);
    case 'stralgo':
      return ofStralgo(words);
    case 'streams':
      return ofStreams(words);
  }
}

/**
 * Says whether Redis would track the keys of this very request. Differs from `info.reads` for
 * containers only: OBJECT ENCODING reads, OBJECT HELP does not.
 */
export function readsOf(info: CommandInfo, words: Words): boolean {
  if (!info.reads || info.keys.kind !== 'sub') return info.reads;
  return subcommand(info.keys.subs, words)?.reads === true;
}

function subcommand(subs: ReadonlyMap<string, CommandInfo>, words: Words): CommandInfo | undefined {
  return words.count > 1 ? subs.get(option(words, 1)) : undefined;
}

/** No option or subcommand is as long; a longer word need not be searched. */
const OPTION_MAX_BYTES = 64;

/**
 * Word `at` as Redis compares options: without regard to case, and up to the first NUL because
 * it takes them for C strings.
 */
function option(words: Words, at: number): string {
  const text = words.text(at).slice(0, OPTION_MAX_BYTES);
  const nul = text.indexOf('\0');
  return (nul === -1 ? text : text.slice(0, nul)).toLowerCase();
}

function inRange(words: Words, first: number, last: number, step: number): Key[] {
  if (first === last) return first < words.count ? [keyOf(words.text(first))] : [];
  const end = Math.min(last < 0 ? words.count + last : last, words.count - 1);
  const keys: Key[] = [];
  for (let at = first; at <= end; at += step) keys.push(keyOf(words.text(at)));
  return keys;
}

/**
 * A key count as some server reads it. Servers up to 3.x take what strtoll does: a plus sign,
 * leading zeros, and a NUL as the end. Newer ones refuse these, and then nothing is lost.
 */
const KEY_COUNT = /^\+?(\d{1,20})(?:\0|$)/;

function counted(words: Words, countAt: number, destination: boolean): Key[] {
  const first = countAt + 1;
  if (first >= words.count) return [];
  const count = Number(KEY_COUNT.exec(words.text(countAt))?.[1] ?? 0);
  if (count === 0 || count > words.count - first) return [];
  const keys = slice(words, first, first + count);
  return destination ? [keyOf(words.text(1)), ...keys] : keys;
}

/**
 * XREAD, XREADGROUP: behind STREAMS, the first half. A group may itself be called STREAMS. An
 * option that we do not know is taken to have no value: a newer server may have one, and then a
 * read must not go unseen.
 */
function ofStreams(words: Words): Key[] {
  for (let at = 1; at < words.count; at++) {
    switch (option(words, at)) {
      case 'block':
      case 'count':
      case 'claim':
        at += 1;
        break;
      case 'group':
        at += 2;
        break;
      case 'streams': {
        const rest = words.count - at - 1;
        return rest % 2 === 0 ? slice(words, at + 1, at + 1 + rest / 2) : [];
      }
    }
  }
  return [];
}

/** SORT: what is sorted and, if it is stored, the last destination. Patterns are no keys. */
function ofSort(words: Words): Key[] {
  let destination = 0;
  for (let at = 2; at < words.count; at++) {
    const word = option(words, at);
    if (word === 'store') destination = at + 1;
    if (word === 'limit') at += 2;
    else if (word === 'get' || word === 'by' || word === 'store') at += 1;
  }
  return withDestination(words, destination);
}

/** GEORADIUS, GEORADIUSBYMEMBER: where it looks and, if given, the last STORE or STOREDIST. */
function ofGeoradius(words: Words): Key[] {
  let destination = 0;
  for (let at = 5; at + 1 < words.count; at++) {
    const word = option(words, at);
    if (word === 'store' || word === 'storedist') {
      at += 1;
      destination = at;
    }
  }
  return withDestination(words, destination);
}

function withDestination(words: Words, at: number): Key[] {
  const keys = slice(words, 1, 2);
  if (at > 0 && at < words.count) keys.push(keyOf(words.text(at)));
  return keys;
}

/** MIGRATE: word 3 or, if that is empty, all behind KEYS. A password may itself be KEYS. */
function ofMigrate(words: Words): Key[] {
  if (words.count < 4) return [];
  if (words.text(3) !== '') return slice(words, 3, 4);
  for (let at = 6; at < words.count; at++) {
    const word = option(words, at);
    if (word === 'keys') return slice(words, at + 1, words.count);
    if (word === 'auth') at += 1;
    else if (word === 'auth2') at += 2;
  }
  return slice(words, 3, 4);
}

/** STRALGO LCS of 6.x: the two words behind KEYS, unless STRINGS comes first. */
function ofStralgo(words: Words): Key[] {
  for (let at = 2; at + 2 < words.count; at++) {
    const word = option(words, at);
    if (word === 'strings') return [];
    if (word === 'keys') return slice(words, at + 1, at + 3);
  }
  return [];
}

/** @returns the words from `from` to below `to` as keys, those that there are */
function slice(words: Words, from: number, to: number): Key[] {
  const keys: Key[] = [];
  for (let at = from; at < to && at < words.count; at++) keys.push(keyOf(words.text(at)));
  return keys;
}

/**
 * The library believes every number: `1e9` keys make it allocate until the process dies. So it
 * never sees a number that could be a count of more words than there are.
 */
function byLibrary(name: string, words: Words): Key[] {
  const args: string[] = [];
  for (let at = 1; at < words.count; at++) {
    const word = words.text(at);
    const believed = Number.isNaN(Number(word)) || isCount(word, words.count - 1 - at);
    args.push(believed ? word : '');
  }
  try {
    const inside = getKeyIndexes(name, args).filter((index) => index >= 0 && index < args.length);
    return inside.map((index) => keyOf(words.text(index + 1)));
  } catch {
    // It has no such command, or more arguments than it can spread.
    return [];
  }
}

function isCount(word: string, wordsLeft: number): boolean {
  return /^\d+$/.test(word) && Number(word) <= wordsLeft;
}
