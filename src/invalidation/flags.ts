/** The classes of events that the source must hear, by server version: see `classesFor`. */
const CLASSES = 'g$lshzxe';
/** Streams, from 5.0 on. */
const STREAM_CLASS = 't';
/** Types of modules, from 6.2 on. */
const MODULE_CLASS = 'd';
/** All of them. */
const ALL = 'A';
/** Publishes on `__keyspace@<db>__:<key>`. */
const KEYSPACE = 'K';

/** @param version upstream's, as major * 100 + minor; undefined: not known */
function classesFor(version: number | undefined): string {
  if (version === undefined) return CLASSES;
  return CLASSES + (version >= 500 ? STREAM_CLASS : '') + (version >= 602 ? MODULE_CLASS : '');
}

/**
 * @param set     value of `notify-keyspace-events`
 * @param version upstream's, as major * 100 + minor; undefined: not known
 * @returns what has to be added so that no change goes unheard; '' where nothing has
 */
export function missingFlags(set: string, version: number | undefined): string {
  const keyspace = set.includes(KEYSPACE) ? '' : KEYSPACE;
  if (set.includes(ALL)) return keyspace;
  const complete = [...classesFor(version)].every((flag) => set.includes(flag));
  return keyspace + (complete ? '' : ALL);
}
