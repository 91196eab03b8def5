import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { becomesReady, runProgram, startProgram } from '../helpers/program.ts';
import { startRedis } from '../helpers/redis.ts';

const cleanup: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

/** @returns how `sidetrack healthcheck` ends */
function check(words: readonly string[], environment: Record<string, string> = {}) {
  return runProgram(['healthcheck', ...words], environment).ended;
}

const WELL = { code: 0, stdout: '', stderr: '' };

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sidetrack-health-'));
  cleanup.push(() => rmSync(path, { recursive: true }));
  return path;
}

describe('a proxy that runs', () => {
  test('is well, however its admin server is named', async () => {
    const redis = await startRedis();
    cleanup.push(() => redis.stop());
    const proxy = await startProgram(['--upstream', redis.url]);
    cleanup.push(() => proxy.child.kill('SIGKILL'));
    await becomesReady(proxy);
    const port = /\d+$/.exec(proxy.admin)?.[0] ?? '';
    const config = join(folder(), 'sidetrack.yaml');
    writeFileSync(config, `admin: "[::ffff:127.0.0.1]:${port}"\nlisten: nonsense\n`);
    const runs = [
      check(['--admin', port]),
      check(['--admin', `0.0.0.0:${port}`, '--ready']),
      check([], { SIDETRACK_ADMIN: `localhost:${port}`, SIDETRACK_TIMEOUT: 'nonsense' }),
      check(['--config', config]),
    ];
    for (const run of runs) expect(await run).toEqual(WELL);
  });

  test('on all addresses, and on a Unix socket', async () => {
    const socket = join(folder(), 'admin.sock');
    for (const admin of ['[::]:0', socket]) {
      const words = ['--listen', '0', '--upstream', 'redis://127.0.0.1:1', '--admin', admin];
      const proxy = runProgram(words);
      cleanup.push(() => proxy.child.kill('SIGKILL'));
      const [, place = ''] = await proxy.printed(/admin +(?:http:\/\/)?(\S+)/);
      expect(await check(['--admin', place])).toEqual(WELL);
    }
  });

  test('is well but not ready without its upstream', async () => {
    const proxy = await startProgram(['--upstream', 'redis://127.0.0.1:1']);
    cleanup.push(() => proxy.child.kill('SIGKILL'));
    const port = /\d+$/.exec(proxy.admin)?.[0] ?? '';
    expect(await check(['--admin', port])).toEqual(WELL);
    const { code, stdout, stderr } = await check(['--admin', port, '--ready']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`^sidetrack: 127.0.0.1:${port}/readyz answers 503: not ready: .*\\n$`),
    );
  });
});

describe('one line and exit code 1', () => {
  async function server(answer: string): Promise<string> {
    const listening: Server = createServer((socket) => {
      socket.on('error', () => {});
      if (answer !== '') socket.end(answer);
    });
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    cleanup.push(() => listening.close());
    const address = listening.address();
    return String(typeof address === 'object' ? address?.port : 0);
  }

  test.for<readonly [string, () => Promise<string>, string]>([
    ['where nobody listens', async () => '1', 'does not answer: ECONNREFUSED'],
    ['where nobody answers', () => server(''), 'does not answer: no answer in 3000 ms'],
    ['where no HTTP is spoken', () => server('-ERR\r\n'), 'does not answer: '],
    [
      'where something else answers',
      () => server('HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nn\no\n'),
      'answers 404: n o',
    ],
    ['where health is served nowhere', async () => 'off', '--admin is off'],
    ['where the port is any', async () => '0', 'is not a port that can be asked'],
  ])('%s', async ([, place, message]) => {
    const { code, stdout, stderr } = await check(['--admin', await place()]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^sidetrack: .*\n$/);
    expect(stderr).toContain(message);
  });
});

test('wrong usage is one line and exit code 2', async () => {
  const { code, stderr } = await check(['--admim', '1']);
  expect(code).toBe(2);
  expect(stderr).toBe("sidetrack: '--admim' is not accepted here; did you mean --admin?\n");
});
