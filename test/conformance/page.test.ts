import { describe, expect, test } from 'vitest';
import { compatibilityPage } from './page.ts';
import { THEMES } from './themes.ts';

describe('docs/compatibility.md', () => {
  test('is up to date; if not, run node scripts/compatibility.mjs', async () => {
    const page = compatibilityPage(THEMES);
    await expect(page).toMatchFileSnapshot('../../docs/compatibility.md');
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
