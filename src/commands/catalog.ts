import { list as libraryNames } from '@ioredis/commands';
import metadata from '@ioredis/commands/built/commands.json' with { type: 'json' };
import { roleOf } from './roles.ts';
import type { CommandInfo, KeyRule } from './table.ts';

/** A command as COMMAND and the library describe it, before corrections. */
interface Description {
  readonly flags: ReadonlySet<string>;
  readonly first: number;
  readonly last: number;
  readonly step: number;
  readonly subs: ReadonlyMap<string, Description>;
}

/** An entry of the library's list, which is a newer server's COMMAND in other words. */
interface LibraryEntry {
  readonly flags: readonly string[];
  readonly keyStart: number;
  readonly keyStop: number;
  readonly step: number;
  readonly subcommands?: Readonly<Record<string, LibraryEntry>>;
}

const NONE: KeyRule = { kind: 'none' };
const COUNT_IS_WORD_1: KeyRule = { kind: 'counted', countAt: 1, destination: false };
const COUNT_IS_WORD_2: KeyRule = { kind: 'counted', countAt: 2, destination: false };
const COUNT_BEHIND_DESTINATION: KeyRule = { kind: 'counted', countAt: 2, destination: true };

/**
 * Key rules that stand whatever a server or the library says. The sharded channels are reported
 * as keys because a cluster routes by them; SORT_RO's BY and GET patterns are no keys to Redis;
 * the rest cannot be told by a range.
 * Source: `COMMAND GETKEYS` of 7.0 and the commands' own parsers.
 */
const OWN_RULES: ReadonlyMap<string, KeyRule> = new Map<string, KeyRule>([
  ['blmpop', COUNT_IS_WORD_2],
  ['bzmpop', COUNT_IS_WORD_2],
  ['eval', COUNT_IS_WORD_2],
  ['eval_ro', COUNT_IS_WORD_2],
  ['evalsha', COUNT_IS_WORD_2],
  ['evalsha_ro', COUNT_IS_WORD_2],
  ['fcall', COUNT_IS_WORD_2],
  ['fcall_ro', COUNT_IS_WORD_2],
  ['georadius', { kind: 'georadius' }],
  ['georadiusbymember', { kind: 'georadius' }],
  ['lmpop', COUNT_IS_WORD_1],
  ['migrate', { kind: 'migrate' }],
  ['sdiffcard', COUNT_IS_WORD_1],
  ['sintercard', COUNT_IS_WORD_1],
  ['sort', { kind: 'sort' }],
  ['sort_ro', { kind: 'range', first: 1, last: 1, step: 1 }],
  ['spublish', NONE],
  ['ssubscribe', NONE],
  ['stralgo', { kind: 'stralgo' }],
  ['sunioncard', COUNT_IS_WORD_1],
  ['sunsubscribe', NONE],
  ['xread', { kind: 'streams' }],
  ['xreadgroup', { kind: 'streams' }],
  ['zdiff', COUNT_IS_WORD_1],
  ['zdiffstore', COUNT_BEHIND_DESTINATION],
  ['zinter', COUNT_IS_WORD_1],
  ['zintercard', COUNT_IS_WORD_1],
  ['zinterstore', COUNT_BEHIND_DESTINATION],
  ['zmpop', COUNT_IS_WORD_1],
  ['zunion', COUNT_IS_WORD_1],
  ['zunionstore', COUNT_BEHIND_DESTINATION],
]);

/** Scripts that may do both: servers give them neither flag. The `_ro` forms have readonly. */
const SCRIPTS: ReadonlySet<string> = new Set(['eval', 'evalsha', 'fcall']);

/** These wait, though no server before 7.0 has the flag, and 7.0 not on all of them. */
const BLOCKING: ReadonlySet<string> = new Set(
  'blpop brpop brpoplpush blmove blmpop bzpopmin bzpopmax bzmpop xread xreadgroup wait waitaof'.split(
    ' ',
  ),
);

/** Containers that no COMMAND reply shows as such. */
const SILENT_CONTAINERS: ReadonlySet<string> = new Set(['debug', 'pfdebug', 'stralgo']);

const LIBRARY_NAMES: ReadonlySet<string> = new Set(libraryNames);
const LIBRARY: Readonly<Record<string, LibraryEntry>> = metadata;
const NO_SUBS: ReadonlyMap<string, Description> = new Map();

/** Commands of old servers that the library has no entry for. */
const RETIRED: readonly (readonly [string, LibraryEntry])[] = [
  ['host:', { flags: ['loading', 'stale'], keyStart: 0, keyStop: 0, step: 0 }],
  ['post', { flags: ['loading', 'stale'], keyStart: 0, keyStop: 0, step: 0 }],
  ['stralgo', { flags: ['readonly', 'movablekeys'], keyStart: 0, keyStop: 0, step: 0 }],
];

/** A COMMAND entry has six elements up to 5.0, seven in 6.x, and ten from 7.0 on. */
const MODERN_ENTRY_LENGTH = 10;
const SUBCOMMANDS_AT = 9;

