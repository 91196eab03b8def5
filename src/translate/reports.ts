import {
  array,
  DOUBLE,
  list,
  map,
  PLAIN,
  record,
  recordBy,
  type Shape,
  set,
  tuple,
  tupleBy,
  VERBATIM,
} from './shape.ts';

const FLAGS = set(PLAIN);
const MAPS = array(map(PLAIN));

/** One way to find a command's keys: `begin_search` and `find_keys` have a type and its `spec`. */
const KEY_SEARCH = record({ spec: map(PLAIN) });
const KEY_SPEC = record({ flags: FLAGS, begin_search: KEY_SEARCH, find_keys: KEY_SEARCH });

/**
 * One command of COMMAND and COMMAND INFO, by position: name, arity, flags, three numbers, ACL
 * categories (6.0), hints, key specifications, subcommands (7.0), which are such entries again.
 */
const COMMAND_ENTRY: Shape = tupleBy((index) => {
  if (index === 2 || index === 6 || index === 7) return FLAGS;
  if (index === 8) return set(KEY_SPEC);
  return index === 9 ? SUBCOMMANDS : PLAIN;
});
const SUBCOMMANDS = list(COMMAND_ENTRY);

/** What COMMAND DOCS tells of a command; the subcommands of one are such lists of commands again. */
const COMMAND_DOCS: Shape = recordBy((name) => {
  if (name === 'arguments') return COMMAND_ARGUMENTS;
  if (name === 'doc_flags' || name === 'history') return FLAGS;
  return name === 'subcommands' ? COMMANDS_DOCS : PLAIN;
});
const COMMANDS_DOCS = map(COMMAND_DOCS);
const COMMAND_ARGUMENT: Shape = recordBy((name) => {
  if (name === 'flags') return FLAGS;
  return name === 'arguments' ? COMMAND_ARGUMENTS : PLAIN;
});
const COMMAND_ARGUMENTS = array(COMMAND_ARGUMENT);

/** With FULL, groups and consumers are lists of maps; without it they are numbers. */
const STREAM = record({ groups: array(record({ consumers: MAPS })) });

/** Each database with keys has a map of its own; what is a string in RESP2 is a number. */
const MEMORY = recordBy((name) => (name.startsWith('db.') ? map(PLAIN) : DOUBLE));

const USER = record({ flags: FLAGS, selectors: MAPS });
const LIBRARY = record({ functions: array(record({ flags: FLAGS })) });
const NODE = tuple(PLAIN, PLAIN, PLAIN, map(PLAIN));

/**
 * What servers report of themselves, by command and subcommand.
 * Source: as in rules.ts.
 */
export const REPORTS: readonly (readonly [string, Shape])[] = [
  ['acl|getuser', USER],
  ['acl|log', array(record({ 'age-seconds': DOUBLE }))],
  ['client|info', VERBATIM],
  ['client|list', VERBATIM],
  ['client|trackinginfo', record({ flags: FLAGS })],
  ['cluster|info', VERBATIM],
  ['cluster|links', MAPS],
  ['cluster|nodes', VERBATIM],
  ['cluster|shards', array(record({ nodes: MAPS }))],
  ['cluster|slots', array(tupleBy((index) => (index < 2 ? PLAIN : NODE)))],
  ['command', array(COMMAND_ENTRY)],
  ['command|docs', COMMANDS_DOCS],
  ['command|getkeysandflags', array(tuple(PLAIN, FLAGS))],
  ['command|info', array(COMMAND_ENTRY)],
  ['config|get', map(PLAIN)],
  ['function|list', array(LIBRARY)],
  ['function|stats', record({ running_script: map(PLAIN), engines: map(map(PLAIN)) })],
  ['latency|doctor', VERBATIM],
  ['latency|graph', VERBATIM],
  ['latency|histogram', map(record({ histogram_usec: map(PLAIN) }))],
  ['memory|doctor', VERBATIM],
  ['memory|malloc-stats', VERBATIM],
  ['memory|stats', MEMORY],
  ['module|list', MAPS],
  ['xinfo|consumers', MAPS],
  ['xinfo|groups', MAPS],
  ['xinfo|stream', STREAM],
];
