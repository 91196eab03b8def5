import pino from 'pino';
import { describe, expect, test } from 'vitest';
import { createMetrics } from '../../src/admin/metrics.ts';
import { type ErrorCode, ProxyError } from '../../src/errors.ts';
import { Sight } from '../../src/sight.ts';

function setUp() {
  const { counts } = createMetrics();
  return { counts, sight: new Sight(counts, pino({ enabled: false })) };
}

/** Whether upstream can be reached in spite of an error, and how the error is counted. */
const TROUBLES = [
  ['UPSTREAM_UNREACHABLE', false, 'upstreamErrorsConnection'],
  ['UPSTREAM_TIMEOUT', false, 'upstreamErrorsTimeout'],
  ['UPSTREAM_NOT_REDIS', false, 'upstreamErrorsNotRedis'],
  ['UPSTREAM_REFUSED', true, 'upstreamErrorsRefused'],
  ['NOTIFICATIONS_UNAVAILABLE', true, 'upstreamErrorsNotifications'],
  ['UPSTREAM_MOVED', true, 'upstreamErrorsMoved'],
] as const satisfies readonly (readonly [ErrorCode, boolean, string])[];

describe('whether upstream can be reached', () => {
  test('is not known before it was tried', () => {
    expect(setUp().sight.isReachable).toBe(false);
  });

  test.for(TROUBLES)('%s: %s', ([code, isReachable, counter]) => {
    const { sight, counts } = setUp();
    sight.regained('7.0.0', false);
    expect(sight.isReachable).toBe(true);
    sight.lost(new ProxyError(code, 'why'));
    sight.lost(new ProxyError(code, 'why'));
    expect([sight.isReachable, sight.trouble, counts[counter]]).toEqual([isReachable, 'why', 2]);
    sight.regained('7.0.0', false);
    expect([sight.isReachable, sight.trouble]).toEqual([true, undefined]);
  });
});
