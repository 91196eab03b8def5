import { describe, expect } from 'vitest';
import { test } from '../helpers/fixtures.ts';
import { RawClient } from '../helpers/raw-client.ts';

describe('a BCAST client whose user may read some keys only', () => {
  test('is named those of patterns that are no ASCII, too', async ({ redis, proxy }) => {
    const admin = await RawClient.connect({ path: redis.path ?? '' });
    const rules = ['on', 'nopass', '+@all', '&*', '~\xc3\xbc*', '~\xff*', '~z'];
    await admin.call(['ACL', 'SETUSER', 'u\xc3\xbc', ...rules]);
    const reader = await RawClient.connect(proxy.target);
    await reader.call(['HELLO', '3', 'AUTH', 'u\xc3\xbc', 'x']);
    await reader.call('CLIENT TRACKING ON BCAST');
    for (const key of ['\xc3\xbc1', '\xff1', 'hidden', 'z']) await admin.call(['SET', key, '1']);
    const hasHeardOfAll = () => reader.pushes.at(-1)?.includes('"z"') === true;
    await reader.until(hasHeardOfAll, 'the last of the keys');
    expect(
      reader.pushes
        .join(' ')
        .match(/"[^"]+"/g)
        ?.filter((word) => word !== '"invalidate"'),
    ).toEqual(['"\\xc3\\xbc1"', '"\\xff1"', '"z"']);
    reader.close();
    admin.close();
  });
});
