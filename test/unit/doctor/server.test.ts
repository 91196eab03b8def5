import { describe, expect, test } from 'vitest';
import { identify, identityFindings } from '../../../src/doctor/server.ts';

/** What servers say of themselves, less what nobody looks at. */
const SERVERS = [
  ['redis_version:2.8.24\r\nrun_id:a1\r\n', 'Redis', '2.8.24', 208],
  [
    'redis_version:7.4.1\r\nexecutable:/usr/bin/redis-server\r\nrun_id:a1\r\n',
    'Redis',
    '7.4.1',
    704,
  ],
  [
    'redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\nrun_id:a1\r\n',
    'Valkey',
    '8.0.1',
    702,
  ],
  [
    'redis_version:6.3.4\r\nexecutable:/usr/bin/keydb-server\r\nrun_id:a1\r\n',
    'KeyDB',
    '6.3.4',
    603,
  ],
  [
    'redis_version:7.4.0\r\ndragonfly_version:df-v1.27.1\r\nrun_id:a1\r\n',
    'Dragonfly',
    '1.27.1',
    704,
  ],
  ['garnet_version:1.0.50\r\nredis_version:7.2.5\r\nrun_id:a1\r\n', 'Garnet', '1.0.50', 702],
] as const;

describe('who a server is', () => {
  test.for(SERVERS)('%j', ([info, kind, own, version]) => {
    expect(identify(info)).toEqual({ kind, own, version, runId: 'a1' });
  });

  test('is not known where INFO is refused or says something else', () => {
    const nobody = { kind: 'other', own: undefined, version: undefined, runId: undefined };
    expect(identify('')).toEqual(nobody);
    expect(identify('hello:there\r\nredis_version_:1\r\n')).toEqual(nobody);
    expect(identify('redis_version:newest\r\n').version).toBeUndefined();
  });
});

describe('what follows from it', () => {
  const statesOf = (info: string) => identityFindings(identify(info)).map(({ state }) => state);

  test('Redis from 2.8 on, and what is like it, will do', () => {
    for (const [info, kind] of SERVERS) {
      const server = kind === 'Dragonfly' || kind === 'Garnet' ? 'limited' : 'ok';
      expect(statesOf(info)).toEqual([server, 'ok']);
    }
  });

  test('before 2.8 there are no notifications', () => {
    expect(statesOf('redis_version:2.6.17\r\n')).toEqual(['ok', 'missing']);
  });

  test('of one that does not say, nobody can tell', () => {
    expect(statesOf('')).toEqual(['limited', 'limited']);
  });

  test('a server that is like Redis says so', () => {
    const [, version] = identityFindings(identify(SERVERS[2][0]));
    expect(version?.found).toBe('8.0.1 (like Redis 7.2)');
  });
});
