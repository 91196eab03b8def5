import { describe, expect } from 'vitest';
import { type Scene, test } from '../helpers/old-scene.ts';
import { encode, RawClient, type Request } from '../helpers/raw-client.ts';

/** One piece of a pipeline. */
function together(...requests: readonly Request[]): Buffer {
  return Buffer.concat(requests.map(encode));
}

/** @returns messages of `ch`, as pushes */
function messages(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, n) => `>["message" "ch" "${from + n}"]`);
}

/** Publishes what a client should hear next. */
function publish({ direct }: Scene, from: number, to: number): Promise<readonly string[]> {
  const requests = Array.from({ length: to - from }, (_, n) => `PUBLISH ch ${from + n}`);
  return direct.pipeline(requests);
}

describe('a RESP3 subscriber', () => {
  test('goes on with everything else', async ({ scene }) => {
    const { client, direct } = await scene();
    const a = await client('HELLO 3');
    expect(await a.call('SUBSCRIBE one two')).toBe(
      '>["subscribe" "one" :1] >["subscribe" "two" :2]',
    );
    expect(await a.call('PSUBSCRIBE t*')).toBe('>["psubscribe" "t*" :3]');
    expect(await a.pipeline(['HSET h f 1', 'HGETALL h', 'PING', 'PING x'])).toEqual([
      ':1',
      '%["f" "1"]',
      '+PONG',
      '"x"',
    ]);
    expect(await a.pipeline(['MULTI', 'HGETALL h', 'EXEC'])).toEqual([
      '+OK',
      '+QUEUED',
      '*[%["f" "1"]]',
    ]);
    await direct.call('PUBLISH two x');
    expect(await a.sawPushes(2)).toEqual([
      '>["message" "two" "x"]',
      '>["pmessage" "t*" "two" "x"]',
    ]);
    expect(await a.call('PUBLISH one y')).toBe(':1');
    expect((await a.sawPushes(3))[2]).toBe('>["message" "one" "y"]');
  });

  test('unsubscribes from what it names, and from all', async ({ scene }) => {
    const { client, listening, direct } = await scene();
    const a = await client('HELLO 3');
    expect(await a.call('UNSUBSCRIBE')).toBe('>["unsubscribe" _ :0]');
    expect(await a.call('UNSUBSCRIBE x y')).toBe('>["unsubscribe" "x" :0] >["unsubscribe" "y" :0]');
    await a.pipeline(['SUBSCRIBE a b c', 'PSUBSCRIBE p*']);
    expect(await a.call('UNSUBSCRIBE b none')).toBe(
      '>["unsubscribe" "b" :3] >["unsubscribe" "none" :3]',
    );
    expect((await a.call('UNSUBSCRIBE', 2)).split(' >')).toHaveLength(2);
    await direct.call('PUBLISH a x');
    expect(await a.call('PUNSUBSCRIBE')).toBe('>["punsubscribe" "p*" :0]');
    await listening(0);
    expect(await a.call('PUNSUBSCRIBE')).toBe('>["punsubscribe" _ :0]');
    expect(await a.call('SUBSCRIBE again')).toBe('>["subscribe" "again" :1]');
    await direct.call('PUBLISH again x');
    expect(await a.sawPushes(1)).toEqual(['>["message" "again" "x"]']);
  });

  test('gets replies and confirmations in the order of its pipeline', async ({ scene }) => {
    const a = await (await scene()).client('HELLO 3', 'SET k v');
    const requests: Request[] = [];
    const wanted: string[] = [];
    for (let n = 0; n < 50; n++) {
      requests.push('GET k', `SUBSCRIBE c${n}`, 'GET none', `UNSUBSCRIBE c${n}`, 'HGETALL none');
      wanted.push('"v"', `>["subscribe" "c${n}" :1]`, '_', `>["unsubscribe" "c${n}" :0]`, '%[]');
    }
    expect(await a.pipeline(requests)).toEqual(wanted);
  });

  test('is refused inside MULTI, which is spoilt', async ({ scene }) => {
    const a = await (await scene()).client('HELLO 3');
    expect(await a.pipeline(['MULTI', 'SUBSCRIBE ch', 'PING', 'EXEC', 'PING'])).toEqual([
      '+OK',
      '-ERR Command not allowed inside a transaction',
      '+QUEUED',
      '-EXECABORT Transaction discarded because of previous errors.',
      '+PONG',
    ]);
  });

  test('hears sharded channels', async ({ scene }) => {
    const { client, direct } = await scene();
    const a = await client('HELLO 3');
    expect(await a.call('SSUBSCRIBE s')).toBe('>["ssubscribe" "s" :1]');
    await direct.call('SPUBLISH s x');
    await a.sawBytes('smessage');
    expect(await a.call('SUNSUBSCRIBE')).toBe('>["sunsubscribe" "s" :0]');
  });

  test('gets confirmations and messages while replies are off, and no errors', async ({
    scene,
  }) => {
    const { client, direct } = await scene();
    const a = await client('HELLO 3');
    const before = a.frames.length;
    a.send(together('CLIENT REPLY OFF', 'SUBSCRIBE', 'GET k', 'SUBSCRIBE ch', 'UNSUBSCRIBE no'));
    await a.sawFrames(before + 2);
    await direct.call('PUBLISH ch x');
    await a.sawPushes(1);
    a.send(encode('CLIENT REPLY ON'));
    await a.sawFrames(before + 4);
    expect(a.frames.slice(before).map(({ text }) => text)).toEqual([
      '>["subscribe" "ch" :1]',
      '>["unsubscribe" "no" :1]',
      '>["message" "ch" "x"]',
      '+OK',
    ]);
  });

  test('whose refusal was to be skipped gets none', async ({ scene }) => {
    const { client, direct } = await scene();
    await direct.call(['ACL', 'SETUSER', 'anna', 'on', '>pa', '+@all', '~*', '&a*']);
    const a = await client('HELLO 3 AUTH anna pa');
    expect(await a.pipeline(['PING'])).toEqual(['+PONG']);
    const before = a.frames.length;
    a.send(together('CLIENT REPLY SKIP', 'SUBSCRIBE b', 'ECHO 1', 'CLIENT REPLY SKIP', 'GET k'));
    a.send(together('SUBSCRIBE a', 'ECHO 2'));
    await a.sawFrames(before + 3);
    expect(a.frames.slice(before).map(({ text }) => text)).toEqual([
      '"1"',
      '>["subscribe" "a" :1]',
      '"2"',
    ]);
  });

  test('that has shut down its side gets what it has asked for', async ({ scene }) => {
    const { client, listening } = await scene();
    const a = await client('HELLO 3');
    a.send(together('SUBSCRIBE ch', 'GET none'));
    a.end();
    expect(await a.expectClose()).toMatch(/\$2\r\nch\r\n:1\r\n_\r\n$/);
    await listening(0);
  });

  test('takes its listening connection along when it leaves', async ({ scene }) => {
    const { client, listening } = await scene();
    const all = await Promise.all([1, 2, 3].map(() => client('HELLO 3', 'SUBSCRIBE ch')));
    await listening(3);
    all[0]?.close();
    all[1]?.end();
    all[2]?.send(encode('QUIT'));
    await listening(0);
  });

  test('is disconnected when what it listens on is lost', async ({ scene }) => {
    const { client, hop, listening, proxy } = await scene();
    const a = await client('HELLO 3', 'SUBSCRIBE lost');
    const b = await client('HELLO 3', 'SUBSCRIBE kept');
    hop.of('lost').cut();
    await a.expectClose();
    expect(await b.call('PING')).toBe('+PONG');
    await listening(1);
    expect(proxy.log.filter(({ level }) => level >= 50)).toEqual([]);
  });

  test('is disconnected when upstream kills that', async ({ scene }) => {
    const { client, direct } = await scene();
    const a = await client('HELLO 3', 'SUBSCRIBE lost');
    const list = await direct.call('CLIENT LIST TYPE pubsub');
    const ids = [...list.matchAll(/id=(\d+) [^\\]* cmd=subscribe /g)].map(([, id]) => Number(id));
    await direct.call(`CLIENT KILL ID ${Math.max(...ids)}`);
    await a.expectClose();
  });

  test.for([
    ['what is no RESP', '!bad\r\n'],
    ['a reply that nobody asked for', ':1\r\n'],
    ['RESP3', '>3\r\n$7\r\nmessage\r\n$2\r\nch\r\n_\r\n'],
  ])('that is sent %s ends alone', async ([, bytes = ''], { scene }) => {
    const { client, hop, proxy } = await scene();
    const a = await client('HELLO 3', 'SUBSCRIBE broken');
    const b = await client('HELLO 3', 'SUBSCRIBE well');
    hop.of('broken').inject('down', bytes);
    await a.expectClose();
    expect(await b.call('PING')).toBe('+PONG');
    expect(proxy.ready.ok).toBe(true);
  });

  test('that is sent a message of more than 64 MB ends alone', async ({ scene }) => {
    const { client, direct, proxy } = await scene();
    await direct.call(['CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 0 0 0']);
    const a = await client('HELLO 3', 'SUBSCRIBE ch');
    const b = await client('HELLO 3', 'SUBSCRIBE other');
    await direct.call(['PUBLISH', 'ch', Buffer.alloc(65 * 2 ** 20, 'x')]);
    await a.expectClose();
    await direct.call(['PUBLISH', 'other', 'x']);
    expect(await b.sawPushes(1)).toEqual(['>["message" "other" "x"]']);
    expect(proxy.log.filter(({ level }) => level >= 50)).toEqual([]);
  });
});

