import { withoutSecrets } from './address.ts';
import type { OutputLimit } from './client/output.ts';
import type { AdvertiseVersion } from './config.ts';
import { ProxyError } from './errors.ts';

/** An hour: whoever looks more seldom may as well not look. */
const INTERVAL_MAX_MS = 3_600_000;

/** A setting's text, and the flag or variable that it came from. */
export interface Setting {
  readonly name: string;
  readonly text: string;
}

export function version(setting: Setting): AdvertiseVersion {
  const { text } = setting;
  if (text === 'auto' || text === 'upstream') return text;
  if (isVersion(text)) return text;
  throw refused(setting, 'auto, upstream, or X.Y.Z such as 7.4.0');
}

function isVersion(text: string): text is `${number}.${number}.${number}` {
  return /^\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(text);
}

export function count(setting: Setting): number {
  const value = /^\d{1,12}$/.test(setting.text) ? Number(setting.text) : undefined;
  if (value === undefined) throw refused(setting, 'a whole number, 0 or more');
  return value;
}

export function interval(setting: Setting): number {
  return within(setting, { least: 0, most: INTERVAL_MAX_MS, unit: 'milliseconds' });
}

/** The beginning of names. */
export function prefix(setting: Setting): string {
  if (setting.text === '') throw refused(setting, 'any text but none, such as "app:probe:"');
  return setting.text;
}

/** Of a user of upstream. Source: `ACL SETUSER` takes no name with blanks or NUL in it. */
export function userName(setting: Setting): string {
  if (/^[^\s\0]+$/.test(setting.text)) return setting.text;
  throw refused(setting, 'the name of a user, which has no blanks');
}

/** @param range both ends are allowed; `unit` is what is counted, for the message */
export function within(
  setting: Setting,
  range: { readonly least: number; readonly most: number; readonly unit: string },
): number {
  const { least, most, unit } = range;
  const value = /^\d{1,10}$/.test(setting.text) ? Number(setting.text) : Number.NaN;
  if (!(value >= least && value <= most)) throw refused(setting, `${least} to ${most} ${unit}`);
  return value;
}

/** Two sizes and a number of seconds, as redis.conf has them. */
export function outputLimit(setting: Setting): OutputLimit {
  const [hard, soft, seconds, ...more] = setting.text.trim().split(/\s+/);
  const hardBytes = sizeOf(hard);
  const softBytes = sizeOf(soft);
  const isTime = seconds !== undefined && /^\d{1,6}$/.test(seconds);
  if (hardBytes === undefined || softBytes === undefined || !isTime || more.length > 0) {
    throw refused(setting, 'hard limit, soft limit, seconds, such as "32mb 8mb 60"');
  }
  return { hardBytes, softBytes, softMs: Number(seconds) * 1_000 };
}

/** The units of redis.conf: `1k` is 1,000 and `1kb` is 1,024 bytes. */
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1_000,
  kb: 1_024,
  m: 1_000_000,
  mb: 1_048_576,
  g: 1_000_000_000,
  gb: 1_073_741_824,
};

/** @returns bytes; undefined for what is no size */
function sizeOf(text: string | undefined): number | undefined {
  const [, count, unit = ''] = /^(\d{1,12})([a-z]{0,2})$/i.exec(text ?? '') ?? [];
  const factor = UNITS[unit.toLowerCase()];
  return count === undefined || factor === undefined ? undefined : Number(count) * factor;
}

export function oneOf<T extends string>(setting: Setting, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === setting.text);
  if (found === undefined) throw refused(setting, choices.join(', '));
  return found;
}

function refused({ name, text }: Setting, accepted: string): ProxyError {
  const shown = withoutSecrets(text);
  return new ProxyError('CONFIG_INVALID', `${name}: '${shown}' is not accepted: ${accepted}`);
}
