/** The servers that are compared. Each listens on a free port of the loopback interface. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findOnPath } from './prepare.mjs';
import { answers, freePort } from './stage.mjs';

const PIPE = fileURLToPath(new URL('../pipe.mjs', import.meta.url));
const MEMORY_PROBE = new URL('memory-probe.mjs', import.meta.url).href;

/**
 * Between finding a free port and its server taking it, another may have come first.
 */
const PORT_TRIES = 5;

/**
 * @typedef {object} Server
 * @property {string} name
 * @property {number} port
 * @property {number} pid
 * @property {import('./stage.mjs').Started} started
 * @property {string} [admin] of a proxy: the address of its metrics
 */

/**
 * @param {import('./stage.mjs').Stage} stage
 * @param {{ redisServer: string, args?: readonly string[] }} options
 * @returns {Promise<Server>} an empty Redis that keeps nothing
 */
export function startRedis(stage, { redisServer, args = [] }) {
  const keepsNothing = ['--save', '', '--appendonly', 'no', '--dir', stage.directory];
  return onFreePort(async (port) => {
    const listen = ['--port', String(port), '--bind', '127.0.0.1', '--tcp-backlog', '2048'];
    const all = [...listen, ...keepsNothing, '--maxclients', '10000', ...args];
    return stage.start('redis-server', redisServer, all, { ready: () => answers(port) });
  }, 'redis');
}

/**
 * @param {import('./stage.mjs').Stage} stage
 * @param {number} upstreamPort
 * @param {{ probed?: boolean }} [options] probed: its memory can be asked for, see `memoryOf`
 * @returns {Promise<Server>}
 */
export async function startPipe(stage, upstreamPort, { probed = false } = {}) {
  const args = [...probe(probed), PIPE, String(upstreamPort)];
  const { started, ready } = await stage.start('pipe', process.execPath, args, {
    ipc: probed,
    ready: ({ output }) => /listening on (\d+)\n/.exec(output)?.[1],
  });
  return { name: 'pipe', port: Number(ready), pid: started.pid, started };
}

/**
 * @param {import('./stage.mjs').Stage} stage
 * @param {number} upstreamPort
 * @param {{ dist: string, flags?: readonly string[], probed?: boolean }} options
 * @returns {Promise<Server>} Sidetrack, when it hears of changes
 */
export async function startProxy(stage, upstreamPort, { dist, flags = [], probed = false }) {
  const own = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--log-level', 'warn'];
  const upstream = ['--upstream', `redis://127.0.0.1:${upstreamPort}`];
  const args = [...probe(probed), path.join(dist, 'cli.js'), ...own, ...upstream, ...flags];
  const { started, ready } = await stage.start('sidetrack', process.execPath, args, {
    ipc: probed,
    env: { NODE_ENV: 'production' },
    ready: addressesOf,
  });
  return { name: 'sidetrack', ...ready, pid: started.pid, started };
}

/** @returns {Promise<{ port: number, admin: string } | undefined>} when it is ready */
async function addressesOf({ output }) {
  const port = /listening on\s+127\.0\.0\.1:(\d+)\n/.exec(output)?.[1];
  const admin = /admin\s+(http:\S+)/.exec(output)?.[1];
  if (port === undefined || admin === undefined) return undefined;
  const { ok } = await fetch(`${admin}/readyz`);
  return ok ? { port: Number(port), admin } : undefined;
}

function probe(probed) {
  return probed ? ['--expose-gc', '--import', MEMORY_PROBE] : [];
}

/**
 * @param {Server} server that was started with `probed`
 * @returns {Promise<{ rss: number, heapUsed: number, external: number, arrayBuffers: number }>}
 *   its memory in bytes, its garbage collected
 */
export function memoryOf({ started }) {
  const answer = started.nextMessage();
  started.send('measure');
  return answer;
}

/**
 * @param {import('./stage.mjs').Stage} stage
 * @param {number} upstreamPort
 * @returns {Promise<Server | undefined>} HAProxy in TCP mode with one thread; undefined where it
 *   is not installed
 */
export async function startHaproxy(stage, upstreamPort) {
  const program = findOnPath('haproxy');
  if (program === undefined) return undefined;
  return onFreePort((port) => {
    const file = path.join(stage.directory, 'haproxy.cfg');
    writeFileSync(
      file,
      [
        'global',
        '  maxconn 4096',
        '  nbthread 1',
        'defaults',
        '  mode tcp',
        '  timeout connect 5s',
        '  timeout client 1h',
        '  timeout server 1h',
        'listen bench',
        `  bind 127.0.0.1:${port}`,
        `  server redis 127.0.0.1:${upstreamPort}`,
        '',
      ].join('\n'),
    );
    return stage.start('haproxy', program, ['-db', '-f', file], { ready: () => answers(port) });
  }, 'haproxy');
}

/**
 * @param {import('./stage.mjs').Stage} stage
 * @param {number} upstreamPort
 * @returns {Promise<Server | undefined>} twemproxy, its clients sharing one upstream connection;
 *   undefined where it is not installed
 */
export async function startTwemproxy(stage, upstreamPort) {
  const program = findOnPath('nutcracker');
  if (program === undefined) return undefined;
  const statsPort = await freePort();
  return onFreePort((port) => {
    const file = path.join(stage.directory, 'nutcracker.yml');
    writeFileSync(
      file,
      [
        'bench:',
        `  listen: 127.0.0.1:${port}`,
        '  redis: true',
        '  backlog: 2048',
        '  servers:',
        `   - 127.0.0.1:${upstreamPort}:1`,
        '',
      ].join('\n'),
    );
    const logs = ['-o', path.join(stage.directory, 'nutcracker.log'), '-v', '0'];
    const pid = ['-p', path.join(stage.directory, 'nutcracker.pid')];
    const stats = ['-a', '127.0.0.1', '-s', String(statsPort)];
    return stage.start('twemproxy', program, ['-c', file, ...logs, ...pid, ...stats], {
      ready: () => answers(port),
    });
  }, 'twemproxy');
}

/** @returns {Promise<Server>} of `start`, which is tried on several ports */
async function onFreePort(start, name) {
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    try {
      const { started } = await start(port);
      return { name, port, pid: started.pid, started };
    } catch (error) {
      if (tries === PORT_TRIES || !/in use/i.test(String(error))) throw error;
    }
  }
}
