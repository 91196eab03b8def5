import { setTimeout as sleep } from 'node:timers/promises';
import type { Direction, Hop, Passage } from '../helpers/hop.ts';
import type { RedisProcess } from '../helpers/redis.ts';
import type { Random } from '../simulation/random.ts';
import type { CachingClient } from './caching-client.ts';
import type { Direct } from './direct.ts';

/** What a fault may lay hands on. */
export interface Grounds {
  readonly redis: RedisProcess;
  /** Between the proxy and the Redis. */
  readonly hop: Hop;
  readonly direct: Direct;
  readonly clients: readonly CachingClient[];
  readonly random: Random;
}

/** A fault in force. */
export interface Fault {
  /** What makes it different from others of its kind. */
  readonly detail?: string;
  /** Ends it; resolves when it is over. */
  readonly end?: () => unknown;
}

/** A kind of fault. */
export interface FaultKind {
  readonly name: string;
  /** How long it lasts, in milliseconds: at least and at most; 0: it is over at once. */
  readonly lastsMs: readonly [least: number, most: number];
  /**
   * How long the proxy may take to notice it, in milliseconds, beyond what a silent change takes.
   * Source: the pings, looks and deadlines of src/invalidation/keyspace.ts and upstream/control.ts.
   */
  readonly noticedMs: number;
  /** Caches can be held against the truth while it lasts. */
  readonly mayStay: boolean;
  /** Replies may not come while it lasts. */
  readonly holdsReplies?: boolean;
  readonly begin: (grounds: Grounds, lastsMs: number) => Fault | Promise<Fault>;
}

const BOTH: readonly Direction[] = ['up', 'down'];

/** A ping each second, and 2 s until its answer is missed. */
const PING_MS = 3_000;
/** An answer to a look is waited for so long, and then a try to connect again takes as long. */
const LOOK_MS = 5_000;
/** A fault that is over at once, for those that end by themselves. */
const OVER: Fault = {};

/** Every kind of fault. */
export const FAULTS: readonly FaultKind[] = [
  {
    name: 'subscribers killed',
    ...atOnce(),
    begin: async ({ direct }) => {
      await direct.ask([['CLIENT', 'KILL', 'TYPE', 'pubsub']]);
      return OVER;
    },
  },
  {
    name: 'normal connections killed',
    ...atOnce(),
    begin: async ({ direct }) => {
      await direct.ask([['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']]);
      return OVER;
    },
  },
  {
    name: 'one kind of link dropped',
    ...atOnce(),
    begin: (grounds) => {
      const { detail, links } = drawLinks(grounds);
      for (const link of links) link.cut();
      return { detail };
    },
  },
  {
    name: 'all links dropped and none let in',
    lastsMs: [50, 3_000],
    noticedMs: 0,
    mayStay: true,
    begin: ({ hop }) => {
      hop.refusing = true;
      for (const link of open(hop)) link.cut();
      return {
        end: () => {
          hop.refusing = false;
        },
      };
    },
  },
  {
    name: 'source dropped and none let in',
    lastsMs: [50, 3_000],
    noticedMs: 0,
    mayStay: true,
    begin: ({ hop }) => {
      hop.refusing = true;
      for (const link of sourceLinks(hop)) link.cut();
      return {
        end: () => {
          hop.refusing = false;
        },
      };
    },
  },
  {
    name: 'source half open',
    lastsMs: [3_500, 5_000],
    noticedMs: PING_MS,
    mayStay: true,
    begin: ({ hop }) => swallow(sourceLinks(hop)),
  },
  {
    name: 'one kind of link half open',
    lastsMs: [100, 4_000],
    noticedMs: PING_MS + LOOK_MS,
    mayStay: true,
    holdsReplies: true,
    begin: (grounds) => {
      const { detail, links } = drawLinks(grounds);
      return { detail, ...swallow(links) };
    },
  },
  {
    name: 'all links half open with new ones',
    lastsMs: [100, 5_000],
    noticedMs: PING_MS + LOOK_MS,
    mayStay: true,
    holdsReplies: true,
    begin: ({ hop }) => {
      hop.greet = (link) => link.swallow();
      const { end } = swallow(open(hop));
      return {
        end: () => {
          hop.greet = () => {};
          end();
          for (const link of open(hop)) link.cut();
        },
      };
    },
  },
  {
    name: 'one kind of link held up',
    lastsMs: [50, 2_500],
    noticedMs: PING_MS + LOOK_MS,
    mayStay: false,
    begin: (grounds) => {
      const { detail, links } = drawLinks(grounds);
      const way = grounds.random.pick(BOTH);
      for (const link of links) link.pause(way);
      return {
        detail: `${detail} ${way}`,
        end: () => {
          for (const link of links) link.resume(way);
        },
      };
    },
  },
  {
    name: 'one kind of link slow',
    lastsMs: [300, 2_500],
    noticedMs: 4_000,
    mayStay: true,
    begin: (grounds) => {
      const { detail, links } = drawLinks(grounds);
      return { ...slow(grounds, links, detail) };
    },
  },
  {
    name: 'all links slow',
    lastsMs: [300, 2_500],
    noticedMs: 4_000,
    mayStay: true,
    begin: (grounds) => slow(grounds, open(grounds.hop), 'all'),
  },
  {
    name: 'Redis stopped',
    lastsMs: [100, 4_000],
    noticedMs: PING_MS,
    mayStay: false,
    begin: ({ redis }) => {
      redis.kill('SIGSTOP');
      return { end: () => redis.kill('SIGCONT') };
    },
  },
  {
    name: 'CLIENT PAUSE',
    lastsMs: [100, 2_800],
    noticedMs: PING_MS,
    mayStay: false,
    begin: async ({ direct, random }, lastsMs) => {
      const what = random.pick(['ALL', 'WRITE']);
      await direct.ask([['CLIENT', 'PAUSE', String(Math.round(lastsMs)), what]]);
      return { detail: what };
    },
  },
  {
    name: 'Redis restarted empty',
    ...atOnce(),
    begin: async ({ redis, direct }) => {
      await redis.restart();
      await direct.ask([['PING']]);
      return OVER;
    },
  },
  {
    name: 'Redis restarted with its data',
    ...atOnce(),
    begin: async ({ direct }) => {
      await direct.ask([['SAVE']]);
      await crash(direct);
      return OVER;
    },
  },
  {
    name: 'Redis restarted with older data',
    ...atOnce(),
    begin: async ({ direct, random }) => {
      await direct.ask([['SAVE']]);
      await sleep(100 + random.below(300));
      await crash(direct);
      return OVER;
    },
  },
  {
    name: 'notifications off',
    ...atOnce(),
    begin: async ({ direct }) => {
      await direct.ask([['CONFIG', 'SET', 'notify-keyspace-events', '']]);
      return OVER;
    },
  },
  {
    name: 'notifications narrowed',
    ...atOnce(),
    begin: async ({ direct, random }) => {
      const flags = random.pick(['KEx', 'E$', 'K$', 'Kg', 'EA', 'Klshzxe']);
      await direct.ask([['CONFIG', 'SET', 'notify-keyspace-events', flags]]);
      return { detail: flags };
    },
  },
  {
    name: 'clients stop reading',
    lastsMs: [100, 2_500],
    noticedMs: 0,
    mayStay: false,
    begin: ({ clients, random }, lastsMs) => {
      const chosen = clients.filter(() => random.chance(0.3));
      const stalls = chosen.map((client) => client.stall(lastsMs));
      return { detail: `${chosen.length} of them`, end: () => Promise.all(stalls) };
    },
  },
];