describe('messages', () => {
  test('never stand inside a reply', async ({ scene }) => {
    const stage = await scene();
    const a = await stage.client('HELLO 3 SETNAME reader', 'SUBSCRIBE ch');
    const witness = await stage.client('SUBSCRIBE ch');
    const lane = stage.hop.of('\r\nreader\r\n');
    for (const [n, [head, tail]] of HALVES.entries()) {
      lane.pause('up');
      a.send(encode('HGETALL k'));
      lane.inject('down', head);
      await publish(stage, n, n + 1);
      await witness.sawPushes(n + 1);
      const before = a.frames.length;
      lane.inject('down', tail);
      await a.sawFrames(before + 2);
      expect(a.frames.slice(before).map(({ kind }) => kind)).toEqual(['reply', 'push']);
    }
    expect(a.pushes).toEqual(messages(0, HALVES.length));
  });

  const HALVES = [
    ['*4\r\n$1\r\nf\r\n$4\r\nab', 'cd\r\n$1\r\ng\r\n$1\r\n1\r\n'],
    ['*2\r\n', '$1\r\nf\r\n$1\r\ng\r\n'],
    ['*', '0\r\n'],
    ['*2\r\n$1\r\nf\r\n$-', '1\r\n'],
    ['-ERR ', 'x\r\n'],
  ] as const;

  test('come whole and in order, however many', async ({ scene }) => {
    const stage = await scene();
    const a = await stage.client('HELLO 3', 'SUBSCRIBE ch');
    const b = await stage.client('HELLO 3', 'PSUBSCRIBE c*', 'SUBSCRIBE other');
    const replies = a.pipeline(Array.from({ length: 2_000 }, (_, n) => `ECHO ${n}`));
    await publish(stage, 0, 5_000);
    expect(await a.sawPushes(5_000)).toEqual(messages(0, 5_000));
    expect((await replies).every((text, n) => text === `"${n}"`)).toBe(true);
    expect(await b.sawPushes(5_000)).toHaveLength(5_000);
  });

  test('of any bytes, cut anywhere, are as they were', async ({ scene }) => {
    const { client, direct } = await scene();
    const a = await client('HELLO 3', 'SUBSCRIBE ch');
    const values = [0, 1, 2, 100, 65_000, 65_536, 131_072, 1_000_003].map((length) =>
      Buffer.from(Array.from({ length }, (_, n) => (n * 7 + length) % 256)),
    );
    await direct.pipeline(values.map((value) => ['PUBLISH', 'ch', value]));
    await a.sawPushes(values.length);
    const heard = a.frames
      .filter(({ kind }) => kind === 'push')
      .map(({ reply }) => reply.items?.[2]);
    for (const [n, value] of values.entries()) {
      expect(Buffer.from(heard[n]?.text ?? '', 'latin1').equals(value), `${value.length}`).toBe(
        true,
      );
    }
  });

  test('wait upstream for a client that does not read', async ({ scene }) => {
    const { client, direct, proxy } = await scene();
    await direct.call(['CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 0 0 0']);
    const a = await client('HELLO 3', 'SUBSCRIBE ch');
    a.socket.pause();
    const { bytesOut } = proxy.metrics.counts;
    const value = Buffer.alloc(65_536, 'x');
    for (let n = 0; n < 4; n++) {
      await direct.pipeline(Array.from({ length: 64 }, () => ['PUBLISH', 'ch', value]));
    }
    expect(proxy.metrics.counts.bytesOut - bytesOut).toBeLessThan(8 * 2 ** 20);
    a.socket.resume();
    await a.sawPushes(256);
    expect(await a.call('PING')).toBe('+PONG');
  });

  test('stand behind the replies that a fence holds', async ({ scene }) => {
    const stage = await scene({ proxy: { fenceWrites: true } });
    const a = await stage.client('HELLO 3', 'SUBSCRIBE ch');
    const witness = await stage.client('SUBSCRIBE ch');
    const source = stage.hop.of('PSUBSCRIBE');
    source.pause('down');
    const before = a.frames.length;
    a.send(encode('SET k 1'));
    await publish(stage, 0, 1);
    await witness.sawPushes(1);
    source.resume('down');
    await a.sawFrames(before + 2);
    expect(a.frames.slice(before).map(({ text }) => text)).toContain('+OK');
    expect(await a.call('GET k')).toBe('"1"');
  });
});

