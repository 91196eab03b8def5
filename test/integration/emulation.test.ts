import { describe, expect } from 'vitest';
import { targetOf } from '../helpers/fixtures.ts';
import { oldRedis, test } from '../helpers/old-scene.ts';
import type { Own } from '../helpers/own.ts';
import { encode, type RawClient, type Request } from '../helpers/raw-client.ts';

const RESP2_MAP = /^\*\["server" "redis" "version" "7\.4\.0" "proto" :2 "id" :\d+ /;
const RESP3_MAP =
  /^%\["server" "redis" "version" "7\.4\.0" "proto" :3 "id" :(\d+) "mode" "standalone" "role" "master" "modules" \*\[\]\]$/;
const NOAUTH = '-NOAUTH Authentication required.';
const WRONGPASS = '-WRONGPASS invalid username-password pair or user is disabled.';

describe('HELLO', () => {
  test('is answered with the id of the connection', async ({ scene }) => {
    const { client } = await scene();
    const a = await client();
    const answer = await a.call('HELLO 3');
    expect(answer).toMatch(RESP3_MAP);
    expect(await a.call('CLIENT ID')).toBe(`:${RESP3_MAP.exec(answer)?.[1]}`);
    expect(await a.call('HELLO')).toMatch(RESP3_MAP);
    expect(await a.call('HELLO 2')).toMatch(RESP2_MAP);
    expect(await a.call('HGETALL none')).toBe('*[]');
    expect(await a.call('HELLO 3')).toMatch(RESP3_MAP);
    expect(await a.call('HGETALL none')).toBe('%[]');
  });

  test('without a version leaves RESP2 as it is', async ({ scene }) => {
    const a = await (await scene()).client();
    expect(await a.call('HELLO')).toMatch(RESP2_MAP);
    expect(await a.call('GET none')).toBe('$-1');
  });

  test('sets the name, and takes it away', async ({ scene }) => {
    const a = await (await scene()).client();
    expect(await a.call('HELLO 3 SETNAME me')).toMatch(RESP3_MAP);
    expect(await a.call('CLIENT GETNAME')).toBe('"me"');
    expect(await a.call('HELLO 3 SETNAME "a b"')).toMatch(/^-ERR Client names cannot contain/);
    expect(await a.call('HELLO 3 SETNAME ""')).toMatch(RESP3_MAP);
    expect(await a.call('CLIENT GETNAME')).toBe('_');
  });

  test('whose reply is not wanted takes effect', async ({ scene }) => {
    const a = await (await scene()).client();
    a.send(Buffer.concat(['CLIENT REPLY SKIP', 'HELLO 3', 'GET none'].map(encode)));
    await a.sawBytes('_\r\n');
    expect(a.bytes.toString()).toBe('_\r\n');
    a.send(Buffer.concat(['CLIENT REPLY SKIP', 'HELLO 9', 'PING'].map(encode)));
    await a.sawBytes('+PONG');
    expect(a.bytes.toString()).toBe('_\r\n+PONG\r\n');
    a.send(Buffer.concat(['CLIENT REPLY OFF', 'HELLO 2', 'CLIENT REPLY ON', 'GET no'].map(encode)));
    await a.sawBytes('$-1');
    expect(a.bytes.toString()).toBe('_\r\n+PONG\r\n+OK\r\n$-1\r\n');
  });

  test('inside MULTI waits for EXEC, and what stands behind it is translated', async ({
    scene,
  }) => {
    const a = await (await scene()).client();
    await a.call('HSET h f 1');
    const answers = await a.pipeline([
      ...['MULTI', 'HGETALL h', 'HELLO 3 SETNAME x', 'HGETALL h', 'GET none', 'EXEC'],
      ...['HGETALL h', 'MULTI', 'HELLO 3 WRONG', 'HELLO 2', 'GET none', 'EXEC', 'GET none'],
    ]);
    const maps = answers.map((text) => text.replace(/([%*])\["server".*?\*\[\]\]/, '$1HELLO'));
    expect(maps).toEqual([
      ...['+OK', '+QUEUED', '+QUEUED', '+QUEUED', '+QUEUED'],
      '*[*["f" "1"] %HELLO %["f" "1"] _]',
      ...['%["f" "1"]', '+OK', '+QUEUED', '+QUEUED', '+QUEUED'],
      "*[-ERR Syntax error in HELLO option 'WRONG' *HELLO $-1]",
      '$-1',
    ]);
    expect(await a.call('CLIENT GETNAME')).toBe('"x"');
  });

  test('inside a MULTI that is refused keeps its place', async ({ scene }) => {
    const { direct, client } = await scene();
    await direct.call('ACL SETUSER u on nopass +@all -multi ~* &*');
    await direct.call('HSET h f 1');
    const a = await client('AUTH u x');
    const answers = await a.pipeline(['MULTI', 'HELLO 3', 'HGETALL h', 'ECHO x', 'EXEC', 'PING']);
    expect(answers[0]).toMatch(/^-NOPERM/);
    expect(answers[1]).toMatch(RESP3_MAP);
    expect(answers.slice(2)).toEqual([
      ...['%["f" "1"]', '"x"', '-ERR EXEC without MULTI', '+PONG'],
    ]);
  });

  test('of a RESP2 subscriber is refused', async ({ scene }) => {
    const { client, direct } = await scene();
    const a = await client();
    await a.call('SUBSCRIBE ch');
    expect(await a.call('HELLO 3')).toMatch(/^-ERR Can't execute 'hello': only/);
    expect(await a.call('HELLO 3 AUTH default x')).toMatch(/^-ERR Can't execute 'hello': only/);
    await direct.call('PUBLISH ch x');
    expect(await a.sawPushes(1)).toEqual(['*["message" "ch" "x"]']);
  });

  test('2 of a RESP3 subscriber is refused', async ({ scene }) => {
    const { client, direct } = await scene();
    const a = await client('HELLO 3', 'SUBSCRIBE ch');
    expect(await a.call('HELLO 2')).toMatch(/^-ERR unsubscribe first/);
    await direct.call('PUBLISH ch x');
    expect(await a.sawPushes(1)).toEqual(['>["message" "ch" "x"]']);
    expect(await a.call('UNSUBSCRIBE')).toBe('>["unsubscribe" "ch" :0]');
    expect(await a.call('HELLO 2')).toMatch(RESP2_MAP);
  });
});

describe('with a password', () => {
  async function locked(own: Own) {
    const redis = await oldRedis(own, ['--requirepass', 'pw']);
    const direct = await own.client(targetOf(redis), 'AUTH pw');
    const proxy = await own.proxy(redis.url.replace('://', '://:pw@'));
    const client = (...requests: readonly Request[]) => own.client(proxy.target, ...requests);
    return { direct, client };
  }

  test('HELLO logs in, or says why not', async ({ own }) => {
    const { client } = await locked(own);
    const a = await client();
    expect(await a.call('HELLO 3')).toMatch(
      /^-NOAUTH HELLO must be called with the client already/,
    );
    expect(await a.call('HELLO 4')).toMatch(/^-NOPROTO/);
    expect(await a.call('GET k')).toBe(NOAUTH);
    expect(await a.call('SUBSCRIBE ch')).toBe(NOAUTH);
    expect(await a.call('HELLO 3 AUTH default no')).toBe(WRONGPASS);
    expect(await a.call('HELLO 3 AUTH nobody pw')).toBe(WRONGPASS);
    expect(await a.call('HELLO 3 SETNAME x')).toMatch(/^-NOAUTH HELLO must be called/);
    expect(await a.call('GET k')).toBe(NOAUTH);
    const answers = await a.pipeline(['HELLO 3 AUTH default pw SETNAME me', 'CLIENT GETNAME']);
    expect(answers[0]).toMatch(RESP3_MAP);
    expect(answers[0]).not.toContain('"id" :0 ');
    expect(answers[1]).toBe('"me"');
    expect(await a.call('GET k')).toBe('_');
  });

  test.for<readonly [string, readonly Request[]]>([
    ['HELLO logs in', ['HELLO 3 AUTH default pw']],
    ['AUTH does, and HELLO comes later', ['AUTH pw', 'HELLO 3']],
    ['AUTH names the user', ['AUTH default pw', 'HELLO 3']],
  ])('%s: subscriptions and tracking work', async ([, requests], { own }) => {
    const { client, direct } = await locked(own);
    const a = await client(...requests, 'SUBSCRIBE ch', 'CLIENT TRACKING ON', 'GET k');
    await direct.pipeline(['SET k 1', 'PUBLISH ch x']);
    const pushes = await a.sawPushes(2);
    expect([...pushes].sort()).toEqual(['>["invalidate" *["k"]]', '>["message" "ch" "x"]']);
  });

  test('a password that has changed since ends what can no longer be heard', async ({ own }) => {
    const { client, direct } = await locked(own);
    const a = await client('HELLO 3 AUTH default pw');
    await direct.call('CONFIG SET requirepass new');
    a.send(encode('SUBSCRIBE ch'));
    expect(await a.expectClose()).not.toContain('subscribe');
  });
});

describe('users', () => {
  const users = async (direct: RawClient) => {
    await direct.call(['ACL', 'SETUSER', 'anna', 'on', '>pa', '+@all', '~*', '&a*']);
    await direct.call(['ACL', 'SETUSER', 'bert', 'on', '>pb', '+@all', '~*', '&b*']);
  };

  test('subscribe with their own rights and no others', async ({ scene }) => {
    const { client, direct } = await scene();
    await users(direct);
    const a = await client('AUTH anna pa', 'HELLO 3');
    expect(await a.call('SUBSCRIBE b1')).toMatch(/^-NOPERM/);
    expect(await a.call('SUBSCRIBE a1')).toBe('>["subscribe" "a1" :1]');
    expect(await a.call('AUTH bert pb')).toBe('+OK');
    expect(await a.call('SUBSCRIBE b1')).toMatch(/^-ERR unsubscribe first/);
    expect(await a.call('UNSUBSCRIBE a1')).toBe('>["unsubscribe" "a1" :0]');
    expect(await a.call('SUBSCRIBE a1')).toMatch(/^-NOPERM/);
    expect(await a.call('SUBSCRIBE b1')).toBe('>["subscribe" "b1" :1]');
  });

  test('may subscribe without the right to anything else', async ({ scene }) => {
    const { client, direct } = await scene();
    await direct.call('ACL SETUSER poor on nopass -@all +subscribe &*');
    const a = await client('AUTH poor x', 'HELLO 3');
    expect(await a.call('SUBSCRIBE ch')).toBe('>["subscribe" "ch" :1]');
    await direct.call('PUBLISH ch x');
    expect(await a.sawPushes(1)).toEqual(['>["message" "ch" "x"]']);
  });
});

describe('RESET', () => {
  test.for<readonly [string, readonly string[]]>([
    ['that upstream knows', []],
    ['that it does not know', ['--rename-command', 'RESET', '']],
  ])('%s ends it all', async ([, args], { scene }) => {
    const { client, direct, listening } = await scene({ args });
    const a = await client('HELLO 3 SETNAME me', 'SELECT 3', 'SUBSCRIBE ch', 'CLIENT TRACKING ON');
    await a.pipeline(['SET here 3', 'WATCH w', 'GET k', 'MULTI', 'GET k']);
    await listening(1);
    expect(await a.pipeline(['RESET', 'GET here', 'EXEC', 'CLIENT GETNAME'])).toEqual([
      '+RESET',
      '$-1',
      '-ERR EXEC without MULTI',
      '$-1',
    ]);
    await listening(0);
    await direct.pipeline(['SET k 1', 'PUBLISH ch x']);
    expect(await a.call('HELLO 3')).toMatch(RESP3_MAP);
    expect(await a.call('CLIENT TRACKINGINFO')).toContain('~["off"]');
    expect(a.pushes).toEqual([]);
    await a.call('SUBSCRIBE ch');
    await direct.call('PUBLISH ch y');
    expect(await a.sawPushes(1)).toEqual(['>["message" "ch" "y"]']);
  });

  test('that upstream does not know is said though replies are off', async ({ scene }) => {
    const { client } = await scene({ args: ['--rename-command', 'RESET', ''] });
    const a = await client('HELLO 3');
    a.send(Buffer.concat(['CLIENT REPLY OFF', 'GET k', 'RESET', 'GET k'].map(encode)));
    expect(await a.sawBytes('$-1')).toMatch(/\r\n\+RESET\r\n\$-1\r\n$/);
    const b = await client('HELLO 3');
    b.send(Buffer.concat(['CLIENT REPLY SKIP', 'RESET', 'GET k'].map(encode)));
    expect(await b.sawBytes('$-1')).not.toContain('RESET');
  });

  test('that upstream does not know leaves the user, and what the user may hear', async ({
    scene,
  }) => {
    const { client, direct } = await scene({ args: ['--rename-command', 'RESET', ''] });
    await direct.call(['ACL', 'SETUSER', 'anna', 'on', '>pa', '+@all', '~a*', '&a*']);
    const a = await client('HELLO 3 AUTH anna pa', 'RESET', 'HELLO 3');
    expect(await a.call('ACL WHOAMI')).toBe('"anna"');
    expect(await a.call('SUBSCRIBE b')).toMatch(/^-NOPERM/);
    await a.call('CLIENT TRACKING ON BCAST');
    await direct.pipeline(['SET b 1', 'SET a 1']);
    expect(await a.sawPushes(1)).toEqual(['>["invalidate" *["a"]]']);
  });

  test('after a login forgets it', async ({ scene }) => {
    const { client, direct } = await scene();
    await direct.call(['ACL', 'SETUSER', 'anna', 'on', '>pa', '+@all', '~*', '&a*']);
    const a = await client('HELLO 3 AUTH anna pa', 'RESET', 'HELLO 3');
    expect(await a.call('ACL WHOAMI')).toBe('"default"');
    expect(await a.call('SUBSCRIBE b')).toBe('>["subscribe" "b" :1]');
  });
});
