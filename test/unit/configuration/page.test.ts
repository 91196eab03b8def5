import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { readConfigFile } from '../../../src/config-file.ts';
import { configurationPage } from './page.ts';

describe('docs/configuration.md', () => {
  test('is up to date; if not, run node scripts/configuration.mjs', async () => {
    await expect(configurationPage()).toMatchFileSnapshot('../../../docs/configuration.md');
  });

  test('shows a file that is accepted', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sidetrack-page-'));
    try {
      const page = readFileSync(new URL('./head.md', import.meta.url), 'utf8');
      const shown = /```yaml\n(.*?)```/s.exec(page)?.[1] ?? '';
      const [path, password] = [join(folder, 'sidetrack.yaml'), join(folder, 'password')];
      writeFileSync(path, shown.replace(/(?<=upstream-password-file: ).*/, password));
      writeFileSync(password, 'secret\n');
      expect(readConfigFile(path, '--config').size).toBe(5);
      const given = { flags: { config: path }, environment: {}, terminal: false };
      expect(readConfig(given)).toMatchObject({ maxClients: 5_000 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
