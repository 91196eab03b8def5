import { describe, expect, test } from 'vitest';
import { patchClients, patchInfo, patchMaxKeys } from '../../../src/client/reports.ts';
import { keyOf } from '../../../src/key.ts';
import { bulk } from '../../../src/resp/write.ts';
import { OFF, type TrackingState } from '../../../src/tracking/options.ts';
import { Tracker } from '../../../src/tracking/tracker.ts';
import { COEFFICIENTS } from '../../helpers/coefficients.ts';

const IGNORES = { changed: () => {}, changedSome: () => {}, changedAll: () => {} };

/** A tracker with one reader, two keys that it and another have read, and one prefix. */
function busyTracker(): Tracker {
  const tracker = new Tracker(0, () => {}, COEFFICIENTS);
  const [one, other] = [tracker.newId(), tracker.newId()];
  tracker.join(one, IGNORES);
  tracker.countTracking(true);
  for (const id of [one, other]) tracker.remember(keyOf('a'), id);
  tracker.remember(keyOf('b'), one);
  tracker.watch('p:', one);
  return tracker;
}

const lines = (...all: readonly string[]) => all.map((line) => `${line}\r\n`).join('');

/** @returns the text of a reply of INFO, and checks that its length is right */
function patchedInfo(text: string): string {
  const reply = patchInfo(Buffer.from(bulk(text), 'latin1'), busyTracker()).toString('latin1');
  const found = reply.slice(reply.indexOf('\r\n') + 2, -2);
  expect(reply).toBe(bulk(found));
  return found;
}

const TRACKING_STATS = [
  'tracking_total_keys:2',
  'tracking_total_items:3',
  'tracking_total_prefixes:1',
];

describe('INFO', () => {
  test('of 7.0 has our numbers in place of the server’s', () => {
    const info = (clients: number, keys: number, items: number, prefixes: number) =>
      lines(
        '# Clients',
        'connected_clients:7',
        'blocked_clients:0',
        `tracking_clients:${clients}`,
        'clients_in_timeout_table:0',
        '',
        '# Stats',
        'total_connections_received:9',
        `tracking_total_keys:${keys}`,
        `tracking_total_items:${items}`,
        `tracking_total_prefixes:${prefixes}`,
        'unexpected_error_replies:0',
        '',
        '# CPU',
        'used_cpu_sys:0.1',
      );
    expect(patchedInfo(info(0, 0, 0, 0))).toBe(info(1, 2, 3, 1));
    expect(patchedInfo(info(1234, 99, 99, 99))).toBe(info(1, 2, 3, 1));
  });

  test('of 5.0 gets them where 7.0 has them', () => {
    const before = lines(
      '# Server',
      'redis_version:5.0.14',
      '',
      '# Clients',
      'connected_clients:7',
      'blocked_clients:0',
      '',
      '# Stats',
      'total_connections_received:9',
      'active_defrag_key_misses:0',
      '',
      '# Replication',
      'role:master',
    );
    const after = before
      .replace('blocked_clients:0\r\n', (line) => `${line}tracking_clients:1\r\n`)
      .replace('key_misses:0\r\n', (line) => line + lines(...TRACKING_STATS));
    expect(patchedInfo(before)).toBe(after);
  });

  test('of 5.0, a section alone gets its own', () => {
    const clients = lines('# Clients', 'connected_clients:7', 'blocked_clients:0');
    expect(patchedInfo(clients)).toBe(`${clients}tracking_clients:1\r\n`);
    const stats = lines('# Stats', 'total_connections_received:9');
    expect(patchedInfo(stats)).toBe(stats + lines(...TRACKING_STATS));
  });

  test.for(['', lines('# Server', 'redis_version:7.0.0'), lines('# Keyspace')])(
    'without these sections stays as it is: %j',
    (text) => expect(patchedInfo(text)).toBe(text),
  );

  test('of RESP3 stays verbatim', () => {
    const reply = (clients: number) => {
      const text = `txt:${lines('# Clients', `tracking_clients:${clients}`)}`;
      return `=${text.length}\r\n${text}\r\n`;
    };
    const patched = patchInfo(Buffer.from(reply(1234)), busyTracker());
    expect(patched.toString('latin1')).toBe(reply(1));
  });

  test.for(['-NOPERM no\r\n', '$-1\r\n', '_\r\n', '+QUEUED\r\n', '*0\r\n'])(
    'answered otherwise stays as it is: %j',
    (text) => {
      const reply = Buffer.from(text);
      expect(patchInfo(reply, busyTracker())).toBe(reply);
    },
  );
});

const ON: TrackingState = { ...OFF, on: true };

/** @returns a line of CLIENT LIST */
const line = (id: number, flags: string, redir: number, name = '') =>
  `id=${id} addr=1.2.3.4:5 laddr=1.2.3.4:6 fd=8 name=${name} age=0 flags=${flags} db=0 user=default redir=${redir} resp=2\n`;

