import type { Target } from '../helpers/raw-client.ts';
import type { Random } from '../simulation/random.ts';
import { Cache, type Entry } from './cache.ts';
import type { Chronicle } from './chronicle.ts';
import { Connection, type Words, type Wrong } from './connection.ts';
import type { Frame } from './frames.ts';
import type { Mode } from './modes.ts';
import { drawRead, idOf, meaningOf, type Read, readOf } from './reads.ts';
import type { Tally } from './tally.ts';
import { drawWrite, newValue } from './writes.ts';

/** What all clients of a run share. */
export interface Scene {
  readonly target: Target;
  readonly tally: Tally;
  readonly chronicle: Chronicle;
  /** Told of what no client should ever see. */
  readonly wronged: (who: string, wrong: Wrong, detail: string) => void;
}

/** How long a client rests between two batches, in milliseconds, at most. */
const STEP_MAX_MS = 50;
/** More replies than this are not waited for at once. */
const OWED_MAX_COUNT = 60;
/** How long a client waits before it connects again, in milliseconds, at most. */
const RECONNECT_MAX_MS = 100;
/** How often a client ends its own connection, and switches tracking off and on, in batches. */
const LEAVE_EVERY = 1_000;
const TOGGLE_EVERY = 500;
const TRIES = 20;
const CHANNEL = '__redis__:invalidate';

/** The connections that live and die together. */
interface Session {
  readonly reader: Connection;
  /** Hears the invalidations, where that is not the reader. */
  readonly hearer: Connection | undefined;
  /** What switches tracking on, less the options. */
  readonly redirect: Words;
}

/**
 * A client that caches as client libraries do: a value is kept when the reply of a tracked read
 * arrives, and dropped when an invalidation names its key; everything is dropped by an invalidation
 * of everything, and when a connection closes.
 *
 * Where invalidations arrive on another connection than replies, one may overtake the reply of a
 * read: such a reply is not kept, as the documentation of Redis asks.
 */
