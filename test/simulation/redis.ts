import { COMMANDS, type Outcome } from './commands.ts';
import type { Journal } from './journal.ts';
import type { LaneOracle } from './oracle.ts';
import { arrayOf, bulkOf, nullOf, Store } from './store.ts';
import type { Teller } from './story.ts';
import { UpstreamConnection } from './upstream-connection.ts';
import { show, type TextPipe } from './wire.ts';

/** These are executed inside MULTI, too. */
const NOT_QUEUED: ReadonlySet<string> = new Set([
  'MULTI',
  'EXEC',
  'DISCARD',
  'WATCH',
  'RESET',
  'QUIT',
]);

/** These may be used by whoever has given no password. */
const OPEN_TO_ALL: ReadonlySet<string> = new Set(['AUTH', 'HELLO', 'RESET', 'QUIT']);

/** What the model of Redis needs from the world around it. */
export interface UpstreamParts {
  /** Milliseconds. */
  readonly now: () => number;
  readonly hasPassword: boolean;
  /** A key that users must not name. */
  readonly secret: string | undefined;
  /** What keys have been is written down there, if anybody wants to know. */
  readonly journal: Journal | undefined;
  /** A key has changed. */
  readonly announce: (db: number, key: string, event: string) => void;
  /** @returns how many have heard it */
  readonly publish: (channel: string, text: string) => number;
  /** Told what happens, for the story. */
  readonly tell: Teller | undefined;
}

/**
 * A small Redis without sockets: bytes in, bytes out, every command executed at once and in one
 * order, and its changes announced in that order, as the single thread of the real one does.
 */
export class Upstream {
  readonly hasPassword: boolean;
  readonly #parts: UpstreamParts;
  readonly #connections = new Set<UpstreamConnection>();
  #blocked: UpstreamConnection[] = []; // in the order in which they began to wait
  readonly #stores: readonly Store[];
  readonly #nobody: UpstreamConnection;
  #pushed: { readonly store: Store; readonly key: string }[] = [];
  readonly #silentCalls = new Map<string, number>();
  #depth = 0;
  #nextId = 1;

