import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { ChildProxy } from './child-proxy.ts';
import { seeded } from './differential.ts';

const PIECE_BYTES = 65_536;

/** How often memory is looked at, in milliseconds. */
const SAMPLE_MS = 10;

/** A piece that is never long in one byte, so that a lost or doubled stretch shows. */
const PIECE = pieceOf(seeded(1));

function pieceOf(random: () => number): Buffer {
  return Buffer.from(Array.from({ length: PIECE_BYTES }, () => Math.floor(random() * 256)));
}

/** The bytes of a large value, piece by piece: it never exists as a whole. */
export function* largeValue(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= PIECE_BYTES) {
    yield PIECE.subarray(0, Math.min(left, PIECE_BYTES));
  }
}

/** @returns what tells a value from any other */
export function digestOf(pieces: Iterable<Buffer>): string {
  const hash = createHash('sha1');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

/** Sends `head`, a large value, and `tail`, no faster than they are taken. */
export async function sendLarge(socket: Socket, head: string, bytes: number, tail: string) {
  socket.write(head);
  for (const piece of largeValue(bytes)) {
    if (!socket.write(piece)) await once(socket, 'drain');
  }
  socket.write(tail);
}

/** @returns what comes next: so many bytes of text (latin1), then a value's digest */
export async function receiveLarge(socket: Socket, headBytes: number, bytes: number) {
  const hash = createHash('sha1');
  let head = '';
  let left = bytes;
  await new Promise<void>((resolve, reject) => {
    const take = (chunk: Buffer) => {
      const headEnd = Math.min(headBytes - head.length, chunk.length);
      head += chunk.toString('latin1', 0, headEnd);
      const body = chunk.subarray(headEnd, headEnd + left);
      hash.update(body);
      left -= body.length;
      if (left > 0 || head.length < headBytes) return;
      socket.pause();
      socket.off('data', take);
      socket.off('close', gone);
      const rest = chunk.subarray(headEnd + body.length);
      if (rest.length > 0) socket.unshift(rest);
      resolve();
    };
    const gone = () => reject(new Error(`the connection ended ${left} bytes of the value early`));
    socket.on('data', take);
    socket.on('close', gone);
    socket.resume();
  });
  return { head, digest: hash.digest('hex') };
}

/** @returns by how many bytes the proxy's memory has grown at most while `work` ran */
export async function growthDuring(proxy: ChildProxy, work: () => Promise<void>): Promise<number> {
  const before = proxy.rssBytes();
  let most = before;
  const sampler = setInterval(() => {
    if (proxy.alive) most = Math.max(most, proxy.rssBytes());
  }, SAMPLE_MS);
  try {
    await work();
  } finally {
    clearInterval(sampler);
  }
  return Math.max(most, proxy.rssBytes()) - before;
}
