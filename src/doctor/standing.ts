import { SilentLog } from '../upstream/silent.ts';
import { type Finding, flaw, good } from './finding.ts';
import { rightFixes } from './fixes.ts';
import { field } from './server.ts';
import type { Visit } from './visit.ts';

/** What INFO says, as far as it may be asked. */
export interface Info {
  /** The sections server, replication and cluster; '' for what is refused. */
  readonly text: string;
  /** How the first that was refused was. */
  readonly refused: Error | undefined;
  /** Whether it counts calls of commands, and tells the role: what the watch looks at. */
  readonly showsCalls: boolean;
  readonly showsRole: boolean;
}

/** Asks for the sections of INFO that the proxy reads. */
export async function readInfo(visit: Visit): Promise<Info> {
  const sections = ['server', 'replication', 'cluster', 'commandstats'] as const;
  const answers: unknown[] = [];
  for (const section of sections) answers.push(await visit.ask('INFO', section));
  const [server, replication, cluster, commandstats] = answers.map((answer) =>
    typeof answer === 'string' ? `${answer}\r\n` : '',
  ) as [string, string, string, string];
  return {
    text: server + replication + cluster,
    refused: answers.find((answer) => answer instanceof Error),
    showsCalls: /^cmdstat_/m.test(commandstats),
    showsRole: field(replication, 'role') !== undefined,
  };
}

/** Whether the watch can see what it looks for. */
export function infoFinding(visit: Visit, { refused, showsCalls, showsRole }: Info): Finding {
  if (showsCalls && showsRole) return good('info', 'yes, with commandstats and replication');
  const hidden = [showsCalls ? '' : 'commandstats', showsRole ? '' : 'replication'];
  const missing = hidden.filter((name) => name !== '').join(', ');
  const consequence =
    (showsCalls ? '' : 'Flushes that others send go unnoticed. ') +
    (showsRole ? '' : 'A replica that is given new data, or another role, goes unnoticed.');
  return flaw('info', 'limited', {
    found: refused === undefined ? `without ${missing}` : `no: ${refused.message}`,
    consequence: consequence.trim(),
    fixes:
      refused === undefined
        ? []
        : rightFixes(refused, { user: visit.user, rule: '+info', command: 'INFO' }),
  });
}

/** Which changes are never announced, and whether somebody sees them nevertheless. */
export function silentFinding(version: number | undefined, { showsCalls }: Info): Finding {
  const log = new SilentLog();
  log.learn(version);
  const names = log.names.join(', ');
  if (showsCalls) return good('silent', `found by looking at INFO: ${names}`);
  return flaw('silent', 'limited', {
    found: `${names}`,
    consequence:
      'Sent through the proxy they are known. Sent by others they go unnoticed, for INFO does not ' +
      'show them.',
  });
}

/** @returns what it is, and whether it can be written to */
export async function roleFinding(
  visit: Visit,
  { text }: Info,
): Promise<{ readonly finding: Finding; readonly isReadOnly: boolean }> {
  const role = field(text, 'role') ?? (await askRole(visit));
  if (role === undefined) {
    const found = 'not to be seen: INFO and ROLE are refused';
    const consequence = 'On a replica, a full sync goes unnoticed.';
    return { finding: flaw('role', 'untried', { found, consequence }), isReadOnly: false };
  }
  if (role !== 'slave') return { finding: good('role', role), isReadOnly: false };
  const isReadOnly = field(text, 'slave_read_only') !== '0';
  const isLinked = field(text, 'master_link_status') !== 'down';
  const found = `replica${isReadOnly ? ', read-only' : ''}${isLinked ? '' : ', link to its master down'}`;
  const consequence = isLinked
    ? 'A full sync empties every cache.'
    : 'It serves old data until the link is up again.';
  const fixes = isLinked
    ? [{ where: 'sidetrack', how: 'use the master as --upstream' }]
    : [{ where: 'upstream', how: 'see why its master cannot be reached' }];
  return { finding: flaw('role', 'limited', { found, consequence, fixes }), isReadOnly };
}

/** ROLE says the same, and may be allowed where INFO is not. */
async function askRole(visit: Visit): Promise<string | undefined> {
  const answer = await visit.ask('ROLE');
  return Array.isArray(answer) ? String(answer[0]) : undefined;
}

/** A proxy stands in front of one node, which of a cluster is a part. */
export function clusterFinding({ text }: Info): Finding {
  const enabled = field(text, 'cluster_enabled');
  const mode = field(text, 'redis_mode');
  if (enabled === '1' || mode === 'cluster') {
    return flaw('cluster', 'limited', {
      found: 'a node of a cluster',
      consequence:
        'Only keys of this node are cached: a client that follows MOVED leaves the proxy.',
      fixes: [{ where: 'sidetrack', how: 'use an upstream without cluster mode' }],
    });
  }
  if (enabled === undefined && mode === undefined) {
    const found = 'not to be seen: INFO does not say';
    return flaw('cluster', 'untried', {
      found,
      consequence: 'Of a cluster, the proxy serves one node only.',
    });
  }
  return good('cluster', 'no');
}
