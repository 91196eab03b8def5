import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = new URL('../../', import.meta.url);

/** Longer files hide more than one idea. Source: our choice. */
const FILE_MAX_LINES = 300;

/**
 * The files that hold sockets, timers and clocks. Everything else is driven by calls and by
 * what it is handed, so that one seed replays one schedule exactly. A name that ends in `/`
 * stands for the whole folder.
 */
const EDGES = [
  'acceptor.ts',
  'admin/',
  'address.ts',
  'banner.ts',
  'cli.ts',
  'client/connection-parts.ts',
  'client/connection.ts',
  'client/output.ts',
  'config-file.ts',
  'config.ts',
  'demo/',
  'doctor/',
  'drain.ts',
  'effective.ts',
  'embedded.ts',
  'healthcheck.ts',
  'idle.ts',
  'index.ts',
  'inject-auth.ts',
  'invalidation/choose.ts',
  'invalidation/keyspace.ts',
  'invalidation/quiet.ts',
  'invalidation/subscriber.ts',
  'invalidation/vigil.ts',
  'listen-tls.ts',
  'listen.ts',
  'logger.ts',
  'nearest.ts',
  'options.ts',
  'origin.ts',
  'seldom.ts',
  'settings.ts',
  'sight.ts',
  'ticker.ts',
  'proxy-parts.ts',
  'proxy.ts',
  'run.ts',
  'service.ts',
  'signals.ts',
  'small-file.ts',
  'spool.ts',
  'tls-settings.ts',
  'tls.ts',
  'upstream/',
] as const;

/**
 * Which pure part may import which others; its own folder is always allowed. Parts of `src/`
 * are its folders and the files beside them.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  key: [],
  glob: [],
  'proxy-protocol': [],
  resp: ['errors', 'key'],
  tracking: ['errors', 'key'],
  'invalidation/source': ['errors', 'key'],
  'invalidation/attribution': [],
  'invalidation/flags': [],
  'upstream/access': ['glob', 'key'],
  'upstream/credentials': [],
  'upstream/silent': [],
  commands: ['errors', 'key', 'resp'],
  translate: ['errors', 'resp', 'commands'],
  invalidation: ['errors', 'key', 'resp', 'commands', 'tracking'],
  client: [
    'errors',
    'key',
    'glob',
    'resp',
    'commands',
    'tracking',
    'translate',
    'invalidation/attribution',
    'invalidation/flags',
    'upstream/access',
    'upstream/credentials',
    'upstream/silent',
  ],
};

/** Only what starts a proxy imports one, and nothing imports the command line. */
const IMPORTED_BY: Readonly<Record<string, readonly string[]>> = {
  'proxy.ts': ['demo/', 'service.ts'],
  'cli.ts': [],
};

/** Packages and modules that a pure file does without, besides the clocks below. */
const EDGE_MODULES =
  /^(?:node:(?!buffer$|assert$|util$)|ioredis$|ioredis\/|pino|prom-client$|yargs)/;

/** What makes two runs of the same calls differ, or lets time pass. */
const CLOCKS =
  /\b(?:Date\.now|new Date|performance\.|process\.(?:hrtime|nextTick)|setTimeout|setInterval|setImmediate|queueMicrotask|Math\.random)\b/;

interface Source {
  /** Relative to `src/`, with forward slashes. */
  readonly name: string;
  readonly text: string;
  /** What it imports or re-exports: a package, a `node:` module, or a name such as this one's. */
  readonly imports: readonly string[];
}

const SOURCES: readonly Source[] = readdirSync(new URL('src/', ROOT), { recursive: true })
  .map((name) => String(name).replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.ts'))
  .sort()
  .map((name) => {
    const text = readFileSync(new URL(`src/${name}`, ROOT), 'utf8');
    return { name, text, imports: importsOf(name, withoutComments(text)) };
  });

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

function importsOf(name: string, code: string): readonly string[] {
  const found = code.matchAll(/(?:\bfrom\s+|\bimport\s+|\bimport\s*\(\s*)'([^']+)'/g);
  return [...found].map(([, specifier = '']) =>
    specifier.startsWith('.') ? posix.join(posix.dirname(name), specifier) : specifier,
  );
}

function isListed(name: string, list: readonly string[]): boolean {
  return list.some((entry) => (entry.endsWith('/') ? name.startsWith(entry) : name === entry));
}

/** @returns the part of `src/` that a file belongs to, as `MAY_IMPORT` names it */
function partOf(name: string): string {
  const stem = name.replace(/\.ts$/, '');
  return stem in MAY_IMPORT ? stem : (stem.split('/')[0] ?? stem);
}

const PURE = SOURCES.filter(({ name }) => !isListed(name, EDGES));

describe('the source stays tidy', () => {
  test(`no file is longer than ${FILE_MAX_LINES} lines`, () => {
    const lineCounts = SOURCES.map(
      ({ name, text }) => [name, text.split('\n').length - 1] as const,
    );
    expect(lineCounts.filter(([, count]) => count > FILE_MAX_LINES)).toEqual([]);
  });

  test('every edge that this test lists exists', () => {
    const gone = EDGES.filter((edge) => !SOURCES.some(({ name }) => isListed(name, [edge])));
    expect(gone).toEqual([]);
  });

  test('every pure part has its imports laid down in this test', () => {
    expect(PURE.map(({ name }) => partOf(name)).filter((part) => !(part in MAY_IMPORT))).toEqual(
      [],
    );
  });

  test('pure files import only what lies below them', () => {
    const upward = PURE.flatMap(({ name, imports }) => {
      const part = partOf(name);
      return imports
        .filter((imported) => imported.endsWith('.ts') && partOf(imported) !== part)
        .filter((imported) => !MAY_IMPORT[part]?.includes(partOf(imported)))
        .map((imported) => `${name} imports ${imported}`);
    });
    expect(upward).toEqual([]);
  });

  test('pure files touch no socket', () => {
    const touching = PURE.flatMap(({ name, imports }) =>
      imports
        .filter((imported) => EDGE_MODULES.test(imported))
        .map((imported) => `${name} imports ${imported}`),
    );
    expect(touching).toEqual([]);
  });

  test('pure files read no clock and no chance', () => {
    const reading = PURE.flatMap(({ name, text }) => {
      const found = CLOCKS.exec(withoutComments(text));
      return found ? [`${name} uses ${found[0]}`] : [];
    });
    expect(reading).toEqual([]);
  });

  test('the proxy is imported only by what starts it, the command line by nothing', () => {
    const strangers = Object.entries(IMPORTED_BY).flatMap(([top, allowed]) =>
      SOURCES.filter(({ name, imports }) => imports.includes(top) && !isListed(name, allowed)).map(
        ({ name }) => `${name} imports ${top}`,
      ),
    );
    expect(strangers).toEqual([]);
  });
});

test('every error code has a line in docs/errors.md', () => {
  const union = /export type ErrorCode =([^;]+);/.exec(
    withoutComments(readFileSync(new URL('src/errors.ts', ROOT), 'utf8')),
  );
  const codes = [...(union?.[1] ?? '').matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(0);
  const page = readFileSync(new URL('docs/errors.md', ROOT), 'utf8');
  expect(codes.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});
