import { ProxyError } from '../errors.ts';

/**
 * The life of a client's connection. Anything that is not listed is a defect.
 *
 * - `connecting`: its lane is being opened; nothing is read from it yet
 * - `serving`
 * - `draining`: the client says nothing more, or is gone, and replies are still owed to somebody
 */
const MOVES = {
  connecting: { upstreamReady: 'serving', upstreamLost: 'closed', clientLeft: 'closed' },
  serving: { upstreamLost: 'closed', clientLeft: 'closed', clientEnded: 'draining' },
  draining: { finished: 'closed', upstreamLost: 'closed', clientLeft: 'closed' },
  closed: {},
} as const satisfies Record<string, Record<string, string>>;

/** Where in its life a connection is. */
export type ClientState = keyof typeof MOVES;
/** What can happen to a connection in one state or another. */
export type ClientEvent = { [S in ClientState]: keyof (typeof MOVES)[S] }[ClientState];

/** @throws ProxyError CLIENT_BAD_EVENT where `event` can't happen in `state` */
export function move(state: ClientState, event: ClientEvent): ClientState {
  const row: Partial<Record<ClientEvent, ClientState>> = MOVES[state];
  const to = row[event];
  if (to === undefined) throw new ProxyError('CLIENT_BAD_EVENT', `${event} while ${state}`);
  return to;
}
