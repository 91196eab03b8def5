import { printUpstream, type UpstreamAddress } from '../address.ts';
import type { NotifyConfig, SourceKind } from '../config.ts';
import { PROBE_KEY_PREFIX } from '../upstream/probe.ts';
import { connectionFinding } from './connection.ts';
import { type Finding, good, inOrder } from './finding.ts';
import { nodesFinding } from './nodes.ts';
import { bufferFinding, examineNotify } from './notifications.ts';
import { proofFinding } from './proof.ts';
import { protocolFinding, rightFindings, trackingFinding } from './rights.ts';
import { identify, identityFindings } from './server.ts';
import { clusterFinding, infoFinding, readInfo, roleFinding, silentFinding } from './standing.ts';
import { Visit } from './visit.ts';
import { judgedForWrites, unneededFindings } from './writes.ts';

/** How long an answer may take, in milliseconds. Source: our choice, as on other connections. */
const DEADLINE_MS = 5_000;

/** What is to be examined, and for whom. */
export interface ExamineOptions {
  /** With the users and passwords that the proxy would use. */
  readonly upstream: UpstreamAddress;
  /** How the proxy would notice changes; `events` if not given. */
  readonly source?: SourceKind;
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
    findings.push(good('connection', printUpstream(visit.address)));
  } catch (cause) {
    findings.push(await connectionFinding(cause, visit));
  } finally {
    visit.close();
  }
  return inOrder(findings);
}

/** @param findings filled one after the other: what is known when the upstream is lost is kept */
async function examineOpen(
  visit: Visit,
  options: ExamineOptions,
  findings: Finding[],
): Promise<void> {
  const info = await readInfo(visit);
  const identity = identify(info.text);
  const { version } = identity;
  findings.push(...identityFindings(identity), infoFinding(visit, info));
  findings.push(clusterFinding(info), silentFinding(version, info));
  findings.push(await protocolFinding(visit, version), await trackingFinding(visit));
  const rights = await rightFindings(visit, version);
  const role = await roleFinding(visit, info);
  findings.push(...rights, role.finding);
  if (options.source === 'writes') {
    findings.splice(0, findings.length, ...judgedForWrites(findings), ...unneededFindings());
  } else {
    findings.push(...(await examineEvents(visit, options, { version, rights, role })));
  }
  findings.push(await nodesFinding(visit, identity.runId));
}

/** Whether changes are announced, and heard. */
async function examineEvents(
  visit: Visit,
  { notifyConfig = 'auto', probeKeyPrefix = PROBE_KEY_PREFIX }: ExamineOptions,
  known: {
    readonly version: number | undefined;
    readonly rights: readonly Finding[];
    readonly role: { readonly isReadOnly: boolean };
  },
): Promise<readonly Finding[]> {
  const notify = await examineNotify(visit, known.version, notifyConfig);
  const proof = await proofFinding(visit, {
    notify,
    notifyConfig,
    prefix: probeKeyPrefix,
    isReadOnly: known.role.isReadOnly,
    isHeard: known.rights.every(({ id, state }) => id !== 'psubscribe' || state === 'ok'),
  });
  return [...notify.findings, proof, await bufferFinding(visit)];
}
