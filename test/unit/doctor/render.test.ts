import fc from 'fast-check';
import pino from 'pino';
import { describe, expect, test } from 'vitest';
import { type Finding, flaw, good, inOrder, isUsable } from '../../../src/doctor/finding.ts';
import { logFindings } from '../../../src/doctor/log.ts';
import { renderJson, renderTable } from '../../../src/doctor/render.ts';

const LOOK = { columns: 100, colour: false } as const;
const ESCAPE = '\u001b';

const LIMIT = flaw('publish', 'limited', {
  found: 'no: NOPERM',
  consequence:
    'Clients with NOLOOP are told of their own writes, too, which costs them a read more.',
  fixes: [{ where: 'ACL', how: 'ACL SETUSER app +publish' }],
});
const MISSING = flaw('psubscribe', 'missing', { found: 'no', consequence: 'Nothing is heard.' });
const UNTRIED = flaw('proof', 'untried', { found: 'a replica', consequence: 'It is believed.' });
const ALL = [good('connection', 'redis://a:1'), MISSING, LIMIT, UNTRIED];

describe('the table', () => {
  test('has columns, what follows below, and a sum', () => {
    expect(renderTable(ALL, { columns: 80, colour: false })).toBe(
      `
ok         Connection          redis://a:1
missing    May PSUBSCRIBE      no
                               Nothing is heard.
limit      May PUBLISH         no: NOPERM
                               Clients with NOLOOP are told of their own writes,
                               too, which costs them a read more.
                               - ACL: ACL SETUSER app +publish
not tried  Proven by a change  a replica
                               It is believed.

Not usable: 1 missing.
`.slice(1),
    );
  });

  test('says how many limits there are where it is usable', () => {
    expect(renderTable([LIMIT, UNTRIED], LOOK)).toMatch(/\n\nUsable, with 1 limit\.\n$/);
    expect(renderTable([LIMIT, LIMIT], LOOK)).toMatch(/\n\nUsable, with 2 limits\.\n$/);
    expect(renderTable([UNTRIED], LOOK)).toMatch(/\n\nUsable\.\n$/);
  });

  test('has colours only if they are wanted, and they take no room', () => {
    const plain = renderTable(ALL, LOOK);
    const colourful = renderTable(ALL, { ...LOOK, colour: true });
    expect(plain).not.toContain(ESCAPE);
    expect(colourful).toContain(`${ESCAPE}[31mmissing`);
    expect(colourful.replaceAll(new RegExp(`${ESCAPE}\\[\\d+m`, 'g'), '')).toBe(plain);
  });

  test('never lets a server paint on the terminal, or break a line', () => {
    const hostile = good('server', `a${ESCAPE}[2Jb\r\nc\u0007`);
    expect(hostile.found).toBe('a [2Jb c');
  });

  test('keeps within the columns, whatever is said', () => {
    const word = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 });
    const text = fc.array(word, { maxLength: 40 }).map((words) => words.join(' '));
    const columns = fc.integer({ min: 0, max: 160 });
    fc.assert(
      fc.property(text, text, text, columns, (found, consequence, how, count) => {
        const one = flaw('proof', 'limited', { found, consequence, fixes: [{ where: 'x', how }] });
        const lines = renderTable([one], { columns: count, colour: false }).split('\n');
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(Math.max(60, count));
      }),
    );
  });
});

describe('for machines', () => {
  test('every name is always there', () => {
    const parsed = JSON.parse(renderJson(ALL));
    expect(Object.keys(parsed)).toEqual(['usable', 'findings']);
    expect(parsed.usable).toBe(false);
    expect(parsed.findings).toHaveLength(ALL.length);
    const names = ['id', 'title', 'state', 'found', 'consequence', 'fixes'];
    for (const finding of parsed.findings) expect(Object.keys(finding)).toEqual(names);
    expect(parsed.findings[2].fixes).toEqual([{ where: 'ACL', how: 'ACL SETUSER app +publish' }]);
  });
});

describe('for the log', () => {
  const logged = (findings: readonly Finding[]) => {
    const lines: { level: number; msg: string; check: string }[] = [];
    const stream = { write: (line: string) => lines.push(JSON.parse(line)) };
    logFindings(findings, pino({ level: 'debug', base: null }, stream));
    return lines;
  };

  test('each that is not ok has a line, the worse the louder', () => {
    const info = flaw('info', 'limited', { found: 'no', consequence: 'Nothing is seen.' });
    expect(logged([...ALL, info]).map(({ level, check }) => [level, check])).toEqual([
      [50, 'psubscribe'],
      [30, 'publish'], // only clients need it
      [30, 'proof'],
      [40, 'info'],
    ]);
  });

  test('a line tells what follows, and what to do', () => {
    expect(logged([LIMIT])[0]).toMatchObject({
      msg: 'check: May PUBLISH',
      found: 'no: NOPERM',
      consequence: LIMIT.consequence,
      fixes: ['ACL: ACL SETUSER app +publish'],
    });
  });
});

describe('findings', () => {
  test('are shown in the same order always', () => {
    expect(inOrder([UNTRIED, LIMIT, ALL[0]!]).map(({ id }) => id)).toEqual([
      'connection',
      'publish',
      'proof',
    ]);
  });

  test('make an upstream unusable only where something is missing', () => {
    expect(isUsable([LIMIT, UNTRIED])).toBe(true);
    expect(isUsable([LIMIT, MISSING])).toBe(false);
    expect(isUsable([])).toBe(true);
  });
});
