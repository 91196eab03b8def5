import net from 'node:net';
import tls from 'node:tls';
import type { Visit } from './visit.ts';

/** How a server wants to be spoken to. */
export type Speech = 'tls' | 'plain';

/** How long it may take to answer, in milliseconds. Source: our choice; somebody waits for it. */
const DEADLINE_MS = 2_000;

/** How a Redis begins its answer to PING, whatever it is. */
const REDIS = /^(\+PONG|-[A-Z]+ )/;

/**
 * Speaks to a server that could not be spoken to as it was asked for in the other way. It says nothing
 * that is secret.
 *
 * @returns that way, if the server understands it
 */
export async function speechOf(visit: Visit): Promise<Speech | undefined> {
  const { kind } = visit.address;
  if (kind === 'tls') return (await answersPlain(visit)) ? 'plain' : undefined;
  return (await shakesHands(visit)) ? 'tls' : undefined;
}

function answersPlain({ target }: Visit): Promise<boolean> {
  return judged(net.connect(target), (socket, judge) => {
    let answer = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text;
      if (answer.includes('\r\n')) judge(REDIS.test(answer));
    });
    socket.on('connect', () => socket.write('PING\r\n'));
  });
}

/** What its certificate says does not matter here: nothing is sent to it. */
function shakesHands({ target }: Visit): Promise<boolean> {
  const socket = tls.connect({ ...target, rejectUnauthorized: false });
  return judged(socket, (_, judge) => {
    socket.on('secureConnect', () => judge(true));
    // An alert, as for a missing certificate, is TLS too.
    socket.on('error', (error) => judge(/\balert\b/.test(error.message)));
  });
}

/** @returns what `listen` judges; false for a connection that fails, ends or stays silent */
async function judged(
  socket: net.Socket,
  listen: (socket: net.Socket, judge: (answer: boolean) => void) => void,
): Promise<boolean> {
  try {
    return await new Promise((resolve) => {
      socket.setTimeout(DEADLINE_MS, () => resolve(false));
      listen(socket, resolve);
      socket.on('error', () => resolve(false));
      socket.on('close', () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}
