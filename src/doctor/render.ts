import { type Finding, type FindingState, isUsable } from './finding.ts';

/** How a table is to look. */
export interface TableLook {
  /** How many characters fit on a line. */
  readonly columns: number;
  /** Whether colours may be used. */
  readonly colour: boolean;
}

/** Lines are never shorter than this, whatever the terminal says. */
const COLUMNS_MIN_COUNT = 60;

const LABELS: Readonly<Record<FindingState, string>> = {
  ok: 'ok',
  limited: 'limit',
  missing: 'missing',
  untried: 'not tried',
};

/** Green, yellow, red and grey. Source: ECMA-48. */
const COLOURS: Readonly<Record<FindingState, number>> = {
  ok: 32,
  limited: 33,
  missing: 31,
  untried: 90,
};

const LABEL_WIDTH = Math.max(...Object.values(LABELS).map((label) => label.length)) + 2;

/** @returns what was found as lines for people, and a last line that sums it up */
export function renderTable(findings: readonly Finding[], look: TableLook): string {
  const titleWidth = Math.max(...findings.map(({ title }) => title.length)) + 2;
  const indent = LABEL_WIDTH + titleWidth;
  const width = Math.max(look.columns, COLUMNS_MIN_COUNT) - indent;
  const lines: string[] = [];
  for (const { state, title, found, consequence, fixes } of findings) {
    const [first = '', ...more] = wrapped(found, width);
    const label = painted(LABELS[state].padEnd(LABEL_WIDTH), state, look.colour);
    lines.push(`${label}${title.padEnd(titleWidth)}${first}`.trimEnd());
    const below = [...more, ...wrapped(consequence, width)];
    for (const { where, how } of fixes) below.push(...hanging(`- ${where}: ${how}`, width));
    lines.push(...below.map((line) => ' '.repeat(indent) + line));
  }
  return `${[...lines, '', summary(findings)].join('\n')}\n`;
}

/** @returns the same for machines: names are added, never renamed, and each is always there */
export function renderJson(findings: readonly Finding[]): string {
  const plain = findings.map(({ id, title, state, found, consequence, fixes }) => ({
    id,
    title,
    state,
    found,
    consequence,
    fixes: fixes.map(({ where, how }) => ({ where, how })),
  }));
  return `${JSON.stringify({ usable: isUsable(findings), findings: plain }, undefined, 2)}\n`;
}

function summary(findings: readonly Finding[]): string {
  const count = (state: FindingState) => findings.filter((one) => one.state === state).length;
  const [limits, missing] = [count('limited'), count('missing')];
  if (!isUsable(findings)) return `Not usable: ${missing} missing.`;
  return limits === 0 ? 'Usable.' : `Usable, with ${limits} ${limits === 1 ? 'limit' : 'limits'}.`;
}

function painted(text: string, state: FindingState, colour: boolean): string {
  return colour ? `\u001b[${COLOURS[state]}m${text}\u001b[0m` : text;
}

/** Every line but the first is moved in a little. */
function hanging(text: string, width: number): readonly string[] {
  return wrapped(text, width - 2).map((line, index) => (index === 0 ? line : `  ${line}`));
}

/** A word that is longer than a line stands alone: it may have to be copied. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').filter((one) => one !== '')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}
