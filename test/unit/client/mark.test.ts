import { describe, expect, test } from 'vitest';
import { keyOf } from '../../../src/key.ts';
import { OK, type Peer, pushOf, QUEUED, Rig } from '../../helpers/session-rig.ts';

const ABORTED = '-EXECABORT Transaction discarded because of previous errors.\r\n';

/** @returns a client with tracking on, whose transaction with CLIENT TRACKING OFF is in flight */
function inDoubt(rig: Rig, option: 'OPTIN' | 'OPTOUT'): Peer {
  const client = rig.client();
  client.session.replies.protocol = 3;
  client.send('CLIENT', 'TRACKING', 'ON', option);
  client.hears('$-1\r\n');
  client.send('MULTI');
  client.send('CLIENT', 'TRACKING', 'OFF');
  client.send('EXEC');
  return client;
}

/** Reads `k`. @returns what the client is told when it changes */
function toldOf(rig: Rig, client: Peer): string {
  client.hears('$-1\r\n$1\r\nv\r\n');
  client.take();
  rig.tracker.changed(keyOf('k'), 'write');
  return client.take();
}

describe('CLIENT CACHING behind a CLIENT TRACKING whose outcome is open', () => {
  test.for([
    ['OPTIN', 'YES', pushOf('k')],
    // What is tracked unasked does no harm.
    ['OPTOUT', 'NO', pushOf('k')],
  ] as const)(
    'with %s, %s: the read is tracked if the transaction is refused',
    ([option, word, told]) => {
      const rig = new Rig();
      const client = inDoubt(rig, option);
      client.send('CLIENT', 'CACHING', word);
      client.hears(OK, '-NOPERM no\r\n', ABORTED);
      client.send('GET', 'k');
      expect(toldOf(rig, client)).toBe(told);
    },
  );

  test('the mark is used up by a request in between', () => {
    const rig = new Rig();
    const client = inDoubt(rig, 'OPTIN');
    client.send('CLIENT', 'CACHING', 'YES');
    client.send('PING');
    client.hears(OK, '-NOPERM no\r\n', ABORTED, '$-1\r\n', '+PONG\r\n');
    client.send('GET', 'k');
    client.hears('$1\r\nv\r\n');
    client.take();
    rig.tracker.changed(keyOf('k'), 'write');
    expect(client.take()).toBe('');
  });

  test('there is none if the transaction is executed', () => {
    const rig = new Rig();
    const client = inDoubt(rig, 'OPTIN');
    client.send('CLIENT', 'CACHING', 'YES');
    client.hears(OK, QUEUED, '*1\r\n$-1\r\n');
    client.send('GET', 'k');
    expect(toldOf(rig, client)).toBe('');
    expect(client.session.tracked.mark.isSet).toBe(false);
  });
});
