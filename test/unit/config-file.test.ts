import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readAdmin, readConfig } from '../../src/config.ts';
import { effectiveSettings } from '../../src/effective.ts';
import { ProxyError } from '../../src/errors.ts';
import { type Flag, OPTIONS } from '../../src/options.ts';
import { decide } from '../../src/origin.ts';
import { Endpoint } from '../../src/upstream/endpoint.ts';

type Flags = { readonly [flag in Flag]?: string };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sidetrack-config-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(text: string, name = 'sidetrack.yaml'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function given(flags: Flags, environment: Record<string, string> = {}) {
  return { flags, environment, terminal: false };
}

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ProxyError);
    expect((error as ProxyError).code).toBe('CONFIG_INVALID');
    const { message } = error as ProxyError;
    expect(message).not.toContain('\n');
    return message.replace(folder, '');
  }
  throw new Error('nothing was refused');
}

describe('who decides a setting', () => {
  test.for([
    [{ flag: 'a', variable: 'b', file: 'c' }, 'a', 'flag'],
    [{ flag: 'a', file: 'c' }, 'a', 'flag'],
    [{ flag: '', variable: 'b' }, '', 'flag'],
    [{ variable: 'b', file: 'c' }, 'b', 'environment'],
    [{ variable: '', file: 'c' }, 'c', 'file'],
    [{ file: 'c' }, 'c', 'file'],
    [{ file: '' }, '', 'file'],
    [{}, 'sidetrack:probe:', 'default'],
  ] as const)('%j', ([by, text, origin]) => {
    const path = file('file' in by ? `probe-key-prefix: "${by.file}"` : '');
    const flags = { config: path, ...('flag' in by ? { 'probe-key-prefix': by.flag } : {}) };
    const environment = 'variable' in by ? { SIDETRACK_PROBE_KEY_PREFIX: by.variable } : {};
    const decided = decide(given(flags, environment))('probe-key-prefix');
    expect({ text: decided.text, origin: decided.origin }).toEqual({ text, origin });
  });

  test('a variable may name the file, and a flag another one', () => {
    const [one, other] = [file('timeout: 1', 'one'), file('timeout: 2', 'other')];
    const environment = { SIDETRACK_CONFIG: one };
    expect(readConfig(given({}, environment)).timeoutSeconds).toBe(1);
    expect(readConfig(given({ config: other }, environment)).timeoutSeconds).toBe(2);
  });
});

