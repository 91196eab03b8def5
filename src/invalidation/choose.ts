import type { SourceKind } from '../config.ts';
import type { Logger } from '../logger.ts';
import { type KeyspaceOptions, KeyspaceSource } from './keyspace.ts';
import { QuietSource } from './quiet.ts';
import type { InvalidationSource } from './source.ts';

/** Said where nothing shows that changes are announced. */
const UNPROVEN = 'notifications are taken on trust: see to it that notify-keyspace-events holds KA';

/** Said where nothing is heard. */
const WRITES_ALONE =
  '--source=writes: only what is written through this proxy is noticed. Writes made elsewhere, keys ' +
  'that a script does not declare, expiry and eviction are not: see docs/upstreams.md';

/** What a source needs to know, but for what it logs. */
type SourceOptions = Omit<KeyspaceOptions, 'sightless' | 'unproven'>;

/** Where changes come from. */
export interface ChosenSource {
  readonly source: InvalidationSource;
  /** How writes are told as they pass; undefined: they are not. */
  readonly passing:
    | { readonly alone: boolean; readonly whenAnswered: (run: () => void) => void }
    | undefined;
}

/** @param kind see `--source` */
export function chooseSource(
  kind: SourceKind,
  logger: Logger,
  options: SourceOptions,
): ChosenSource {
  const all: KeyspaceOptions = {
    ...options,
    sightless: (reason, unseen) => logger.warn({ reason }, unseen),
    unproven: (reason) => logger.warn({ reason }, UNPROVEN),
  };
  if (kind === 'writes') {
    logger.warn(WRITES_ALONE);
    const source = new QuietSource(all);
    const whenAnswered = (run: () => void) => source.whenAnswered(run);
    return { source, passing: { alone: true, whenAnswered } };
  }
  const source = new KeyspaceSource(all);
  // What is lost on its way is announced when it is executed.
  const passing = kind === 'both' ? { alone: false, whenAnswered: () => {} } : undefined;
  return { source, passing };
}