describe('a redirection to a RESP3 subscriber', () => {
  test.for(['HELLO 2', 'HELLO 3'])('from a client that said %s', async (hello, { scene }) => {
    const { client, direct } = await scene();
    const b = await client('HELLO 3', 'SUBSCRIBE ch', 'SUBSCRIBE __redis__:invalidate');
    const id = (await b.call('CLIENT ID')).slice(1);
    const a = await client(hello, `CLIENT TRACKING ON REDIRECT ${id}`, 'GET k');
    await direct.pipeline(['SET k 1', 'PUBLISH ch x']);
    expect([...(await b.sawPushes(2))].sort()).toEqual([
      '>["invalidate" *["k"]]',
      '>["message" "ch" "x"]',
    ]);
    expect(a.pushes).toEqual([]);
    b.close();
    await a.call('GET k');
    await direct.call('SET k 2');
    if (hello === 'HELLO 3') {
      expect(await a.sawPushes(1)).toEqual([`>["tracking-redir-broken" :${id}]`]);
    }
  });
});

test('a RESP2 subscriber is served as ever', async ({ scene }) => {
  const { client, direct } = await scene();
  const a = await client();
  expect(await a.call('SUBSCRIBE ch')).toBe('*["subscribe" "ch" :1]');
  expect(await a.call('GET k')).toMatch(/^-ERR Can't execute 'get'/);
  await direct.call('PUBLISH ch x');
  expect(await a.sawPushes(1)).toEqual(['*["message" "ch" "x"]']);
  expect(await a.call('UNSUBSCRIBE')).toBe('*["unsubscribe" "ch" :0]');
  expect(await a.call('HELLO 3')).toMatch(/^%/);
});

test('a client that leaves while it subscribes leaves nothing behind', async ({ scene }) => {
  const { proxy, listening, direct } = await scene();
  for (let n = 0; n < 20; n++) {
    const a = await RawClient.connect(proxy.target);
    a.send(together('HELLO 3', 'SUBSCRIBE ch', 'SUBSCRIBE other'));
    if (n % 3 === 0) await a.sawBytes('proto');
    if (n % 3 === 1) await a.sawBytes('subscribe');
    a.close();
  }
  await listening(0);
  expect(await direct.call('PUBLISH ch x')).toBe(':0');
});