describe('a file of settings', () => {
  test('is YAML: each value is the text that stands there', () => {
    const lines = ['log-level: silent', 'fence-writes: on', 'admin: off', 'max-clients: 0500'];
    const lists = ['listen:', '  - 7001', '  - "[::1]:7002" # and here'];
    const config = readConfig(given({ config: file([...lines, ...lists].join('\n')) }));
    expect(config).toMatchObject({
      logLevel: 'silent',
      fenceWrites: true,
      admin: undefined,
      maxClients: 500,
      listen: [
        { kind: 'tcp', host: '127.0.0.1', port: 7001 },
        { kind: 'tcp', host: '::1', port: 7002 },
      ],
    });
  });

  test('or JSON', () => {
    const path = file('{\n\t"listen": ["7001"],\n\t"timeout": 5\n}\n', 'sidetrack.json');
    expect(readConfig(given({ config: path }))).toMatchObject({
      listen: [{ port: 7001 }],
      timeoutSeconds: 5,
    });
  });

  test('may say nothing', () => {
    const config = readConfig(given({ config: file('# nothing yet\n') }));
    expect(config).toEqual(readConfig(given({})));
  });

  test.for([
    ['lgo-level: x', "/sidetrack.yaml: 'lgo-level' is no setting; did you mean log-level?"],
    ['logLevel: x', "/sidetrack.yaml: 'logLevel' is no setting; did you mean log-level?"],
    ['colour: red', "/sidetrack.yaml: 'colour' is no setting; see sidetrack --help"],
    ['config: other', "/sidetrack.yaml: 'config' is no setting; see sidetrack --help"],
    ['timeout: [1]', '/sidetrack.yaml: timeout: a list is not accepted: one text or number'],
    ['timeout: {s: 1}', '/sidetrack.yaml: timeout: a group is not accepted: one text or number'],
    ['listen: [[1]]', '/sidetrack.yaml: listen: a list is not accepted: one text, or a list'],
    ['timeout: soon', "/sidetrack.yaml: timeout: 'soon' is not accepted: 0 to"],
    ['fence-writes: true', "fence-writes: 'true' is not accepted: on, off"],
    ['listen:', "/sidetrack.yaml: listen: '' "],
    ['admin: ', "/sidetrack.yaml: admin: '' "],
    ['timeout: 1\ntimeout: 2', 'is neither YAML nor JSON: line 2: Map keys must be unique'],
    ['{"timeout": 1', 'is neither YAML nor JSON: line '],
    ['- timeout', '/sidetrack.yaml: is to hold one setting a line'],
    ['timeout', '/sidetrack.yaml: is to hold one setting a line'],
    ['timeout: 1\n---\ntimeout: 2', 'is neither YAML nor JSON: line 2: Source contains multiple'],
    ['upstream: *s3cret', 'upstream: an alias is not accepted'],
    ['upstream: redis://:s3cret@h:x', "upstream: 'redis://***@h:x' has no port"],
    ['redis://:s3cret@h: 1', "'redis://***@h' is no setting"],
    ['upstream: "redis://:s3cret@h', 'is neither YAML nor JSON: line 1: Missing closing "quote'],
    ['upstream: [redis://:s3cret@h', 'is neither YAML nor JSON: line '],
  ] as const)('%j is one line', ([text, message]) => {
    const said = refusal(() => readConfig(given({ config: file(text) })));
    expect(said).toContain(message);
    expect(said).not.toContain('s3cret');
  });

  test('that cannot be read is one line', () => {
    const path = join(folder, 'missing.yaml');
    const missing = given({}, { SIDETRACK_CONFIG: path });
    expect(refusal(() => readConfig(missing))).toBe(
      "SIDETRACK_CONFIG: cannot read '/missing.yaml': no such file",
    );
    expect(refusal(() => readConfig(given({ config: folder })))).toContain('it is a directory');
    expect(refusal(() => readConfig(given({ config: '' })))).toBe('--config: names no file');
    const long = file(`# ${'x'.repeat(65_536)}`);
    expect(refusal(() => readConfig(given({ config: long })))).toContain('longer than 65536 bytes');
  });
});

describe('a password from a file', () => {
  const upstream = 'redis://me:other@h';
  test.for(['s3:c@ret/%', 's3:c@ret/%\n', 's3:c@ret/%\r\n'])('%j', (text) => {
    const flags = { upstream, 'upstream-password-file': file(text, 'password') };
    expect(readConfig(given(flags)).upstream).toMatchObject({ user: 'me', password: 's3:c@ret/%' });
  });

  test('is given to the default user where the URL names none', () => {
    const flags = { upstream: 'redis://h', 'upstream-password-file': file('pw', 'password') };
    expect(readConfig(given(flags)).upstream).toMatchObject({ user: undefined, password: 'pw' });
  });

  test.for([
    ['redis://h', '\n', "--upstream-password-file: '/password' is empty"],
    ['embedded', 'pw', '--upstream-password-file: the embedded Redis has no password'],
  ] as const)('%j %j is refused', ([url, text, message]) => {
    const flags = { upstream: url, 'upstream-password-file': file(text, 'password') };
    expect(refusal(() => readConfig(given(flags)))).toContain(message);
  });

  test('that cannot be read is one line', () => {
    const flags = { upstream, 'upstream-password-file': join(folder, 'missing') };
    expect(refusal(() => readConfig(given(flags)))).toContain('no such file');
  });
});

