import { printUpstream, type UpstreamAddress } from '../address.ts';
import type { NotifyConfig } from '../config.ts';
import { ProxyError } from '../errors.ts';
import { PROBE_KEY_PREFIX } from '../upstream/probe.ts';
import { type Finding, type Fix, flaw, good, inOrder } from './finding.ts';
import { nodesFinding } from './nodes.ts';
import { bufferFinding, examineNotify } from './notifications.ts';
import { proofFinding } from './proof.ts';
import { protocolFinding, rightFindings, trackingFinding } from './rights.ts';
import { identify, identityFindings } from './server.ts';
import { clusterFinding, infoFinding, readInfo, roleFinding, silentFinding } from './standing.ts';
import { Visit } from './visit.ts';

/** How long an answer may take, in milliseconds. Source: our choice, as on other connections. */
const DEADLINE_MS = 5_000;

/** What is to be examined, and for whom. */
export interface ExamineOptions {
  /** With the user and password that the proxy would use. */
  readonly upstream: UpstreamAddress;
  /** What the proxy may do about notifications; `auto` if not given. */
  readonly notifyConfig?: NotifyConfig;
  /** With what the keys begin that are written to see whether changes are announced. */
  readonly probeKeyPrefix?: string;
  /** How long an answer on the connection that listens may take, in milliseconds. */
  readonly deadlineMs?: number;
}

/**
 * Finds out whether a proxy can stand in front of an upstream, and what it would lack there. It
 * changes no configuration, and the keys that it writes are gone a second later.
 *
 * @returns what was found, in the order in which it is shown. Never rejects: an upstream that
 *          cannot be reached is a finding, and so is one that is lost meanwhile
 */
export async function examine(options: ExamineOptions): Promise<readonly Finding[]> {
  const { upstream, deadlineMs = DEADLINE_MS, probeKeyPrefix = PROBE_KEY_PREFIX } = options;
  const visit = new Visit(upstream, deadlineMs, probeKeyPrefix);
  const findings: Finding[] = [];
  try {
    await visit.open();
    await examineOpen(visit, options, findings);
    findings.push(good('connection', printUpstream(upstream)));
  } catch (cause) {
    findings.push(connectionFinding(cause, visit));
  } finally {
    visit.close();
  }
  return inOrder(findings);
}

/** @param findings filled one after the other: what is known when the upstream is lost is kept */
async function examineOpen(
  visit: Visit,
  { notifyConfig = 'auto', probeKeyPrefix = PROBE_KEY_PREFIX }: ExamineOptions,
  findings: Finding[],
): Promise<void> {
  const info = await readInfo(visit);
  const identity = identify(info.text);
  const { version } = identity;
  findings.push(...identityFindings(identity), infoFinding(visit, info));
  findings.push(clusterFinding(info), silentFinding(version, info));
  findings.push(await protocolFinding(visit, version), await trackingFinding(visit));
  const rights = await rightFindings(visit, version);
  const notify = await examineNotify(visit, version, notifyConfig);
  const role = await roleFinding(visit, info);
  findings.push(...rights, ...notify.findings, role.finding);
  const proof = await proofFinding(visit, {
    notify,
    notifyConfig,
    prefix: probeKeyPrefix,
    isReadOnly: role.isReadOnly,
    isHeard: rights.every(({ id, state }) => id !== 'psubscribe' || state === 'ok'),
  });
  findings.push(proof, await bufferFinding(visit), await nodesFinding(visit, identity.runId));
}

/** How no connection came about, or how it was lost. */
function connectionFinding(cause: unknown, visit: Visit): Finding {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const address = printUpstream(visit.address);
  return flaw('connection', 'missing', {
    found: `${address}: ${reason}`,
    consequence: 'The proxy cannot work.',
    fixes: connectionFixes(cause, reason, visit),
  });
}

function connectionFixes(cause: unknown, reason: string, visit: Visit): readonly Fix[] {
  const here = (how: string): readonly Fix[] => [{ where: 'sidetrack', how }];
  if (reason.startsWith('NOAUTH')) {
    return here('name user and password: --upstream redis://USER:PASSWORD@HOST:PORT');
  }
  if (/^WRONGPASS|invalid password/i.test(reason)) {
    return here('give the right user and password in --upstream');
  }
  if (/no password is set|AUTH.* without any password/i.test(reason)) {
    return here('leave out the password in --upstream: the server has none');
  }
  if (reason.startsWith('NOPERM')) {
    return [{ where: 'ACL', how: `ACL SETUSER ${visit.user} on +ping` }];
  }
  if (reason.startsWith('DENIED')) {
    return [{ where: 'redis.conf', how: 'protected-mode no, with a password set' }];
  }
  if (cause instanceof ProxyError && cause.code === 'UPSTREAM_NOT_REDIS') {
    return here('see what listens at that address: it does not speak as Redis does');
  }
  if (cause instanceof ProxyError && cause.code === 'UPSTREAM_REFUSED') return [];
  return here('see whether the address is right, the server runs, and no firewall is in between');
}