export class CachingClient {
  readonly name: string;
  readonly mode: Mode;
  readonly cache = new Cache();
  /** It asks for nothing new. */
  isResting = true;
  readonly #scene: Scene;
  readonly #random: Random;
  #session: Session | undefined;
  #opening: Connection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(name: string, mode: Mode, scene: Scene, random: Random) {
    this.name = name;
    this.mode = mode;
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
    this.#close();
  }

  /** Replies that it waits for. */
  get owed(): number {
    return (this.#session?.reader.owed ?? 0) + (this.#session?.hearer?.owed ?? 0);
  }

  get isConnected(): boolean {
    return this.#session !== undefined;
  }

  /** Reads nothing that arrives, for a while. */
  async stall(ms: number): Promise<void> {
    const session = this.#session;
    for (const one of [session?.reader, session?.hearer]) one?.pause();
    await new Promise((resolve) => setTimeout(resolve, ms));
    for (const one of [session?.reader, session?.hearer]) one?.resume();
  }

  /** @returns when all that was sent to it until now has been read, or a connection has closed */
  async fence(): Promise<void> {
    const { reader, hearer } = this.#session ?? { hearer: this.#opening };
    const connections = [reader, hearer].filter((one) => one !== undefined);
    await Promise.all(connections.map((one) => new Promise((resolve) => one.sendTag(resolve))));
  }

  #step(): void {
    this.#timer = setTimeout(() => this.#step(), 1 + this.#random.below(STEP_MAX_MS));
    const session = this.#session;
    if (session === undefined || this.isResting || session.reader.owed > OWED_MAX_COUNT) return;
    if (this.#random.below(LEAVE_EVERY) === 0) this.#leave(session);
    else this.#ask(session);
  }

  #leave(session: Session): void {
    this.#scene.chronicle.note(this.name, 'leaves');
    const { reader, hearer } = session;
    // One connection alone: of the other the proxy hears later.
    if (hearer !== undefined && this.#random.chance(0.5)) {
      hearer.close();
      this.#lost(session);
    } else {
      reader.close();
      this.#lostReader(session);
    }
  }

  // Connecting.

  #connect(): void {
    if (this.#isStopped) return;
    if (this.mode.redirect === undefined) {
      this.#open([], undefined);
      return;
    }
    const hearer = this.#connection(() => this.#lostHearer(hearer));
    this.#opening = hearer;
    const isNew = this.mode.redirect === 3;
    if (isNew) hearer.send(['HELLO', '3'], (reply) => this.#demand(reply, hearer));
    hearer.send(['CLIENT', 'ID'], (reply) => {
      if (!this.#demand(reply, hearer)) return;
      const open = () => this.#open(['REDIRECT', reply?.text ?? ''], hearer);
      if (isNew) {
        open();
        return;
      }
      // Before that it hears nothing: what is read must wait, natively too.
      hearer.send(['SUBSCRIBE', CHANNEL], (answer) => {
        if (this.#demand(answer, hearer) && this.#opening === hearer) open();
      });
    });
  }

  #lostHearer(hearer: Connection): void {
    const session = this.#session;
    if (session?.hearer === hearer) this.#lost(session);
    else this.#lost(undefined);
  }

  #open(redirect: Words, hearer: Connection | undefined): void {
    const reader = this.#connection(() => this.#lostReader(session));
    const session: Session = { reader, hearer, redirect };
    this.#session = session;
    this.#opening = undefined;
    const settle = (reply: Frame | undefined) => this.#demand(reply, reader);
    if (this.mode.resp === 3) reader.send(['HELLO', '3'], settle);
    this.#switchOn(session);
    // Reads in the same packet are tracked as well.
    if (!this.isResting && this.#random.chance(0.7)) this.#ask(session);
  }

  #switchOn({ reader, redirect }: Session): void {
    const words = ['CLIENT', 'TRACKING', 'ON', ...redirect, ...this.mode.options];
    reader.send(words, (reply) => this.#demand(reply, reader));
  }

  #connection(closed: () => void): Connection {
    return new Connection(this.#scene.target, {
      pushed: (frame) => this.#pushed(frame),
      closed,
      wronged: (wrong, detail) => this.#scene.wronged(this.name, wrong, detail),
    });
  }

  /** @returns whether it was no error; if it was, the connection ends */
  #demand(reply: Frame | undefined, connection: Connection): boolean {
    if (reply !== undefined && reply.type !== '-') return true;
    if (reply === undefined) return false; // its end is told elsewhere
    connection.close();
    this.#lost(this.#session);
    return false;
  }

  #lostReader(session: Session): void {
    const { hearer, redirect } = session;
    if (session !== this.#session || !this.mode.outlives || !hearer?.isOpen) {
      this.#lost(session);
      return;
    }
    this.#scene.tally.closes += 1;
    this.#scene.chronicle.note(this.name, 'reading connection closed');
    this.#session = undefined;
    this.#opening = hearer;
    const reopen = () => this.#opening === hearer && this.#open(redirect, hearer);
    setTimeout(reopen, 10 + this.#random.below(RECONNECT_MAX_MS));
  }

  #lost(session: Session | undefined): void {
    if (session !== this.#session) return;
    this.#scene.tally.closes += 1;
    this.#scene.chronicle.note(this.name, 'connection closed, drops all');
    this.#close();
    if (this.#isStopped) return;
    setTimeout(() => this.#connect(), 10 + this.#random.below(RECONNECT_MAX_MS));
  }

  #close(): void {
    const { reader, hearer } = this.#session ?? {};
    this.#session = undefined;
    this.cache.dropAll();
    for (const one of [reader, hearer, this.#opening]) one?.close();
    this.#opening = undefined;
  }

  // Asking.

  #ask(session: Session): void {
    const { reader } = session;
    if (this.#random.below(TOGGLE_EVERY) === 0) this.#toggle(session);
    for (let left = 1 + this.#random.below(5); left > 0; left--) {
      const form = this.#random.next();
      if (form < 0.15) this.#tag(reader);
      if (this.mode.writes !== 'never' && this.#random.chance(0.12)) this.#write(session);
      if (form > 0.9) this.#readInTransaction(session);
      else this.#readAlone(session, this.#drawRead(true));
    }
  }

  /** Switches tracking off, reads what must not be kept, and switches it on again. */
  #toggle(session: Session): void {
    const { reader } = session;
    const off = () => {
      this.#scene.chronicle.note(this.name, 'tracking is off, drops all');
      this.cache.dropAll();
    };
    off();
    // What is on its way is kept until then.
    reader.send(['CLIENT', 'TRACKING', 'OFF'], off);
    for (let left = this.#random.below(3); left > 0; left--) {
      reader.send(this.#drawRead(true).words);
    }
    this.#switchOn(session);
  }

  #tag(connection: Connection): void {
    connection.sendTag((reply) => {
      if (reply !== undefined) this.#scene.tally.tags += 1;
    });
  }

  #drawRead(mayScript: boolean): Read {
    const { prefixes } = this.mode;
    for (let tries = TRIES; tries > 0; tries--) {
      const read = drawRead(this.#random, mayScript);
      const isHeard = (key: string) => prefixes.some((prefix) => key.startsWith(prefix));
      if (prefixes.length === 0 || read.keys.every(isHeard)) return read;
    }
    return readOf('string:0');
  }

  #readAlone(session: Session, read: Read): void {
    if (this.#isHit(read)) return;
    const isKept = this.#announce(session);
    const keep = this.#keeper(session, read, isKept);
    session.reader.send(read.words, (reply) => reply !== undefined && keep(reply));
  }

  #readInTransaction(session: Session): void {
    const count = 1 + this.#random.below(3);
    const reads = Array.from({ length: count }, () => this.#drawRead(false));
    const isKept = this.#announce(session);
    session.reader.send(['MULTI']);
    for (const read of reads) session.reader.send(read.words);
    const keepers = reads.map((read) => this.#keeper(session, read, isKept));
    session.reader.send(['EXEC'], (reply) => {
      if (reply === undefined || reply.items.length !== keepers.length) return;
      for (const [index, keep] of keepers.entries()) keep(reply.items[index] as Frame);
    });
  }

  #isHit(read: Read): boolean {
    if (!this.cache.has(read)) return false;
    this.#scene.tally.hits += 1;
    return true;
  }

  /** Says whether the next read is to be tracked. @returns whether it is */
  #announce({ reader }: Session): boolean {
    const { tracks } = this.mode;
    const isUsual = this.#random.chance(0.8);
    const isKept = tracks === 'all' || isUsual;
    // Unless it is said, OPTIN does not track and OPTOUT does.
    if (tracks !== 'all' && isKept === (tracks === 'optin')) {
      reader.send(['CLIENT', 'CACHING', isKept ? 'YES' : 'NO']);
    }
    return isKept;
  }

  /** @returns what to do with the reply of a read that is sent now */
  #keeper(session: Session, read: Read, isKept: boolean): (reply: Frame) => void {
    const mark = this.cache.mark(read.keys);
    return (reply) => {
      this.#scene.tally.reads += 1;
      const value = meaningOf(reply, read.order);
      if (!isKept || value === undefined || this.#session !== session) return;
      // The invalidation may have come first, on the other connection.
      if (session.hearer !== undefined && this.cache.mark(read.keys) !== mark) return;
      this.cache.put(read, value);
      this.#scene.chronicle.note(this.name, `keeps ${idOf(read)} = ${short(value)}`, read.keys);
    };
  }

  #write(session: Session): void {
    if (this.mode.writes === 'updates' && this.#random.chance(0.5)) {
      this.#update(session);
      return;
    }
    const { requests, keys } = drawWrite(this.#random);
    const what = requests.map((words) => short(words.join(' '))).join('; ');
    for (const words of requests.slice(0, -1)) session.reader.send(words);
    session.reader.send(requests.at(-1) ?? [], (reply) => {
      if (reply !== undefined) this.#scene.tally.writes += 1;
      this.#scene.chronicle.note(this.name, `has written ${what}`, keys);
      if (this.mode.writes === 'told') return;
      for (const key of keys) this.cache.drop(key);
    });
    // What it reads right behind has seen the write.
    const key = keys[0] ?? '';
    if (key.startsWith('string:') && this.mode.prefixes.length === 0) {
      this.#readAlone(session, readOf(key));
    }
  }

  /** Writes a value and keeps it. */
  #update(session: Session): void {
    const read = readOf(`string:${this.#random.below(4)}`);
    const [key = ''] = read.keys;
    const value = newValue();
    session.reader.send(['SET', key, value], (reply) => {
      if (reply?.type !== '+' || this.#session !== session) return;
      this.#scene.tally.writes += 1;
      this.#scene.chronicle.note(this.name, `has written, and keeps ${key} = ${value}`, read.keys);
      this.cache.drop(key);
      this.cache.put(read, value);
    });
  }

  // Hearing.

  #pushed(frame: Frame): void {
    const [kind, second, third] = frame.items;
    if (kind?.text === 'invalidate') this.#invalidate(second);
    else if (kind?.text === 'message' && second?.text === CHANNEL) this.#invalidate(third);
    else if (kind?.text === 'tracking-redir-broken') this.#lost(this.#session);
    else this.#scene.wronged(this.name, 'unknown push', JSON.stringify(frame));
  }

  #invalidate(keys: Frame | undefined): void {
    const { tally, chronicle } = this.#scene;
    if (keys === undefined || keys.type === '_') {
      tally.flushes += 1;
      chronicle.note(this.name, 'is told to drop all');
      this.cache.dropAll();
      return;
    }
    for (const { text: key } of keys.items) {
      tally.invalidations += 1;
      if (this.cache.drop(key)) chronicle.note(this.name, `is told to drop ${key}`, [key]);
      else chronicle.note(this.name, `is told of ${key}, which it does not hold`, [key]);
    }
  }
}

/** How much of a value is told, in characters. */
const TOLD_MAX_LENGTH = 80;

/** @returns a text that is short enough to be told */
export function short(text: string): string {
  return text.length > TOLD_MAX_LENGTH ? `${text.slice(0, TOLD_MAX_LENGTH)}...` : text;
}

/** @returns an entry on one line, for people */
export function showEntry(entry: Entry): string {
  return `${idOf(entry.read)} = ${short(entry.value)}`;
}
