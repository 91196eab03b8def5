import { FlowProducer, type Job, Queue, QueueEvents, Worker } from 'bullmq';
import { BasicClientSideCache, createClient } from 'redis';
import { expect } from 'vitest';
import { addressOf, test as base, eventually } from '../helpers/interop.ts';

/** Everything here goes through the proxy; only `direct` of the helpers does not. */
const test = base
  .extend('connection', async ({ proxy }) => ({ ...addressOf(proxy), maxRetriesPerRequest: null }))
  .extend('queue', async ({ connection, atEnd }) => {
    const queue = new Queue('jobs', { connection });
    atEnd(() => queue.close());
    return queue;
  })
  .extend('work', async ({ connection, atEnd }) => {
    return (process: (job: Job) => Promise<unknown>, concurrency = 1) => {
      const worker = new Worker('jobs', process, { connection, concurrency });
      worker.on('error', () => {});
      atEnd(() => worker.close());
      return worker;
    };
  })
  .extend('events', async ({ connection, atEnd }) => {
    const events = new QueueEvents('jobs', { connection });
    atEnd(() => events.close());
    await events.waitUntilReady();
    return events;
  })
  .extend('cached', async ({ proxy, atEnd }) => {
    const clientSideCache = new BasicClientSideCache();
    const client = createClient({ RESP: 3, socket: addressOf(proxy), clientSideCache });
    client.on('error', () => {});
    await client.connect();
    atEnd(() => client.destroy());
    return { client, clientSideCache };
  });

const JOBS = 300;

test('jobs are each done once, and what a caching client sees of them is true', async ({
  queue,
  work,
  events,
  cached,
  direct,
  heard,
}) => {
  const done = new Map<string, number>();
  const finished: string[] = [];
  events.on('completed', ({ jobId }) => finished.push(jobId));
  const jobs = await queue.addBulk(
    Array.from({ length: JOBS }, (_, n) => ({ name: 'square', data: { n } })),
  );
  const ids = jobs.map(({ id }) => id ?? '');
  const look = () => Promise.all(ids.map((id) => cached.client.hGetAll(`bull:jobs:${id}`)));
  expect((await look()).every(({ finishedOn }) => finishedOn === undefined)).toBe(true);
  const square = async (job: Job) => {
    done.set(job.id ?? '', (done.get(job.id ?? '') ?? 0) + 1);
    return job.data.n ** 2;
  };
  work(square, 5);
  work(square, 5);
  await eventually(async () => {
    await look(); // the client reads on while the workers write
    expect(finished).toHaveLength(JOBS);
  });
  expect([...done.values()].every((times) => times === 1)).toBe(true);
  expect(done.size).toBe(JOBS);
  await heard();
  const truth = await Promise.all(ids.map((id) => direct.hGetAll(`bull:jobs:${id}`)));
  await eventually(async () => {
    const seen = await look();
    expect(seen.map((job) => ({ ...job }))).toEqual(truth.map((job) => ({ ...job })));
  });
  expect(truth.map(({ returnvalue }) => Number(returnvalue))).toEqual(ids.map((_, n) => n ** 2));
  // Each was read again when it had changed, and most looks cost nothing.
  const { hitCount, missCount } = cached.clientSideCache.stats();
  expect(missCount).toBeGreaterThanOrEqual(2 * JOBS);
  expect(hitCount).toBeGreaterThan(0);
  expect(await queue.getJobCounts('completed', 'failed', 'active', 'wait')).toEqual({
    completed: JOBS,
    failed: 0,
    active: 0,
    wait: 0,
  });
});

test('delays, priorities, tries again, progress and a failure', async ({ queue, work, events }) => {
  const order: string[] = [];
  const progress: unknown[] = [];
  const failed: string[] = [];
  events.on('progress', ({ data }) => progress.push(data));
  events.on('failed', ({ failedReason }) => failed.push(failedReason));
  await queue.pause();
  await queue.add('later', {}, { delay: 300 });
  await queue.add('low', {}, { priority: 10 });
  await queue.add('high', {}, { priority: 1 });
  await queue.add(
    'shaky',
    {},
    { priority: 20, attempts: 3, backoff: { type: 'fixed', delay: 20 } },
  );
  await queue.add('hopeless', {}, { priority: 30 });
  work(async (job) => {
    order.push(`${job.name} ${job.attemptsMade}`);
    await job.updateProgress(50);
    if (job.name === 'shaky' && job.attemptsMade < 2) throw new Error('not yet');
    if (job.name === 'hopeless') throw new Error('never');
  });
  await queue.resume();
  await eventually(async () => {
    expect(await queue.getJobCounts('completed', 'failed')).toEqual({ completed: 4, failed: 1 });
  });
  await eventually(() => expect(failed).toEqual(['never']));
  expect(order.indexOf('high 0')).toBeLessThan(order.indexOf('low 0'));
  expect(order.filter((one) => one.startsWith('shaky'))).toEqual(['shaky 0', 'shaky 1', 'shaky 2']);
  expect(order).toContain('later 0');
  await eventually(() => expect(progress).toHaveLength(order.length));
});

test('a parent waits for its children; waitUntilFinished; a scheduler repeats', async ({
  connection,
  queue,
  work,
  events,
  atEnd,
}) => {
  const flows = new FlowProducer({ connection });
  atEnd(() => flows.close());
  const children = [1, 2, 3].map((n) => ({ name: 'child', queueName: 'jobs', data: { n } }));
  const { job } = await flows.add({ name: 'parent', queueName: 'jobs', data: {}, children });
  const repeated: string[] = [];
  work(async (current) => {
    if (current.name === 'child') return current.data.n;
    if (current.name === 'tick') return repeated.push(current.id ?? '');
    const values = Object.values(await current.getChildrenValues());
    return values.reduce((sum: number, value) => sum + Number(value), 0);
  }, 3);
  expect(await job.waitUntilFinished(events, 10_000)).toBe(6);
  await queue.upsertJobScheduler('ticks', { every: 100 }, { name: 'tick' });
  await eventually(() => expect(repeated.length).toBeGreaterThanOrEqual(3));
  expect(await queue.removeJobScheduler('ticks')).toBe(true);
});

test('a worker that is blocked gets the next job, and a stalled job is done by another', async ({
  queue,
  connection,
  atEnd,
  direct,
}) => {
  const done: string[] = [];
  const settings = { connection, lockDuration: 500, stalledInterval: 500 };
  const worker = new Worker('jobs', async (job) => void done.push(job.name), settings);
  worker.on('error', () => {});
  atEnd(() => worker.close());
  await eventually(async () =>
    expect(await direct.info('clients')).toContain('blocked_clients:1\r'),
  );
  await queue.add('first', {});
  await eventually(() => expect(done).toEqual(['first']));
  // What a worker leaves that died with a job: the job is active, and its lock runs out.
  await worker.pause();
  const dead = new Worker('jobs', undefined, { connection, lockDuration: 100, autorun: false });
  atEnd(() => dead.close());
  await queue.add('stalled', {});
  expect((await dead.getNextJob('token'))?.name).toBe('stalled');
  worker.resume();
  await eventually(() => expect(done).toEqual(['first', 'stalled']));
});
