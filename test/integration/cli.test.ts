import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let build = '';
const children: ChildProcess[] = [];

/** Builds the program as it is shipped, next to the packages that it imports. */
beforeAll(() => {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  build = mkdtempSync(join(cache, 'sidetrack-cli-'));
  cpSync(join(root, 'package.json'), join(build, 'package.json'));
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(build, 'dist')];
  execFileSync(process.execPath, [compiler, ...options], { stdio: 'inherit' });
}, 60_000);

afterAll(() => rmSync(build, { recursive: true, force: true }));

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
  /** @returns what stdout matched, as soon as it does */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
}

function run(words: readonly string[], environment: Record<string, string> = {}): Run {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('SIDETRACK_'));
  const child = spawn(process.execPath, [join(build, 'dist', 'cli.js'), ...words], {
    env: { ...Object.fromEntries(inherited), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (piece: string) => {
      text[name] += piece;
    });
  }
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, ...text }));
  });
  const printed = (pattern: RegExp) =>
    vi.waitFor(
      () => {
        const found = pattern.exec(text.stdout);
        if (found === null) throw new Error(`not printed yet: ${JSON.stringify(text)}`);
        return found;
      },
      { timeout: 10_000 },
    );
  return { child, ended, printed };
}

async function start(...words: string[]): Promise<Run & { listen: string; admin: string }> {
  const running = run(['--listen', '0', '--admin', '0', ...words]);
  const found = await running.printed(/listening on {2}(\S+)[\s\S]*admin +(\S+)/);
  return { ...running, listen: found[1] ?? '', admin: found[2] ?? '' };
}

describe('wrong usage is one line on stderr and exit code 2', () => {
  test.for([
    [['--listen', 'nowhere'], {}, "--listen: 'nowhere' has no port"],
    [['--listen', '0', '--listen', 'nowhere'], {}, "--listen: 'nowhere' has no port"],
    [['--listen', '6380,6380'], {}, '--listen: 127.0.0.1:6380 is named twice'],
    [['--max-clients', '0'], {}, "--max-clients: '0' is not accepted: 1 to"],
    [['--listen'], {}, 'accepted: host:port, [v6]:port, port (on 127.0.0.1)'],
    [['--upstream'], {}, "--upstream: '' has no redis:// or unix://; accepted: redis://[user"],
    [['--upstream', '--listen', '0'], {}, 'or embedded'],
    [['--log-level'], {}, "--log-level: '' is not accepted: trace, debug"],
    [['--no-admin'], {}, "'--no-admin' is not accepted here"],
    [['--admin.port', '1'], {}, "'--admin.port' is not accepted here"],
    [
      ['--upstream', 'rediss://u:s3cret@h', '--upstream-tls-ca', '/nowhere'],
      {},
      "--upstream-tls-ca: '/nowhere' cannot be read: no such file or directory",
    ],
    [
      ['--tls-listen', '0', '--tls-cert-file', '/nowhere', '--tls-key-file', '/nowhere'],
      { SIDETRACK_TLS_AUTH_CLIENTS: 'no' },
      "--tls-cert-file: '/nowhere' cannot be read: no such file or directory",
    ],
    [['check', '--upstream-tls-sni', 'h'], {}, '--upstream-tls-sni: needs --upstream rediss://'],
    [['demo', '--upstream', 'rediss://u:s3cret@h'], {}, '--upstream: the demo speaks no TLS'],
    [['--upstream', 'http://u:s3cret@h'], {}, 'of a kind that is not known (http://)'],
    [['redis://u:s3cret@h'], {}, "'redis://***@h' is not accepted here"],
    [['--lisen', '1'], {}, 'did you mean --listen?'],
    [['dmeo'], {}, 'did you mean demo?'],
    [
      ['demo', '--listen', '6399'],
      {},
      "'--listen' is not accepted here; see sidetrack demo --help",
    ],
    [['--admin', 'off', 'demo'], {}, "'--admin' is not accepted here; see sidetrack demo --help"],
    [['demo', '--second', '1'], {}, 'did you mean --seconds?'],
    [['--second', '1'], {}, "'--second' is not accepted here; see sidetrack --help"],
    [[], { SIDETRACK_ADMIN: 'x' }, "SIDETRACK_ADMIN: 'x' has no port"],
    [['demo', '--seconds', '0'], {}, "--seconds: '0' is not accepted"],
    [['demo', '--proxy', '6380'], {}, '--proxy: needs --direct'],
    [['demo', '--direct', 'redis://h'], {}, '--direct: needs --proxy'],
  ] as const)('%j %j', async ([words, environment, message]) => {
    const { code, stdout, stderr } = await run(words, environment).ended;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^sidetrack: .*\n$/);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('s3cret');
  });
});

