import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { parseListen } from '../../src/address.ts';
import { type Admin, startAdmin } from '../../src/admin/http.ts';
import { environmentName } from '../../src/config.ts';
import { OPTIONS } from '../../src/options.ts';
import { freePort } from '../helpers/free-port.ts';
import { type RunningProxy, startProxy } from '../helpers/proxy.ts';
import { type RedisProcess, startRedis } from '../helpers/redis.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** How long the real Prometheus may take to start, and then to have scraped enough. */
const PROMETHEUS_POLL = { timeout: 25_000, interval: 100 } as const;

/** How often it scrapes here; as shipped it takes its time. */
const SCRAPE_EVERY = '200ms';

const PACKAGE = JSON.parse(read('package.json')) as {
  readonly version: string;
  readonly bin: { readonly sidetrack: string };
  readonly scripts: Readonly<Record<string, string>>;
};

/** The variables that the program reads, and those of Node that are set for it. */
const VARIABLES = [...OPTIONS.map(({ flag }) => environmentName(flag)), 'NODE_ENV', 'NODE_OPTIONS'];

const YAML_FILES = [
  'docker-compose.yml',
  ...readdirSync(join(ROOT, 'deploy'), { recursive: true })
    .map((name) => `deploy/${String(name).replaceAll('\\', '/')}`)
    .filter((name) => /\.ya?ml$/.test(name)),
].sort();

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly { readonly expr: string }[];
}

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly depends_on?: object | readonly string[];
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly restartPolicy?: string;
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly [probe: string]: unknown;
}

const RULES = (
  parse(read('deploy/prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] }
).groups.flatMap(({ rules }) => rules);

const DASHBOARD = JSON.parse(read('deploy/grafana/dashboard.json')) as {
  readonly uid: string;
  readonly templating: { readonly list: readonly { readonly name: string }[] };
  readonly panels: readonly Panel[];
};

const QUERIES = DASHBOARD.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ title, expr })),
);

function read(name: string): string {
  return readFileSync(join(ROOT, name), 'utf8');
}

/** @returns whether a program is on PATH */
function has(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** The metrics that PromQL names, each with the labels that it asks for. */
function selectorsOf(expr: string): readonly string[] {
  return expr.match(/\b(?:(?:sidetrack|nodejs|process)_\w+|up)\b(?:\{[^}]*\})?/g) ?? [];
}

describe('the Dockerfile', () => {
  const instructions = read('Dockerfile')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, word = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      return { word, rest: rest.replace(/\s+/g, ' ') };
    });
  const all = (wanted: string) =>
    instructions.filter(({ word }) => word === wanted).map(({ rest }) => rest);
  const stages = all('FROM').map((rest) => {
    const [image = '', , name] = rest.split(' ');
    return { image, name };
  });

  test('names one base by its minor version, which package.json allows', () => {
    const names = stages.map(({ name }) => name);
    const bases = stages.filter(({ image }, index) => !names.slice(0, index).includes(image));
    expect(bases).toHaveLength(1);
    const [, major, minor] = /^node:(\d+)\.(\d+)-bookworm-slim$/.exec(bases[0]!.image) ?? [];
    expect(Number(major) % 2, 'a long-term release').toBe(0);
    expect(Number(major) * 100 + Number(minor)).toBeGreaterThanOrEqual(2_019);
  });

  test('copies what exists, what .dockerignore lets through, and from stages that exist', () => {
    const admitted = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = all('COPY').flatMap((rest) => {
      const words = rest.split(' ');
      const from = /^--from=(.*)$/.exec(words[0]!)?.[1];
      if (from === undefined) return words.slice(0, -1);
      expect(stages.map(({ name }) => name)).toContain(from);
      return [];
    });
    expect(copied.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
    expect([...new Set(copied)].sort()).toEqual(admitted.sort());
  });

  test('runs only scripts that package.json has', () => {
    const runs = all('RUN').join('\n');
    const scripts = [...runs.matchAll(/npm run (\S+)/g)].map(([, script = '']) => script);
    expect(scripts).toEqual(['build']);
    expect(scripts.filter((script) => !(script in PACKAGE.scripts))).toEqual([]);
    expect(runs).toContain('npm ci --omit=dev');
  });

  test('starts the program that package.json names, as nobody, and asks it for its health', () => {
    const program = ['node', PACKAGE.bin.sidetrack];
    expect(all('ENTRYPOINT').map((rest) => JSON.parse(rest))).toEqual([program]);
    const [, health = ''] = /CMD (.*)$/.exec(all('HEALTHCHECK')[0] ?? '') ?? [];
    expect(JSON.parse(health)).toEqual([...program, 'healthcheck']);
    expect(all('USER')).toEqual([expect.stringMatching(/^[1-9]\d*:[1-9]\d*$/)]);
    expect(all('STOPSIGNAL')).toEqual(['SIGTERM']);
    expect(all('ARG')).toContain(`VERSION=${PACKAGE.version}`);
    const variables = [
      ...all('ENV')
        .join(' ')
        .matchAll(/(\w+)=/g),
    ].map(([, name]) => name);
    expect(variables.filter((name) => !VARIABLES.includes(name!))).toEqual([]);
  });
});

