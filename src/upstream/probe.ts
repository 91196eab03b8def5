import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Key, keyOf } from '../key.ts';

/** With what the names of our own keys begin, unless the operator says otherwise. */
export const PROBE_KEY_PREFIX = 'sidetrack:probe:';

/** How long a key of ours lives, in milliseconds, if it is not one whose end is waited for. */
const LIFE_MS = 1_000;
/** The same of one whose end is waited for, and when it has certainly come. */
const SHORT_LIFE_MS = 1;
const SHORT_LIFE_OVER_MS = 20;

/** How often another key is tried where this node of a cluster does not hold it. */
const TRIES_MAX_COUNT = 100;

/** Writes that make a key of each type; events of each type can be switched off alone. */
const TYPES: readonly {
  readonly name: string;
  readonly make: (key: string) => readonly [string, ...string[]];
}[] = [
  { name: 'lists', make: (key) => ['RPUSH', key, '1'] },
  { name: 'sets', make: (key) => ['SADD', key, '1'] },
  { name: 'hashes', make: (key) => ['HSET', key, 'f', '1'] },
  { name: 'sorted sets', make: (key) => ['ZADD', key, '1', 'm'] },
  { name: 'streams', make: (key) => ['XADD', key, '*', 'f', '1'] },
];

/** What was heard of one key so far. */
export interface Heard {
  /** How many changes of it were announced, but for its removal by the server. */
  readonly changes: number;
  /** Whether the server has announced that its time was up. */
  readonly expired: boolean;
}

const NOTHING: Heard = { changes: 0, expired: false };

/** Hears of our own keys. */
export class Ear {
  readonly #prefix: string;
  readonly #heard = new Map<Key, Heard>();

  /** @param prefix with what their names begin */
  constructor(prefix: string) {
    this.#prefix = nameOf(prefix);
  }

  /** Any key has changed. @param removed by the server: expired or evicted */
  hear(key: Key, removed: boolean): void {
    if (!key.startsWith(this.#prefix)) return;
    const { changes, expired } = this.heard(key);
    this.#heard.set(key, {
      changes: changes + (removed ? 0 : 1),
      expired: expired || removed,
    });
  }

  heard(key: Key): Heard {
    return this.#heard.get(key) ?? NOTHING;
  }
}

/** Where something is asked. */
interface Asked {
  /** @returns the decoded reply; an Error where it is refused */
  ask(command: string, ...words: readonly string[]): Promise<unknown>;
}

/** An upstream at which changes are tried. */
export interface ProbeSite extends Asked {
  /** @returns one more connection, which the caller closes */
  another(): Promise<Asked & { close(): void }>;
  /** Returns when all is heard that was announced before. */
  catchUp(): Promise<void>;
  heard(key: Key): Heard;
}

/** A key of ours that was written. */
export interface Probe {
  readonly key: string;
  /** How often that was announced: as a string's change, and as a time that was set. */
  readonly announced: number;
}

/**
 * Changes a key of our own, which is gone a second later.
 *
 * @returns the key, or how it was refused
 */
export async function probeAny(site: ProbeSite, prefix: string): Promise<Probe | Error> {
  for (let tries = 1; ; tries++) {
    const key = `${prefix}${randomBytes(8).toString('hex')}`;
    const answer = await site.ask('SET', key, '1', 'PX', String(LIFE_MS));
    if (!(answer instanceof Error)) {
      await site.catchUp();
      return { key, announced: site.heard(nameOf(key)).changes };
    }
    if (!answer.message.startsWith('MOVED') || tries === TRIES_MAX_COUNT) return answer;
  }
}

/** Which changes are announced. */
export interface Trial {
  readonly heard: readonly string[];
  readonly unheard: readonly string[];
  /** Could not be tried: a right is missing. */
  readonly untried: readonly string[];
}

/**
 * Changes a key in all ways that can be switched off alone. To be asked where the setting itself
 * can't be read. No key is left that does not expire.
 */
export async function probeTypes(site: ProbeSite, { key, announced }: Probe): Promise<Trial> {
  const found: { readonly [kind in keyof Trial]: string[] } = {
    heard: [],
    unheard: [],
    untried: [],
  };
  const note = (name: string, isHeard: boolean | undefined) => {
    (isHeard === undefined ? found.untried : isHeard ? found.heard : found.unheard).push(name);
  };
  note('strings', announced >= 2);
  note('expiry', await hearsExpiry(site, key));
  const control = await site.another(); // a transaction that cannot be ended ends with it
  try {
    const isGone = !((await control.ask('DEL', key)) instanceof Error);
    await site.catchUp();
    for (const { name, make } of TYPES) {
      const isHeard = isGone ? await hearsType(site, control, key, make(key)) : undefined;
      if (isHeard !== 'not there') note(name, isHeard);
    }
  } finally {
    control.close();
  }
  return found;
}

/** @returns undefined where it cannot be tried */
async function hearsExpiry(site: ProbeSite, key: string): Promise<boolean | undefined> {
  const first = await site.ask('SET', key, '1', 'PX', String(SHORT_LIFE_MS));
  await sleep(SHORT_LIFE_OVER_MS);
  // Whoever touches a key whose time is up makes the server remove it.
  const second = await site.ask('SET', key, '1', 'PX', String(LIFE_MS));
  if (first instanceof Error || second instanceof Error) return undefined;
  await site.catchUp();
  return site.heard(nameOf(key)).expired;
}

/** @returns undefined where it cannot be tried; or the server has no such type */
async function hearsType(
  site: ProbeSite,
  control: Asked,
  key: string,
  make: readonly [string, ...string[]],
): Promise<boolean | 'not there' | undefined> {
  const before = site.heard(nameOf(key)).changes;
  // In one transaction, so that nobody sees the key, and none is left behind.
  if ((await control.ask('MULTI')) instanceof Error) return undefined;
  const [made, , done] = await Promise.all([
    control.ask(...make),
    control.ask('DEL', key),
    control.ask('EXEC'),
  ]);
  if (made instanceof Error && /unknown command/i.test(made.message)) return 'not there';
  if (!Array.isArray(done)) return undefined;
  await site.catchUp();
  return site.heard(nameOf(key)).changes - before >= 2;
}

/** Our keys go out as UTF-8 and are heard of as bytes. */
function nameOf(key: string): Key {
  return keyOf(Buffer.from(key, 'utf8').toString('latin1'));
}