describe('what cannot run is one line on stderr and exit code 1', () => {
  test('a port in use', async () => {
    const server: Server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const { code, stderr } = await run(['--listen', `${port}`, '--admin', 'off']).ended;
    server.close();
    expect(code).toBe(1);
    expect(stderr.split('\n').at(-2)).toContain(`cannot listen on 127.0.0.1:${port}`);
    expect(stderr).not.toContain('    at ');
  });

  test('an upstream that is no Redis', async () => {
    const server: Server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write('SSH-2.0-OpenSSH_9.2\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const words = ['--listen', '0', '--admin', 'off', '--upstream', `redis://127.0.0.1:${port}`];
    const { code, stderr } = await run(words).ended;
    server.close();
    expect(code).toBe(1);
    expect(stderr.split('\n').at(-2)).toMatch(/^sidetrack: .* is no Redis/);
    expect(stderr).not.toContain('    at ');
  });

  test('a socket in a folder that does not exist', async () => {
    const { code, stderr } = await run(['--listen', '/nonexistent/s.sock']).ended;
    expect(code).toBe(1);
    expect(stderr.split('\n').at(-2)).toBe(
      'sidetrack: cannot listen on /nonexistent/s.sock: its folder does not exist ' +
        '(choose another place with --listen)',
    );
  });

  test('no redis-server for the embedded upstream', async () => {
    const { code, stderr } = await run([], { REDIS_SERVER: '/nonexistent' }).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sidetrack: REDIS_SERVER is '\/nonexistent'.*\n$/);
  });
});

