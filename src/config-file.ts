import { isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml';
import { withoutSecrets } from './address.ts';
import { ProxyError } from './errors.ts';
import { nearest } from './nearest.ts';
import { type Flag, OPTIONS } from './options.ts';
import { readSmallFile } from './small-file.ts';

/** What a file of settings says: flags without their dashes, and the texts they would have. */
export type FileTexts = ReadonlyMap<string, string>;

/** The one setting that no file has: which file that is. */
const NOT_IN_FILES: Flag = 'config';

/** The settings that may be lists. */
const LISTED: readonly Flag[] = ['listen', 'tls-listen'];

/**
 * Reads a file of settings: YAML, of which JSON is a part. Every value is taken as the text that
 * stands there, so `log-level: off`, `7.10` and `007` mean what they mean on the command line.
 *
 * @param path where it is, from the working directory
 * @param name what has named it, for the message
 * @throws ProxyError CONFIG_INVALID with one line for the operator
 */
export function readConfigFile(path: string, name: string): FileTexts {
  const texts = new Map<string, string>();
  // Failsafe: text, lists and maps, but no numbers, dates or booleans.
  const document = parseDocument(readSmallFile(path, name), { schema: 'failsafe' });
  const broken = document.errors[0];
  if (broken !== undefined) throw invalid(path, `is neither YAML nor JSON: ${reasonOf(broken)}`);
  const { contents } = document;
  if (contents === null) return texts;
  if (!isMap(contents))
    throw invalid(path, 'is to hold one setting a line, such as "listen: 6380"');
  for (const { key, value } of contents.items) {
    const flag = knownFlag(path, isScalar(key) ? String(key.value) : '');
    texts.set(flag, textOf(value as Node | null, path, flag));
  }
  return texts;
}

function knownFlag(path: string, key: string): Flag {
  const known = OPTIONS.map(({ flag }) => flag).filter((flag) => flag !== NOT_IN_FILES);
  const found = known.find((flag) => flag === key);
  if (found !== undefined) return found;
  const meant = nearest(key, known);
  const hint = meant === undefined ? 'see sidetrack --help' : `did you mean ${meant}?`;
  throw invalid(path, `'${withoutSecrets(key)}' is no setting; ${hint}`);
}

function textOf(value: Node | null, path: string, flag: Flag): string {
  if (isScalar(value)) return String(value.value ?? '');
  if (value === null) return '';
  if (LISTED.includes(flag) && isSeq(value) && value.items.every((item) => isScalar(item))) {
    return value.items.map((item) => textOf(item as Node, path, flag)).join(',');
  }
  const accepted = LISTED.includes(flag) ? 'one text, or a list of texts' : 'one text or number';
  const kind = isSeq(value) ? 'a list' : isMap(value) ? 'a group' : 'an alias';
  throw invalid(path, `${flag}: ${kind} is not accepted: ${accepted}`);
}

/** What the parser says up to where it quotes the file, which may hold a password. */
function reasonOf(broken: Error & { readonly linePos?: readonly { line: number }[] }): string {
  const reason = /^.*?(?= at line|: |:?\n|:?$)/.exec(broken.message)?.[0] ?? '';
  const line = broken.linePos?.[0]?.line;
  return line === undefined ? reason : `line ${line}: ${reason}`;
}

function invalid(path: string, why: string): ProxyError {
  return new ProxyError('CONFIG_INVALID', `${path}: ${why}`);
}
