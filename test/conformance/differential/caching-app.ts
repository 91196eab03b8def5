import { textOf, wordsOf } from '../../helpers/reply-text.ts';
import type { Reply } from '../../helpers/resp.ts';
import { type Name, SET_AND_GET } from './sequence.ts';

/** A reply that the application would use again instead of asking. */
export interface Cached {
  readonly keys: readonly string[];
  readonly reply: string;
  readonly protocol: 2 | 3;
}

/** What CLIENT TRACKING has set, as its replies tell. */
interface Mode {
  readonly bcast: boolean;
  readonly optin: boolean;
  readonly optout: boolean;
  readonly noloop: boolean;
  readonly redirect: Name | undefined;
}

/** What an application that caches by the book does with one client's stream of frames. */
export class CachingApp {
  readonly name: Name;
  protocol: 2 | 3;
  /** By the request that would be asked again. */
  readonly cache = new Map<string, Cached>();
  #mode: Mode | undefined;
  #prefixes = new Set<string>();
  #mark = false;
  /** The redirection leads nowhere: nothing may be kept until it is made anew. */
  broken = false;
  readonly #listens: (target: Name) => boolean;

  /** @param listens whether a client would hear what is redirected to it */
  constructor(name: Name, protocol: 2 | 3, listens: (target: Name) => boolean) {
    this.name = name;
    this.protocol = protocol;
    this.#listens = listens;
  }

  /** Who is told in its place. */
  get redirect(): Name | undefined {
    return this.#mode?.redirect;
  }

  /** The reply to a request came. @param queued the requests of an EXEC */
  answered(line: string, reply: Reply, queued: readonly string[]): void {
    if (line !== 'EXEC') {
      this.#one(line, reply);
      if (!line.startsWith('CLIENT ') || line === 'CLIENT NOSUCH') this.#mark = false;
      return;
    }
    const items = reply.items ?? [];
    for (const [index, item] of items.entries()) this.#one(queued[index] ?? '', item);
    this.#mark = false;
  }

  /** Keys have changed, or everything. */
  invalidate(keys: readonly string[] | undefined): void {
    if (keys === undefined) this.cache.clear();
    for (const [line, cached] of this.cache) {
      if (cached.keys.some((key) => keys?.includes(key))) this.cache.delete(line);
    }
  }

  /** Nothing that is kept can be trusted any more. */
  distrust(): void {
    this.broken = true;
    this.cache.clear();
  }

  #one(line: string, reply: Reply): void {
    const text = textOf(reply);
    const failed = reply.type === '-';
    const words = wordsOf(line);
    const command = words.slice(0, 2).join(' ');
    if (command === 'CLIENT TRACKING' && !failed) this.#tracking(words.slice(2));
    else if (command === 'CLIENT CACHING' && !failed) this.#mark = true;
    else if (line === 'RESET' && !failed) this.#reset();
    else if (words[0] === 'HELLO' && !failed) this.#hello(words[1] === '2' ? 2 : 3);
    else if (!failed) this.#data(line, words, text);
  }

  #tracking(words: readonly string[]): void {
    if (words[0] === 'OFF') {
      this.#off();
      return;
    }
    const redirect = /\$([abc])/.exec(words.join(' '))?.[1] as Name | undefined;
    const has = (word: string) => words.includes(word);
    if (redirect !== this.#mode?.redirect || this.broken) this.cache.clear();
    this.broken = false;
    this.#mode = {
      bcast: has('BCAST'),
      optin: has('OPTIN'),
      optout: has('OPTOUT'),
      noloop: has('NOLOOP'),
      redirect,
    };
    const added = words.flatMap((word, index) => (words[index - 1] === 'PREFIX' ? [word] : []));
    for (const prefix of added.length === 0 ? [''] : added) this.#prefixes.add(prefix);
    if (!has('BCAST')) this.#prefixes.clear();
  }

  #off(): void {
    this.#mode = undefined;
    this.#mark = false;
    this.broken = false;
    this.#prefixes.clear();
    this.cache.clear();
  }

  #reset(): void {
    this.#off();
    this.protocol = 2;
  }

  #hello(protocol: 2 | 3): void {
    if (protocol !== this.protocol) this.cache.clear();
    this.protocol = protocol;
  }

  #data(line: string, words: readonly string[], reply: string): void {
    const verb = words[0] ?? '';
    if (verb === 'EVAL') {
      const wrote = words[1] === SET_AND_GET;
      const key = words[3] ?? '';
      if (wrote) this.#wrote([key]);
      this.#keep(`GET ${key}`, [key], reply);
    } else if (READS.has(verb) && words.length > 1) {
      const keys = verb === 'LRANGE' ? words.slice(1, 2) : words.slice(1);
      this.#keep(line, keys, reply);
    } else if (WRITES.has(verb)) {
      this.#wrote(words.slice(1));
    }
  }

  /** With NOLOOP the application has to see to its own writes. @param words keys, and others */
  #wrote(words: readonly string[]): void {
    if (this.#mode?.noloop) this.invalidate(words);
  }

  #keep(line: string, keys: readonly string[], reply: string): void {
    const mode = this.#mode;
    if (mode === undefined || this.broken) return;
    const { bcast, optin, optout, redirect } = mode;
    const hears = redirect === undefined ? this.protocol === 3 : this.#listens(redirect);
    const covered = keys.every((key) => [...this.#prefixes].some((start) => key.startsWith(start)));
    const tracked = bcast ? covered : optin ? this.#mark : !(optout && this.#mark);
    // What is not tracked must not be used later; it says nothing about what was kept before.
    if (hears && tracked) this.cache.set(line, { keys, reply, protocol: this.protocol });
  }
}

const READS: ReadonlySet<string> = new Set(['GET', 'MGET', 'EXISTS', 'LRANGE', 'LLEN']);
const WRITES: ReadonlySet<string> = new Set([
  'SET',
  'DEL',
  'GETDEL',
  'INCR',
  'MSET',
  'RENAME',
  'COPY',
  'RPUSH',
  'LPOP',
]);
