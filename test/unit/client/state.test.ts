import { describe, expect, test } from 'vitest';
import { type ClientEvent, type ClientState, move } from '../../../src/client/state.ts';
import { ProxyError } from '../../../src/errors.ts';

const STATES: readonly ClientState[] = ['connecting', 'serving', 'draining', 'closed'];
const EVENTS: readonly ClientEvent[] = [
  'upstreamReady',
  'upstreamLost',
  'clientEnded',
  'clientLeft',
  'finished',
];

/** @returns the state that follows, or undefined where the event can't happen */
function follows(state: ClientState, event: ClientEvent): ClientState | undefined {
  try {
    return move(state, event);
  } catch (error) {
    if (!(error instanceof ProxyError) || error.code !== 'CLIENT_BAD_EVENT') throw error;
    return undefined;
  }
}

const PAIRS = STATES.flatMap((state) => EVENTS.map((event) => ({ state, event })));

describe('the life of a client', () => {
  test('has these legal moves, and no others', () => {
    const legal = PAIRS.flatMap(({ state, event }) => {
      const to = follows(state, event);
      return to === undefined ? [] : [`${state} --${event}--> ${to}`];
    });
    expect(legal).toMatchInlineSnapshot(`
      [
        "connecting --upstreamReady--> serving",
        "connecting --upstreamLost--> closed",
        "connecting --clientLeft--> closed",
        "serving --upstreamLost--> closed",
        "serving --clientEnded--> draining",
        "serving --clientLeft--> closed",
        "draining --upstreamLost--> closed",
        "draining --clientLeft--> closed",
        "draining --finished--> closed",
      ]
    `);
  });

  test('can end from every state, whichever side goes first', () => {
    for (const state of STATES.filter((state) => state !== 'closed')) {
      expect([follows(state, 'upstreamLost'), follows(state, 'clientLeft')]).toEqual([
        'closed',
        'closed',
      ]);
    }
  });

  test('names what went wrong', () => {
    expect(() => move('closed', 'finished')).toThrow('finished while closed');
  });
});
