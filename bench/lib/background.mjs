/**
 * A load in the background, in a process of its own: connections that read and write in turn, at a
 * rate that is the same whatever serves them, so that latencies under it can be compared.
 * Usage: node background.mjs PORT CONNECTIONS COMMANDS_PER_SECOND. It prints `running` when all are
 * connected, and ends with its parent.
 */
import { once } from 'node:events';
import { connect } from 'node:net';

const [port, connectionCount, perSecond] = process.argv.slice(2).map(Number);

const TICK_MS = 2;
const KEY_COUNT = 10_000;
const VALUE = 'v'.repeat(64);
/** So much unanswered, and it waits: a server that lags shall not drown. */
const OWED_MAX_COUNT = 1_000;

let owed = 0;
let sent = 0;
const sockets = [];
for (let index = 0; index < connectionCount; index++) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  socket.on('data', (bytes) => {
    owed -= repliesIn(bytes);
  });
  socket.on('error', () => process.exit(1));
  socket.on('close', () => process.exit(1));
  sockets.push(socket);
}

/** Each reply, `+OK`, `$64` and a value, or `$-1`, begins with one of these, and no value has them. */
function repliesIn(bytes) {
  let replies = 0;
  for (const byte of bytes) if (byte === 0x2b || byte === 0x24) replies += 1;
  return replies;
}

function send() {
  const key = `background:${Math.floor(Math.random() * KEY_COUNT)}`;
  const words = sent % 2 === 0 ? ['GET', key] : ['SET', key, VALUE];
  const texts = words.map((word) => `$${word.length}\r\n${word}\r\n`);
  // Half of the connections would else only read.
  const turn = Math.floor(sent / 2) % connectionCount;
  sockets[turn].write(`*${words.length}\r\n${texts.join('')}`);
  sent += 1;
  owed += 1;
}

const startedMs = performance.now();
let dueFrom = 0;
setInterval(() => {
  const due = Math.floor(((performance.now() - startedMs) * perSecond) / 1_000);
  for (let count = due - dueFrom; count > 0 && owed < OWED_MAX_COUNT; count--) send();
  dueFrom = due;
}, TICK_MS);
console.log('running');
