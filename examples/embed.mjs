/**
 * A proxy inside a program or a test, and a client that caches through it.
 *
 *   npm install sidetrack redis
 *   node embed.mjs redis://127.0.0.1:6379
 *
 * Without a URL it starts a redis-server of its own, which keeps nothing.
 */
import { once } from 'node:events';
import { BasicClientSideCache, createClient } from 'redis';
import { createProxy } from 'sidetrack';

const proxy = createProxy({ upstream: process.argv[2] ?? 'embedded' });
proxy.on('blind', (reason) => console.log(`changes may be missed: ${reason}`));
proxy.on('failed', (error) => console.log(error.message));

const sighted = once(proxy, 'sighted'); // asked for before it can come
await proxy.start();
await sighted;
console.log('listening on', proxy.address);

const [host, port] = proxy.address.split(':');
const cache = new BasicClientSideCache();
const reader = createClient({
  socket: { host, port: Number(port) },
  RESP: 3,
  clientSideCache: cache,
});
const writer = createClient({ socket: { host, port: Number(port) } });
for (const client of [reader, writer]) client.on('error', () => {});
await Promise.all([reader.connect(), writer.connect()]);

await writer.set('greeting', 'hello');
await reader.get('greeting');
await reader.get('greeting');
const { hitCount, missCount } = cache.stats();
console.log(`read twice: ${hitCount} from the cache, ${missCount} from Redis`);

const invalidated = once(cache, 'invalidate');
const told = once(proxy, 'invalidation');
await writer.set('greeting', 'good day');
await invalidated;
const [count, reason] = await told;
console.log(`${count} invalidation, caused by a ${reason}`);
console.log('read again:', await reader.get('greeting'));

await writer.del('greeting');
await Promise.all([reader.close(), writer.close()]);
await proxy.stop();
console.log('stopped');
