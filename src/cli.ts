#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import yargs, { type Argv } from 'yargs';
import type { ListenAddress, UpstreamAddress } from './address.ts';
import { printUpstream, withoutSecrets } from './address.ts';
import { type Admin, startAdmin } from './admin/http.ts';
import { createMetrics } from './admin/metrics.ts';
import { type Config, type Flag, nearest, OPTIONS, type OptionSpec, readConfig } from './config.ts';
import { readDemoPlan, runDemo } from './demo/run.ts';
import { type EmbeddedRedis, startEmbedded } from './embedded.ts';
import { ProxyError } from './errors.ts';
import { createLogger, type Logger } from './logger.ts';
import { createProxy } from './proxy.ts';

/** Exit codes: 0 after a stop that was asked for, and these. */
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const DEMO_SHARED: readonly Flag[] = [
  'upstream',
  'advertise-version',
  'notify-config',
  'log-level',
  'log-format',
];

/** The demo's own flags, then those that it shares with the proxy. */
const DEMO_OPTIONS: readonly OptionSpec[] = [
  { flag: 'seconds', fallback: '10', describe: 'How long it runs' },
  {
    flag: 'proxy',
    fallback: '',
    describe: 'A proxy that runs already: host:port or a socket path',
  },
  { flag: 'direct', fallback: '', describe: 'With --proxy: the Redis behind it, for the writer' },
  ...OPTIONS.filter(({ flag }) => DEMO_SHARED.includes(flag)),
];

type Flags = { readonly [flag: string]: unknown };

/** Reads the command line and does what it says; ends the process itself when that is over. */
async function main(words: readonly string[]): Promise<void> {
  let inDemo = false;
  const parser = yargs([...words])
    .scriptName('sidetrack')
    .locale('en') // our own messages are English, and mixed languages read badly
    .parserConfiguration({
      'duplicate-arguments-array': false,
      'camel-case-expansion': false,
      'boolean-negation': false, // --no-admin and --admin.x are unknown flags like any other
      'dot-notation': false,
    })
    .usage(
      'Gives a plain Redis server-assisted client-side caching (CLIENT TRACKING).\n\n' +
        'Usage: $0 [options]',
    )
    .command(
      '$0',
      false,
      (y) => withOptions(y, OPTIONS),
      (flags) => runProxy(flags),
    )
    .command(
      'demo',
      'Show a caching client and a writer, live, through the proxy',
      (y) => {
        inDemo = true;
        return withOptions(y, DEMO_OPTIONS);
      },
      (flags) => runDemoCommand(flags),
    )
    .epilogue(
      'Every proxy option can be set by an environment variable too: --log-level is ' +
        'SIDETRACK_LOG_LEVEL. A flag outweighs the variable. Exit codes: 0 stopped, ' +
        '1 failed while running, 2 wrong usage.',
    )
    .help()
    .alias('help', 'h')
    .version(readVersion())
    .strict()
    .wrap(Math.min(100, process.stdout.columns ?? 80))
    .exitProcess(false)
    .fail((message, error) => {
      // Yargs has a message for wrong usage, and none when a command of ours has thrown.
      throw message ? new ProxyError('CONFIG_INVALID', explain(message, words, inDemo)) : error;
    });
  await parser.parseAsync();
}

function withOptions(parser: Argv, options: readonly OptionSpec[]): Argv {
  for (const { flag, fallback, describe, choices } of options) {
    const words = choices === undefined ? describe : `${describe} (${choices.join(', ')})`;
    // Checked by readConfig and not by yargs, so that variables get the same messages. A flag
    // without a value is empty text, which none accepts: the message says what is.
    parser.option(flag, { type: 'string', describe: words, defaultDescription: fallback });
  }
  return parser;
}

async function runProxy(flags: Flags): Promise<void> {
  const config = configOf(flags);
  const logger = loggerOf(config);
  dieOnSurprise(logger);
  const stopAsked = stopSignal(logger);
  const metrics = createMetrics();
  const cleanup: (() => Promise<void>)[] = [];
  try {
    const { upstream, embedded } = await resolveUpstream(config, logger);
    if (embedded !== undefined) cleanup.push(() => embedded.stop());
    const end = new AbortController();
    const failed = (error: ProxyError) => end.abort(error);
    const proxy = createProxy({ ...config, upstream }, { logger, metrics, failed });
    await proxy.start();
    cleanup.push(() => proxy.stop());
    let admin: Admin | undefined;
    if (config.admin !== undefined) {
      admin = await startAdmin(config.admin, { metrics, ready: () => proxy.ready });
      cleanup.push(admin.stop);
    }
    const facts = { listen: proxy.address, upstream: printUpstream(upstream) };
    logger.info({ ...facts, admin: admin?.address ?? 'off' }, 'listening');
    process.stdout.write(banner({ ...facts, config, admin, embedded }));
    await aborted(AbortSignal.any([stopAsked, end.signal]));
    logger.info('stopping');
    end.signal.throwIfAborted();
  } finally {
    for (const step of cleanup.reverse()) await step();
  }
}

/** Starts a Redis of our own if no other is named. */
async function resolveUpstream(
  config: Config,
  logger: Logger,
): Promise<{ readonly upstream: UpstreamAddress; readonly embedded: EmbeddedRedis | undefined }> {
  if (config.upstream.kind !== 'embedded') {
    return { upstream: config.upstream, embedded: undefined };
  }
  const embedded = await startEmbedded(logger);
  return { upstream: embedded.upstream, embedded };
}

