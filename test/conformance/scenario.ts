import { describe } from 'vitest';
import { Fence } from '../helpers/fence.ts';
import { test as base, targetOf } from '../helpers/fixtures.ts';
import { WITHOUT_HELLO } from '../helpers/old-upstream.ts';
import { type RunningProxy, startProxy } from '../helpers/proxy.ts';
import { RawClient, type Target } from '../helpers/raw-client.ts';
import { startRedis } from '../helpers/redis.ts';
import { isPlayedOnOld } from './old-upstream.ts';
import { type Protocol, play, type Stage } from './play.ts';

/** A deliberate difference from Redis. */
export interface Difference {
  /** Why, in a clause. */
  readonly reason: string;
  /** What is said on the proxy. */
  readonly play: string;
  /** The option that makes the proxy do as Redis does; the row is played with it, too. */
  readonly unless?: keyof typeof STAGE_OPTIONS;
}

/** One behaviour that a client can see, the same on Redis's own tracking and on the proxy. */
export interface Row {
  /** A sentence. */
  readonly name: string;
  /** RESP3 alone, if not given. */
  readonly protocols?: readonly Protocol[];
  /** What is said, line by line, see `play`. */
  readonly play: string;
  /** The proxy does otherwise, on purpose. */
  readonly differs?: Difference;
}

/** Rows about one command, option or subject. */
export interface Theme {
  /** For a heading. */
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Options of the proxy that rows are played with, beside the defaults. */
const STAGE_OPTIONS = {
  '--redirect-cleanup=off': { redirectCleanup: false },
} as const;

interface FileStages {
  readonly redisStage: Stage;
  readonly proxyStage: Stage;
  /** A proxy with `--redirect-cleanup=off`; its flushes would be news to another before the same Redis. */
  readonly looseStage: Stage;
  /** A proxy in front of a Redis that does not know HELLO. */
  readonly oldStage: Stage;
}

const test = base.extend<{ $file: FileStages }>({
  redisStage: [
    ({ native }, use) => onStage(targetOf(native), targetOf(native), use),
    { scope: 'file' },
  ],
  proxyStage: [
    ({ redis, proxy }, use) => onStage(proxy.target, targetOf(redis), use),
    { scope: 'file' },
  ],
  looseStage: [
    // biome-ignore lint/correctness/noEmptyPattern: Vitest reads a fixture's needs from its pattern
    async ({}, use) => {
      const own = await startRedis();
      const proxy: RunningProxy = await startProxy(
        own.url,
        STAGE_OPTIONS['--redirect-cleanup=off'],
      );
      await onStage(proxy.target, targetOf(own), use);
      await proxy.stop();
      await own.stop();
    },
    { scope: 'file' },
  ],
  oldStage: [
    // biome-ignore lint/correctness/noEmptyPattern: Vitest reads a fixture's needs from its pattern
    async ({}, use) => {
      const old = await startRedis(WITHOUT_HELLO);
      const proxy = await startProxy(old.url);
      await onStage(proxy.target, targetOf(old), (stage) => use({ ...stage, upstreamSpeaks: 2 }));
      await proxy.stop();
      await old.stop();
    },
    { scope: 'file' },
  ],
});

async function onStage(
  via: Target,
  upstream: Target,
  use: (stage: Stage) => Promise<void>,
): Promise<void> {
  const fence = await Fence.open(via, upstream);
  const keeper = await RawClient.connect(via);
  await use({ via, upstream, fence, keeper });
  keeper.close();
  fence.close();
}

/** Plays each row on Redis and on the proxy, in each of its protocols. */
export function conformance({ title: theme, rows }: Theme): void {
  describe(`${theme}, on redis`, () => {
    for (const { row, protocol, title } of playsOf(rows)) {
      test(title, ({ redisStage }) => play(redisStage, row.play, protocol));
    }
  });
  describe(`${theme}, on the proxy`, () => {
    for (const { row, protocol, title } of playsOf(rows)) {
      const said = row.differs?.play ?? row.play;
      test(title, ({ proxyStage }) => play(proxyStage, said, protocol));
    }
  });
  describe(`${theme}, on the proxy of a Redis without HELLO`, () => {
    const played = rows.filter(({ name }) => isPlayedOnOld(name));
    for (const { row, protocol, title } of playsOf(played)) {
      const said = row.differs?.play ?? row.play;
      test(title, ({ oldStage }) => play(oldStage, said, protocol));
    }
  });
  const optional = rows.filter(({ differs }) => differs?.unless !== undefined);
  if (optional.length === 0) return;
  describe(`${theme}, on the proxy as Redis has it`, () => {
    for (const { row, protocol, title } of playsOf(optional)) {
      test(title, ({ looseStage }) => play(looseStage, row.play, protocol));
    }
  });
}

function playsOf(rows: readonly Row[]) {
  return rows.flatMap((row) => {
    const protocols = row.protocols ?? [3];
    return protocols.map((protocol) => {
      const title = protocols.length > 1 ? `${row.name} (RESP${protocol})` : row.name;
      return { row, protocol, title };
    });
  });
}
