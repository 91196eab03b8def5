import { describe, expect, test } from 'vitest';
import { isPlayedOnOld } from './old-upstream.ts';
import { compatibilityPage } from './page.ts';
import { THEMES } from './themes.ts';

describe('docs/compatibility.md', () => {
  test('is up to date; if not, run node scripts/compatibility.mjs', async () => {
    const page = compatibilityPage(THEMES);
    await expect(page).toMatchFileSnapshot('../../docs/compatibility.md');
  });

  test('no two themes have a row of a name that is left out somewhere', () => {
    const names = THEMES.flatMap(({ rows }) => rows.map(({ name }) => name));
    const left = names.filter((name) => !isPlayedOnOld(name));
    expect(left).toEqual([...new Set(left)]);
    expect(left).toHaveLength(1);
  });

  test('no theme has two rows of one name', () => {
    for (const { title, rows } of THEMES) {
      const names = rows.map(({ name }) => name);
      expect(
        names.filter((name, index) => names.indexOf(name) !== index),
        title,
      ).toEqual([]);
    }
  });
});