  constructor(parts: UpstreamParts) {
    this.#parts = parts;
    this.hasPassword = parts.hasPassword;
    this.#stores = [0, 1, 2].map(
      (db) =>
        new Store(parts.now, (key, event) => {
          parts.journal?.changed(db, key, this.store(db));
          parts.announce(db, key, event);
        }),
    );
    this.#nobody = new UpstreamConnection(0, NO_PIPE, NO_ORACLE, true, this.store(0));
  }

  /** Whether EXEC is running. */
  get inTransaction(): boolean {
    return this.#depth > 0;
  }

  /** @returns the database of that number */
  store(db: number): Store {
    return this.#stores[db] as Store;
  }

  /** Removes what is over. */
  expireAll(): void {
    for (const store of this.#stores) store.expireAll();
  }

  /** Every key of every database goes. */
  flush(): void {
    for (const [db, store] of this.#stores.entries()) {
      for (const key of store.flush()) this.#parts.journal?.changed(db, key, store);
    }
  }

  connect(out: TextPipe, oracle: LaneOracle): UpstreamConnection {
    const connection = new UpstreamConnection(
      this.#nextId++,
      out,
      oracle,
      !this.hasPassword,
      this.store(0),
    );
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
  direct(words: readonly string[], db = 0): void {
    const command = COMMANDS.get(words[0] ?? '');
    this.#nobody.store = this.store(db);
    this.#parts.tell?.(
      () => `Redis executes ${words.join(' ')} for somebody else, in database ${db}`,
    );
    command?.(this, this.#nobody, words);
    this.#serve();
  }

  publish(channel: string, text: string): number {
    return this.#parts.publish(channel, text);
  }

  /** A list has got an element. */
  pushed(store: Store, key: string): void {
    this.#pushed.push({ store, key });
  }

  /** @param forMs 0: for ever */
  block(connection: UpstreamConnection, key: string, forMs: number): void {
    const until = forMs === 0 ? Number.POSITIVE_INFINITY : this.#parts.now() + forMs;
    connection.blocked = { store: connection.store, key, until };
    this.#blocked.push(connection);
  }

  /** The clock has gone on. */
  tick(): void {
    for (const connection of this.#blocked) {
      const { blocked } = connection; // no more, if another's end has let it go
      if (blocked === undefined || blocked.until > this.#parts.now()) continue;
      this.#parts.journal?.take();
      this.#unblock(connection, nullOf(connection.protocol, '*'));
    }
  }

  /** How often commands were executed that no notification tells, by their names. */
  get silentCalls(): ReadonlyMap<string, number> {
    return this.#silentCalls;
  }

  /** A command was executed that no notification tells. */
  silent(name: string): void {
    this.#silentCalls.set(name, (this.#silentCalls.get(name) ?? 0) + 1);
  }

  /** @returns a key that somebody waits for */
  awaited(): { readonly db: number; readonly key: string } | undefined {
    const blocked = this.#blocked[0]?.blocked;
    return blocked && { db: this.#stores.indexOf(blocked.store), key: blocked.key };
  }

  #run(connection: UpstreamConnection): void {
    while (connection.isOpen && connection.blocked === undefined) {
      const words = connection.queue.shift();
      if (words === undefined) return;
      connection.oracle.sees(words, connection.multi !== undefined);
      this.#parts.journal?.take(); // what others have changed is not of this request
      const outcome = this.#dispatch(connection, words);
      this.#parts.tell?.(() => {
        const what = outcome === undefined ? 'waits' : show(outcome.text);
        return `Redis, for client ${connection.id - 1}: ${words.join(' ')} -> ${what}`;
      });
      if (outcome !== undefined) this.#reply(connection, outcome);
      this.#serve();
    }
  }

  #reply(connection: UpstreamConnection, outcome: NonNullable<Outcome>): void {
    connection.oracle.answers(outcome, this.#parts.journal?.take() ?? []);
    connection.out.push(outcome.text);
  }

  #dispatch(connection: UpstreamConnection, words: readonly string[]): Outcome {
    const name = words[0] ?? '';
    if (!connection.isLetIn && !OPEN_TO_ALL.has(name)) {
      return { text: '-NOAUTH Authentication required.\r\n' };
    }
    if (connection.forbidden.has(name)) return { text: refuse(connection, name, words) };
    const { secret } = this.#parts;
    if (secret !== undefined && namesKey(words, secret)) {
      connection.isSpoilt = true;
      return { text: NOT_THAT_KEY };
    }
    if (connection.multi !== undefined && !NOT_QUEUED.has(name)) {
      connection.multi.push(words);
      return { text: '+QUEUED\r\n' };
    }
    return name === 'EXEC' ? this.#exec(connection) : this.#execute(connection, words);
  }

  #execute(connection: UpstreamConnection, words: readonly string[]): Outcome {
    const command = COMMANDS.get(words[0] ?? '');
    if (command === undefined) return { text: `-ERR unknown command '${words[0]}'\r\n` };
    const text = command(this, connection, words);
    return text === undefined ? undefined : { text };
  }

  #exec(connection: UpstreamConnection): Outcome {
    const { multi, isSpoilt } = connection;
    if (multi === undefined) return { text: '-ERR EXEC without MULTI\r\n' };
    const disturbed = connection.isDisturbed;
    connection.multi = undefined;
    connection.watched.length = 0;
    if (isSpoilt) {
      return { text: '-EXECABORT Transaction discarded because of previous errors.\r\n' };
    }
    if (disturbed) return { text: nullOf(connection.protocol, '*') };
    this.#depth += 1;
    const elements = multi.map((words) => {
      if (connection.forbidden.has(words[0] ?? '')) {
        return '-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call.\r\n';
      }
      return this.#execute(connection, words)?.text ?? '';
    });
    this.#depth -= 1;
    return { text: arrayOf(elements), elements };
  }

  /** Gives what has been pushed to those who wait for it. */
  #serve(): void {
    while (this.#pushed.length > 0) {
      const pushed = this.#pushed;
      this.#pushed = [];
      for (const connection of [...this.#blocked]) {
        const { blocked } = connection;
        if (!pushed.some(({ store, key }) => store === blocked?.store && key === blocked.key)) {
          continue;
        }
        const { store, key } = blocked as NonNullable<typeof blocked>;
        this.#parts.journal?.take();
        const text = store.pop(key);
        if (text !== undefined) this.#unblock(connection, arrayOf([bulkOf(key), bulkOf(text)]));
      }
    }
  }

  #unblock(connection: UpstreamConnection, text: string): void {
    connection.blocked = undefined;
    this.#blocked = this.#blocked.filter((other) => other !== connection);
    this.#parts.tell?.(() => `Redis, for client ${connection.id - 1}, which waited: ${show(text)}`);
    this.#reply(connection, { text });
    this.#run(connection);
  }
}

/** Redis refuses a command: a transaction is spoilt by that, and by the EXEC itself ended. */
function refuse(connection: UpstreamConnection, name: string, words: readonly string[]): string {
  const subcommand = name === 'CLIENT' ? `|${words[1]?.toLowerCase()}` : '';
  const text = `NOPERM this user has no permissions to run the '${name.toLowerCase()}${subcommand}' command\r\n`;
  connection.isSpoilt = true;
  if (name !== 'EXEC') return `-${text}`;
  connection.multi = undefined;
  connection.watched.length = 0;
  return `-EXECABORT Transaction discarded because of: ${text}`;
}

/** Whoever talks to Redis directly; what it is told matters to nobody. */
const NOT_THAT_KEY =
  '-NOPERM this user has no permissions to access one of the keys used as arguments\r\n';

/** Whether a request names a key, by what the model knows of places of keys. */
function namesKey(words: readonly string[], key: string): boolean {
  const place = words.indexOf(key);
  return place > 0 && (words[0] === 'EVAL' ? place > 2 : words[0] !== 'ECHO');
}

const NO_PIPE = { size: 0 } as TextPipe;
const NO_ORACLE = {} as LaneOracle;
