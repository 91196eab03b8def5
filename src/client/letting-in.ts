import { ProxyError } from '../errors.ts';
import { TYPE } from '../resp/scanner.ts';
import { error, request } from '../resp/write.ts';
import type { Credentials } from '../upstream/credentials.ts';
import { KEEP, type Owed, type Reply } from './ledger.ts';
import { consequent, isStatus } from './owed.ts';
import { DEFAULT_USER } from './parts.ts';

/** Errors by which a server turns a connection away, whatever it was asked. */
const TURNED_AWAY = /^-(ERR max number of clients|DENIED)/;

/** A user that needs no password has it right, whatever it is. */
const NEEDS_NO_PASSWORD = /no password is set|without any password configured/;

const REFUSED = error('ERR the upstream Redis does not let the proxy in, nor whom it logs in');

/** @returns what logs in; a password alone is what every server takes */
export function authRequest({ user, password }: Credentials): Buffer {
  return user === undefined ? request('AUTH', password) : request('AUTH', user, password);
}

/** @returns whether a reply to AUTH, kept, means that one is in */
export function isLetIn(reply: Reply): boolean {
  return isStatus(reply, 'OK') || needsNoPassword(reply);
}

/** @returns whether a reply to AUTH says that nobody needs a password */
export function needsNoPassword(reply: Reply): boolean {
  return NEEDS_NO_PASSWORD.test(textOf(reply));
}

/** @returns whether upstream has answered that it does not want the connection */
export function isTurnedAway(reply: Reply): boolean {
  return TURNED_AWAY.test(textOf(reply));
}

/**
 * The entry for an AUTH of ours, with which a client is logged in. If it is refused the client is told
 * so and disconnected: it is not to go on as somebody else.
 *
 * @param done told as whom it is logged in
 */
export function injectedOwed({ user }: Credentials, done: (user: string) => void): Owed {
  const settle = (reply: Reply) => {
    if (isLetIn(reply)) return 'drop';
    return isTurnedAway(reply) ? 'pass' : REFUSED;
  };
  const after = (reply: Reply) => {
    if (isLetIn(reply)) done(user ?? DEFAULT_USER);
    else if (!isTurnedAway(reply)) throw new ProxyError('UPSTREAM_REFUSED', reasonIn(reply));
  };
  return consequent({ settle, after }, { keep: KEEP.all, drop: true, hidden: true });
}

/** What a server says never holds what it was told. */
function reasonIn(reply: Reply): string {
  return reply.type === TYPE.error ? textOf(reply).slice(1).trim() : 'AUTH has an odd reply';
}

function textOf(reply: Reply): string {
  return reply.bytes?.toString('latin1') ?? '';
}
