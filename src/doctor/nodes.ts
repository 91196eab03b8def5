import { lookup } from 'node:dns/promises';
import type { UpstreamAddress } from '../address.ts';
import { type Control, openControl } from '../upstream/control.ts';
import { Endpoint } from '../upstream/endpoint.ts';
import { type Finding, flaw, good } from './finding.ts';
import { field } from './server.ts';
import type { Visit } from './visit.ts';

/** How often one address is asked who it is. Source: our choice; two nodes hide from it once in 31. */
const ASKED_COUNT = 5;

/** Of a name with more addresses the others are not asked. */
const ADDRESSES_MAX_COUNT = 8;

/**
 * Whether all connections reach the same node: a client would else read from a node whose changes
 * nobody hears.
 *
 * @param runId of the node that answered first; undefined where INFO is refused
 */
export async function nodesFinding(visit: Visit, runId: string | undefined): Promise<Finding> {
  if (runId === undefined) {
    const found = 'not to be seen: the server does not tell its run_id';
    const consequence = 'Behind a name or a balancer there must be one node only.';
    return flaw('nodes', 'untried', { found, consequence });
  }
  const seen = new Set([runId]);
  for (let asked = 1; asked < ASKED_COUNT; asked++) {
    const other = await runIdOf(() => visit.another());
    if (other !== undefined) seen.add(other);
  }
  if (seen.size > 1) {
    return flaw('nodes', 'missing', {
      found: `${seen.size} nodes answer at one address`,
      consequence: 'Clients would read from one node while the proxy hears of changes on another.',
      fixes: [
        { where: 'sidetrack', how: 'one proxy for each node, each with that node as --upstream' },
      ],
    });
  }
  const others = await otherAddresses(visit.address);
  for (const address of others) {
    const other = await runIdOf(() => openControl(new Endpoint(address)));
    if (other !== undefined) seen.add(other);
  }
  if (seen.size === 1) return good('nodes', `${ASKED_COUNT} connections reached the same`);
  return flaw('nodes', 'limited', {
    found: `${seen.size} nodes behind one name`,
    consequence:
      'The proxy keeps to one of them until that is lost, and sends no client to another.',
    fixes: [
      { where: 'sidetrack', how: 'one proxy for each node, each with that node as --upstream' },
    ],
  });
}

/** @returns the same upstream at each address that its name has; none where it has no name */
async function otherAddresses(address: UpstreamAddress): Promise<readonly UpstreamAddress[]> {
  if (address.kind === 'unix') return [];
  const found = await lookup(address.host, { all: true }).catch(() => []);
  if (found.length < 2) return [];
  return found.slice(0, ADDRESSES_MAX_COUNT).map(({ address: host }) => ({ ...address, host }));
}

/** @returns undefined where nobody answers, or does not say */
async function runIdOf(open: () => Promise<Control>): Promise<string | undefined> {
  const control = await open().catch(() => undefined);
  if (control === undefined) return undefined;
  try {
    const info = await control.ask('INFO', 'server');
    return typeof info === 'string' ? field(info, 'run_id') : undefined;
  } finally {
    control.close();
  }
}
