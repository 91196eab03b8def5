/**
 * What must be in place before the program or its tests can run: the packages, the build and a
 * redis-server. Each `ensure` function looks first and acts only when something is missing or
 * out of date; when nothing is, all of them together take a few milliseconds and print nothing.
 *
 * Plain JavaScript without dependencies, because `node_modules` may not exist yet.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root, absolute. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const DIST = path.join(ROOT, 'dist');
const BUILD_STAMP = path.join(DIST, '.source-hash');

/**
 * Ends the program with one line that says what to do.
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(`sidetrack: ${message}`);
  process.exit(1);
}

/** Ends the program when Node.js is older than `engines` in package.json allows. */
function ensureNode() {
  const { engines } = readJson(path.join(ROOT, 'package.json'));
  const [, wantedMajor, wantedMinor] = />=(\d+)\.(\d+)/.exec(engines.node).map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  fail(`needs Node.js ${engines.node}, this is ${process.versions.node}`);
}

/** Runs `npm ci` unless `node_modules` already holds what package-lock.json asks for. */
export function ensureDependencies() {
  ensureNode();
  if (dependenciesMatch()) return;
  const folder = path.join(ROOT, 'node_modules');
  // npm would empty the folder that it leads to, which others may be using.
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
    fail('node_modules is a link, and holds other packages than package-lock.json: run npm ci');
  }
  console.error('sidetrack: installing packages (npm ci)');
  // Dev packages too, even under NODE_ENV=production: the build needs them.
  const npm = npmCommand();
  const result = spawnSync(npm.program, [...npm.args, 'ci', '--include=dev'], {
    cwd: ROOT,
    stdio: 'inherit',
    shell: npm.shell,
  });
  if (result.status !== 0) fail('npm ci failed, see above');
}

/**
 * npm leaves a list of what it installed in `node_modules/.package-lock.json`, and writes it
 * last, so an install that was cut short has none. Comparing with it, not with a stamp of our
 * own, also accepts an install made by hand.
 * @returns {boolean}
 */
function dependenciesMatch() {
  const installedPath = path.join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(installedPath)) return false;
  const wanted = readJson(path.join(ROOT, 'package-lock.json')).packages;
  const installed = readJson(installedPath).packages;
  for (const [name, { version, integrity, optional, os, cpu }] of Object.entries(wanted)) {
    if (name === '') continue; // this package itself
    const found = installed[name];
    if (found === undefined) {
      // A binary for another platform is rightly absent; one for this platform is too when it
      // is made for the other C library, which npm knows and we do not ask.
      const forHere = os?.includes(process.platform) && cpu?.includes(process.arch);
      if (!optional || (forHere && !siblingInstalled(name, installed))) return false;
    } else if (found.version !== version || found.integrity !== integrity) return false;
  }
  return Object.keys(installed).every((name) => name in wanted);
}

/**
 * @param {string} name such as `node_modules/@scope/binding-linux-x64-musl`
 * @param {Record<string, unknown>} installed
 * @returns {boolean} whether a variant for this platform is there, whichever its C library
 */
function siblingInstalled(name, installed) {
  const stem = name.replace(/-(?:gnu|musl|glibc|msvc)$/, '');
  return Object.keys(installed).some((other) => other.startsWith(stem));
}

/**
 * @returns {{ program: string, args: string[], shell: boolean }} the npm that started us, so
 *   that its version and settings hold; else the one on PATH
 */
function npmCommand() {
  const running = process.env.npm_execpath;
  if (running?.endsWith('npm-cli.js')) {
    return { program: process.execPath, args: [running], shell: false };
  }
  return { program: 'npm', args: [], shell: process.platform === 'win32' };
}

/** Builds `dist/` unless it was made from exactly these sources. */
export function ensureBuild() {
  if (builtFrom() !== sourceHash()) build();
}

/**
 * Builds `dist/` from nothing. The compiler writes beside it and the result is renamed, so no
 * file of an earlier build stays and nobody starts a half-written one.
 */
export function build() {
  const hash = sourceHash();
  const fresh = `${DIST}.${process.pid}`;
  const tsc = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = spawnSync(
    process.execPath,
    [tsc, '-p', path.join(ROOT, 'tsconfig.build.json'), '--outDir', fresh],
    { cwd: ROOT, stdio: 'inherit' },
  );
  if (result.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    fail('the build failed, see above');
  }
  chmodSync(path.join(fresh, 'cli.js'), 0o755); // it is a command, see `bin` in package.json
  writeFileSync(path.join(fresh, path.basename(BUILD_STAMP)), hash);
  rmSync(DIST, { recursive: true, force: true });
  try {
    renameSync(fresh, DIST);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    // Another start of the same sources may have come first; its build is as good as ours.
    if (builtFrom() !== hash) throw error;
  }
}

