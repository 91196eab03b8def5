import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { UpstreamAddress } from './address.ts';
import { ProxyError } from './errors.ts';
import type { Logger } from './logger.ts';

/** A private Redis, to stop when nobody needs it any more. */
export interface EmbeddedRedis {
  /** Its Unix socket. The path stays the same when Redis has to be started again. */
  readonly upstream: Extract<UpstreamAddress, { readonly kind: 'unix' }>;
  /** Ends Redis and removes everything it had. May be called more than once. */
  stop(): Promise<void>;
}

/** How long Redis may take until it answers, in milliseconds. It needs about 20. */
const START_DEADLINE_MS = 10_000;

/** Pauses between starts of a Redis that keeps dying, in milliseconds: first and longest. */
const RESTART_PAUSE_MS = { first: 100, longest: 5_000 };

/** A Redis that lived this long, in milliseconds, died of something new: pauses start anew. */
const SETTLED_AFTER_MS = 10_000;

/** Programs that can serve, in the order in which they are looked for. */
const PROGRAMS = ['redis-server', 'valkey-server'];

/**
 * Runs Redis as a child and sees to it that it never outlives us: file descriptor 3 is a pipe
 * whose other end only the proxy holds, so `read` returns when the proxy is gone, however it went
 * (kill -9 too). Then Redis and its directory go. $1 is the directory, the rest is the command.
 *
 * The guard ignores TERM once it acts, because the outer shell ends it when Redis has ended.
 */
const GUARDED = `
dir=$1; shift
"$@" </dev/null 3<&- &
redis=$!
( read -r _ <&3; trap '' TERM; kill -9 "$redis"; rm -rf "$dir" ) </dev/null >/dev/null 2>&1 &
guard=$!
exec 3<&-
wait "$redis"; status=$?
kill "$guard" 2>/dev/null
exit "$status"
`;

/**
 * Starts a private redis-server on a Unix socket in a fresh directory that only this user may
 * enter. Nothing is saved and no port is opened. If it dies it is started again, empty, on the
 * same path.
 *
 * The program is `REDIS_SERVER` from the environment, else redis-server or valkey-server from PATH.
 *
 * @throws ProxyError EMBEDDED_REDIS_FAILED when there is none, or when it does not start
 */
export async function startEmbedded(logger: Logger): Promise<EmbeddedRedis> {
  const program = findProgram(process.env);
  // A socket's path may have 107 bytes; some systems have temporary directories deeper than that.
  const parent = tmpdir().length > 70 ? '/tmp' : tmpdir();
  const directory = await mkdtemp(join(parent, 'sidetrack-'));
  const redis = new GuardedRedis(program, directory, logger);
  try {
    await redis.start();
  } catch (error) {
    await redis.stop();
    throw error;
  }
  return {
    upstream: {
      kind: 'unix',
      path: redis.socket,
      user: undefined,
      password: undefined,
      db: 0,
    },
    stop: () => redis.stop(),
  };
}

class GuardedRedis {
  readonly socket: string;
  readonly #program: string;
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #lastLine = '';
  #pauseMs = RESTART_PAUSE_MS.first;

  constructor(program: string, directory: string, logger: Logger) {
    this.#program = program;
    this.#directory = directory;
    this.#logger = logger;
    this.socket = join(directory, 'redis.sock');
  }

  /** @throws ProxyError EMBEDDED_REDIS_FAILED if it ends, or does not answer in time */
  async start(): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    const child = this.#spawn();
    const deadline = Date.now() + START_DEADLINE_MS;
    while (!(await answers(this.socket))) {
      const ended = child.exitCode !== null || child.signalCode !== null;
      if (ended || child.pid === undefined || Date.now() > deadline) {
        // Its group, guard included: the guard alone would take the directory along.
        if (!ended && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        const why = this.#lastLine || (ended ? `exit code ${child.exitCode}` : 'no answer');
        throw failed(`${this.#program} did not start: ${why}`);
      }
      await sleep(10);
    }
    const bornMs = Date.now();
    child.once('exit', () => {
      void this.#died(bornMs);
    });
    // It may have died between its answer and the line above, which then waits for nothing.
    if (child.exitCode !== null || child.signalCode !== null) void this.#died(bornMs);
    this.#logger.debug({ pid: child.pid, socket: this.socket }, 'embedded Redis started');
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      (child.stdio[3] as { destroy(): void } | null)?.destroy();
      await gone;
    }
    await rm(this.#directory, { recursive: true, force: true });
  }

  #spawn(): ChildProcess {
    const redis = [this.#program, '--port', '0', '--unixsocket', this.socket];
    redis.push('--unixsocketperm', '700', '--dir', this.#directory, '--daemonize', 'no');
    redis.push('--save', '', '--appendonly', 'no', '--loglevel', 'warning');
    // Detached: Ctrl-C in a terminal goes to the whole group, and Redis must outlive our draining.
    const child = spawn('/bin/sh', ['-c', GUARDED, 'sh', this.#directory, ...redis], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    child.on('error', (error) => {
      this.#lastLine = error.message;
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8');
      stream?.on('data', (text: string) => this.#heard(text));
    }
    child.stdio[3]?.on('error', () => {}); // the shell went first; its exit is what counts
    this.#child = child;
    return child;
  }

  #heard(text: string): void {
    for (const line of text.split('\n')) {
      if (line.trim() === '') continue;
      this.#lastLine = line.trim().slice(0, 300);
      this.#logger.debug({ line: this.#lastLine }, 'embedded Redis says');
    }
  }

  async #died(bornMs: number): Promise<void> {
    if (Date.now() - bornMs > SETTLED_AFTER_MS) this.#pauseMs = RESTART_PAUSE_MS.first;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const pauseMs = this.#pauseMs;
      this.#pauseMs = Math.min(this.#pauseMs * 2, RESTART_PAUSE_MS.longest);
      this.#logger.warn({ pauseMs, line: this.#lastLine }, 'embedded Redis ended; restarting it');
      try {
        await sleep(pauseMs, undefined, { signal });
        await this.start();
        return;
      } catch (error) {
        if (!signal.aborted) this.#logger.error({ err: error }, 'embedded Redis did not restart');
      }
    }
  }
}

function findProgram(environment: NodeJS.ProcessEnv): string {
  const asked = environment.REDIS_SERVER;
  const names = asked === undefined || asked === '' ? PROGRAMS : [asked];
  for (const name of names) {
    const places = name.includes('/') ? [''] : (environment.PATH ?? '').split(delimiter);
    for (const place of places) {
      const path = place === '' ? name : join(place, name);
      if (isProgram(path)) return path;
    }
  }
  if (asked) throw failed(`REDIS_SERVER is '${asked}', which is not a program`);
  throw failed(
    'no redis-server found for the embedded upstream: install one (apt-get install redis-server), ' +
      'name one in REDIS_SERVER, or use your own Redis with --upstream redis://host:6379',
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** @returns whether something on the socket answers PING */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    const end = (result: boolean) => {
      connection.destroy();
      resolve(result);
    };
    connection.setTimeout(1_000, () => end(false));
    connection.once('error', () => end(false));
    connection.once('connect', () => connection.write('PING\r\n'));
    connection.once('data', (bytes) => end(bytes.toString('latin1').startsWith('+PONG')));
    connection.once('close', () => end(false));
  });
}

function failed(message: string): ProxyError {
  return new ProxyError('EMBEDDED_REDIS_FAILED', message);
}
