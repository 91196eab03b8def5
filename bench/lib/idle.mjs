/** Clients that have said one word and are silent since. */
import { once } from 'node:events';
import { connect } from 'node:net';

/** So many connect at a time. */
const WAVE_COUNT = 100;
const PING = '*1\r\n$4\r\nPING\r\n';

/**
 * @param {number} port
 * @param {number} count
 * @returns {Promise<import('node:net').Socket[]>} connected, each through to Redis
 */
export async function openIdle(port, count) {
  const sockets = [];
  while (sockets.length < count) {
    const wave = Math.min(WAVE_COUNT, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: wave }, () => openOne(port)))));
  }
  return sockets;
}

async function openOne(port) {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  socket.write(PING);
  const [answer] = await once(socket, 'data');
  if (!answer.equals(Buffer.from('+PONG\r\n'))) throw new Error(`PING was answered: ${answer}`);
  return socket;
}

/** @param {readonly import('node:net').Socket[]} sockets */
export async function closeAll(sockets) {
  const closed = sockets.map((socket) => once(socket, 'close'));
  for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
}