describe('YAML', () => {
  test.for(YAML_FILES)('%s can be read', (name) => {
    for (const { errors, warnings } of parseAllDocuments(read(name))) {
      expect([...errors, ...warnings]).toEqual([]);
    }
  });
});

describe.each(['docker-compose.yml', 'deploy/compose/sidecar.yml'])('%s', (name) => {
  const { services } = parse(read(name)) as { services: Readonly<Record<string, Service>> };
  const here = posix.dirname(name);

  test('names each image by its version, our own by that of the package', () => {
    for (const { image = '' } of Object.values(services)) {
      const [, repository, tag] = /^(.+):v?(\d+\.\d+(?:\.\d+)?(?:-\w+)?)$/.exec(image) ?? [];
      expect(tag, image).toBeDefined();
      if (repository === 'sidetrack') expect(tag).toBe(PACKAGE.version);
    }
  });

  test('builds and mounts what exists', () => {
    const paths = Object.values(services).flatMap(({ build, volumes = [] }) => [
      ...(build === undefined ? [] : [posix.join(build, 'Dockerfile')]),
      ...volumes.filter((volume) => volume.startsWith('.')).map((volume) => volume.split(':')[0]!),
    ]);
    expect(paths.filter((path) => !existsSync(join(ROOT, here, path)))).toEqual([]);
  });

  test('sets variables that the program reads, and waits for services that are there', () => {
    const { environment = {} } = services.sidetrack!;
    expect(Object.keys(environment)).toContain('SIDETRACK_UPSTREAM');
    expect(Object.keys(environment).filter((variable) => !VARIABLES.includes(variable))).toEqual(
      [],
    );
    for (const { depends_on = [] } of Object.values(services)) {
      const needed = Array.isArray(depends_on) ? depends_on : Object.keys(depends_on);
      expect(needed.filter((service) => !(service in services))).toEqual([]);
    }
  });
});

test('Grafana is told of the Prometheus and the dashboard that docker-compose.yml has', () => {
  const { services } = parse(read('docker-compose.yml')) as { services: Record<string, Service> };
  const { datasources } = parse(read('deploy/grafana/provisioning/datasources/prometheus.yml')) as {
    datasources: { url: string; type: string }[];
  };
  expect(datasources).toMatchObject([{ type: 'prometheus', url: 'http://prometheus:9090' }]);
  const { providers } = parse(read('deploy/grafana/provisioning/dashboards/sidetrack.yml')) as {
    providers: { options: { path: string } }[];
  };
  const mount = services.grafana!.volumes!.find((volume) => volume.includes('dashboard.json'));
  expect(mount).toContain(`:${providers[0]!.options.path}/`);
  const { scrape_configs } = parse(read('deploy/prometheus/prometheus.yml')) as {
    scrape_configs: { static_configs: { targets: string[] }[] }[];
  };
  expect(scrape_configs[0]!.static_configs[0]!.targets).toEqual(['sidetrack:9380']);
});

