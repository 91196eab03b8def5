import { onTestFinished } from 'vitest';
import { RawClient, type Request, type Target } from './raw-client.ts';

/** A client that caches k. */
export interface Follower {
  /** Which kind of client it is. */
  readonly name: string;
  readonly reader: RawClient;
  /** Where its invalidations arrive: itself, or the client to which they are redirected. */
  readonly hears: RawClient;
  /** How it reads k so that it may cache it; the last answer is the value. */
  readonly read: readonly Request[];
  /** What it hears when k has changed. */
  readonly changed: string;
  /** What it hears when everything may have changed. */
  readonly everything: string;
}

/** @returns a client that has sent `requests` and got their answers; it ends with the test */
export async function connectFor(
  target: Target,
  ...requests: readonly Request[]
): Promise<RawClient> {
  const client = await RawClient.connect(target);
  onTestFinished(() => client.close());
  if (requests.length > 0) await client.pipeline(requests);
  return client;
}

/** @returns one client of each kind that caches, each of which has read k */
export async function openFollowers(target: Target): Promise<readonly Follower[]> {
  return [
    await openFollower(target, 'default', 'CLIENT TRACKING ON', ['GET k']),
    await openFollower(target, 'BCAST', 'CLIENT TRACKING ON BCAST PREFIX k', ['GET k']),
    await openFollower(target, 'OPTIN', 'CLIENT TRACKING ON OPTIN', [
      'CLIENT CACHING YES',
      'GET k',
    ]),
    await openRedirected(target),
  ];
}

async function openFollower(
  target: Target,
  name: string,
  tracking: Request,
  read: readonly Request[],
): Promise<Follower> {
  const reader = await connectFor(target, 'HELLO 3', tracking, ...read);
  const pushes = { changed: '>["invalidate" *["k"]]', everything: '>["invalidate" _]' };
  return { name, reader, hears: reader, read, ...pushes };
}

/** @returns a client that speaks RESP2 and redirects to another */
export async function openRedirected(target: Target): Promise<Follower> {
  const hears = await connectFor(target);
  const id = (await hears.call('CLIENT ID')).slice(1);
  await hears.call('SUBSCRIBE __redis__:invalidate');
  return {
    name: 'redirected',
    reader: await connectFor(target, `CLIENT TRACKING ON REDIRECT ${id}`, 'GET k'),
    hears,
    read: ['GET k'],
    changed: '*["message" "__redis__:invalidate" *["k"]]',
    everything: '*["message" "__redis__:invalidate" $-1]',
  };
}

/** @returns how often it has been told to drop everything */
export function dropsOf({ hears, everything }: Follower): number {
  return hears.pushes.filter((push) => push === everything).length;
}

/** Waits until each has been told `count` times, since the beginning, to drop everything. */
export async function sawDrops(
  followers: readonly Follower[],
  count: number,
  deadlineMs?: number,
): Promise<void> {
  const waits = followers.map(async (one) => {
    const what = `everything, ${count} times: ${one.name}`;
    await one.hears.until(() => dropsOf(one) >= count, what, deadlineMs);
  });
  await Promise.all(waits);
}

/**
 * Does what a client that caches does: whenever it is told of a change it reads anew.
 *
 * @returns when what it holds is `value`, as text
 */
export async function holds({ reader, hears, read }: Follower, value: string): Promise<void> {
  for (let seen = 0; ; ) {
    await hears.until(() => hears.pushes.length > seen, `news of ${value}`);
    seen = hears.pushes.length;
    if ((await reader.pipeline(read)).at(-1) === value) return;
  }
}
