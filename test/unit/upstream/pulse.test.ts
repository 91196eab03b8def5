import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { beating } from '../../../src/upstream/pulse.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('a pulse beats at an interval that may change, until the connection is closed', () => {
  let intervalMs = 100;
  let beats = 0;
  const closings: (Error | undefined)[] = [];
  const listener = beating(
    { received: () => {}, drained: () => {}, closed: (error) => closings.push(error) },
    () => {
      beats += 1;
    },
    () => intervalMs,
  );
  vi.advanceTimersByTime(99);
  expect(beats).toBe(0);
  vi.advanceTimersByTime(1);
  expect(beats).toBe(1);
  intervalMs = 1_000;
  vi.advanceTimersByTime(100);
  expect(beats).toBe(2);
  vi.advanceTimersByTime(999);
  expect(beats).toBe(2);
  vi.advanceTimersByTime(1);
  expect(beats).toBe(3);
  const cause = new Error('gone');
  listener.closed(cause);
  expect(closings).toEqual([cause]);
  expect(vi.getTimerCount()).toBe(0);
});
