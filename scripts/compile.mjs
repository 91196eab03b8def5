/** What the programs under `test/` have in common: they are compiled once, and run without a test runner. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from './setup.mjs';

/**
 * Compiles into a directory that is gone when this process ends. Types are not looked at, so that
 * what runs is what the sources say now.
 *
 * @param {string} name what the directory is called, behind `sidetrack-`
 * @param {readonly string[]} programs from the repository's root; what they import comes along
 * @returns {string} the directory, laid out as the repository is
 */
export function compileApart(name, programs) {
  const directory = mkdtempSync(path.join(tmpdir(), `sidetrack-${name}-`));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
  const settings = {
    extends: path.join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      noCheck: true,
      allowImportingTsExtensions: false,
      rootDir: ROOT,
      outDir: directory,
      typeRoots: [path.join(ROOT, 'node_modules', '@types')],
    },
    include: programs.map((program) => path.join(ROOT, program)),
  };
  const project = path.join(directory, 'tsconfig.json');
  writeFileSync(project, JSON.stringify(settings));
  const compiler = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', project]);
  if (status !== 0) throw new Error(`it does not compile: ${stdout}`);
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(directory, 'node_modules'));
  cpSync(path.join(ROOT, 'package.json'), path.join(directory, 'package.json'));
  return directory;
}
