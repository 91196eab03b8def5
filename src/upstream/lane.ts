import type net from 'node:net';
import { Spool } from '../spool.ts';
import type { Endpoint } from './endpoint.ts';
import { whyLost } from './tls.ts';

/** Whoever uses a lane. */
export interface LaneListener {
  readonly received: (chunk: Buffer) => void;
  /** What was written has left; more may be. */
  readonly drained: () => void;
  /** The connection is over; `error` where it did not end in peace. Told once. */
  readonly closed: (error: Error | undefined) => void;
}

/**
 * One connection to upstream. The replies that it is owed wait in a ledger, whose entries say which client they are for.
 */
export class Lane {
  readonly #socket: net.Socket;
  readonly #spool: Spool;
  #error: Error | undefined;

  constructor(endpoint: Endpoint, listener: LaneListener) {
    const socket = endpoint.connect(endpoint.connectTimeoutMs, {
      buffer: RECEIVED,
      callback: (length) => {
        // Not of the common pool: what is held of it may not keep that of others in memory.
        const chunk = Buffer.allocUnsafeSlow(length);
        RECEIVED.copy(chunk, 0, 0, length);
        listener.received(chunk);
        return true;
      },
    });
    this.#socket = socket;
    this.#spool = new Spool(socket);
    socket.setKeepAlive(true, KEEPALIVE_MS);
    socket.on('drain', listener.drained);
    socket.on('error', (error) => {
      this.#error = whyLost(error);
    });
    endpoint.laneCount += 1;
    socket.on('close', () => {
      endpoint.laneCount -= 1;
      listener.closed(this.#error);
    });
  }

  /** Whether more is waiting to leave than should be. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain;
  }

  write(bytes: Buffer): void {
    this.#spool.write(bytes);
  }

  /** A chunk of requests has come: what it leads to is written until `flush`. */
  open(): void {
    this.#spool.open();
  }

  flush(): void {
    this.#spool.flush();
  }

  /** Reads no more until `resume`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Says that nothing more will be asked; what is owed may still come. */
  end(): void {
    this.#spool.flush();
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/**
 * Where all lanes receive: what has come is copied out at once. A socket by itself would allocate as
 * much for each read, and give most of it back. Source: what Node allocates for each read.
 */
const RECEIVED = Buffer.allocUnsafeSlow(65_536);

/** After how much silence TCP asks whether upstream is still there, in milliseconds. */
const KEEPALIVE_MS = 60_000;
