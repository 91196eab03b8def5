#!/usr/bin/env node
import yargs, { type Argv } from 'yargs';
import type { UpstreamAddress } from './address.ts';
import { printUpstream, withoutSecrets } from './address.ts';
import { type Admin, startAdmin } from './admin/http.ts';
import { createMetrics } from './admin/metrics.ts';
import { banner, readVersion } from './banner.ts';
import { type Config, readConfig } from './config.ts';
import { readDemoPlan, runDemo } from './demo/run.ts';
import { examine } from './doctor/examine.ts';
import { isUsable } from './doctor/finding.ts';
import { renderJson, renderTable } from './doctor/render.ts';
import { type EmbeddedRedis, startEmbedded } from './embedded.ts';
import { ProxyError } from './errors.ts';
import { createLogger, type Logger } from './logger.ts';
import { nearest } from './nearest.ts';
import { type Flag, OPTIONS, type OptionSpec } from './options.ts';
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

const CHECK_SHARED: readonly Flag[] = ['upstream', 'notify-config', 'probe-key-prefix'];

/** The flags of `check` that have a value; `--json` has none. */
const CHECK_OPTIONS: readonly OptionSpec[] = OPTIONS.filter(({ flag }) =>
  CHECK_SHARED.includes(flag),
);

/** The subcommands, and the flags that each takes. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  demo: DEMO_OPTIONS.map(({ flag }) => flag),
  check: [...CHECK_OPTIONS.map(({ flag }) => flag), 'json'],
};

type Flags = { readonly [flag: string]: unknown };

/** Reads the command line and does what it says; ends the process itself when that is over. */
async function main(words: readonly string[]): Promise<void> {
  let command = '';
  const parser = yargs([...words])
    .scriptName('sidetrack')
    .locale('en') // our own messages are English, and mixed languages read badly
    .parserConfiguration({
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
        command = 'demo';
        return withOptions(y, DEMO_OPTIONS);
      },
      (flags) => runDemoCommand(flags),
    )
    .command(
      'check',
      'Examine an upstream: what works, what is missing, and how to mend it',
      (y) => {
        command = 'check';
        return withOptions(y, CHECK_OPTIONS).option('json', {
          type: 'boolean',
          describe: 'Print JSON instead of a table',
        });
      },
      (flags) => runCheck(flags),
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
      throw message ? new ProxyError('CONFIG_INVALID', explain(message, words, command)) : error;
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
    const facts = { listen: proxy.addresses.join(', '), upstream: printUpstream(upstream) };
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

/** Prints what it finds; the exit code says whether a proxy could work there. */
async function runCheck(flags: Flags): Promise<void> {
  const config = configOf(flags);
  const logger = loggerOf({ ...config, logLevel: 'warn' });
  const { upstream, embedded } = await resolveUpstream(config, logger);
  const { notifyConfig, probeKeyPrefix } = config;
  const findings = await examine({ upstream, notifyConfig, probeKeyPrefix });
  await embedded?.stop();
  const look = {
    columns: process.stdout.columns ?? 100,
    colour: process.stdout.isTTY === true && !process.env.NO_COLOR,
  };
  const text = flags.json === true ? renderJson(findings) : renderTable(findings, look);
  // A pipe takes what is written later: the process must not end before.
  await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
  if (!isUsable(findings)) process.exitCode = EXIT_FAILED;
}

function configOf(flags: Flags): Config {
  const given = Object.fromEntries(OPTIONS.map(({ flag }) => [flag, textOf(flags, flag)]));
  return readConfig({
    flags: given,
    environment: process.env,
    terminal: process.stderr.isTTY === true,
  });
}

/** A flag that is given again replaces what it said before; only --listen adds to it. */
function textOf(flags: Flags, flag: string): string | undefined {
  const texts = [flags[flag]].flat().filter((value) => typeof value === 'string');
  return flag === 'listen' && texts.length > 0 ? texts.join(',') : texts.at(-1);
}

function loggerOf(config: Config): Logger {
  const colour = process.stderr.isTTY === true && !process.env.NO_COLOR;
  return createLogger({ level: config.logLevel, format: config.logFormat, colour });
}

/** Turns what yargs says into one line that says what is accepted. */
function explain(message: string, words: readonly string[], command: string): string {
  const unknown = /^Unknown (?:argument|command)s?: (.*)$/s.exec(message)?.[1];
  if (unknown === undefined) return withoutSecrets(message);
  const word = withoutSecrets(unknown).split(', ', 1)[0] ?? '';
  const isFlag = words.some((given) => given.startsWith('-') && given.includes(word));
  const flags = COMMANDS[command] ?? OPTIONS.map(({ flag }) => flag);
  const commands = command === '' ? Object.keys(COMMANDS) : [];
  const known = isFlag ? [...flags, 'help', 'version'].map((flag) => `--${flag}`) : commands;
  const shown = isFlag ? `--${word}` : word;
  const meant = nearest(shown, known);
  const hint =
    meant === undefined
      ? `see sidetrack ${command === '' ? '' : `${command} `}--help`
      : `did you mean ${meant}?`;
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
