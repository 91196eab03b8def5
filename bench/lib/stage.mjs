/** The processes of a bench, which end with it, however it ends. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_DEADLINE_MS = 15_000;
const RETRY_MS = 20;
/** How much of what a process prints is kept, in characters. */
const OUTPUT_MAX_LENGTH = 65_536;
/** How many lines of each log are shown when a bench fails. */
const LAST_LINES = 8;

/** A process that was started, with what it has printed. */
class Started {
  #child;
  #name;
  #isStopping = false;
  #guard;
  output = '';
  errors = '';
  /** Resolves to its exit code, or the signal that ended it. */
  ended;

  constructor(name, program, args, { env, ipc = false, guarded = true } = {}) {
    this.#name = name;
    const stdio = ['ignore', 'pipe', 'pipe', ...(ipc ? ['ipc'] : [])];
    this.#child = spawn(program, args, { stdio, env: { ...process.env, ...env } });
    this.#child.stdout.setEncoding('utf8').on('data', (text) => {
      this.output = (this.output + text).slice(-OUTPUT_MAX_LENGTH);
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.errors = (this.errors + text).slice(-OUTPUT_MAX_LENGTH);
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.errors += error.message;
        resolve(error.message);
      });
      this.#child.once('close', (code, signal) => resolve(signal ?? code));
    });
    if (guarded && this.pid !== undefined) this.#watch();
  }

  get pid() {
    return this.#child.pid;
  }

  /**
   * A shell waits for the end of its input, whose other end is here: the system closes it even if
   * this process is killed, and the shell kills the other one.
   */
  #watch() {
    const script = 'read -r line && exit; kill -9 "$1" 2>/dev/null';
    this.#guard = spawn('/bin/sh', ['-c', script, 'guard', String(this.pid)], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#guard.stdin.on('error', () => {});
    void this.ended.then(() => this.#guard.stdin.end('done\n'));
  }

  /** @returns {string} the last that it has said, under its name; nothing if it was silent */
  get lastWords() {
    const lines = this.errors.trim().split('\n').slice(-LAST_LINES).join('\n');
    return lines === '' ? '' : `${this.#name}:\n${lines}`;
  }

  /** Nothing here is meant to end by itself: a bench that goes on would measure nonsense. */
  mustLive() {
    void this.ended.then((how) => {
      if (this.#isStopping) return;
      console.error(`${this.#name} ended (${how})\n${this.output}${this.errors}`);
      process.exit(1);
    });
  }

  send(message) {
    this.#child.send(message);
  }

  /** @returns {Promise<any>} the next message that it sends */
  nextMessage() {
    return new Promise((resolve) => this.#child.once('message', resolve));
  }

  killNow() {
    this.#isStopping = true;
    this.#child.kill('SIGKILL');
  }

  async stop() {
    this.killNow();
    await this.ended;
  }
}

/** All that one bench has started. */
export class Stage {
  #started = new Set();
  /** For configuration files and whatever the servers write. */
  directory = mkdtempSync(path.join(tmpdir(), 'sidetrack-bench-'));

  /**
   * Starts a server.
   * @param {string} name
   * @param {string} program
   * @param {readonly string[]} args
   * @param {{ ready: (started: Started) => Promise<unknown> | unknown, env?: object, ipc?: boolean }}
   *   options `ready` is asked again and again until it returns something
   * @returns {Promise<{ started: Started, ready: any }>}
   * @throws Error when it ends, or is not ready in time
   */
  async start(name, program, args, { ready, ...options }) {
    const started = new Started(name, program, args, options);
    this.#started.add(started);
    let hasEnded = false;
    void started.ended.then(() => {
      hasEnded = true;
      this.#started.delete(started);
    });
    const deadlineMs = performance.now() + START_DEADLINE_MS;
    for (;;) {
      const answer = hasEnded ? undefined : await ready(started);
      if (answer !== undefined) {
        started.mustLive();
        return { started, ready: answer };
      }
      if (hasEnded || performance.now() > deadlineMs) {
        await started.stop();
        throw new Error(`${name} does not start\n${started.output}${started.errors}`);
      }
      await sleep(RETRY_MS);
    }
  }

  /**
   * Runs a program to its end.
   * @returns {Promise<string>} what it printed on stdout
   * @throws Error when it fails
   */
  async run(program, args) {
    const started = new Started(program, program, args, { guarded: false });
    this.#started.add(started);
    const how = await started.ended;
    this.#started.delete(started);
    if (how === 0) return started.output;
    throw new Error(`${program} ${args.join(' ')}: ${how}\n${started.output}${started.errors}`);
  }

  /** Says what the servers said: it may be why a bench failed. */
  printLastWords() {
    for (const { lastWords } of this.#started) if (lastWords !== '') console.error(lastWords);
  }

  /** Ends everything without waiting, so that it can be done while this process exits. */
  endNow() {
    for (const started of this.#started) started.killNow();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/**
 * Runs a bench, and ends all that it started when it is done, fails, or is broken off.
 * @param {(stage: Stage) => Promise<void>} bench
 */
export async function onStage(bench) {
  const stage = new Stage();
  process.on('exit', () => stage.endNow());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
  try {
    await bench(stage);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    stage.printLastWords();
    process.exit(1);
  }
  process.exit();
}

/** @returns {Promise<number>} a port that was free a moment ago */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const READ = '*2\r\n$3\r\nGET\r\n$5\r\nready\r\n';

/**
 * @param {number} port
 * @returns {Promise<true | undefined>} true if a Redis answers there, however far behind it stands
 */
export function answers(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(READ));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once('data', (bytes) => {
      resolve(bytes[0] === 0x24 || undefined); // a bulk string, so null
      socket.destroy();
    });
    socket.once('error', () => {});
    socket.once('close', () => resolve(undefined));
  });
}
