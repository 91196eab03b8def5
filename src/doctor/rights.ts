import { PATTERN } from '../invalidation/notifications.ts';
import { type Finding, type FindingId, flaw, good } from './finding.ts';
import { rightFixes } from './fixes.ts';
import type { Visit } from './visit.ts';

/** From which versions on there is what is asked for, as major * 100 + minor. */
const HELLO_VERSION = 600;
const ACL_VERSION = 600;
const CLIENT_ID_VERSION = 500;

/** Channels of a proxy's own, of which each proxy has one. */
const OWN_CHANNELS = '&__sidetrack__:*';

/** A right that is there or not, by the answer to one request. */
interface Right {
  readonly id: FindingId;
  readonly request: readonly [string, ...string[]];
  /** What ACL SETUSER has to add, and where the request uses a channel, for that. */
  readonly rule: string;
  readonly on?: string;
  /** What follows where it is refused. */
  readonly consequence: string;
  /** The first version that has it; on older servers it is missed by nobody. */
  readonly since?: number;
}

const COMMAND: Right = {
  id: 'command',
  request: ['COMMAND'],
  rule: '+command',
  consequence:
    'The proxy uses its own list of commands: what only this server knows, such as commands of ' +
    'modules, is passed on but not tracked.',
};

const CLIENT_ID: Right = {
  id: 'client-id',
  request: ['CLIENT', 'ID'],
  rule: '+client|id',
  since: CLIENT_ID_VERSION,
  consequence:
    'Clients that log in as this user cannot be the target of REDIRECT. The proxy itself does not ' +
    'need it.',
};

const ACL_GETUSER: Right = {
  id: 'acl-getuser',
  request: ['ACL', 'GETUSER', 'default'],
  rule: '+acl|getuser',
  since: ACL_VERSION,
  consequence:
    'Clients with BCAST are told the names of all keys that change, also of those that their user ' +
    'may not read.',
};

/** What the proxy asks the server for, besides notifications and INFO. */
export async function rightFindings(
  visit: Visit,
  version: number | undefined,
): Promise<readonly Finding[]> {
  const own = `__sidetrack__:${visit.word}`;
  const subscribe: Right = {
    id: 'subscribe',
    request: ['SUBSCRIBE', own],
    rule: '+subscribe',
    on: OWN_CHANNELS,
    consequence: 'Clients with NOLOOP are told of their own writes, too.',
  };
  const publish: Right = {
    id: 'publish',
    request: ['PUBLISH', own, 'check'],
    rule: '+publish',
    on: OWN_CHANNELS,
    consequence:
      'Clients with NOLOOP that log in as this user are told of their own writes, too. The proxy ' +
      'itself does not need it.',
  };
  return [
    ofRight(visit, COMMAND, version, await visit.ask(...COMMAND.request)),
    await psubscribeFinding(visit),
    ofRight(visit, subscribe, version, await visit.listen(...subscribe.request)),
    ofRight(visit, publish, version, await visit.ask(...publish.request)),
    ofRight(visit, CLIENT_ID, version, await visit.ask(...CLIENT_ID.request)),
    ofRight(visit, ACL_GETUSER, version, await visit.ask(...ACL_GETUSER.request)),
  ];
}

function ofRight(
  visit: Visit,
  right: Right,
  version: number | undefined,
  answer: unknown,
): Finding {
  const { id, request, consequence, since = 0 } = right;
  if (!(answer instanceof Error)) {
    return good(
      id,
      id === 'command' && Array.isArray(answer) ? `${answer.length} commands` : 'yes',
    );
  }
  if (version !== undefined && version < since) {
    return good(id, `not there before ${Math.floor(since / 100)}.${since % 100}, nor needed`);
  }
  const fixes = rightFixes(answer, { ...right, user: visit.user, command: request[0] });
  return flaw(id, 'limited', { found: `no: ${answer.message}`, consequence, fixes });
}

async function psubscribeFinding(visit: Visit): Promise<Finding> {
  const answer = await visit.listen('PSUBSCRIBE', PATTERN);
  if (!(answer instanceof Error)) return good('psubscribe', 'yes');
  return flaw('psubscribe', 'missing', {
    found: `no: ${answer.message}`,
    consequence: 'The proxy cannot hear of changes.',
    fixes: rightFixes(answer, {
      user: visit.user,
      command: 'PSUBSCRIBE',
      rule: '+psubscribe',
      on: `&${PATTERN}`,
    }),
  });
}

/** Whether clients may speak RESP3 to the server itself. */
export async function protocolFinding(visit: Visit, version: number | undefined): Promise<Finding> {
  const control = await visit.another(); // HELLO changes how a connection speaks
  try {
    const answer = await control.ask('HELLO', '3');
    if (!(answer instanceof Error)) return good('protocol', 'RESP2 and RESP3');
    const isOld = version !== undefined && version < HELLO_VERSION;
    return flaw('protocol', 'limited', {
      found: isOld ? 'RESP2 only, as before 6.0' : `RESP2 only: ${answer.message}`,
      consequence: 'Clients get RESP3 from the proxy, which translates replies.',
      fixes: rightFixes(answer, { user: visit.user, rule: '+hello', command: 'HELLO' }).filter(
        () => !isOld,
      ),
    });
  } finally {
    control.close();
  }
}

/** Whether clients could track without the proxy, as which user it asks. */
export async function trackingFinding(visit: Visit): Promise<Finding> {
  const answer = await visit.ask('CLIENT', 'TRACKINGINFO');
  const off = answer instanceof Error ? answer : await visit.ask('CLIENT', 'TRACKING', 'OFF');
  if (!(off instanceof Error)) return good('tracking', 'there, and this user may use it');
  return good('tracking', 'not there, or not for this user: the proxy adds it');
}
