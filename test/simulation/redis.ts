import { COMMANDS, type Outcome } from './commands.ts';
import type { LaneOracle } from './oracle.ts';
import { arrayOf, bulkOf, nullOf, Store } from './store.ts';
import { UpstreamConnection } from './upstream-connection.ts';
import { type Pipe, show } from './wire.ts';

/** These are executed inside MULTI, too. */
const NOT_QUEUED: ReadonlySet<string> = new Set(['multi', 'exec', 'discard', 'watch', 'reset']);

/** These may be used by whoever has given no password. */
const OPEN_TO_ALL: ReadonlySet<string> = new Set(['auth', 'hello', 'reset']);

/** What the model of Redis needs from the world around it. */
export interface UpstreamParts {
  /** Milliseconds. */
  readonly now: () => number;
  readonly hasPassword: boolean;
  /** A key has changed. */
  readonly announce: (key: string, event: string) => void;
  /** @returns how many have heard it */
  readonly publish: (channel: string, text: string) => number;
  /** Told what happens, for the story. */
  readonly tell: (line: () => string) => void;
}

/**
 * A small Redis without sockets: bytes in, bytes out, every command executed at once and in one
 * order, and its changes announced in that order, as the single thread of the real one does.
 */
export class Upstream {
  readonly store: Store;
  readonly hasPassword: boolean;
  readonly #parts: UpstreamParts;
  readonly #connections = new Set<UpstreamConnection>();
  #blocked: UpstreamConnection[] = []; // in the order in which they began to wait
  #pushedKeys = new Set<string>();
  #depth = 0;
  #nextId = 1;

  constructor(parts: UpstreamParts) {
    this.#parts = parts;
    this.hasPassword = parts.hasPassword;
    this.store = new Store(parts.now, parts.announce);
  }

  /** Whether EXEC is running. */
  get inTransaction(): boolean {
    return this.#depth > 0;
  }

