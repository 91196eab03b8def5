import { describe, expect, test } from 'vitest';
import { HOLD_MAX_BYTES, Hold } from '../../../src/client/hold.ts';

/** A hold, what the client got, and the fences that are raised. */
function rig() {
  const sent: string[] = [];
  const fences: (() => void)[] = [];
  const hold = new Hold(
    { sendClient: (bytes) => sent.push(bytes.toString('latin1')) },
    { counts: { fencedWrites: 0 }, fence: (passed) => fences.push(passed) },
  );
  const send = (text: string) => hold.send(Buffer.from(text, 'latin1'));
  return { hold, sent, fences, send };
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
    expect([sent.length, hold.isHolding, hold.bytes]).toEqual([0, true, 3]);
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
      { sendClient: (bytes) => sent.push(String(bytes)) },
      { counts: { fencedWrites: 0 }, fence: (passed) => passed() },
    );
    hold.begin();
    hold.send(Buffer.from('a'));
    expect([sent, hold.isHolding]).toEqual([['a'], false]);
  });

  test('is passed by what is urgent', () => {
    const { hold, sent, fences, send } = rig();
    hold.begin();
    send('reply');
    hold.sendNow(Buffer.from('push'));
    fences[0]?.();
    expect(sent).toEqual(['push', 'reply']);
  });

  test('says when it is full, and when it is open again', () => {
    const { hold, fences } = rig();
    let opened = 0;
    hold.whenOpen(() => void opened++);
    expect(opened).toBe(1);
    hold.begin();
    hold.send(Buffer.alloc(HOLD_MAX_BYTES));
    expect(hold.isFull).toBe(false);
    hold.send(Buffer.alloc(1));
    expect(hold.isFull).toBe(true);
    hold.whenOpen(() => void opened++);
    expect(opened).toBe(1);
    fences[0]?.();
    expect([opened, hold.isFull]).toEqual([2, false]);
  });
});
