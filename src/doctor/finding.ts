/** What is looked at, in the order in which it is shown. The names are public: machines read them. */
const TITLES = {
  connection: 'Connection',
  server: 'Server',
  version: 'Version',
  protocol: 'Protocol',
  tracking: 'Native tracking',
  'config-get': 'May CONFIG GET',
  'config-set': 'May CONFIG SET',
  command: 'May COMMAND',
  info: 'May INFO',
  psubscribe: 'May PSUBSCRIBE',
  subscribe: 'May SUBSCRIBE',
  publish: 'May PUBLISH',
  'client-id': 'May CLIENT ID',
  'acl-getuser': 'May ACL GETUSER',
  notifications: 'Notifications',
  proof: 'Proven by a change',
  'output-buffer': 'Output buffer',
  role: 'Role',
  cluster: 'Cluster',
  nodes: 'One node',
  silent: 'Silent commands',
} as const;

/** The name of what was looked at. */
export type FindingId = keyof typeof TITLES;

/**
 * How things stand: `limited` means that the proxy works, with a limit; `missing` that it does not
 * work; `untried` that it could not be found out.
 */
export type FindingState = 'ok' | 'limited' | 'missing' | 'untried';

/** One way to put a thing right. */
export interface Fix {
  /** Where it is done: `redis.conf`, `ACL`, the name of a managed service. */
  readonly where: string;
  /** What to write there, word for word where that can be known. */
  readonly how: string;
}

/** One thing that was looked at. */
export interface Finding {
  readonly id: FindingId;
  /** The same for people. */
  readonly title: string;
  readonly state: FindingState;
  /** What was found, on one line. */
  readonly found: string;
  /** What follows from it; '' where nothing does. */
  readonly consequence: string;
  /** Any of them will do. */
  readonly fixes: readonly Fix[];
}

/** @returns a finding that nobody has to do anything about */
export function good(id: FindingId, found: string): Finding {
  return {
    id,
    title: TITLES[id],
    state: 'ok',
    found: printable(found),
    consequence: '',
    fixes: [],
  };
}

/** @returns a finding that has a consequence */
export function flaw(
  id: FindingId,
  state: Exclude<FindingState, 'ok'>,
  told: { readonly found: string; readonly consequence: string; readonly fixes?: readonly Fix[] },
): Finding {
  const { found, consequence, fixes = [] } = told;
  return { id, title: TITLES[id], state, found: printable(found), consequence, fixes };
}

/** @returns the findings in the order in which they are shown */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const ids = Object.keys(TITLES);
  return findings.toSorted((one, other) => ids.indexOf(one.id) - ids.indexOf(other.id));
}

/** Whether a proxy can stand in front of an upstream of which all this was found. */
export function isUsable(findings: readonly Finding[]): boolean {
  return findings.every(({ state }) => state !== 'missing');
}

/** What a server says may be anything, and is shown on a terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim();
}
