import { describe, expect, test } from 'vitest';
import { OK, pushOf, QUEUED, Rig } from '../../helpers/session-rig.ts';

describe('a fenced write that is attributed', () => {
  test('is fenced as well where our MULTI is refused, and it is executed alone', () => {
    const rig = new Rig();
    const writer = rig.client({ fenced: true });
    writer.session.replies.protocol = 3;
    writer.send('CLIENT', 'TRACKING', 'ON', 'NOLOOP');
    writer.hears('$-1\r\n', OK, QUEUED, '*1\r\n:0\r\n');
    writer.take();
    writer.send('SET', 'k', '1');
    expect(writer.sent).toContain('MULTI');
    writer.hears('-NOPERM no\r\n', ':1\r\n', OK, ':1\r\n', '-ERR EXEC without MULTI\r\n');
    expect(rig.fences.length).toBeGreaterThan(0);
    expect(writer.take()).not.toContain(OK);
    for (const passed of rig.fences.splice(0)) passed();
    expect(writer.take()).toContain(OK);
  });
});

test('a write behind CLIENT FENCE-WRITES ON is fenced, also where their MULTI is refused', () => {
  const rig = new Rig();
  const writer = rig.client();
  writer.send('MULTI');
  writer.send('CLIENT', 'FENCE-WRITES', 'ON');
  writer.send('SET', 'k', '1');
  writer.hears('-NOPERM no\r\n', '$-1\r\n', '+OK\r\n');
  expect(writer.take()).toBe('-NOPERM no\r\n+OK\r\n');
  for (const passed of rig.fences.splice(0)) passed();
  expect(writer.take()).toBe('+OK\r\n');
});

test('a read that was in flight through a blind spell is dropped, whatever is in flight behind it', () => {
  const rig = new Rig();
  const reader = rig.client();
  reader.session.replies.protocol = 3;
  reader.send('CLIENT', 'TRACKING', 'ON');
  reader.hears('$-1\r\n');
  reader.take();
  reader.send('GET', 'a');
  reader.send('GET', 'b');
  rig.tracker.loseSight();
  rig.tracker.regainSight();
  reader.hears('$1\r\nv\r\n');
  expect(reader.take()).toBe(`$1\r\nv\r\n${pushOf('a')}`);
});

test('a silent command that waits in MULTI has not been sent yet', () => {
  const rig = new Rig({ version: 500 });
  const client = rig.client();
  client.send('MULTI');
  client.hears(OK);
  client.send('FLUSHALL');
  client.hears(QUEUED);
  expect(rig.log.hasInFlight).toBe(false);
  client.send('EXEC');
  expect(rig.log.hasInFlight).toBe(true);
});

test.for([false, true])(
  'who hears of a write as it passes hears before its fence, translated: %s',
  (is) => {
    const rig = new Rig({ source: 'writes' });
    const reader = rig.reader();
    const writer = rig.client({ fenced: true });
    writer.session.replies.protocol = 3;
    writer.session.replies.translates = is;
    writer.send('GETSET', 'k', 'new');
    writer.hears('$3\r\nol');
    expect(rig.fences).toEqual([]);
    writer.hears('d\r\n');
    expect(rig.fences.length).toBe(1);
    expect(reader.take()).toBe(pushOf('k'));
    expect(writer.take()).toBe('');
    for (const passed of rig.fences.splice(0)) passed();
    expect(writer.take()).toBe('$3\r\nold\r\n');
  },
);
