import { globMatches } from '../glob.ts';
import type { Key } from '../key.ts';

/** Which keys a user may read: all of them, or those for which the function says so. */
export type KeyAccess = 'all' | ((key: Key) => boolean);

/** How long what is known of a user counts, in milliseconds: ACL rules may change at any time. */
const FRESH_MS = 1_000;

/** Asks upstream for `ACL GETUSER`. @returns its decoded reply; undefined where it is refused */
export type AskUser = (user: string) => Promise<unknown>;

interface Known {
  access: KeyAccess | undefined;
  /** When it was asked for, in milliseconds of the clock. */
  at: number;
  asking: Promise<void> | undefined;
}

/**
 * What users may read, as upstream's ACL says: a client that watches prefixes must not learn the
 * names of keys that it could not read. Asked for when it is needed, and again when it has aged.
 */
export class AccessRules {
  readonly #ask: AskUser;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();

  /** @param now milliseconds of a clock that never goes back */
  constructor(ask: AskUser, now: () => number) {
    this.#ask = ask;
    this.#now = now;
  }

  /** @returns what `user` may read, as it was a second ago or later; undefined: it has to be loaded */
  of(user: string): KeyAccess | undefined {
    const known = this.#known.get(user);
    if (known === undefined || this.#now() - known.at > FRESH_MS) return undefined;
    return known.access;
  }

  /** Resolves when it has been asked what `user` may read. Never rejects. */
  load(user: string): Promise<void> {
    let known = this.#known.get(user);
    if (known === undefined) {
      known = { access: undefined, at: 0, asking: undefined };
      this.#known.set(user, known);
    }
    known.asking ??= this.#load(user, known);
    return known.asking;
  }

  /** The rules may have changed: nothing that is known counts any more. */
  forget(): void {
    this.#known.clear();
  }

  async #load(user: string, known: Known): Promise<void> {
    try {
      known.access = accessOf(await this.#ask(user));
      known.at = this.#now();
    } catch {
      // Upstream is away: nobody knows.
      known.access = undefined;
    }
    known.asking = undefined;
  }
}

/**
 * @param reply of ACL GETUSER, decoded: names and values in turn; undefined where it is refused,
 *              null where there is no such user
 */
export function accessOf(reply: unknown): KeyAccess {
  if (reply === undefined) return 'all';
  const fields = fieldsOf(reply);
  const patterns = patternsOf(fields.get('keys'));
  const flags = fields.get('flags');
  if (Array.isArray(flags) && flags.includes('allkeys')) patterns.push('*');
  const selectors = fields.get('selectors');
  for (const selector of Array.isArray(selectors) ? selectors : []) {
    const own = fieldsOf(selector);
    if (own.get('commands') !== '-@all') patterns.push(...patternsOf(own.get('keys')));
  }
  if (patterns.includes('*')) return 'all';
  return (key) => patterns.some((pattern) => globMatches(pattern, key));
}

function fieldsOf(reply: unknown): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  if (!Array.isArray(reply)) return fields;
  for (let index = 0; index + 1 < reply.length; index += 2) {
    fields.set(String(reply[index]), reply[index + 1]);
  }
  return fields;
}

/**
 * 6.x lists bare patterns; 7.0 and later one text of rules: `~a* %R~b* %W~c*`. Who may only write a
 * key may still ask for its length, for one, so every rule counts.
 */
function patternsOf(keys: unknown): string[] {
  if (Array.isArray(keys)) return keys.map(String);
  const rules = typeof keys === 'string' ? keys.split(' ') : [];
  return rules.flatMap((rule) => {
    const [, pattern] = /^(?:%[RW]+)?~(.*)$/s.exec(rule) ?? [];
    return pattern === undefined ? [] : [pattern];
  });
}