  connect(out: Pipe, oracle: LaneOracle): UpstreamConnection {
    const connection = new UpstreamConnection(this.#nextId++, out, oracle, !this.hasPassword);
    this.#connections.add(connection);
    return connection;
  }

  close(connection: UpstreamConnection): void {
    connection.isOpen = false;
    connection.blocked = undefined;
    connection.queue.length = 0;
    this.#connections.delete(connection);
    this.#blocked = this.#blocked.filter((other) => other !== connection);
  }

  /** Executes what is whole of what has come. */
  receive(connection: UpstreamConnection, bytes: Buffer): void {
    connection.queue.push(...connection.splitter.feed(bytes));
    this.#run(connection);
  }

  /** Executes a command for somebody who is no client of the proxy. */
  direct(words: readonly string[]): void {
    const command = COMMANDS.get(words[0]?.toLowerCase() ?? '');
    const nobody = NOBODY;
    this.#parts.tell(() => `Redis executes ${words.join(' ')} for somebody else`);
    command?.(this, nobody, words);
    this.#serve();
  }

  publish(channel: string, text: string): number {
    return this.#parts.publish(channel, text);
  }

  /** A list has got an element. */
  pushed(key: string): void {
    this.#pushedKeys.add(key);
  }

  /** @param forMs 0: for ever */
  block(connection: UpstreamConnection, key: string, forMs: number): void {
    const until = forMs === 0 ? Number.POSITIVE_INFINITY : this.#parts.now() + forMs;
    connection.blocked = { key, until };
    this.#blocked.push(connection);
  }

  /** The clock has gone on. */
  tick(): void {
    for (const connection of this.#blocked) {
      const { blocked } = connection; // no more, if another's end has let it go
      if (blocked === undefined || blocked.until > this.#parts.now()) continue;
      this.#unblock(connection, nullOf(connection.protocol, '*'));
    }
  }

  /** @returns a key that somebody waits for */
  awaitedKey(): string | undefined {
    return this.#blocked[0]?.blocked?.key;
  }

  #run(connection: UpstreamConnection): void {
    while (connection.isOpen && connection.blocked === undefined) {
      const words = connection.queue.shift();
      if (words === undefined) return;
      connection.oracle.sees(words, connection.multi !== undefined);
      const outcome = this.#dispatch(connection, words);
      this.#parts.tell(() => {
        const what = outcome === undefined ? 'waits' : show(outcome.text);
        return `Redis, for client ${connection.id - 1}: ${words.join(' ')} -> ${what}`;
      });
      if (outcome !== undefined) this.#reply(connection, outcome);
      this.#serve();
    }
  }

  #reply(connection: UpstreamConnection, outcome: NonNullable<Outcome>): void {
    connection.oracle.answers(outcome);
    connection.out.push(Buffer.from(outcome.text, 'latin1'));
  }

  #dispatch(connection: UpstreamConnection, words: readonly string[]): Outcome {
    const name = words[0]?.toLowerCase() ?? '';
    if (!connection.isLetIn && !OPEN_TO_ALL.has(name)) {
      return { text: '-NOAUTH Authentication required.\r\n' };
    }
    if (connection.forbidden.has(name)) return { text: refuse(connection, name, words) };
    if (connection.multi !== undefined && !NOT_QUEUED.has(name)) {
      connection.multi.push(words);
      return { text: '+QUEUED\r\n' };
    }
    return name === 'exec' ? this.#exec(connection) : this.#execute(connection, words);
  }

  #execute(connection: UpstreamConnection, words: readonly string[]): Outcome {
    const command = COMMANDS.get(words[0]?.toLowerCase() ?? '');
    if (command === undefined) return { text: `-ERR unknown command '${words[0]}'\r\n` };
    const text = command(this, connection, words);
    return text === undefined ? undefined : { text };
  }

  #exec(connection: UpstreamConnection): Outcome {
    const { multi, isSpoilt } = connection;
    if (multi === undefined) return { text: '-ERR EXEC without MULTI\r\n' };
    const disturbed = [...connection.watched].some(
      ([key, version]) => this.store.version(key) !== version,
    );
    connection.multi = undefined;
    connection.watched.clear();
    if (isSpoilt) {
      return { text: '-EXECABORT Transaction discarded because of previous errors.\r\n' };
    }
    if (disturbed) return { text: nullOf(connection.protocol, '*') };
    this.#depth += 1;
    const elements = multi.map((words) => {
      if (connection.forbidden.has(words[0]?.toLowerCase() ?? '')) {
        return '-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call.\r\n';
      }
      return this.#execute(connection, words)?.text ?? '';
    });
    this.#depth -= 1;
    return { text: arrayOf(elements), elements };
  }

  /** Gives what has been pushed to those who wait for it. */
  #serve(): void {
    while (this.#pushedKeys.size > 0) {
      const keys = this.#pushedKeys;
      this.#pushedKeys = new Set();
      for (const connection of [...this.#blocked]) {
        const key = connection.blocked?.key;
        if (key === undefined || !keys.has(key)) continue;
        const text = this.store.pop(key);
        if (text !== undefined) this.#unblock(connection, arrayOf([bulkOf(key), bulkOf(text)]));
      }
    }
  }

  #unblock(connection: UpstreamConnection, text: string): void {
    connection.blocked = undefined;
    this.#blocked = this.#blocked.filter((other) => other !== connection);
    this.#parts.tell(() => `Redis, for client ${connection.id - 1}, which waited: ${show(text)}`);
    this.#reply(connection, { text });
    this.#run(connection);
  }
}

/** Redis refuses a command: a transaction is spoilt by that, and by the EXEC itself ended. */
function refuse(connection: UpstreamConnection, name: string, words: readonly string[]): string {
  const subcommand = name === 'client' ? `|${words[1]?.toLowerCase()}` : '';
  const text = `NOPERM this user has no permissions to run the '${name}${subcommand}' command\r\n`;
  connection.isSpoilt = true;
  if (name !== 'exec') return `-${text}`;
  connection.multi = undefined;
  connection.watched.clear();
  return `-EXECABORT Transaction discarded because of: ${text}`;
}

/** Whoever talks to Redis directly; what it is told matters to nobody. */
const NOBODY = new UpstreamConnection(0, { size: 0 } as Pipe, {} as LaneOracle, true);
