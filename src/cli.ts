#!/usr/bin/env node
import yargs, { type Argv } from 'yargs';
import { withoutSecrets } from './address.ts';
import { readVersion } from './banner.ts';
import { type Config, readAdmin, readConfig } from './config.ts';
import { readDemoPlan, runDemo } from './demo/run.ts';
import { examine } from './doctor/examine.ts';
import { isUsable } from './doctor/finding.ts';
import { renderJson, renderTable } from './doctor/render.ts';
import { effectiveSettings } from './effective.ts';
import { ProxyError } from './errors.ts';
import { healthcheck } from './healthcheck.ts';
import { createLogger, type Logger } from './logger.ts';
import { nearest } from './nearest.ts';
import { type Flag, OPTIONS, type OptionSpec } from './options.ts';
import type { Given } from './origin.ts';
import { runProxy } from './run.ts';
import { resolveUpstream } from './service.ts';
import { dieOnSurprise, stopSignal } from './signals.ts';

/** Exit codes: 0 after a stop that was asked for, and these. */
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const DEMO_SHARED: readonly Flag[] = [
  'upstream',
  'advertise-version',
  'notify-config',
  'log-level',
  'log-format',
  'config',
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

const CHECK_SHARED: readonly Flag[] = [
  'upstream',
  'upstream-password-file',
  'control-user',
  'control-password-file',
  'upstream-tls-ca',
  'upstream-tls-cert',
  'upstream-tls-key',
  'upstream-tls-sni',
  'upstream-tls-insecure',
  'source',
  'notify-config',
  'probe-key-prefix',
  'config',
];

/** The flags of `check` that have a value; `--json` has none. */
const CHECK_OPTIONS: readonly OptionSpec[] = OPTIONS.filter(({ flag }) =>
  CHECK_SHARED.includes(flag),
);

const HEALTH_SHARED: readonly Flag[] = ['admin', 'config'];

/** The flags of `healthcheck` that have a value; `--ready` has none. */
const HEALTH_OPTIONS: readonly OptionSpec[] = OPTIONS.filter(({ flag }) =>
  HEALTH_SHARED.includes(flag),
);

/** The subcommands, and the flags that each takes. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  demo: DEMO_OPTIONS.map(({ flag }) => flag),
  check: [...CHECK_OPTIONS.map(({ flag }) => flag), 'json'],
  config: [...OPTIONS.map(({ flag }) => flag), 'json'],
  healthcheck: [...HEALTH_OPTIONS.map(({ flag }) => flag), 'ready'],
};

type Flags = { readonly [flag: string]: unknown };

/** Reads the command line and does what it says; ends the process itself when that is over. */
async function main(words: readonly string[]): Promise<void> {
  hideSecrets(words);
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
      (flags) => runProxyCommand(flags),
    )
    .epilogue(
      'Every proxy option can be set by an environment variable too: --log-level is ' +
        'SIDETRACK_LOG_LEVEL. A flag outweighs the variable, and that the file which --config ' +
        'names. Exit codes: 0 stopped, 1 failed while running, 2 wrong usage.',
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
  withCommands(parser, (name) => {
    command = name;
  });
  await parser.parseAsync();
}

/** @param chosen told which command it is, before its flags are judged */
function withCommands(parser: Argv, chosen: (command: string) => void): void {
  const json = { type: 'boolean', describe: 'Print JSON instead' } as const;
  const ready = { type: 'boolean', describe: 'Ask /readyz instead of /healthz' } as const;
  const add = (
    name: string,
    describe: string,
    build: (y: Argv) => Argv,
    run: (flags: Flags) => Promise<void>,
  ) => {
    parser.command(
      name,
      describe,
      (y) => {
        chosen(name);
        return build(y);
      },
      run,
    );
  };
  add(
    'demo',
    'Show a caching client and a writer, live, through the proxy',
    (y) => withOptions(y, DEMO_OPTIONS),
    runDemoCommand,
  );
  add(
    'check',
    'Examine an upstream: what works, what is missing, and how to mend it',
    (y) => withOptions(y, CHECK_OPTIONS).option('json', json),
    runCheck,
  );
  add(
    'config',
    'Print the settings that are in effect, and who has decided each',
    (y) => withOptions(y, OPTIONS).option('json', json),
    showConfig,
  );
  add(
    'healthcheck',
    'Ask the proxy that runs here whether it is well: exit code 0, or 1',
    (y) => withOptions(y, HEALTH_OPTIONS).option('ready', ready),
    runHealthcheck,
  );
}

function withOptions(parser: Argv, options: readonly OptionSpec[]): Argv {
  for (const { flag, fallback, describe, choices } of options) {
    const words = choices === undefined ? describe : `${describe} (${choices.join(', ')})`;
    // Checked by readConfig and not by yargs, so that variables get the same messages. A flag
    // without a value is empty text, which none accepts: the message says what is.
    const shown = fallback === '' ? {} : { defaultDescription: fallback };
    parser.option(flag, { type: 'string', describe: words, ...shown });
  }
  return parser;
}

async function runProxyCommand(flags: Flags): Promise<void> {
  const given = givenBy(flags);
  const config = readConfig(given);
  const logger = loggerOf(config);
  dieOnSurprise(logger, EXIT_FAILED);
  await runProxy(config, given, logger);
}

async function runDemoCommand(flags: Flags): Promise<void> {
  // Its picture is the output; a log between its lines is wanted for trouble only.
  const level = process.env.SIDETRACK_LOG_LEVEL || 'warn';
  const config = readConfig(givenBy({ 'log-level': level, ...flags }));
  const plan = readDemoPlan(
    {
      seconds: textOf(flags, 'seconds') ?? '10',
      proxy: textOf(flags, 'proxy'),
      direct: textOf(flags, 'direct'),
    },
    config,
  );
  const logger = loggerOf(config);
  dieOnSurprise(logger, EXIT_FAILED);
  const stage = { out: process.stdout, logger, signal: stopSignal(logger) };
  const good = await runDemo(plan, config, stage);
  if (!good) process.exitCode = EXIT_FAILED;
}

/** Prints what it finds; the exit code says whether a proxy could work there. */
async function runCheck(flags: Flags): Promise<void> {
  const config = readConfig(givenBy(flags));
  const logger = loggerOf({ ...config, logLevel: 'warn' });
  const { upstream, embedded } = await resolveUpstream(config, logger);
  const { source, notifyConfig, probeKeyPrefix } = config;
  const findings = await examine({ upstream, source, notifyConfig, probeKeyPrefix });
  await embedded?.stop();
  const look = {
    columns: process.stdout.columns ?? 100,
    colour: process.stdout.isTTY === true && !process.env.NO_COLOR,
  };
  const text = flags.json === true ? renderJson(findings) : renderTable(findings, look);
  await print(text);
  if (!isUsable(findings)) process.exitCode = EXIT_FAILED;
}

async function showConfig(flags: Flags): Promise<void> {
  await print(effectiveSettings(givenBy(flags), flags.json === true ? 'json' : 'yaml'));
}

async function runHealthcheck(flags: Flags): Promise<void> {
  const path = flags.ready === true ? '/readyz' : '/healthz';
  const trouble = await healthcheck(readAdmin(givenBy(flags)), path);
  if (trouble === undefined) return;
  process.stderr.write(`sidetrack: ${trouble}\n`);
  process.exitCode = EXIT_FAILED;
}

/** A pipe takes what is written later: the process must not end before. */
function print(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}

function givenBy(flags: Flags): Given {
  return {
    flags: Object.fromEntries(OPTIONS.map(({ flag }) => [flag, textOf(flags, flag)])),
    environment: process.env,
    terminal: process.stderr.isTTY === true,
  };
}

/** A flag that is given again replaces what it said before; only places to listen add to it. */
function textOf(flags: Flags, flag: string): string | undefined {
  const texts = [flags[flag]].flat().filter((value) => typeof value === 'string');
  const isList = flag === 'listen' || flag === 'tls-listen';
  return isList && texts.length > 0 ? texts.join(',') : texts.at(-1);
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

/** Has `ps` show the command line without a password in it. It could be seen until now. */
function hideSecrets(words: readonly string[]): void {
  const shown = words.map(withoutSecrets);
  if (shown.every((word, index) => word === words[index])) return;
  process.title = ['sidetrack', ...shown].join(' ');
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
