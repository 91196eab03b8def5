import { describe, expect, test } from 'vitest';
import { Hold } from '../../../src/client/hold.ts';
import { PASS, PASS_FENCED } from '../../../src/client/ledger.ts';
import { Meter } from '../../../src/client/meter.ts';
import { Outlet } from '../../../src/client/outlet.ts';
import { ReplyReader } from '../../../src/client/replies.ts';
import { keyOf } from '../../../src/key.ts';
import { Tracker } from '../../../src/tracking/tracker.ts';
import { COEFFICIENTS } from '../../helpers/coefficients.ts';
import { pushOf } from '../../helpers/session-rig.ts';

const HALF = '*2\r\n:1\r\n';

/** A RESP3 client that reads slowly, and has got half of the reply to a fenced write. */
function slowInReply() {
  const got: string[] = [];
  const fences: (() => void)[] = [];
  const output = { isBackedUp: true, isSlow: true, whenDrained: () => {} };
  const hold = new Hold(
    { sendClient: (bytes) => got.push(String(bytes)), hasRoom: () => {} },
    {
      counts: { fencedWrites: 0 },
      fence: (passed, settled) =>
        fences.push(() => {
          passed();
          settled();
        }),
    },
  );
  const replies = new ReplyReader(hold);
  replies.protocol = 3;
  const outlet = new Outlet({
    replies,
    hold,
    tracker: new Tracker(0, () => {}, COEFFICIENTS),
    output,
    withheld: () => {},
    meter: new Meter(),
    countExtra: () => {},
    countCollapse: () => {},
  });
  replies.ledger.push(PASS_FENCED);
  replies.feed(Buffer.from(HALF));
  outlet.receive(keyOf('k'));
  const drain = () => {
    Object.assign(output, { isBackedUp: false, isSlow: false });
    outlet.drained();
  };
  const pass = () => {
    for (const fence of fences.splice(0)) fence();
  };
  return { got, hold, replies, outlet, drain, pass };
}

describe('a client that has read all but the end of a reply', () => {
  test('is told at that end', () => {
    const { got, replies, drain, pass } = slowInReply();
    drain();
    pass();
    expect(got).toEqual([]);
    replies.feed(Buffer.from(':2\r\n'));
    // What is held is not waited for either: see Hold.
    expect(got.join('')).toBe(`${pushOf('k')}${HALF}:2\r\n${pushOf('k')}`);
  });

  test('is told at that end also of what came before that reply', () => {
    const { got, replies, outlet, drain, pass } = slowInReply();
    replies.feed(Buffer.from(':2\r\n'));
    pass();
    outlet.receive(keyOf('k2')); // between two replies, but the client has yet to read
    replies.ledger.push(PASS);
    replies.feed(Buffer.from(HALF));
    got.length = 0;
    drain();
    expect(got).toEqual([]);
    replies.feed(Buffer.from(':2\r\n'));
    expect(got.join('')).toContain(pushOf('k2'));
  });

  test.for(['before', 'after'] as const)(
    'gets what there is when its lane is lost, %s it has read',
    (when) => {
      const { got, hold, outlet, drain, pass } = slowInReply();
      if (when === 'after') drain();
      outlet.close();
      if (when === 'before') drain();
      let told = false;
      outlet.whenTold(() => {
        told = true;
      });
      pass();
      expect([got.join(''), hold.isHolding, told]).toEqual([HALF, false, true]);
    },
  );
});
