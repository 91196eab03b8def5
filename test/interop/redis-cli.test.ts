import { spawn } from 'node:child_process';
import { describe, expect } from 'vitest';
import { addressOf, test as base, eventually } from '../helpers/interop.ts';

/** Comes with redis-server; no package of ours. */
const PROGRAM = 'redis-cli';

/** redis-cli with pushes shown, driven through its input and output. */
interface Cli {
  /** Everything it has printed. */
  readonly printed: () => string;
  /** Types a line. */
  type(line: string): void;
  /** Types a line and waits until what it prints next matches. */
  ask(line: string, pattern: RegExp): Promise<void>;
  /** Ends its input. @returns its exit code */
  leave(): Promise<number | null>;
}

const test = base.extend('cli', async ({ proxy, atEnd }): Promise<Cli> => {
  const { host, port } = addressOf(proxy);
  const words = ['-h', host, '-p', String(port), '-3', '--show-pushes', 'yes', '--no-raw'];
  const child = spawn(PROGRAM, words, { stdio: ['pipe', 'pipe', 'pipe'] });
  atEnd(() => {
    child.kill('SIGKILL');
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
  }
  const left = new Promise<number | null>((resolve) => child.once('close', resolve));
  const type = (line: string) => child.stdin.write(`${line}\n`);
  const ask = async (line: string, pattern: RegExp) => {
    const before = text.length;
    type(line);
    await eventually(() => expect(text.slice(before)).toMatch(pattern));
  };
  const leave = () => {
    child.stdin.end();
    return left;
  };
  return { printed: () => text, type, ask, leave };
});

/** How redis-cli shows one invalidation, and how one that names everything. */
const INVALIDATED = "-> invalidate: 'greeting'\n";
const ALL_INVALIDATED = '1) "invalidate"\n2) (nil)\n';

describe('redis-cli -3 --show-pushes yes', () => {
  test('shows an invalidation', async ({ cli, direct, heard }) => {
    await direct.set('greeting', 'hello');
    await heard();
    await cli.ask('CLIENT TRACKING ON', /^OK\n/);
    await cli.ask('GET greeting', /^"hello"\n/);
    await direct.set('greeting', 'goodbye');
    // It looks at what has come only when it waits for an answer.
    await eventually(async () => {
      await cli.ask('PING', /PONG\n/);
      expect(cli.printed()).toContain(INVALIDATED);
    });
    await cli.ask('GET greeting', /^"goodbye"\n/);
    expect(cli.printed().split(INVALIDATED)).toHaveLength(2);
    expect(await cli.leave()).toBe(0);
  });

  test('shows a flush', async ({ cli }) => {
    await cli.ask('CLIENT TRACKING ON', /^OK\n/);
    await cli.ask('GET greeting', /^\(nil\)\n/);
    await cli.ask('FLUSHALL', /OK\n/);
    await eventually(async () => {
      await cli.ask('PING', /PONG\n/);
      expect(cli.printed()).toContain(ALL_INVALIDATED);
    });
    expect(await cli.leave()).toBe(0);
  });

  test('shows replies as they are without a proxy', async ({ cli }) => {
    await cli.ask('HSET h f 1', /^\(integer\) 1\n/);
    await cli.ask('HGETALL h', /^1# "f" => "1"\n/);
    await cli.ask('CLIENT TRACKINGINFO', /1# "flags" => 1~ "off"\n/);
    await cli.ask('MULTI', /^OK\n/);
    await cli.ask('GET k', /^QUEUED\n/);
    await cli.ask('EXEC', /^1\) \(nil\)\n/);
    await cli.ask('NOSUCH', /^\(error\) ERR unknown command/);
    expect(await cli.leave()).toBe(0);
  });
});
