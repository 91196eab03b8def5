import type { Target } from '../helpers/raw-client.ts';
import type { Random } from '../simulation/random.ts';
import { type Scene, short } from './caching-client.ts';
import { Connection, type Words } from './connection.ts';
import { drawWrite } from './writes.ts';

/** How long a writer rests between two batches, in milliseconds, at most. */
const STEP_MAX_MS = 40;
/** More replies than this are not waited for at once. */
const OWED_MAX_COUNT = 100;
/** How long it waits before it connects again, in milliseconds, at most. */
const RECONNECT_MAX_MS = 100;

/** Where a writer is connected, and to which database. */
export interface WriterPlace {
  readonly target: Target;
  readonly db: number;
  readonly resp: 2 | 3;
}

/** A client that writes and caches nothing. */
export class Writer {
  readonly name: string;
  /** It asks for nothing new. */
  isResting = true;
  readonly #place: WriterPlace;
  readonly #scene: Scene;
  readonly #random: Random;
  #connection: Connection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(name: string, place: WriterPlace, scene: Scene, random: Random) {
    this.name = name;
    this.#place = place;
    this.#scene = scene;
    this.#random = random;
  }

  start(): void {
    this.#connect();
    this.#step();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#connection?.close();
  }

  /** Replies that it waits for. */
  get owed(): number {
    return this.#connection?.owed ?? 0;
  }

  /** Sends requests at once, if it is connected. */
  run(requests: readonly Words[], keys: readonly string[] = []): void {
    const what = requests.map((words) => short(words.join(' '))).join('; ');
    const connection = this.#connection;
    for (const [index, words] of requests.entries()) {
      connection?.send(words, (reply) => {
        if (index < requests.length - 1) return;
        if (reply !== undefined && reply.type !== '-') this.#scene.tally.writes += 1;
        this.#scene.chronicle.note(this.name, `${what} -> ${reply?.type ?? 'lost'}`, keys);
      });
    }
  }

  #step(): void {
    this.#timer = setTimeout(() => this.#step(), 1 + this.#random.below(STEP_MAX_MS));
    const connection = this.#connection;
    if (connection === undefined || this.isResting || connection.owed > OWED_MAX_COUNT) return;
    for (let left = 1 + this.#random.below(4); left > 0; left--) {
      const { requests, keys } = drawWrite(this.#random);
      this.run(requests, keys);
    }
    if (!this.#random.chance(0.2)) return;
    connection.sendTag((reply) => {
      if (reply !== undefined) this.#scene.tally.tags += 1;
    });
  }

  #connect(): void {
    if (this.#isStopped) return;
    const { target, db, resp } = this.#place;
    const connection = new Connection(target, {
      pushed: (frame) => this.#scene.wronged(this.name, 'unknown push', JSON.stringify(frame)),
      closed: () => this.#lost(connection),
      wronged: (wrong, detail) => this.#scene.wronged(this.name, wrong, detail),
    });
    this.#connection = connection;
    if (resp === 3) connection.send(['HELLO', '3']);
    if (db !== 0) connection.send(['SELECT', String(db)]);
  }

  #lost(connection: Connection): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    this.#scene.tally.closes += 1;
    setTimeout(() => this.#connect(), 10 + this.#random.below(RECONNECT_MAX_MS));
  }
}