/** @returns the text of a patched CLIENT LIST */
function listed(text: string, states: Readonly<Record<number, TrackingState>>, broken = false) {
  const reply = patchClients(Buffer.from(bulk(text), 'latin1'), (id) => {
    const state = states[id];
    return state === undefined ? undefined : { state, broken };
  }).toString('latin1');
  const found = reply.slice(reply.indexOf('\r\n') + 2, -2);
  expect(reply).toBe(bulk(found));
  return found;
}

describe('CLIENT LIST', () => {
  const FLAGS = [
    { flags: 'N', state: ON, broken: false, patched: 't' },
    { flags: 'N', state: { ...ON, bcast: true }, broken: false, patched: 'tB' },
    { flags: 'N', state: ON, broken: true, patched: 'tR' },
    { flags: 'N', state: { ...ON, bcast: true }, broken: true, patched: 'tRB' },
    { flags: 'P', state: ON, broken: false, patched: 'Pt' },
    { flags: 'xb', state: { ...ON, bcast: true }, broken: false, patched: 'xbtB' },
    { flags: 'xU', state: ON, broken: true, patched: 'xtRU' },
    { flags: 'Pde', state: { ...ON, bcast: true }, broken: true, patched: 'PtRBde' },
    { flags: 't', state: ON, broken: false, patched: 't' },
    // A letter that we do not know stays, at the end.
    { flags: 'xZ', state: ON, broken: false, patched: 'xtZ' },
  ];

  test.for(FLAGS)('has $flags become $patched', ({ flags, state, broken, patched }) => {
    expect(listed(line(3, flags, -1), { 3: state }, broken)).toBe(line(3, patched, 0));
  });

  test('names whom a client redirects to', () => {
    const states = { 3: { ...ON, redirect: 12 } };
    expect(listed(line(3, 'N', -1), states)).toBe(line(3, 't', 12));
  });

  test('changes no other client’s line, nor that of one that does not track', () => {
    const others = [line(1, 'N', -1), line(31, 'S', -1), line(4, 'N', -1)];
    const text = others.join('') + line(3, 'N', -1, 'x');
    const patched = others.join('') + line(3, 't', 0, 'x');
    expect(listed(text, { 3: ON, 4: OFF })).toBe(patched);
  });

  test('is not led astray by names', () => {
    const name = 'flags=N,redir=5,id=9';
    expect(listed(line(3, 'N', -1, name), { 3: ON, 9: ON })).toBe(line(3, 't', 0, name));
  });

  test('of a server that tells no redirection has none', () => {
    expect(listed('id=3 flags=N db=0\n', { 3: ON })).toBe('id=3 flags=t db=0\n');
  });

  test.for(['-ERR syntax error\r\n', '*1\r\n$1\r\nx\r\n'])(
    'answered otherwise stays: %j',
    (text) => {
      const reply = Buffer.from(text);
      expect(patchClients(reply, () => ({ state: ON, broken: false }))).toBe(reply);
    },
  );
});

describe('CONFIG GET of the one setting', () => {
  const OURS = bulk('tracking-table-max-keys');
  const OTHER = bulk('maxmemory') + bulk('0');
  const ROWS = [
    {
      name: 'an array has it',
      reply: `*2\r\n${OURS}${bulk('1')}`,
      patched: `*2\r\n${OURS}${bulk('42')}`,
    },
    {
      name: 'a map has it',
      reply: `%1\r\n${OURS}${bulk('1')}`,
      patched: `%1\r\n${OURS}${bulk('42')}`,
    },
    {
      name: 'it stands among others',
      reply: `%3\r\n${OTHER}${OURS}${bulk('1000000')}${OTHER}`,
      patched: `%3\r\n${OTHER}${OURS}${bulk('42')}${OTHER}`,
    },
    {
      name: 'it was asked for in capitals',
      reply: `*2\r\n${OURS.toUpperCase()}${bulk('1')}`,
      patched: `*2\r\n${OURS.toUpperCase()}${bulk('42')}`,
    },
    {
      name: 'an array lacks it',
      reply: `*2\r\n${OTHER}`,
      patched: `*4\r\n${OTHER}${OURS}${bulk('42')}`,
    },
    {
      name: 'a map lacks it',
      reply: `%1\r\n${OTHER}`,
      patched: `%2\r\n${OTHER}${OURS}${bulk('42')}`,
    },
    { name: 'an array is empty', reply: '*0\r\n', patched: `*2\r\n${OURS}${bulk('42')}` },
    { name: 'a map is empty', reply: '%0\r\n', patched: `%1\r\n${OURS}${bulk('42')}` },
    { name: 'it is refused', reply: '-NOPERM no\r\n', patched: '-NOPERM no\r\n' },
    { name: 'it is queued', reply: '+QUEUED\r\n', patched: '+QUEUED\r\n' },
  ];

  test.for(ROWS)('where $name', ({ reply, patched }) => {
    expect(patchMaxKeys(Buffer.from(reply), 42).toString('latin1')).toBe(patched);
  });
});
