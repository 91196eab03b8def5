import { expect } from 'vitest';
import { standOn, test } from '../helpers/interop.ts';
import { WITHOUT_HELLO } from '../helpers/old-upstream.ts';

// All once more in front of a Redis that speaks RESP2 only.
standOn(WITHOUT_HELLO);

await import('./glide.test.ts');
await import('./ioredis.test.ts');
await import('./ioredis-redirect.test.ts');
await import('./node-redis.test.ts');
await import('./node-redis-cache.test.ts');
await import('./redis-cli.test.ts');

test('that Redis does not know HELLO', async ({ direct }) => {
  await expect(direct.sendCommand(['HELLO', '3'])).rejects.toThrow(/unknown command/);
});
