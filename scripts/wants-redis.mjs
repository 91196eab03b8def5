/**
 * Whether the program is about to start a Redis of its own, so that `npm start` installs one for
 * nobody else: not for `--help`, not for a mistyped flag, not for who has a Redis already.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

/** What `sidetrack demo` takes. A test compares this with its `--help`. */
export const DEMO_FLAGS = [
  'seconds',
  'proxy',
  'direct',
  'upstream',
  'advertise-version',
  'notify-config',
  'log-level',
  'log-format',
  'config',
];

/**
 * @param {string} dist the folder of the built program, whose own functions judge the flags
 * @param {readonly string[]} args the program's arguments
 * @returns {Promise<boolean>} false too where the program will refuse them: it says why
 */
export async function wantsEmbeddedRedis(dist, args) {
  const { OPTIONS } = await load(dist, 'options.js');
  const { readConfig } = await load(dist, 'config.js');
  const { readDemoPlan } = await load(dist, 'demo/run.js');
  const proxyFlags = OPTIONS.map(({ flag }) => flag);
  const command = readCommand(args, [...proxyFlags, ...DEMO_FLAGS]);
  if (command === undefined) return false;
  const { isDemo, flags } = command;
  const accepted = isDemo ? DEMO_FLAGS : proxyFlags;
  if (!Object.keys(flags).every((flag) => accepted.includes(flag))) return false;
  try {
    const config = readConfig({ flags, environment: process.env, terminal: false });
    if (!isDemo) return config.upstream.kind === 'embedded';
    const { through } = readDemoPlan({ seconds: '10', ...flags }, config);
    return through.kind === 'own' && through.upstream.kind === 'embedded';
  } catch (error) {
    if (error?.code === 'CONFIG_INVALID') return false;
    throw error;
  }
}

/**
 * @param {readonly string[]} args
 * @param {readonly string[]} known every flag of every command
 * @returns {{ isDemo: boolean, flags: Record<string, string> } | undefined} undefined where
 *   nothing will run
 */
function readCommand(args, known) {
  const text = known.map((flag) => [flag, { type: 'string' }]);
  const options = {
    ...Object.fromEntries(text),
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean' },
  };
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const { help, version, ...flags } = values;
    const isDemo = positionals[0] === 'demo';
    if (help || version || positionals.length > (isDemo ? 1 : 0)) return undefined;
    return { isDemo, flags };
  } catch {
    return undefined; // a flag that nobody knows, or one without its value
  }
}

/**
 * @param {string} dist
 * @param {string} name
 * @returns {Promise<any>} a module of the built program, which loads it anyway a moment later
 */
function load(dist, name) {
  return import(pathToFileURL(path.join(dist, name)).href);
}
