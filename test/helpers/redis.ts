import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';

/** What to start, beyond an empty redis-server that persists nothing. */
export interface RedisOptions {
  /** More arguments, such as `['--notify-keyspace-events', 'KA']`; they win over our own. */
  readonly args?: readonly string[];
  /** Listen on a free loopback TCP port instead of a Unix socket. */
  readonly tcp?: boolean;
}

/** A real redis-server that belongs to one test. */
export interface RedisProcess {
  /** The process id; another one after `restart`. */
  readonly pid: number;
  /** The Unix socket, unless `tcp` was asked for. */
  readonly path?: string;
  /** The TCP port on 127.0.0.1, if `tcp` was asked for. */
  readonly port?: number;
  /** `unix:///path/to/socket` or `redis://127.0.0.1:port`. */
  readonly url: string;
  /** Sends a signal, SIGKILL if none is named, and does not wait for what it does. */
  kill(signal?: NodeJS.Signals): void;
  /** Kills the server and removes its files. Returns when both are gone; may be called twice. */
  stop(): Promise<void>;
  /** Kills the server, if it still lives, and starts an empty one at the same address. */
  restart(): Promise<void>;
}

/**
 * How long a server may take to answer its first PING, in milliseconds. Source: our choice; it
 * takes some 20 ms on an idle machine.
 */
const START_DEADLINE_MS = 10_000;

/**
 * How many free ports to try: between finding one and redis-server taking it, a test beside us
 * may take it first.
 */
const PORT_TRIES = 5;

/** How much of a server's log to keep for error messages, in characters. */
const LOG_MAX_LENGTH = 16_384;

const ADDRESS_IN_USE = /Address already in use/;

type Address = { readonly path: string } | { readonly port: number };

/**
 * Starts redis-server (REDIS_SERVER, else the one on PATH) in a fresh directory and waits until
 * it answers PING. It ends with `stop`, and at the latest with this process, however that ends.
 * @throws Error with the server's log when it does not come up
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisProcess> {
  dieWithParent();
  const directory = mkdtempSync(join(tmpdir(), 'sidetrack-redis-'));
  const args = options.args ?? [];
  try {
    if (!options.tcp) {
      const address = { path: join(directory, 'redis.sock') };
      return new RunningRedis(directory, args, address, await launch(directory, args, address));
    }
    for (let tries = 1; ; tries++) {
      const address = { port: await freePort() };
      try {
        return new RunningRedis(directory, args, address, await launch(directory, args, address));
      } catch (error) {
        if (tries === PORT_TRIES || !ADDRESS_IN_USE.test(String(error))) throw error;
      }
    }
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

class RunningRedis implements RedisProcess {
  readonly path?: string;
  readonly port?: number;
  readonly url: string;
  readonly #directory: string;
  readonly #args: readonly string[];
  readonly #address: Address;
  #server: Server;

  constructor(directory: string, args: readonly string[], address: Address, server: Server) {
    this.#directory = directory;
    this.#args = args;
    this.#address = address;
    this.#server = server;
    if ('path' in address) {
      this.path = address.path;
      this.url = `unix://${address.path}`;
    } else {
      this.port = address.port;
      this.url = `redis://127.0.0.1:${address.port}`;
    }
  }

  get pid(): number {
    return this.#server.pid;
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#server.kill(signal);
  }

  async stop(): Promise<void> {
    await this.#server.end();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async restart(): Promise<void> {
    await this.#server.end();
    // A test may have made it save: an empty directory is an empty server.
    rmSync(this.#directory, { recursive: true, force: true });
    mkdirSync(this.#directory);
    this.#server = await launch(this.#directory, this.#args, this.#address);
  }
}

/**
 * One redis-server process with its guard.
 *
 * The guard is a shell that waits for the end of its input, whose other end this process holds.
 * The system closes that end however this process dies, SIGKILL included, and the guard then
 * kills the server and removes its directory. A line of input sends the guard home instead. It
 * runs in a session of its own, so that a signal to our process group does not end it first.
 */
class Server {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #guard: ChildProcess;
  readonly #exited: Promise<void>;
  #log = '';

