import { describe, expect } from 'vitest';
import { type Scene, type Setting, test } from '../helpers/old-scene.ts';
import { encode } from '../helpers/raw-client.ts';

/** Upstream ends connections that are idle for more than two seconds. */
const IMPATIENT: Setting = { args: ['--timeout', '2'] };

/**
 * Waits until upstream has ended somebody who fell silent later than all others, and then, as it does
 * not look at all clients at once, somebody who came when that was over.
 */
async function idleForLong({ client }: Scene): Promise<void> {
  for (let n = 0; n < 2; n++) await (await client('HELLO 3')).expectClose();
}

describe('where upstream ends idle connections, a RESP3 client', () => {
  test('that is subscribed stays, whatever it is in the midst of', async ({ scene }) => {
    const stage = await scene(IMPATIENT);
    const { client } = stage;
    const plain = await client('HELLO 3', 'SUBSCRIBE ch');
    const blocked = await client('HELLO 3', 'SUBSCRIBE ch');
    const inMulti = await client('HELLO 3', 'SUBSCRIBE ch', 'MULTI', 'ECHO queued');
    const skipping = await client('HELLO 3', 'SUBSCRIBE ch');
    const muted = await client('HELLO 3', 'SUBSCRIBE ch');
    const popped = blocked.call('BLPOP list 0');
    skipping.send(encode('CLIENT REPLY SKIP'));
    muted.send(encode('CLIENT REPLY OFF'));
    await idleForLong(stage);
    expect(await plain.call('ECHO 1')).toBe('"1"');
    expect(await inMulti.call('EXEC')).toBe('*["queued"]');
    skipping.send(encode('ECHO skipped'));
    expect(await skipping.call('ECHO 2')).toBe('"2"');
    muted.send(encode('ECHO 3'));
    expect(await muted.call('CLIENT REPLY ON')).toBe('+OK');
    const other = await client();
    await other.call('RPUSH list x');
    expect(await popped).toBe('*["list" "x"]');
    await other.call('PUBLISH ch x');
    for (const one of [plain, blocked, inMulti, skipping, muted]) {
      expect(await one.sawPushes(1)).toEqual(['>["message" "ch" "x"]']);
    }
  });

  test('that has unsubscribed, or begun anew, does not', async ({ scene }) => {
    const { client, proxy } = await scene(IMPATIENT);
    const unsubscribed = await client('HELLO 3', 'SUBSCRIBE a b', 'PSUBSCRIBE c*');
    const reset = await client('HELLO 3', 'SUBSCRIBE ch');
    const refused = await client('HELLO 3', 'SUBSCRIBE');
    await unsubscribed.pipeline(['PUNSUBSCRIBE', ['UNSUBSCRIBE', 'a', 'b']]);
    expect(await reset.call('RESET')).toBe('+RESET');
    await Promise.all([unsubscribed, reset, refused].map((one) => one.expectClose()));
    expect(proxy.log.filter(({ level }) => level >= 40)).toEqual([]);
  });
});