describe('Kubernetes', () => {
  const documents = parseAllDocuments(read('deploy/kubernetes/sidecar.yaml')).map(
    (document) => document.toJS() as { kind: string; metadata: { name: string } },
  );
  const deployment = documents.find(({ kind }) => kind === 'Deployment') as unknown as {
    spec: {
      selector: { matchLabels: Record<string, string> };
      template: {
        metadata: { labels: Record<string, string> };
        spec: { initContainers: Container[] };
      };
    };
  };
  const { template, selector } = deployment.spec;
  const sidecar = template.spec.initContainers[0]!;

  test('the sidecar is a native one, of this version, with variables that the program reads', () => {
    expect(sidecar.restartPolicy).toBe('Always');
    expect(sidecar.image).toBe(`sidetrack:${PACKAGE.version}`);
    const names = sidecar.env.map(({ name }) => name);
    expect(names.filter((name) => !VARIABLES.includes(name))).toEqual([]);
    expect(sidecar.securityContext).toMatchObject({
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('the probes ask for paths that the admin server has, on its port', () => {
    const probe = (path: string) => ({ httpGet: { path, port: 9380 } });
    expect(sidecar.startupProbe).toMatchObject(probe('/readyz'));
    expect(sidecar.readinessProbe).toMatchObject(probe('/readyz'));
    expect(sidecar.livenessProbe).toMatchObject(probe('/healthz'));
  });

  test('the PodMonitor finds the pods and the port', () => {
    const { spec } = parse(read('deploy/kubernetes/podmonitor.yaml')) as {
      spec: {
        selector: { matchLabels: Record<string, string> };
        podMetricsEndpoints: { port: string }[];
      };
    };
    expect(template.metadata.labels).toMatchObject(selector.matchLabels);
    expect(template.metadata.labels).toMatchObject(spec.selector.matchLabels);
    const [port] = sidecar.ports!;
    expect(port).toEqual({ name: spec.podMetricsEndpoints[0]!.port, containerPort: 9380 });
    expect(port!.name.length, 'the longest name that Kubernetes takes').toBeLessThanOrEqual(15);
  });
});

describe('systemd', () => {
  const unit = read('deploy/systemd/sidetrack.service');

  test('the example of the environment sets variables that the program reads', () => {
    const lines = read('deploy/systemd/sidetrack.env').split('\n');
    const names = lines.flatMap((line) => /^(\w+)=/.exec(line)?.[1] ?? []);
    expect(names).toContain('SIDETRACK_UPSTREAM');
    expect(names.filter((name) => !VARIABLES.includes(name))).toEqual([]);
  });

  test('a reload is a SIGHUP, which does not end the program', () => {
    expect(unit).toMatch(/^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
  });

  test('the unit leaves V8 its way with memory', () => {
    expect(unit).not.toMatch(/^MemoryDenyWriteExecute=/m);
  });

  test('systemd-analyze finds nothing wrong with the units', ({ skip }) => {
    skip(!has('systemd-analyze'), 'systemd-analyze is not on PATH');
    const folder = mkdtempSync(join(tmpdir(), 'sidetrack-unit-'));
    try {
      const [file, socket] = ['service', 'socket'].map((kind) => join(folder, `sidetrack.${kind}`));
      writeFileSync(`${file}`, unit.replace(/^ExecStart=.*$/m, `ExecStart=${process.execPath}`));
      writeFileSync(`${socket}`, read('deploy/systemd/sidetrack.socket'));
      const words = ['verify', `${file}`, `${socket}`];
      const { stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8' });
      // It may have words about other units of this machine.
      expect(stderr.split('\n').filter((line) => line.includes('sidetrack'))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the alerts', () => {
  test.for(RULES)('$alert is explained, has a runbook and a test', ({ alert, ...rule }) => {
    expect(rule.labels.severity).toMatch(/^(critical|warning)$/);
    const { summary, description, runbook_url } = rule.annotations;
    expect(summary).toContain('{{ $labels.instance }}');
    expect(description).toMatch(/\.$/);
    expect(runbook_url).toBe(`docs/deploy.md#${alert.toLowerCase()}`);
    expect(read('docs/deploy.md')).toContain(`\n### ${alert}\n`);
    expect(read('deploy/prometheus/alerts.test.yml')).toContain(`'{alertname="${alert}"`);
  });

  test('promtool accepts them and their tests pass', ({ skip }) => {
    skip(!has('promtool'), 'promtool is not on PATH: apt-get install prometheus');
    const run = (...words: string[]) =>
      spawnSync('promtool', words, { cwd: join(ROOT, 'deploy/prometheus'), encoding: 'utf8' });
    for (const result of [
      run('check', 'config', 'prometheus.yml'),
      run('check', 'rules', 'alerts.yml'),
      run('test', 'rules', 'alerts.test.yml'),
    ]) {
      expect([result.status, result.stdout + result.stderr]).toEqual([0, expect.anything()]);
    }
  });
});

describe('the dashboard', () => {
  test('has panels with names and words, side by side and never on top of each other', () => {
    const { panels } = DASHBOARD;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { gridPos, title, type, description, targets = [] } of panels) {
      expect(title).not.toBe('');
      if (type !== 'row') expect([title, description ?? '', targets.length]).not.toContain('');
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(x, title).toBeLessThan(24);
          expect(taken.has(`${x},${y}`), title).toBe(false);
          taken.add(`${x},${y}`);
        }
      }
    }
  });

  test('uses only variables that it defines or that Grafana has', () => {
    const defined = DASHBOARD.templating.list.map(({ name }) => name);
    const used = [...JSON.stringify(DASHBOARD.panels).matchAll(/\$\{?(\w+)/g)].map(([, v]) => v!);
    const known = [...defined, '__rate_interval', '__range'];
    expect([...new Set(used)].filter((name) => !known.includes(name))).toEqual([]);
  });
});

describe('beside a running proxy', () => {
  let redis: RedisProcess;
  let proxy: RunningProxy;
  let admin: Admin;

  beforeAll(async () => {
    redis = await startRedis();
    proxy = await startProxy(redis.url);
    const { metrics } = proxy;
    admin = await startAdmin(parseListen('0', '--admin'), { metrics, ready: () => proxy.ready });
  });

  afterAll(async () => {
    await admin?.stop();
    await proxy?.stop();
    await redis?.stop();
  });

  test('every metric of the dashboard and the alerts exists', async () => {
    const { text } = await proxy.metrics.expose();
    const exposed = new Set([...text.matchAll(/^(\w+)[{ ]/gm)].map(([, name]) => name));
    exposed.add('up'); // Prometheus's own
    const named = [...QUERIES, ...RULES]
      .flatMap(({ expr }) => selectorsOf(expr))
      .map((selector) => selector.replace(/\{.*/s, ''));
    expect(named.length).toBeGreaterThan(0);
    expect([...new Set(named)].filter((name) => !exposed.has(name))).toEqual([]);
  });

  test('a real Prometheus scrapes it, and every query has an answer', async ({ skip }) => {
    skip(!has('prometheus'), 'prometheus is not on PATH: apt-get install prometheus');
    const prometheus = await startPrometheus(admin.address);
    try {
      const waiting = new Set([
        ...QUERIES.map(({ expr }) => expr),
        ...RULES.flatMap(({ expr }) => selectorsOf(expr)),
      ]);
      await vi.waitFor(async () => {
        for (const expr of waiting) {
          if ((await prometheus.query(expr)) > 0) waiting.delete(expr);
        }
        expect([...waiting]).toEqual([]);
      }, PROMETHEUS_POLL);
      expect(await prometheus.query('ALERTS')).toBe(0);
      expect(await prometheus.healthyRuleCount()).toBe(RULES.length);
    } finally {
      await prometheus.stop();
    }
  }, 60_000);
});

interface RunningPrometheus {
  /** @returns how many series answer, Grafana's variables being all and short */
  query(expr: string): Promise<number>;
  /** How many rules it has taken over without an error. */
  healthyRuleCount(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts Prometheus with the configuration that is shipped, but in a hurry, on one target. */
async function startPrometheus(target: string): Promise<RunningPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'sidetrack-prometheus-'));
  const config = parse(read('deploy/prometheus/prometheus.yml')) as {
    global: object;
    rule_files: string[];
    scrape_configs: { static_configs: object[] }[];
  };
  config.global = { scrape_interval: SCRAPE_EVERY, evaluation_interval: SCRAPE_EVERY };
  config.rule_files = config.rule_files.map((file) => join(ROOT, 'deploy/prometheus', file));
  config.scrape_configs[0]!.static_configs = [{ targets: [target] }];
  writeFileSync(join(folder, 'prometheus.yml'), stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const stop = stopper(child, folder);
  const log = logOf(child);
  const ask = async (path: string) => {
    const answer = (await (await fetch(`http://${address}/api/v1/${path}`)).json()) as Answer;
    if (answer.status !== 'success') throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer.data;
  };
  try {
    await vi.waitFor(async () => {
      if (child.exitCode !== null) throw new Error(`prometheus ended: ${log()}`);
      await ask('query?query=1');
    }, PROMETHEUS_POLL);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    query: async (expr) => {
      const plain = expr
        .replaceAll(/\$(job|instance)\b/g, '.+')
        .replaceAll(/\$__(rate_interval|range)\b/g, '5s');
      return (await ask(`query?query=${encodeURIComponent(plain)}`)).result?.length ?? 0;
    },
    healthyRuleCount: async () => {
      const groups = (await ask('rules')).groups ?? [];
      return groups.flatMap(({ rules }) => rules).filter(({ health }) => health === 'ok').length;
    },
    stop,
  };
}

interface Answer {
  readonly status: string;
  readonly data: {
    readonly result?: readonly unknown[];
    readonly groups?: readonly { readonly rules: readonly { readonly health: string }[] }[];
  };
}

function stopper(child: ChildProcess, folder: string): () => Promise<void> {
  const closed = once(child, 'close');
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill); // however this process ends, short of a SIGKILL
  return async () => {
    kill();
    await closed;
    process.off('exit', kill);
    rmSync(folder, { recursive: true, force: true });
  };
}

function logOf(child: ChildProcess): () => string {
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-4_096);
  });
  return () => log;
}