test('--help and --version', async () => {
  const [help, version] = await Promise.all([run(['--help']).ended, run(['--version']).ended]);
  expect(help.code).toBe(0);
  for (const word of ['--listen', '--upstream', 'sidetrack demo', 'SIDETRACK_LOG_LEVEL']) {
    expect(help.stdout).toContain(word);
  }
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

describe('npm start needs a Redis', () => {
  const load = () => import(pathToFileURL(join(root, 'scripts', 'wants-redis.mjs')).href);

  test.for([
    [true, []],
    [true, ['--listen', '0', '--admin=off']],
    [true, ['--upstream', 'redis://h', '--upstream', 'embedded']],
    [true, ['demo', '--seconds', '3']],
    [true, ['--log-level', 'warn', 'demo']],
    [false, ['--help']],
    [false, ['demo', '-h']],
    [false, ['--version']],
    [false, ['--upstream', 'redis://h']],
    [false, ['demo', '--upstream=unix:///r.sock']],
    [false, ['demo', '--proxy', '6380', '--direct', 'redis://h']],
    [false, ['demo', '--proxy', '6380']],
    [false, ['demo', '--seconds', '0']],
    [false, ['demo', '--admin', 'off']],
    [false, ['--seconds', '3']],
    [false, ['--bogus']],
    [false, ['-u', 'embedded']],
    [false, ['--listen']],
    [false, ['--listen', 'nowhere']],
    [false, ['dmeo']],
  ] as const)('%j: %j', async ([wanted, words]) => {
    const { wantsEmbeddedRedis } = await load();
    expect(await wantsEmbeddedRedis(join(build, 'dist'), words)).toBe(wanted);
  });

  test('and knows the flags of the demo', async () => {
    const { DEMO_FLAGS } = await load();
    const { stdout } = await run(['demo', '--help']).ended;
    const flags = [...stdout.matchAll(/^ +(?:-h, )?--([a-z-]+)/gm)].map(([, flag]) => flag);
    expect(flags.sort()).toEqual([...DEMO_FLAGS, 'help', 'version'].sort());
  });
});

describe('the proxy on an embedded Redis', () => {
  test.for([
    ['start', 'npm run demo'],
    ['npx', 'sidetrack demo'],
    ['', 'sidetrack demo'],
  ] as const)('run by %j, it points to: %s', async ([script, command]) => {
    const running = run(['--listen', '0', '--admin', 'off'], { npm_lifecycle_event: script });
    expect((await running.printed(/show itself: (.*)/))[1]).toBe(command);
  });

  test('stops with exit code 0 at SIGTERM and at SIGINT, and leaves nothing', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const running = await start();
      const socket = (await running.printed(/redis-cli -s (\S+) set greeting hello/))[1] ?? '';
      expect(existsSync(socket)).toBe(true);
      running.child.kill(signal);
      expect((await running.ended).code).toBe(0);
      expect(existsSync(dirname(socket))).toBe(false);
    }
  });

  test('killed with -9, its Redis goes too and leaves nothing', async () => {
    const running = await start();
    const socket = (await running.printed(/redis-cli -s (\S+) set greeting hello/))[1] ?? '';
    running.child.kill('SIGKILL');
    await vi.waitFor(() => expect(existsSync(dirname(socket))).toBe(false), { timeout: 5_000 });
  });

  test('the two printed lines show an invalidation', async () => {
    const running = await start();
    const reader = (await running.printed(/^ {2}(bash -c .*)$/m))[1] ?? '';
    const writer = (await running.printed(/^ {2}(redis-cli .*)$/m))[1] ?? '';
    await vi.waitFor(async () => {
      expect((await fetch(`${running.admin}/readyz`)).status).toBe(200);
    });
    const shell = spawn('/bin/sh', ['-c', `exec ${reader}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(shell);
    let heard = '';
    shell.stdout.setEncoding('latin1').on('data', (piece: string) => {
      heard += piece;
    });
    await vi.waitFor(() => expect(heard).toMatch(/\+OK\r\n_\r\n$/), { timeout: 5_000 });
    execFileSync('/bin/sh', ['-c', writer]);
    const pushed = '>2\r\n$10\r\ninvalidate\r\n*1\r\n$8\r\ngreeting\r\n';
    await vi.waitFor(() => expect(heard.endsWith(pushed)).toBe(true), { timeout: 5_000 });
  });

  test('listens at every place that is named, and says so', async () => {
    const socket = join(build, 's.sock');
    const words = ['--log-level', 'fatal', '--log-level', 'info', '--admin', 'off'];
    const running = run(['--listen', '0,0', '--listen', socket, ...words]);
    const [, places = ''] = await running.printed(/listening on {2}(.*)\n/);
    expect(places.split(', ')).toEqual([
      expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      socket,
    ]);
    expect(await oneLine(socket, 'PING\r\n')).toBe('+PONG\r\n');
    running.child.kill('SIGTERM');
    expect((await running.ended).stderr).toContain(JSON.stringify(places));
  });

  test('serves health and metrics', async () => {
    const { admin } = await start();
    expect((await fetch(`${admin}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${admin}/metrics`)).text()).toContain('sidetrack_clients 0');
  });
});

test('an upstream that is not there keeps /readyz at 503, and the process alive', async () => {
  const { admin, child, ended } = await start('--upstream', 'redis://u:s3cret@127.0.0.1:1');
  await vi.waitFor(async () => {
    const answer = await fetch(`${admin}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('ECONNREFUSED');
  });
  child.kill('SIGTERM');
  const { code, stdout, stderr } = await ended;
  expect(code).toBe(0);
  expect(stdout).not.toContain('redis-cli');
  expect(stdout + stderr).not.toContain('s3cret');
});

describe('the demo', () => {
  test('ends by itself with a summary in which nothing is stale', async () => {
    const { code, stdout, stderr } = await run(['demo', '--seconds', '2']).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/hit rate +9\d\.\d %/);
    expect(stdout).toMatch(/stale reads +0 /);
    expect(stdout).toMatch(/invalidations missed +0 /);
    expect(Number(/invalidations received +(\d+)/.exec(stdout)?.[1])).toBeGreaterThan(20);
  });

  test('uses a proxy that runs already, and ends early with its summary', async () => {
    const { listen, printed } = await start();
    const socket = (await printed(/redis-cli -s (\S+) set/))[1] ?? '';
    const demo = run(['demo', '--proxy', listen, '--direct', `unix://${socket}`]);
    await demo.printed(/ 1 s /);
    demo.child.kill('SIGINT');
    const { code, stdout } = await demo.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/stale reads +0 /);
    const keys = await oneLine(socket, 'DBSIZE\r\n');
    expect(keys).toBe(':0\r\n');
  });

  test('a proxy that is not there is one line', async () => {
    const words = ['demo', '--proxy', '1', '--direct', 'redis://127.0.0.1:1'];
    const { code, stderr } = await run(words).ended;
    expect(code).toBe(1);
    expect(stderr).toBe('sidetrack: cannot connect to the proxy at 127.0.0.1:1: ECONNREFUSED\n');
  });
});

function oneLine(socket: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket, () => connection.write(request));
    connection.once('error', reject);
    connection.once('data', (bytes) => {
      connection.destroy();
      resolve(bytes.toString('latin1'));
    });
  });
}