/** @returns {string | undefined} the hash of the sources that `dist/` was built from */
function builtFrom() {
  return existsSync(BUILD_STAMP) ? readFileSync(BUILD_STAMP, 'utf8') : undefined;
}

/** @returns {string} a hash over names and contents of everything that the build reads */
function sourceHash() {
  const sources = readdirSync(path.join(ROOT, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)));
  const settings = readdirSync(ROOT).filter((name) => /^tsconfig.*\.json$/.test(name));
  const hash = createHash('sha256');
  for (const name of [...sources, ...settings, 'package.json'].sort()) {
    const bytes = readFileSync(path.join(ROOT, name));
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

/**
 * The ways to get a redis-server, by package manager. Only the program is wanted, never a
 * service on port 6379.
 *
 * Debian's package would start one. Without systemd (a container) its postinst asks
 * `invoke-rc.d`, which starts nothing when it cannot tell the runlevel, and nothing either in
 * runlevel 1, which RUNLEVEL makes SysV's `runlevel` answer. Under systemd the service does
 * start, so it is switched off again: nothing can rely on it yet, because redis-server was
 * missing a moment ago. The other packages start nothing by themselves.
 */
const PACKAGE_MANAGERS = [
  {
    program: 'apt-get',
    update: ['-qq', 'update'],
    install: ['install', '-y', '--no-install-recommends', 'redis-server'],
    afterwardsUnderSystemd: ['disable', '--now', 'redis-server.service'],
  },
  { program: 'apk', install: ['add', 'redis'] },
  { program: 'dnf', install: ['install', '-y', 'redis'] },
  { program: 'brew', install: ['install', 'redis'], refusesRoot: true },
];

/** Programs that can serve, in the order in which they are looked for, as in src/embedded.ts. */
const REDIS_PROGRAMS = ['redis-server', 'valkey-server'];

/**
 * Finds a Redis: the one that REDIS_SERVER names, else a redis-server or valkey-server on PATH,
 * else, for root, a redis-server freshly installed with the system's package manager.
 * @returns {string} its absolute path
 */
export function ensureRedis() {
  const named = process.env.REDIS_SERVER;
  if (named) return findProgram(named) ?? fail(`REDIS_SERVER=${named} is not a program`);
  const found = findRedis();
  if (found) return found;

  const manager = PACKAGE_MANAGERS.find(({ program }) => findProgram(program));
  if (!manager) return fail('redis-server is missing: install Redis, or set REDIS_SERVER');
  const command = [manager.program, ...manager.install].join(' ');
  const isRoot = process.getuid?.() === 0;
  if (manager.refusesRoot) return fail(`redis-server is missing, type: ${command}`);
  if (!isRoot) return fail(`redis-server is missing, type: sudo ${command}`);

  console.error(`sidetrack: installing redis-server (${command})`);
  installRedis(manager);
  return findRedis() ?? fail(`redis-server is still missing after: ${command}`);
}

/** @returns {string | undefined} the absolute path of the first program on PATH that serves */
function findRedis() {
  for (const name of REDIS_PROGRAMS) {
    const found = findProgram(name);
    if (found) return found;
  }
  return undefined;
}

/** @param {(typeof PACKAGE_MANAGERS)[number]} manager */
function installRedis({ program, update, install, afterwardsUnderSystemd }) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  /** @param {readonly string[]} args */
  const run = (args) =>
    spawnSync(program, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  // One broken source among many fails the update; the install may succeed all the same.
  if (update) run(update);
  const result = run(install);
  if (result.status !== 0) {
    console.error(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`);
    fail(`could not install redis-server, type: ${[program, ...install].join(' ')}`);
  }
  if (afterwardsUnderSystemd && existsSync('/run/systemd/system')) {
    spawnSync('systemctl', afterwardsUnderSystemd, { stdio: 'ignore' });
  }
}

/**
 * @param {string} name a bare name, looked for on PATH, or a path
 * @returns {string | undefined} the absolute path of an executable file
 */
function findProgram(name) {
  const isPath = name.includes('/') || name.includes(path.sep);
  const folders = isPath ? [process.cwd()] : (process.env.PATH ?? '').split(path.delimiter);
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => path.resolve(folder, name))
    .find(isExecutable);
}

/**
 * @param {string} file
 * @returns {boolean}
 */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * @param {string} file
 * @returns {any} its parsed content; a damaged file throws and names itself in the trace
 */
function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
