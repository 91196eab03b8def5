import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Target } from './raw-client.ts';

/** Which way bytes go: `up` to the server behind, `down` to whoever connected. */
export type Direction = 'up' | 'down';

/** Bytes that are on their way. */
interface Late {
  readonly dueMs: number;
  readonly bytes: Buffer;
}

/** One connection through a hop. */
export class Passage {
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #held: { readonly [way in Direction]: Buffer[] } = { up: [], down: [] };
  readonly #late: { readonly [way in Direction]: Late[] } = { up: [], down: [] };
  readonly #paused: { [way in Direction]: boolean } = { up: false, down: false };
  readonly #lateMs: { [way in Direction]: number } = { up: 0, down: 0 };
  readonly #seenMaxBytes: number;
  #seen = '';
  #swallows = false;
  #isOver = false;

  constructor(near: Socket, behind: Target, seenMaxBytes: number) {
    this.#near = near;
    this.#far = connect('path' in behind ? behind : { ...behind, host: '127.0.0.1' });
    this.#seenMaxBytes = seenMaxBytes;
    near.on('data', (bytes: Buffer) => {
      if (this.#seen.length < this.#seenMaxBytes) this.#seen += bytes.toString('latin1');
      this.#take('up', bytes);
    });
    this.#far.on('data', (bytes: Buffer) => this.#take('down', bytes));
    for (const socket of [near, this.#far]) {
      socket.on('error', () => {}); // 'close' follows
      socket.on('close', () => this.cut());
    }
  }

  /** What was sent upwards, as latin1, up to the hop's limit: tells whose connection this is. */
  get sentUp(): string {
    return this.#seen;
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** How many bytes are held back. */
  heldBytes(way: Direction): number {
    return this.#held[way].reduce((sum, bytes) => sum + bytes.length, 0);
  }

  /** Lets nothing through until `resume`. */
  pause(way: Direction): void {
    this.#paused[way] = true;
  }

  /** Lets through what was held back, and all that follows. */
  resume(way: Direction): void {
    this.#paused[way] = false;
    for (const bytes of this.#held[way].splice(0)) this.#give(way, bytes);
  }

  /** From now on all that is sent comes so much later, in its order; 0: at once again. */
  delay(way: Direction, ms: number): void {
    this.#lateMs[way] = ms;
  }

  /** From now on all that is sent is lost, as on a link whose other end is gone without a word. */
  swallow(): void {
    this.#swallows = true;
  }

  /** Sends bytes of our own, as if the other side had. */
  inject(way: Direction, text: string): void {
    this.#give(way, Buffer.from(text, 'latin1'));
  }

  /** Ends it; what is held back is lost. */
  cut(): void {
    this.#isOver = true;
    this.#near.destroy();
    this.#far.destroy();
  }

  #take(way: Direction, bytes: Buffer): void {
    const late = this.#late[way];
    if (this.#lateMs[way] === 0 && late.length === 0) {
      this.#arrive(way, bytes);
      return;
    }
    // Never before what was sent earlier, though the delay may have become shorter.
    const dueMs = Math.max(performance.now() + this.#lateMs[way], late.at(-1)?.dueMs ?? 0);
    late.push({ dueMs, bytes });
    if (late.length === 1) this.#await(way);
  }

  #await(way: Direction): void {
    const [first] = this.#late[way];
    if (first === undefined || this.#isOver) return;
    setTimeout(() => {
      this.#late[way].shift();
      this.#arrive(way, first.bytes);
      this.#await(way);
    }, first.dueMs - performance.now());
  }

  #arrive(way: Direction, bytes: Buffer): void {
    if (this.#swallows) return;
    if (this.#paused[way]) this.#held[way].push(bytes);
    else this.#give(way, bytes);
  }

  #give(way: Direction, bytes: Buffer): void {
    (way === 'up' ? this.#far : this.#near).write(bytes);
  }
}

/** How a hop behaves; all may be left out. */
export interface HopOptions {
  /** How much of what each connection sends upwards is kept for `of`, in bytes; default: all. */
  readonly seenMaxBytes?: number;
}

/** A stretch of network between a proxy and its upstream, in which things can go wrong. */
export class Hop {
  /** Connections in the order in which they were opened, closed ones too. */
  readonly passages: Passage[] = [];
  readonly target: Target;
  /** New connections end as soon as they are accepted. */
  refusing = false;
  /** Told of each new connection before anything has passed. */
  greet: (passage: Passage) => void = () => {};
  readonly #server: Server;
  readonly #directory: string;

  private constructor(server: Server, directory: string, path: string) {
    this.#server = server;
    this.#directory = directory;
    this.target = { path };
  }

  static async open(behind: Target, options: HopOptions = {}): Promise<Hop> {
    const seenMaxBytes = options.seenMaxBytes ?? Number.POSITIVE_INFINITY;
    const directory = mkdtempSync(join(tmpdir(), 'sidetrack-hop-'));
    const path = join(directory, 'hop.sock');
    const server = createServer((socket) => {
      if (hop.refusing) {
        socket.destroy();
        return;
      }
      const passage = new Passage(socket, behind, seenMaxBytes);
      hop.passages.push(passage);
      hop.greet(passage);
    });
    const hop = new Hop(server, directory, path);
    server.listen(path);
    await once(server, 'listening');
    return hop;
  }

  /** The URL of the hop, for a proxy to use as its upstream. */
  get url(): string {
    return 'path' in this.target ? `unix://${this.target.path}` : '';
  }

  /** @returns the passage over which `text` was sent upwards, the newest if there are several */
  of(text: string): Passage {
    const found = this.passages.findLast(({ sentUp }) => sentUp.includes(text));
    if (found === undefined) throw new Error(`no connection has sent ${text}`);
    return found;
  }

  async close(): Promise<void> {
    for (const passage of this.passages) passage.cut();
    this.#server.close();
    await once(this.#server, 'close');
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