/** @returns by name, the commands of @ioredis/commands and some that only old servers have */
export function builtinCommands(): Map<string, CommandInfo> {
  const entries = [...Object.entries(LIBRARY), ...RETIRED];
  return new Map(entries.map(([name, entry]) => [name, inform(name, ofLibrary(entry))]));
}

/**
 * The built-in commands, with those that an upstream describes better. Of a command that we know,
 * an entry from before 7.0 is not better: flags and ranges are partly wrong (2.8 has readonly on
 * AUTH, and one key for BRPOP), and no command's keys ever moved. Nor is a container's without
 * its subcommands.
 *
 * @param reply of COMMAND, decoded: arrays of text, Buffers and numbers; anything else in it, and
 *   entries that make no sense, are passed over
 */
export function upstreamCommands(reply: unknown): Map<string, CommandInfo> {
  const commands = builtinCommands();
  for (const entry of asList(reply)) {
    const parsed = parseEntry(entry);
    if (parsed === undefined) continue;
    const info = inform(parsed.name, parsed.description);
    const known = commands.get(info.name);
    const better = parsed.modern && (info.container || known?.container === false);
    if (known === undefined || better) commands.set(info.name, info);
  }
  return commands;
}

function ofLibrary(entry: LibraryEntry): Description {
  const subs = Object.entries(entry.subcommands ?? {});
  return {
    flags: new Set(entry.flags),
    first: entry.keyStart,
    last: entry.keyStop,
    step: entry.step,
    subs: new Map(subs.map(([name, sub]) => [name, ofLibrary(sub)])),
  };
}

/** Applies what we know better to what the server or the library says. */
function inform(name: string, description: Description): CommandInfo {
  const { flags } = description;
  const subs = new Map<string, CommandInfo>();
  for (const [sub, of] of description.subs) subs.set(sub, inform(`${name}|${sub}`, of));
  const keys = OWN_RULES.get(name) ?? ruleOf(name, description, subs);
  const withKeys = [...subs.values()].filter((sub) => sub.keys.kind !== 'none');
  const script = SCRIPTS.has(name);
  const reads =
    keys.kind === 'sub'
      ? withKeys.some((sub) => sub.reads)
      : keys.kind !== 'none' && (script || flags.has('readonly'));
  const writes = script || flags.has('write') || withKeys.some((sub) => sub.writes);
  const blocks = BLOCKING.has(name) || flags.has('blocking');
  const isOne = keys.kind === 'range' && keys.first === 1 && keys.last === 1;
  return {
    name,
    role: roleOf(name),
    reads,
    writes,
    blocks,
    container: subs.size > 0 || SILENT_CONTAINERS.has(name),
    readsOne: isOne && reads && !writes && !blocks,
    keys,
  };
}

function ruleOf(
  name: string,
  { flags, first, last, step }: Description,
  subs: ReadonlyMap<string, CommandInfo>,
): KeyRule {
  for (const sub of subs.values()) if (sub.keys.kind !== 'none') return { kind: 'sub', subs };
  if (flags.has('movablekeys') && LIBRARY_NAMES.has(name)) return { kind: 'library' };
  return first > 0 && step > 0 ? { kind: 'range', first, last, step } : NONE;
}

interface ParsedEntry {
  readonly name: string;
  /** In the format of 7.0 and later. */
  readonly modern: boolean;
  readonly description: Description;
}

/** @returns what an entry of COMMAND says, or undefined if it is none */
function parseEntry(entry: unknown): ParsedEntry | undefined {
  if (!Array.isArray(entry)) return undefined;
  const name = asText(entry[0])?.toLowerCase();
  const [first, last, step] = [entry[3], entry[4], entry[5]];
  if (name === undefined || name === '') return undefined;
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) return undefined;
  if (!Number.isSafeInteger(step)) return undefined;
  const flags = new Set(asList(entry[2]).map((flag) => asText(flag) ?? ''));
  const subs = entry.length > SUBCOMMANDS_AT ? parseSubs(asList(entry[SUBCOMMANDS_AT])) : NO_SUBS;
  const modern = entry.length >= MODERN_ENTRY_LENGTH;
  return { name, modern, description: { flags, first, last, step, subs } };
}

/** Subcommands call themselves `object|encoding`; no server nests them deeper. */
function parseSubs(entries: readonly unknown[]): ReadonlyMap<string, Description> {
  const subs = new Map<string, Description>();
  for (const entry of entries) {
    if (!Array.isArray(entry)) continue;
    const parsed = parseEntry(entry.slice(0, SUBCOMMANDS_AT));
    if (parsed === undefined) continue;
    subs.set(parsed.name.slice(parsed.name.indexOf('|') + 1), parsed.description);
  }
  return subs;
}

function asText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('latin1') : undefined;
}

/** RESP3 servers send flags as a set. */
function asList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return value instanceof Set ? [...value] : [];
}