async function runDemoCommand(flags: Flags): Promise<void> {
  // Its picture is the output; a log between its lines is wanted for trouble only.
  const config = configOf({ 'log-level': process.env.SIDETRACK_LOG_LEVEL || 'warn', ...flags });
  const plan = readDemoPlan(
    {
      seconds: textOf(flags, 'seconds') ?? '10',
      proxy: textOf(flags, 'proxy'),
      direct: textOf(flags, 'direct'),
    },
    config,
  );
  const logger = loggerOf(config);
  dieOnSurprise(logger);
  const stage = { out: process.stdout, logger, signal: stopSignal(logger) };
  const good = await runDemo(plan, config, stage);
  if (!good) process.exitCode = EXIT_FAILED;
}

function configOf(flags: Flags): Config {
  const given = Object.fromEntries(OPTIONS.map(({ flag }) => [flag, textOf(flags, flag)]));
  return readConfig({
    flags: given,
    environment: process.env,
    terminal: process.stderr.isTTY === true,
  });
}

function textOf(flags: Flags, flag: string): string | undefined {
  const value = flags[flag];
  return typeof value === 'string' ? value : undefined;
}

function loggerOf(config: Config): Logger {
  const colour = process.stderr.isTTY === true && !process.env.NO_COLOR;
  return createLogger({ level: config.logLevel, format: config.logFormat, colour });
}

/**
 * What is printed on stdout once the proxy listens. The two lines to paste come only with a Redis
 * of our own: nobody should be led to write a trial key into a Redis that others use.
 */
function banner(facts: {
  readonly listen: string;
  readonly upstream: string;
  readonly config: Config;
  readonly admin: Admin | undefined;
  readonly embedded: EmbeddedRedis | undefined;
}): string {
  const { listen, upstream, config, admin, embedded } = facts;
  const kind = embedded === undefined ? '' : ' (embedded, keeps nothing)';
  const admins = config.admin?.kind === 'unix' ? admin?.address : `http://${admin?.address}`;
  const startedByNpm = process.env.npm_lifecycle_event === 'start'; // npx says 'npx'
  const lines = [
    `Sidetrack ${readVersion()}`,
    `  listening on  ${listen}`,
    `  upstream      ${upstream}${kind}`,
    `  admin         ${admin === undefined ? 'off' : `${admins} (/metrics /healthz /readyz)`}`,
  ];
  if (embedded !== undefined) {
    lines.push(
      '',
      'See an invalidation. In one terminal, a client that reads a key with tracking on:',
      '',
      `  ${readerLine(config.listen, listen)}`,
      '',
      'In another, a writer that goes straight to Redis; the first prints "invalidate":',
      '',
      `  redis-cli -s ${embedded.upstream.path} set greeting hello`,
      '',
      `Or let it show itself: ${startedByNpm ? 'npm run demo' : 'sidetrack demo'}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** A caching client that needs nothing but bash (or nc, for a Unix socket). */
function readerLine(asked: ListenAddress, listen: string): string {
  const talk = 'printf "HELLO 3\\r\\nCLIENT TRACKING ON\\r\\nGET greeting\\r\\n"';
  if (asked.kind === 'unix') return `(${talk}; cat) | nc -U '${listen}'`;
  const port = listen.slice(listen.lastIndexOf(':') + 1);
  const everywhere: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  const host = everywhere[asked.host] ?? asked.host;
  return `bash -c 'exec 3<>/dev/tcp/${host}/${port}; ${talk} >&3; cat <&3'`;
}

/** Turns what yargs says into one line that says what is accepted. */
function explain(message: string, words: readonly string[], inDemo: boolean): string {
  const unknown = /^Unknown (?:argument|command)s?: (.*)$/s.exec(message)?.[1];
  if (unknown === undefined) return withoutSecrets(message);
  const word = withoutSecrets(unknown).split(', ', 1)[0] ?? '';
  const isFlag = words.some((given) => given.startsWith('-') && given.includes(word));
  const flags = (inDemo ? DEMO_OPTIONS : OPTIONS).map(({ flag }) => flag);
  const commands = inDemo ? [] : ['demo'];
  const known = isFlag ? [...flags, 'help', 'version'].map((flag) => `--${flag}`) : commands;
  const shown = isFlag ? `--${word}` : word;
  const meant = nearest(shown, known);
  const hint =
    meant === undefined ? `see sidetrack ${inDemo ? 'demo ' : ''}--help` : `did you mean ${meant}?`;
  return `'${shown}' is not accepted here; ${hint}`;
}

/** @returns a signal that aborts at the first SIGINT or SIGTERM; the second ends the process */
function stopSignal(logger: Logger): AbortSignal {
  const stop = new AbortController();
  const numbers = { SIGINT: 2, SIGTERM: 15 } as const;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(128 + numbers[name]);
      logger.debug({ signal: name }, 'asked to stop');
      stop.abort();
    });
  }
  return stop.signal;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** A defect of ours: say so and end. Half a proxy would leave caches stale. */
function dieOnSurprise(logger: Logger): void {
  const die = (what: string) => (error: unknown) => {
    logger.fatal({ err: error }, what);
    process.exit(EXIT_FAILED);
  };
  process.on('uncaughtException', die('uncaught exception'));
  process.on('unhandledRejection', die('unhandled rejection'));
  // Whoever read our banner may be gone (`sidetrack | head -3`), which is no reason to end.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
}

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version?: unknown }).version);
}

try {
  await main(process.argv.slice(2));
  process.exit(process.exitCode ?? 0);
} catch (error) {
  if (error instanceof ProxyError) {
    process.stderr.write(`sidetrack: ${error.message}\n`);
    process.exit(error.code === 'CONFIG_INVALID' ? EXIT_USAGE : EXIT_FAILED);
  }
  process.stderr.write(`sidetrack: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(EXIT_FAILED);
}
