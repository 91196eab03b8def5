import { describe, expect, test } from 'vitest';
import { HOLD_MAX_BYTES, Hold, PIECE_BYTES } from '../../../src/client/hold.ts';

/** A hold, what the client got, and the fences that are raised. */
function rig() {
  const sent: string[] = [];
  const fences: (() => void)[] = [];
  const rooms: number[] = [];
  const hold = new Hold(
    {
      sendClient: (bytes) => sent.push(bytes.toString('latin1')),
      hasRoom: () => rooms.push(hold.bytes),
    },
    {
      counts: { fencedWrites: 0 },
      fence: (passed, settled) =>
        fences.push(() => {
          passed();
          settled();
        }),
    },
  );
  const send = (text: string) => hold.send(Buffer.from(text, 'latin1'));
  // Without a hold it would come behind what has come.
  const push = (text: string) => {
    const isSent = hold.sendNow(Buffer.from(text), Buffer.from('all'));
    send(text);
    return isSent;
  };
  return { hold, sent, fences, rooms, send, push };
}

describe('a hold', () => {
  test('lets everything through until it begins', () => {
    const { hold, sent, send } = rig();
    send('a');
    expect(sent).toEqual(['a']);
    expect([hold.isHolding, hold.bytes, hold.isFull]).toEqual([false, 0, false]);
  });

  test('keeps what follows, in order, until its fence is passed', () => {
    const { hold, sent, fences, send } = rig();
    hold.begin();
    send('a');
    send('bc');
    expect([sent.length, hold.isHolding, hold.bytes]).toEqual([0, true, 3 + 3 * PIECE_BYTES]);
    fences[0]?.();
    expect(sent).toEqual(['a', 'bc']);
    expect([hold.isHolding, hold.bytes]).toEqual([false, 0]);
    send('d');
    expect(sent.at(-1)).toBe('d');
  });

  test('lets go up to the next fenced reply, and never out of order', () => {
    const { hold, sent, fences, send } = rig();
    hold.begin();
    send('1');
    hold.begin();
    send('2');
    hold.begin();
    send('3');
    fences[1]?.();
    expect(sent).toEqual([]);
    fences[0]?.();
    expect(sent).toEqual(['1', '2']);
    expect(hold.isHolding).toBe(true);
    fences[2]?.();
    expect(sent).toEqual(['1', '2', '3']);
  });

  test('holds nothing behind a fence that is passed at once', () => {
    const sent: string[] = [];
    const hold = new Hold(
      { sendClient: (bytes) => sent.push(String(bytes)), hasRoom: () => {} },
      {
        counts: { fencedWrites: 0 },
        fence: (passed, settled) => {
          passed();
          settled();
        },
      },
    );
    hold.begin();
    hold.send(Buffer.from('a'));
    expect([sent, hold.isHolding]).toEqual([['a'], false]);
  });

  test('is passed by an invalidation, which is said again behind what may be an old value', () => {
    const { hold, sent, fences, send, push } = rig();
    hold.begin();
    send('1');
    hold.begin();
    send('2');
    expect(push('k')).toBe(true);
    expect(sent).toEqual(['k']);
    fences[0]?.();
    expect(sent).toEqual(['k', '1', 'k']);
    fences[1]?.();
    expect(sent.slice(3)).toEqual(['2', 'k']); // where it stands as it would without a hold
    expect(hold.isHolding).toBe(false);
  });

  test('says once behind all that leaves together what is to be said again', () => {
    const { hold, sent, fences, send, push } = rig();
    for (const reply of ['1', '2', '3']) {
      hold.begin();
      send(reply);
    }
    push('k');
    push('l');
    fences[1]?.();
    fences[0]?.();
    expect(sent).toEqual(['k', 'l', '1', '2', 'k', 'l']);
    fences[2]?.();
    expect(sent.slice(6)).toEqual(['3', 'k', 'l']);
  });

  test('says that all has changed where too much would have to be said again', () => {
    const { hold, sent, fences, send, push } = rig();
    hold.begin();
    send('1');
    hold.begin();
    const long = 'k'.repeat(HOLD_MAX_BYTES / 2);
    for (const name of [long, long, 'k']) push(name);
    sent.length = 0;
    fences[0]?.();
    expect(sent).toEqual(['1', 'all', 'k']);
  });

  test('lets no invalidation pass a reply without which it can not be read', () => {
    const { hold, sent, fences, send, push } = rig();
    hold.seal(); // nothing is held: it has been sent
    hold.begin();
    send('1');
    hold.begin();
    send('HELLO');
    hold.seal();
    hold.begin();
    send('3');
    expect(push('k')).toBe(false);
    fences[0]?.();
    expect(sent).toEqual(['1']);
    fences[1]?.();
    expect(sent).toEqual(['1', 'HELLO', 'k']);
    expect(push('l')).toBe(true);
    fences[2]?.();
    expect(sent.slice(3)).toEqual(['l', '3', 'k', 'l']);
  });

  test('keeps half a reply while an invalidation waits for its end', () => {
    const { hold, sent, fences, send } = rig();
    hold.untold(); // nothing is held
    hold.begin();
    send('half');
    hold.untold();
    fences[0]?.();
    expect([sent, hold.isHolding]).toEqual([[], true]);
    send(' and half');
    send('k');
    hold.told();
    expect([sent, hold.isHolding]).toEqual([['half', ' and half', 'k'], false]);
  });

  test.for(['before', 'after'] as const)(
    'keeps no more of it than may be held: its fence is passed %s that shows',
    (when) => {
      const { hold, sent, fences, send } = rig();
      hold.begin();
      hold.untold();
      if (when === 'before') fences[0]?.();
      send('a');
      send('b'.repeat(HOLD_MAX_BYTES));
      if (when === 'after') fences[0]?.();
      expect([sent.length, hold.isHolding]).toEqual([2, false]);
    },
  );

  test('says when it is full, and when there is room again though something is still held', () => {
    const { hold, fences, rooms, send } = rig();
    hold.begin();
    send('a'.repeat(HOLD_MAX_BYTES - 2 * PIECE_BYTES));
    expect(hold.isFull).toBe(false);
    hold.begin();
    expect([hold.isFull, rooms]).toEqual([true, []]);
    fences[0]?.();
    expect([hold.isHolding, hold.isFull, rooms]).toEqual([true, false, [PIECE_BYTES]]);
    fences[1]?.();
    expect([hold.bytes, rooms.length]).toEqual([0, 1]);
  });

  test('is full of many short replies, too', () => {
    const { hold, send } = rig();
    for (let count = 0; !hold.isFull; count++) {
      expect(count).toBeLessThan(HOLD_MAX_BYTES / PIECE_BYTES);
      hold.begin();
      send('+OK\r\n');
    }
  });

  test('lets go of 200,000 replies in no time that grows with their square', () => {
    const { hold, fences, send } = rig();
    for (let count = 0; count < 200_000; count++) {
      hold.begin();
      send('+OK\r\n');
    }
    for (const passed of fences) passed();
    expect([hold.isHolding, hold.bytes]).toEqual([false, 0]);
  });

  test('runs what waits for nothing being held', () => {
    const { hold, fences } = rig();
    let opened = 0;
    hold.whenOpen(() => void opened++);
    expect(opened).toBe(1);
    hold.begin();
    hold.whenOpen(() => void opened++);
    expect(opened).toBe(1);
    fences[0]?.();
    expect(opened).toBe(2);
  });
});
