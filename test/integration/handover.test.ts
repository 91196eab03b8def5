import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { runProgram } from '../helpers/program.ts';
import { encode, RawClient, type Target } from '../helpers/raw-client.ts';
import { startRedis } from '../helpers/redis.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const POLL = { timeout: 20_000, interval: 10 } as const;

/** Starts the program for each line of its input, says its pid, and says how each has ended. */
const SUPERVISOR =
  'while read -r _; do "$@" </dev/null & echo "pid=$!"; wait $!; echo "code=$?"; done';

/** Whoever has opened a socket, and keeps it open while programs that listen on it come and go. */
interface Supervisor {
  readonly port: number;
  /** All that was said. */
  readonly text: string;
  /** Starts the program. */
  start(): void;
  /** @returns what matches, the `count`th time that it is said */
  said(pattern: RegExp, count: number): Promise<RegExpExecArray>;
}

/** @param words for the program, whose third descriptor listens at `host` */
async function supervise(host: string, words: readonly string[]): Promise<Supervisor> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { fd } = (server as unknown as { readonly _handle: { readonly fd: number } })._handle;
  const program = [process.execPath, PROGRAM, '--listen', 'fd:3', '--admin', 'off', ...words];
  const child = spawn('/bin/sh', ['-c', SUPERVISOR, 'supervisor', ...program], {
    env: { PATH: process.env.PATH ?? '' },
    stdio: ['pipe', 'pipe', 'pipe', fd],
  });
  server.close(); // from now on the socket is the child's alone, who accepts nobody
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (piece: Buffer) => {
      text += piece.toString();
    });
  }
  onTestFinished(() => endAll(child, () => text));
  return {
    port,
    get text() {
      return text;
    },
    start: () => child.stdin?.write('start\n'),
    said: (pattern, count) =>
      vi.waitFor(() => {
        const found = [...text.matchAll(new RegExp(pattern, 'g'))][count - 1];
        if (found === undefined) throw new Error(`not said ${count} times yet: ${text}`);
        return found;
      }, POLL),
  };
}

/** Ends the programs that still run, then who has started them. */
async function endAll(child: ChildProcess, said: () => string): Promise<void> {
  const ended = said().match(/^code=/gm)?.length ?? 0;
  const pids = [...said().matchAll(/^pid=(\d+)$/gm)].map(([, pid]) => Number(pid));
  for (const pid of pids.slice(ended)) process.kill(pid, 'SIGKILL');
  child.stdin?.end();
  if (child.exitCode === null) await once(child, 'exit');
}

/** Connects over and over, and asks for something each time. */
class Knocker {
  readonly errors: string[] = [];
  /** Connections that were opened, and those of them that were answered. */
  readonly counts = { opened: 0, answered: 0 };
  readonly #target: Target;
  readonly #running: Promise<void>;
  #isOver = false;

  constructor(target: Target) {
    this.#target = target;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      try {
        const client = await RawClient.connect(this.#target);
        this.counts.opened += 1;
        client.send(encode('PING'));
        await vi.waitFor(() => {
          if (client.answers.length === 0 && !client.ended) throw new Error('not answered yet');
        }, POLL);
        if (client.answers[0] === '+PONG') this.counts.answered += 1;
        client.close();
      } catch (error) {
        this.errors.push(String(error));
      }
    }
  }
}

test('one program after the other listens on a socket that stays: nobody is refused', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const words = ['--upstream', redis.url, '--drain-timeout', '5'];
  const { port, start, said } = await supervise('127.0.0.1', words);
  start();
  await said(new RegExp(`listening on {2}127\\.0\\.0\\.1:${port}`), 1);
  const knocker = new Knocker({ port });
  await vi.waitFor(() => expect(knocker.counts.answered).toBeGreaterThan(5), POLL);

  const idle = await RawClient.connect({ port });
  onTestFinished(() => idle.close());
  expect(await idle.call('PING')).toBe('+PONG');
  const blocked = await RawClient.connect({ port });
  onTestFinished(() => blocked.close());
  blocked.send(encode('BLPOP list 0'));
  const direct = await RawClient.connect({ path: redis.path as string });
  onTestFinished(() => direct.close());
  await vi.waitFor(async () => {
    expect(await direct.call('INFO clients')).toContain('blocked_clients:1');
  }, POLL);

  process.kill(Number((await said(/pid=(\d+)/, 1))[1]), 'SIGTERM');
  await idle.expectClose(); // nothing is owed to it
  await direct.call('RPUSH list x');
  expect(await blocked.expectClose()).toContain('list');
  expect((await said(/code=(\d+)/, 1))[1]).toBe('0');

  const between = await RawClient.connect({ port }); // while no proxy runs at all
  onTestFinished(() => between.close());
  const answer = between.call('PING');
  start();
  expect(await answer).toBe('+PONG');
  const before = knocker.counts.answered;
  await vi.waitFor(() => expect(knocker.counts.answered).toBeGreaterThan(before + 5), POLL);
  await knocker.stop();
  expect(knocker.errors).toEqual([]);
});

test('--inject-auth=local looks at where the socket really is', async () => {
  const words = ['--upstream', 'redis://:x@127.0.0.1:1', '--inject-auth', 'local'];
  const everywhere = await supervise('0.0.0.0', words);
  everywhere.start();
  expect((await everywhere.said(/code=(\d+)/, 1))[1]).toBe('2');
  expect(everywhere.text).toContain(`0.0.0.0:${everywhere.port} may be reached by other machines`);
  const here = await supervise('127.0.0.1', words);
  here.start();
  await here.said(/listening on/, 1);
});

test.for([
  ['fd:3', 1, 'cannot listen on fd:3: nobody has opened a listening socket there'],
  ['fd:1', 2, 'has no descriptor of 3 or more'],
  ['fd:x', 2, 'has no descriptor of 3 or more'],
] as const)('%s, which is no such socket, ends with %i', async ([place, code, why]) => {
  const outcome = await runProgram(['--listen', place, '--admin', 'off']).ended;
  expect(outcome.code).toBe(code);
  expect(outcome.stderr).toContain(why);
});

test('--admin takes no descriptor', async () => {
  const { code, stderr } = await runProgram(['--admin', 'fd:3']).ended;
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: 'sidetrack: --admin: a descriptor is accepted by --listen only\n',
  });
});

test('a Unix socket that systemd has opened', async ({ skip }) => {
  const activate = 'systemd-socket-activate';
  skip(spawnSync(activate, ['--version']).status !== 0, `${activate} is not on PATH`);
  const redis = await startRedis();
  const folder = mkdtempSync(join(tmpdir(), 'sidetrack-handover-'));
  const path = join(folder, 's.sock');
  const words = [PROGRAM, '--listen', 'fd:3', '--admin', 'off', '--upstream', redis.url];
  const child = spawn(activate, ['-l', path, process.execPath, ...words], { stdio: 'ignore' });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  await vi.waitFor(() => expect(existsSync(path)).toBe(true), POLL);
  const client = await RawClient.connect({ path });
  onTestFinished(() => client.close());
  expect(await client.call('PING')).toBe('+PONG');
  child.kill('SIGTERM');
  await once(child, 'exit');
  expect(existsSync(path)).toBe(true); // it is not the program's to remove
});