function atOnce() {
  return { lastsMs: [0, 0], noticedMs: 0, mayStay: false } as const;
}

/** Has the server execute itself anew: it keeps its process id and its directory, and loads what it saved. */
async function crash(direct: Direct): Promise<void> {
  const before = await runId(direct);
  const refusal = await direct.tell(['DEBUG', 'CRASH-AND-RECOVER']);
  if (refusal !== undefined) throw new Error(`Redis does not restart: ${refusal.text}`);
  while ((await runId(direct)) === before) await sleep(5);
}

async function runId(direct: Direct): Promise<string | undefined> {
  const [info] = await direct.ask([['INFO', 'server']]);
  return /run_id:(\w+)/.exec(info?.text ?? '')?.[1];
}

function open(hop: Hop): readonly Passage[] {
  // A long run opens thousands; nobody needs those that have ended.
  hop.passages.splice(0, hop.passages.length, ...hop.passages.filter(({ isOver }) => !isOver));
  return [...hop.passages];
}

function sourceLinks(hop: Hop): readonly Passage[] {
  return open(hop).filter(({ sentUp }) => sentUp.includes('PSUBSCRIBE'));
}

function controlLinks(hop: Hop): readonly Passage[] {
  return open(hop).filter(({ sentUp }) => sentUp.includes('commandstats'));
}

/** Links of one use: the source's, the control connection, or clients'. */
function drawLinks({ hop, random }: Grounds) {
  const source = sourceLinks(hop);
  const control = controlLinks(hop);
  const lanes = open(hop).filter((link) => !source.includes(link) && !control.includes(link));
  return random.pick([
    { detail: 'source', links: source },
    { detail: 'control', links: control },
    { detail: 'lanes', links: lanes },
    { detail: 'some lanes', links: lanes.filter(() => random.chance(0.3)) },
  ]);
}

function swallow(links: readonly Passage[]) {
  for (const link of links) link.swallow();
  return {
    end: () => {
      for (const link of links) link.cut();
    },
  };
}

function slow({ random }: Grounds, links: readonly Passage[], what: string): Fault {
  const ms = 5 + random.below(random.chance(0.5) ? 40 : 400);
  const ways = random.pick([BOTH, ['up'], ['down']] as const);
  for (const link of links) for (const way of ways) link.delay(way, ms);
  return {
    detail: `${what} ${ways.join(' and ')}, ${ms} ms`,
    end: () => {
      for (const link of links) for (const way of ways) link.delay(way, 0);
    },
  };
}
