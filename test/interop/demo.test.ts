import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { startRedis } from '../helpers/redis.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

test('sidetrack demo: three seconds of hits and invalidations, and nothing stale', async () => {
  const { code, stdout, stderr } = await run('demo', '--seconds', '3');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const summary = stdout.slice(stdout.indexOf('Summary'));
  const number = (name: string) => {
    const found = new RegExp(`${name} +([\\d,]+)`).exec(summary)?.[1];
    return Number(found?.replaceAll(',', ''));
  };
  expect(number('reads from the client cache')).toBeGreaterThan(1_000);
  expect(number('writes straight to Redis')).toBeGreaterThan(20);
  expect(number('invalidations received')).toBeGreaterThan(20);
  expect(number('stale reads')).toBe(0);
  expect(number('invalidations missed')).toBe(0);
});

test('sidetrack demo --config: the file names the Redis, and says who to be there', async () => {
  const redis = await startRedis({ tcp: true, args: ['--requirepass', 'from-file'] });
  onTestFinished(() => redis.stop());
  const folder = mkdtempSync(join(tmpdir(), 'sidetrack-demo-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'demo.yaml');
  const upstream = redis.url.replace('://', '://:from-file@');
  writeFileSync(file, `upstream: ${upstream}\nlisten: 0.0.0.0:6399\ninject-auth: anyone\n`);
  const { code, stdout, stderr } = await run('demo', '--seconds', '1', '--config', file);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(`redis://:***@127.0.0.1:${redis.port}`);
  expect(stdout).not.toMatch(/from-file|6399/);
});

/** Runs the built program to its end, with nothing of ours in its environment. */
async function run(...words: readonly string[]) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('SIDETRACK_'));
  const child = spawn(process.execPath, [PROGRAM, ...words], {
    env: Object.fromEntries(inherited),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (piece: string) => {
      text[name] += piece;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, ...text };
}
