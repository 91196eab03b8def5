import { describe, expect, test } from 'vitest';
import { FenceChoice } from '../../../src/client/fence-choice.ts';

describe('whether writes are fenced', () => {
  test.for([false, true])('by default: %s', (byDefault) => {
    expect(new FenceChoice(byDefault).isOn).toBe(byDefault);
  });

  test('is what was granted last', () => {
    const choice = new FenceChoice(false);
    choice.want(true)(false);
    expect(choice.isOn).toBe(true);
    choice.want(false)(true);
    expect(choice.isOn).toBe(true);
    choice.want(false)(false);
    expect(choice.isOn).toBe(false);
  });

  test('is true while it may be', () => {
    const choice = new FenceChoice(true);
    const off = choice.want(false);
    expect(choice.isOn).toBe(true);
    off(false);
    const [on, offAgain] = [choice.want(true), choice.want(false)];
    expect(choice.isOn).toBe(true);
    on(true);
    expect(choice.isOn).toBe(false);
    offAgain(false);
    expect(choice.isOn).toBe(false);
  });

  test('is not set back by a refusal that comes late', () => {
    const choice = new FenceChoice(false);
    const [off, on] = [choice.want(false), choice.want(true)];
    on(false);
    off(true);
    expect(choice.isOn).toBe(true);
  });

  test('begins anew with RESET, whatever was open', () => {
    const choice = new FenceChoice(false);
    const on = choice.want(true);
    choice.reset();
    on(false);
    expect(choice.isOn).toBe(false);
  });
});
