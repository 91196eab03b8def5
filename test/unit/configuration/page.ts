import { readFileSync } from 'node:fs';
import { OPTIONS, type OptionSpec } from '../../../src/options.ts';
import { environmentName } from '../../../src/origin.ts';

const HEAD = new URL('./head.md', import.meta.url);

/** @returns `docs/configuration.md` as it must be */
export function configurationPage(): string {
  return [readFileSync(HEAD, 'utf8'), ...OPTIONS.map(section)].join('\n');
}

function section({ flag, fallback, describe, choices }: OptionSpec): string {
  const lines = [
    `- Default: ${fallback === '' ? 'none' : code(fallback)}`,
    ...(choices === undefined ? [] : [`- Accepted: ${choices.map(code).join(', ')}`]),
    `- Variable: ${code(environmentName(flag))}`,
    ...(flag === 'config' ? [] : [`- In a file: ${code(`${flag}:`)}`]),
  ];
  return `### \`--${flag}\`\n\n${escaped(describe)}.\n\n${lines.join('\n')}\n`;
}

function code(text: string): string {
  return `\`${text}\``;
}

/** Characters that Markdown would take for its own. */
function escaped(text: string): string {
  return text.replace(/[\\`*_<>[\]|]/g, '\\$&');
}
