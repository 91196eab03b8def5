import { readFileSync } from 'node:fs';
import { OLD_DIFFERENCES } from './old-upstream.ts';
import type { Row, Theme } from './scenario.ts';

const HEAD = new URL('./compatibility-head.md', import.meta.url);

/** @returns `docs/compatibility.md` as it must be */
export function compatibilityPage(themes: readonly Theme[]): string {
  const parts = [
    readFileSync(HEAD, 'utf8'),
    '## Differences\n',
    ...themes.filter(({ rows }) => rows.some(({ differs }) => differs)).map(differences),
    '## In front of a Redis without HELLO\n',
    'All rows are played there, too: the proxy speaks RESP3 in its place. Otherwise is:\n',
    `${OLD_DIFFERENCES.map(({ name, reason }) => `- ${escaped(name)}: ${reason}.`).join('\n')}\n`,
    '## Rows\n',
    `${themes.flatMap(({ rows }) => rows).length} behaviours; a difference is marked by **differs**.\n`,
    ...themes.map(section),
  ];
  return parts.join('\n');
}

function differences({ title, rows }: Theme): string {
  const lines = rows.flatMap(({ name, differs }) =>
    differs === undefined ? [] : [`- ${escaped(name)}: ${reasonOf(differs)}`],
  );
  return `**${title}**\n\n${lines.join('\n')}\n`;
}

function reasonOf({ reason, unless }: NonNullable<Row['differs']>): string {
  return unless === undefined ? `${reason}.` : `${reason} (\`${unless}\`: as Redis).`;
}

function section({ title, rows }: Theme): string {
  const lines = rows.map(({ name, protocols = [3], differs }) => {
    const spoken = protocols.map((protocol) => `RESP${protocol}`).join(', ');
    return `- ${escaped(name)} (${spoken})${differs === undefined ? '' : ' **differs**'}`;
  });
  return `### ${title}\n\n${lines.join('\n')}\n`;
}

/** Characters that Markdown would take for its own. */
function escaped(text: string): string {
  return text.replace(/[\\`*_<>[\]|]/g, '\\$&');
}
