import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { Redis as Valkey } from 'iovalkey';
import { describe, expect } from 'vitest';
import { addressOf, eventually, test } from '../helpers/interop.ts';

interface Place {
  readonly host: string;
  readonly port: number;
}

// See ioredis.test.ts for the types.
const LIBRARIES: readonly { readonly name: string; readonly connect: (to: Place) => Redis }[] = [
  { name: 'ioredis 6 with RESP2', connect: (to) => new Redis({ ...to, protocol: 2 }) },
  { name: 'ioredis 5', connect: (to) => new Redis5(to) as unknown as Redis },
  { name: 'iovalkey', connect: (to) => new Valkey(to) as unknown as Redis },
];

const CHANNEL = '__redis__:invalidate';

describe.each(LIBRARIES)('$name, one connection told of what another reads', ({ connect }) => {
  test('REDIRECT', async ({ proxy, direct, heard, atEnd }) => {
    const [reader, listener] = [connect(addressOf(proxy)), connect(addressOf(proxy))];
    atEnd(() => {
      reader.disconnect();
      listener.disconnect();
    });
    const cache = new Map<string, string | null>();
    const dropped: string[] = [];
    // This event hands over as it came what is an array of keys here, or null, and no text.
    listener.on('messageBuffer', (channel: Buffer, keys: unknown) => {
      expect(String(channel)).toBe(CHANNEL);
      const names = Array.isArray(keys) ? keys.map(String) : [...cache.keys()];
      for (const name of names) {
        cache.delete(name);
        dropped.push(name);
      }
    });
    const id = String(await listener.client('ID'));
    await listener.subscribe(CHANNEL);
    await reader.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id);
    expect(String(await reader.client('GETREDIR'))).toBe(id);
    await direct.mSet({ k: 'old', other: 'stays' });
    await heard();
    for (const key of ['k', 'other']) cache.set(key, await reader.get(key));
    await direct.set('k', 'new');
    await eventually(() => expect(cache).toEqual(new Map([['other', 'stays']])));
    expect(await reader.get('k')).toBe('new');
    await reader.flushall();
    await eventually(() => expect(cache.size).toBe(0));
    expect(dropped).toEqual(['k', 'other']);
  });
});
