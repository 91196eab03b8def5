import { expect, test } from 'vitest';
import { keyOf } from '../../../src/key.ts';
import { OK, pushOf, Rig } from '../../helpers/session-rig.ts';

test.for([['BCAST', 'PREFIX', 'a'], ['NOLOOP']])(
  '%s counts from when nothing else may be in force',
  (options) => {
    const rig = new Rig();
    const client = rig.client();
    client.session.replies.protocol = 3;
    client.send('CLIENT', 'TRACKING', 'ON');
    client.send('GET', 'k');
    client.send('CLIENT', 'TRACKING', 'OFF');
    client.send('CLIENT', 'TRACKING', 'ON', ...options);
    rig.tracker.changed(keyOf('k'), 'write', client.session.tracked.id);
    client.hears('$-1\r\n', '$1\r\nv\r\n');
    expect(client.take()).toBe(`${OK}$1\r\nv\r\n${pushOf('k')}`);
  },
);