describe("the user of the proxy's own connections", () => {
  const upstream = 'redis://app:other@h';
  const password = () => file('s3:c@ret/%\n', 'control');
  const own = (flags: Flags) => ({ upstream, 'control-password-file': password(), ...flags });

  function controlOf(flags: Flags, environment: Record<string, string> = {}) {
    const config = readConfig(given(flags, environment));
    if (config.upstream.kind === 'embedded') throw new Error('no upstream was read');
    return config.upstream.control;
  }

  test('is that of --upstream, if nothing is said', () => {
    expect(controlOf({ upstream })).toBeUndefined();
  });

  test('has a name and a password; who --upstream names is left as it is', () => {
    const config = readConfig(given(own({ 'control-user': 'ctl' })));
    expect(config.upstream).toMatchObject({
      user: 'app',
      password: 'other',
      control: { user: 'ctl', password: 's3:c@ret/%' },
    });
  });

  test('is the default user where there is only a password, whoever --upstream names', () => {
    expect(controlOf(own({}))).toMatchObject({ user: undefined, password: 's3:c@ret/%' });
  });

  test('is told by variables and by the file of settings, too', () => {
    const lines = `control-user: from-file\ncontrol-password-file: ${password()}\n`;
    const config = file(lines);
    expect(controlOf({ upstream, config })).toMatchObject({ user: 'from-file' });
    const environment = {
      SIDETRACK_CONTROL_USER: 'from-variable',
      SIDETRACK_CONTROL_PASSWORD_FILE: password(),
    };
    expect(controlOf({ upstream, config }, environment)).toMatchObject({
      user: 'from-variable',
      passwordFile: { name: 'SIDETRACK_CONTROL_PASSWORD_FILE' },
    });
  });

  test('stays when the upstream is spoken to over TLS', () => {
    const flags = own({ upstream: 'rediss://app:other@h', 'control-user': 'ctl' });
    expect(controlOf(flags)).toMatchObject({ user: 'ctl' });
  });

  const NAMED = { upstream, 'control-user': 'ctl' };
  const EMBEDDED = 'the embedded Redis has no password; name another Redis with --upstream';
  test.for([
    [NAMED, '--control-user: needs --control-password-file'],
    [{ ...NAMED, 'control-password-file': '' }, '--control-password-file: names no file'],
    [{ ...NAMED, 'control-password-file': '/missing' }, "cannot read '/missing': no such file"],
    [{ 'control-user': 'ctl' }, `--control-user: ${EMBEDDED}`],
    [{ 'control-password-file': '/missing' }, `--control-password-file: ${EMBEDDED}`],
  ] as const)('%j is refused', ([flags, message]) => {
    expect(refusal(() => readConfig(given(flags)))).toContain(message);
  });

  test.for(['', 'c t', 'ctl\0', 'ctl\n'])('%j is no name', (name) => {
    const said = refusal(() => readConfig(given(own({ 'control-user': name }))));
    expect(said).toContain('is not accepted: the name of a user, which has no blanks');
  });

  test('an empty file of a password is refused', () => {
    const flags = own({ 'control-password-file': file('\n', 'empty') });
    expect(refusal(() => readConfig(given(flags)))).toBe(
      "--control-password-file: '/empty' is empty",
    );
  });

  test('does not log clients in', () => {
    const flags = own({ upstream: 'redis://h', 'control-user': 'ctl', 'inject-auth': 'local' });
    expect(refusal(() => readConfig(given(flags)))).toContain('no password to log clients in with');
  });

  test('is shown among the settings in effect, its password is not', () => {
    const environment = { SIDETRACK_CONTROL_USER: 'ctl' };
    for (const form of ['yaml', 'json'] as const) {
      const text = effectiveSettings(given(own({}), environment), form).replaceAll(folder, '');
      expect(text).not.toContain('s3:c');
      if (form === 'json') continue;
      const lines = text.split('\n').map((line) => line.replace(/ +# /, ' # '));
      expect(lines).toContain('control-user: ctl # environment: SIDETRACK_CONTROL_USER');
      expect(lines).toContain('control-password-file: /control # flag: --control-password-file');
      expect(lines).toContain('upstream: redis://app:***@h:6379 # flag: --upstream');
    }
  });
});

describe('an endpoint', () => {
  const flags = () => ({
    upstream: 'redis://app@h',
    'upstream-password-file': file('one', 'password'),
    'control-password-file': file('two', 'control'),
  });

  function endpointOf(flagged: Flags): Endpoint {
    const { upstream } = readConfig(given(flagged));
    if (upstream.kind === 'embedded') throw new Error('no upstream was read');
    return new Endpoint(upstream);
  }

  test('reads the passwords of its two users anew', () => {
    const endpoint = endpointOf({ ...flags(), 'control-user': 'ctl' });
    file('three', 'password');
    file('four', 'control');
    expect(endpoint.ownLogin).toMatchObject({ user: 'ctl', password: 'two' });
    expect(endpoint.reload()).toEqual(['password']);
    expect(endpoint.ownLogin).toMatchObject({ user: 'ctl', password: 'four' });
    expect(endpoint.opening(true).injected?.()).toEqual({ user: 'app', password: 'three' });
  });

  test('takes over neither where one of them cannot be read', () => {
    const endpoint = endpointOf(flags());
    file('three', 'password');
    file('', 'control');
    expect(refusal(() => endpoint.reload())).toContain("--control-password-file: '/control'");
    expect(endpoint.address).toMatchObject({ password: 'one', control: { password: 'two' } });
  });

  test('has nothing to read again where no file was named', () => {
    const endpoint = endpointOf({ upstream: 'redis://app:pw@h' });
    expect(endpoint.reload()).toEqual([]);
    expect(endpoint.ownLogin).toMatchObject({ user: 'app', password: 'pw' });
  });
});

describe('the settings in effect', () => {
  const flags = () => ({
    config: file('listen: [7001, "[::1]:7002"]\nlog-level: warn\nprobe-key-prefix: "#:"\n'),
    upstream: 'redis://me@h:6380/2',
    'upstream-password-file': file('s3cret', 'password'),
  });
  const environment = { SIDETRACK_TIMEOUT: '5' };

  test('are printed with their origins, and without secrets', () => {
    const text = effectiveSettings(given(flags(), environment), 'yaml').replaceAll(folder, '');
    expect(text).not.toContain('s3cret');
    const lines = text.split('\n').map((line) => line.replace(/ +# /, ' # '));
    expect(lines).toContain('upstream: redis://me:***@h:6380/2 # flag: --upstream');
    expect(lines).toContain('timeout: 5 # environment: SIDETRACK_TIMEOUT');
    expect(lines).toContain('log-level: warn # file: /sidetrack.yaml: log-level');
    expect(lines).toContain('max-clients: 10000 # default');
    expect(lines.length).toBe(OPTIONS.length + 1);
  });

  test('are a file of settings again', () => {
    const plain = { config: flags().config, upstream: 'redis://h', 'probe-key-prefix': '#:' };
    const text = effectiveSettings(given(plain, environment), 'yaml');
    expect(parse(text)).toMatchObject({ upstream: 'redis://h:6379', 'probe-key-prefix': '#:' });
    const again = readConfig(given({ config: file(text, 'again.yaml') }));
    expect(again).toEqual(readConfig(given(plain, environment)));
  });

  test('are printed as JSON', () => {
    const all = JSON.parse(effectiveSettings(given(flags(), environment), 'json'));
    expect(all).toContainEqual({
      name: 'timeout',
      value: '5',
      origin: 'environment',
      from: 'SIDETRACK_TIMEOUT',
    });
    expect(JSON.stringify(all)).not.toContain('s3cret');
  });
});

test('the place of the admin server is read whatever else is wrong', () => {
  const flags = { admin: '9381', listen: 'nonsense' };
  expect(readAdmin(given(flags))).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 9381 });
});
