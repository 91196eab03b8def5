/** Which RESP a connection speaks. */
export type Protocol = 2 | 3;

/** How a value was read: what a client caches is the answer to one of these. */
export type ReadKind = 'get' | 'lrange' | 'exists';

interface Entry {
  value: string | string[];
  /** When it is over, in milliseconds of the clock. */
  expiresAt: number | undefined;
}

/**
 * The data of the model of Redis: strings and lists, with times to live. Each change is announced
 * in the order in which it happens, and gives its key a new version.
 */
export class Store {
  readonly #entries = new Map<string, Entry>();
  readonly #versions = new Map<string, number>();
  readonly #now: () => number;
  readonly #announce: (key: string, event: string) => void;

  constructor(now: () => number, announce: (key: string, event: string) => void) {
    this.#now = now;
    this.#announce = announce;
  }

  /** @returns a number that differs if the key has changed in between */
  version(key: string): number {
    this.#live(key);
    return this.#versions.get(key) ?? 0;
  }

  /** @returns the value; undefined: there is none */
  value(key: string): string | readonly string[] | undefined {
    return this.#live(key)?.value;
  }

  set(key: string, text: string, forMs?: number): void {
    this.#live(key);
    const expiresAt = forMs === undefined ? undefined : this.#now() + forMs;
    this.#entries.set(key, { value: text, expiresAt });
    this.#changed(key, 'set');
    if (forMs !== undefined) this.#changed(key, 'expire');
  }

  /** @returns the length of the new text; undefined: it is a list */
  append(key: string, text: string): number | undefined {
    const entry = this.#live(key);
    if (Array.isArray(entry?.value)) return undefined;
    const value = (entry?.value ?? '') + text;
    if (entry === undefined) this.#entries.set(key, { value, expiresAt: undefined });
    else entry.value = value;
    this.#changed(key, 'append');
    return value.length;
  }

  delete(key: string): boolean {
    if (this.#live(key) === undefined) return false;
    this.#entries.delete(key);
    this.#changed(key, 'del');
    return true;
  }

  expire(key: string, forMs: number): boolean {
    const entry = this.#live(key);
    if (entry === undefined) return false;
    entry.expiresAt = this.#now() + forMs;
    this.#changed(key, 'expire');
    return true;
  }

  /** @returns the length of the list; undefined: it is a string */
  push(key: string, text: string): number | undefined {
    const entry = this.#live(key);
    if (typeof entry?.value === 'string') return undefined;
    const list = entry?.value ?? [];
    list.push(text);
    if (entry === undefined) this.#entries.set(key, { value: list, expiresAt: undefined });
    this.#changed(key, 'rpush');
    return list.length;
  }

  /** @returns what was taken; undefined: there is nothing to take */
  pop(key: string): string | undefined {
    const list = this.#live(key)?.value;
    if (!Array.isArray(list)) return undefined;
    const text = list.shift();
    this.#changed(key, 'lpop');
    if (list.length === 0) {
      this.#entries.delete(key);
      this.#changed(key, 'del');
    }
    return text;
  }

  /** Everything goes, and nothing announces it. @returns what there was */
  flush(): readonly string[] {
    const keys = [...this.#entries.keys()];
    for (const key of keys) this.#bump(key);
    this.#entries.clear();
    return keys;
  }

  /** Removes what is over. */
  expireAll(): void {
    for (const key of [...this.#entries.keys()]) this.#live(key);
  }

  /** @returns the bytes with which a read of that kind is answered now; changes nothing */
  answer(kind: ReadKind, key: string, protocol: Protocol): string {
    const entry = this.#entries.get(key);
    const isOver = entry?.expiresAt !== undefined && entry.expiresAt <= this.#now();
    const value = isOver ? undefined : entry?.value;
    if (kind === 'exists') return `:${value === undefined ? 0 : 1}\r\n`;
    if (kind === 'lrange') return arrayOf((Array.isArray(value) ? value : []).map(bulkOf));
    return typeof value === 'string' ? bulkOf(value) : nullOf(protocol);
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry?.expiresAt === undefined || entry.expiresAt > this.#now()) return entry;
    this.#entries.delete(key);
    this.#changed(key, 'expired');
    return undefined;
  }

  #changed(key: string, event: string): void {
    this.#bump(key);
    this.#announce(key, event);
  }

  #bump(key: string): void {
    this.#versions.set(key, (this.#versions.get(key) ?? 0) + 1);
  }
}

/** @returns a bulk string */
export function bulkOf(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

/** @returns an array of frames */
export function arrayOf(items: readonly string[]): string {
  return `*${items.length}\r\n${items.join('')}`;
}

/** @returns the null of a connection's protocol */
export function nullOf(protocol: Protocol, kind: '$' | '*' = '$'): string {
  return protocol === 3 ? '_\r\n' : `${kind}-1\r\n`;
}
