import { stringify } from 'yaml';
import { printUpstream, withoutSecrets } from './address.ts';
import { readConfig } from './config.ts';
import { type Flag, OPTIONS } from './options.ts';
import { decide, type Given, type Origin } from './origin.ts';

/** One setting as it is in effect, without secrets. */
interface Effective {
  readonly name: Flag;
  readonly value: string;
  readonly origin: Origin;
  /** The flag, the variable, or the file and its line's name; of a default: the flag. */
  readonly from: string;
}

/**
 * @returns every setting and who has decided it, as a file of settings with that in comments, or as
 *          JSON. A password is shown as `***`
 * @throws ProxyError CONFIG_INVALID
 */
export function effectiveSettings(given: Given, form: 'yaml' | 'json'): string {
  const { upstream } = readConfig(given);
  const setting = decide(given);
  const all = OPTIONS.map(({ flag }): Effective => {
    const { text, origin, name } = setting(flag);
    const value = flag === 'upstream' ? printUpstream(upstream) : withoutSecrets(text);
    return { name: flag, value, origin, from: name };
  });
  if (form === 'json') return `${JSON.stringify(all, undefined, 2)}\n`;
  const lines = all.map((one) => [lineOf(one), commentOf(one)] as const);
  const width = Math.max(...lines.map(([line]) => line.length));
  return lines.map(([line, comment]) => `${line.padEnd(width)}  # ${comment}\n`).join('');
}

/** What is empty by default, and `config` itself, no file would be right to say. */
function lineOf({ name, value, origin }: Effective): string {
  const number = /^(?:0|[1-9]\d*)$/.test(value) ? Number(value) : value;
  const line = stringify({ [name]: number }, { lineWidth: 0 }).trimEnd();
  const isUnset = origin === 'default' && value === '';
  return isUnset || name === 'config' ? `# ${name}:${isUnset ? '' : ` ${value}`}` : line;
}

function commentOf({ origin, from }: Effective): string {
  return origin === 'default' ? origin : `${origin}: ${from}`;
}
