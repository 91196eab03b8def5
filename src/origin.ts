import { readConfigFile } from './config-file.ts';
import { ProxyError } from './errors.ts';
import { type Flag, OPTIONS, type OptionSpec } from './options.ts';
import type { Setting } from './settings.ts';

/** Who has decided a setting, from the strongest to the weakest. */
export type Origin = 'flag' | 'environment' | 'file' | 'default';

/** A setting, and who has decided it. */
export interface Decided extends Setting {
  readonly origin: Origin;
}

/** What was given to decide the settings by. */
export interface Given {
  /** Flags as text, undefined where absent. */
  readonly flags: { readonly [flag in Flag]?: string | undefined };
  /** Usually `process.env`. */
  readonly environment: { readonly [name: string]: string | undefined };
  /** Whether the log goes to a terminal. */
  readonly terminal: boolean;
}

/** The environment variable of a flag: `log-level` is `SIDETRACK_LOG_LEVEL`. */
export function environmentName(flag: string): string {
  return `SIDETRACK_${flag.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * Decides every setting: the flag if given, else the environment variable, else the file that
 * `--config` names, else the default. An empty variable counts as not set, as compose files make
 * them. Variables that are not ours are ignored even when they begin with `SIDETRACK_`: Kubernetes
 * sets such for a service of this name.
 *
 * @returns what is asked for each flag
 * @throws ProxyError CONFIG_INVALID where the file can't be read, or is not what it should be
 */
export function decide(given: Given): (flag: Flag) => Decided {
  const byHand = (flag: Flag) => fromFlag(given, flag) ?? fromEnvironment(given, flag);
  const config = byHand('config');
  const texts = config === undefined ? undefined : readConfigFile(config.text, config.name);
  return (flag) => {
    const decided = byHand(flag);
    if (decided !== undefined) return decided;
    const text = texts?.get(flag);
    if (text !== undefined) return { name: `${config?.text}: ${flag}`, text, origin: 'file' };
    return { name: `--${flag}`, text: specOf(flag).fallback, origin: 'default' };
  };
}

function fromFlag({ flags }: Given, flag: Flag): Decided | undefined {
  const text = flags[flag];
  return text === undefined ? undefined : { name: `--${flag}`, text, origin: 'flag' };
}

function fromEnvironment({ environment }: Given, flag: Flag): Decided | undefined {
  const name = environmentName(flag);
  const text = environment[name];
  return text === undefined || text === '' ? undefined : { name, text, origin: 'environment' };
}

function specOf(flag: Flag): OptionSpec {
  const spec = OPTIONS.find((option) => option.flag === flag);
  if (spec === undefined) throw new ProxyError('CONFIG_INVALID', `no option --${flag}`);
  return spec;
}
