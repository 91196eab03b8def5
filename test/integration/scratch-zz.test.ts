import { expect, vi } from 'vitest';
import { test, targetOf } from '../helpers/fixtures.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { startRedis } from '../helpers/redis.ts';
import { startProxy } from '../helpers/proxy.ts';
import { encode } from '../helpers/raw-client.ts';

const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms));
for (const via of ['native', 'proxy'] as const) {
  test(`halfclose blpop data ${via}`, async ({ redis, native, proxy, open }) => {
    const w = await RawClient.connect(targetOf(via === 'native' ? native : redis));
    await w.call('RPUSH q x');
    const c = await open(via);
    c.send('PING\r\nBLPOP q 0\r\n');
    c.end();
    const got = await c.expectClose();
    console.log(via, JSON.stringify(got), 'left', await w.call('LRANGE q 0 -1'));
    await w.call('DEL q');
    for (let i = 0; i < 5; i++) {
      const d = await open(via);
      d.send('PING\r\nBLPOP nothing 0\r\n');
      d.end();
      console.log(via, 'ping+blocked', JSON.stringify(await d.expectClose()));
    }
    w.close();
  });
  test(`halfclose hello ${via}`, async ({ open }) => {
    const c = await open(via);
    c.send('HELLO 3\r\nCLIENT ID\r\nMONITOR\r\nPING\r\n');
    c.end();
    console.log(via, JSON.stringify((await c.expectClose()).slice(-60)));
  });
  test(`blocked with reply off etc ${via}`, async ({ open, redis, native, proxy }) => {
    const w = await RawClient.connect(targetOf(via === 'native' ? native : redis));
    for (const tail of ['', 'HELLO 3\r\n', 'MONITOR\r\n', 'x'.repeat(0) + encode(['SET', 'a', Buffer.alloc(4 << 20)]).toString('latin1')]) {
      const c = await open(via);
      c.send('BLPOP nothing 0\r\n' + tail);
      await vi.waitFor(async () => expect(await w.call('INFO clients')).toContain('blocked_clients:1'));
      await sleep(200);
      c.close();
      await sleep(500);
      console.log(via, JSON.stringify(tail.slice(0, 20)), 'blocked after leaving', /blocked_clients:\d+/.exec(await w.call('INFO clients'))?.[0]);
      await w.call('RPUSH nothing 1');
      await sleep(100);
      await w.call('DEL nothing');
    }
    w.close();
  });
}
test('maxclients', async () => {
  for (const tcp of [false, true]) {
    const redis = await startRedis({ tcp });
    const proxy = await startProxy(redis.url);
    const w = await RawClient.connect(targetOf(redis));
    const n = (await w.call('CLIENT LIST')).split('id=').length - 1;
    await w.call(`CONFIG SET maxclients ${n}`);
    for (let i = 0; i < 5; i++) {
      const c = await RawClient.connect(proxy.target);
      console.log(tcp, JSON.stringify(await c.expectClose()));
      const d = await RawClient.connect(targetOf(redis));
      d.send('PING\r\n');
      console.log(tcp, 'native', JSON.stringify(await d.expectClose()));
    }
    w.close();
    await proxy.stop();
    await redis.stop();
  }
});
test('trickle', async ({ open, proxy }) => {
  const c = await open('proxy');
  c.send('QUIT\r\n');
  await c.expectClose();
  let closed = false;
  c.socket.on('close', () => { closed = true; });
  const t = setInterval(() => c.send('x'), 200);
  await sleep(6000);
  clearInterval(t);
  console.log('trickle: closed after 6s?', closed);
  await vi.waitFor(() => expect(closed).toBe(true), { timeout: 5000 });
});
