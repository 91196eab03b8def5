import { connect, type Socket } from 'node:net';
import type { Target } from '../helpers/raw-client.ts';
import type { Random } from '../simulation/random.ts';

/** What comers do: leave at once, be reset, or track, read a key and leave with the answer. */
export type Errand = 'leaves' | 'is reset' | 'reads';

/** What a storm came to. */
export interface StormResult {
  readonly seconds: number;
  /** How many came and went. */
  readonly count: number;
  /** How many of them could not connect, or were not answered. */
  readonly failed: number;
}

/** How many are on their way at once. Source: our choice; more do not come any faster. */
const AT_ONCE = 64;

/** What a null is in RESP3: the answer to a `GET` of a key that is not there. */
const NULL_REPLY = '_\r\n';

let names = 0;

/** Lets clients come and go as fast as it can, for so long. */
export async function storm(
  target: Target,
  seconds: number,
  errands: readonly Errand[],
  random: Random,
): Promise<StormResult> {
  const startedMs = performance.now();
  const endMs = startedMs + seconds * 1_000;
  let count = 0;
  let failed = 0;
  const comeAndGo = async () => {
    while (performance.now() < endMs) {
      if (!(await visit(target, random.pick(errands)))) failed += 1;
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, comeAndGo));
  return { seconds: (performance.now() - startedMs) / 1_000, count, failed };
}

/** @returns whether it was let in, and was answered if it asked */
async function visit(target: Target, errand: Errand): Promise<boolean> {
  const socket = connect('path' in target ? target : { ...target, host: '127.0.0.1' });
  let isWell = false;
  socket.on('error', () => {}); // 'close' follows
  socket.once('connect', () => {
    isWell = errand !== 'reads';
    if (errand === 'reads') read(socket, () => (isWell = true));
    else if (errand === 'leaves') socket.destroy();
    else socket.resetAndDestroy();
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return isWell;
}

function read(socket: Socket, answered: () => void): void {
  names += 1;
  socket.write(`HELLO 3\r\nCLIENT TRACKING ON\r\nGET storm:${names}\r\n`);
  let last = '';
  socket.on('data', (chunk: Buffer) => {
    last = (last + chunk.toString('latin1')).slice(-NULL_REPLY.length);
    if (last !== NULL_REPLY) return;
    answered();
    socket.destroy();
  });
}