  constructor(directory: string, args: readonly string[]) {
    this.#child = spawn(program(), [...args], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.pid = this.#child.pid ?? 0;
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log = (this.#log + text).slice(-LOG_MAX_LENGTH);
      });
    }
    const onInputEnd = 'read -r line && exit; kill -9 "$1" 2>/dev/null; rm -rf "$2"';
    this.#guard = spawn('/bin/sh', ['-c', onInputEnd, 'guard', String(this.pid), directory], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#guard.stdin?.on('error', () => {}); // it was killed: nothing left to tell it
    this.#guard.unref();
    this.#exited = new Promise((resolve) => {
      this.#child.once('close', () => resolve());
      this.#child.once('error', (error) => {
        this.#log += error.message;
        resolve();
      });
    });
    // Whatever ended the server: its id may be another process's soon, which the guard must spare.
    void this.#exited.then(() => this.#guard.stdin?.end('done\n'));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Kills the server and returns when it is gone. */
  async end(): Promise<void> {
    this.kill('SIGKILL'); // works on a stopped process too
    await this.#exited;
  }

  /** @throws Error when the server exits, or has not said it is ready in time */
  async ready(): Promise<void> {
    await within(START_DEADLINE_MS, (done, fail) => {
      // After our own listener, so the log has the text; on a Unix socket it begins in lower case.
      this.#child.stdout?.on('data', () => {
        if (/ready to accept connections/i.test(this.#log)) done();
      });
      void this.#exited.then(() => fail('it exited'));
    });
  }

  /** @returns an error that carries the server's log */
  failure(error: unknown): Error {
    return new Error(`redis-server did not start: ${String(error)}\n${this.#log}`, {
      cause: error,
    });
  }
}

async function launch(
  directory: string,
  args: readonly string[],
  address: Address,
): Promise<Server> {
  const server = new Server(directory, [...baseArgs(address), ...args]);
  try {
    await server.ready();
    await ping(address);
    return server;
  } catch (error) {
    await server.end();
    throw server.failure(error);
  }
}

function baseArgs(address: Address): readonly string[] {
  const listen =
    'path' in address
      ? ['--port', '0', '--unixsocket', address.path]
      : ['--port', String(address.port), '--bind', '127.0.0.1'];
  // Redis 7 guards DEBUG with this setting; older servers have neither the guard nor the name.
  const debug = majorVersion() >= 7 ? ['--enable-debug-command', 'yes'] : [];
  return [...listen, '--save', '', '--appendonly', 'no', '--daemonize', 'no', ...debug];
}

/** @returns when the server has answered PING, with whatever an ACL or password makes of it */
async function ping(address: Address): Promise<void> {
  const socket = connect('path' in address ? address : { ...address, host: '127.0.0.1' });
  try {
    await within(START_DEADLINE_MS, (done, fail) => {
      socket.once('error', (error) => fail(error.message));
      socket.once('close', () => fail('it closed the connection'));
      socket.once('data', done);
      socket.write('PING\r\n');
    });
  } finally {
    socket.destroy();
  }
}

/** @returns when `start` calls `done`; rejects when it calls `fail`, or after `ms` */
async function within(
  ms: number,
  start: (done: () => void, fail: (why: string) => void) => void,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${ms} ms`)), ms);
      start(resolve, (why) => reject(new Error(why)));
    });
  } finally {
    clearTimeout(timer);
  }
}

let diesWithParent = false;

/**
 * A Vitest worker whose parent was killed would run its test to the end, and its servers with
 * it. It ends at once instead. By a signal, because Vitest makes process.exit() throw.
 */
function dieWithParent(): void {
  if (diesWithParent || !process.connected) return;
  diesWithParent = true;
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}

function program(): string {
  return process.env.REDIS_SERVER || 'redis-server';
}

let knownMajorVersion: number | undefined;

/** @returns the major version of the redis-server that will be started; asked once */
function majorVersion(): number {
  knownMajorVersion ??= Number(
    /v=(\d+)\./.exec(execFileSync(program(), ['--version'], { encoding: 'utf8' }))?.[1] ?? 0,
  );
  return knownMajorVersion;
}
