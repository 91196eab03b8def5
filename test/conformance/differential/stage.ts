import { FENCE_PREFIX, type Fence } from '../../helpers/fence.ts';
import { encode, type Frame, RawClient, type Target } from '../../helpers/raw-client.ts';
import { CachingApp } from './caching-app.ts';
import { ALL_KEYS, NAMES, type Name, type Piece, type Sequence } from './sequence.ts';

/** A server that sequences are played on. */
export interface Ground {
  readonly via: Target;
  readonly fence: Fence;
  readonly keeper: RawClient;
  /** Connections to the data, one that speaks RESP2 and one that speaks RESP3. */
  readonly checkers: Readonly<Record<2 | 3, RawClient>>;
}

/** What has come of a sequence. */
export interface Outcome {
  /** `client line: reply`, with what may differ between servers left out. */
  readonly replies: readonly string[];
  /** Replies that an application would use again without asking, and that are wrong. */
  readonly stale: readonly string[];
  /** Replies that it would still use when the keys have changed once more. */
  readonly deaf: readonly string[];
}

interface Player {
  readonly name: Name;
  readonly client: RawClient;
  readonly app: CachingApp;
  readonly id: string;
  /** Frames that the application has seen. */
  seen: number;
  /** The requests of an open MULTI. */
  queued: string[] | undefined;
  subscribed: boolean;
  gone: boolean;
}

/** Plays a sequence: three applications that cache, on one server. */
export async function perform(ground: Ground, sequence: Sequence): Promise<Outcome> {
  await ground.keeper.call('FLUSHALL');
  await ground.fence.pass();
  const players = new Map<Name, Player>();
  const replies: string[] = [];
  try {
    for (const name of NAMES) players.set(name, await enter(ground, name, sequence, players));
    let speaker: Name | undefined;
    for (const piece of sequence.pieces) {
      const player = players.get(piece.client) as Player;
      if (player.gone) continue;
      if (speaker !== undefined && speaker !== piece.client && !sequence.rush) {
        await ground.fence.pass();
        listen(players);
      }
      speaker = piece.client;
      replies.push(...(await say(player, piece, players)));
    }
    const present = [...players.values()].filter(({ gone }) => !gone);
    const settle = async () => {
      await ground.fence.pass(...present.map(({ client }) => client));
      listen(players);
    };
    await settle();
    const stale = await staleOf(ground, present);
    await ground.checkers[2].call(['MSET', ...ALL_KEYS.flatMap((key) => [key, 'changed'])]);
    await settle();
    const deaf = present.flatMap(({ name, app }) =>
      [...app.cache.keys()].map((line) => `${name} ${line}`),
    );
    return { replies, stale, deaf };
  } finally {
    for (const { client } of players.values()) client.close();
  }
}

async function enter(
  ground: Ground,
  name: Name,
  { protocols }: Sequence,
  players: ReadonlyMap<Name, Player>,
): Promise<Player> {
  const client = await RawClient.connect(ground.via);
  if (protocols[name] === 3) await client.call('HELLO 3');
  const id = (await client.call('CLIENT ID')).slice(1);
  const app = new CachingApp(name, protocols[name], (target) => {
    const player = players.get(target);
    return player !== undefined && listens(player);
  });
  const seen = client.frames.length;
  return { name, client, app, id, seen, queued: undefined, subscribed: false, gone: false };
}

/** @returns whether a client hears what is redirected to it */
function listens({ gone, app, subscribed }: Player): boolean {
  return !gone && (app.protocol === 3 || subscribed);
}

async function say(
  player: Player,
  { lines }: Piece,
  players: ReadonlyMap<Name, Player>,
): Promise<readonly string[]> {
  const { client, name } = player;
  const wanted = client.answers.length + lines.length;
  const withIds = (line: string) =>
    line.replace(/\$([abc])/g, (_, target: Name) => players.get(target)?.id ?? '');
  client.send(Buffer.concat(lines.map((line) => encode(withIds(line)))));
  await client.until(() => client.answers.length >= wanted, `${name}: ${lines.join('; ')}`);
  const said = takeFrames(player, lines, players);
  listen(players);
  if (lines.includes('QUIT')) await leave(player, players);
  return said;
}

/** The application reads its stream: replies and pushes in their order. */
function takeFrames(
  player: Player,
  lines: readonly string[],
  players: ReadonlyMap<Name, Player>,
): readonly string[] {
  const said: string[] = [];
  let next = 0;
  for (const frame of newFrames(player)) {
    if (frame.kind === 'push') {
      hear(player, frame, players);
      continue;
    }
    const line = lines[next++];
    if (line === undefined) break; // the fence's
    answer(player, line, frame);
    if (!listens(player)) {
      for (const { app } of players.values()) if (app.redirect === player.name) app.cache.clear();
    }
    said.push(`${player.name} ${line}: ${normal(line, frame.text, players)}`);
  }
  return said;
}

function newFrames(player: Player): readonly Frame[] {
  const frames = player.client.frames.slice(player.seen);
  player.seen = player.client.frames.length;
  return frames;
}

function answer(player: Player, line: string, frame: Frame): void {
  const { queued } = player;
  const failed = frame.reply.type === '-';
  if (line === 'MULTI' && !failed) player.queued = [];
  if (queued !== undefined && frame.text === '+QUEUED') {
    queued.push(line);
    return;
  }
  if (['EXEC', 'DISCARD', 'RESET'].includes(line)) player.queued = undefined;
  // The mark of CLIENT CACHING is kept as long as MULTI is open.
  if (line === 'MULTI' || (queued !== undefined && player.queued !== undefined)) return;
  player.app.answered(line, frame.reply, queued ?? []);
  if (line === 'SUBSCRIBE x' && !failed) player.subscribed = true;
  if ((line === 'UNSUBSCRIBE x' || line === 'RESET') && !failed) player.subscribed = false;
}

/** All applications read what has come by itself. */
function listen(players: ReadonlyMap<Name, Player>): void {
  for (const player of players.values()) {
    for (const frame of newFrames(player)) {
      if (frame.kind === 'push') hear(player, frame, players);
    }
  }
}

/** An invalidation concerns the client's own application and those that redirect to it. */
function hear(player: Player, { text, reply }: Frame, players: ReadonlyMap<Name, Player>): void {
  if (text.startsWith('>["tracking-redir-broken"')) {
    player.app.distrust();
    return;
  }
  const payload = reply.items?.at(-1);
  const keys = payload?.items?.map((item) => item.text ?? '');
  if (keys?.every((key) => key.startsWith(FENCE_PREFIX))) return;
  for (const { app } of players.values()) {
    const concerned = app.redirect === player.name || app === player.app;
    if (concerned) app.invalidate(keys ?? undefined);
  }
}

/** A client has ended its connection: nobody will hear what is redirected to it. */
async function leave(player: Player, players: ReadonlyMap<Name, Player>): Promise<void> {
  await player.client.expectClose();
  player.gone = true;
  player.app.distrust();
  for (const { app } of players.values()) if (app.redirect === player.name) app.distrust();
}

/** @returns a reply with ids as names, and without what servers tell of themselves */
function normal(line: string, text: string, players: ReadonlyMap<Name, Player>): string {
  if (line.startsWith('HELLO') && !text.startsWith('-')) return text.slice(0, 1);
  if (!/GETREDIR|TRACKINGINFO|EXEC/.test(line)) return text.trimEnd();
  let plain = text.replaceAll(' "broken_redirect"', '');
  for (const { name, id } of players.values()) plain = plain.replaceAll(`:${id}`, `:${name}`);
  return plain;
}

/** Asks again what the applications would not ask. */
async function staleOf(
  { checkers }: Ground,
  players: readonly Player[],
): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const { name, app } of players) {
    for (const [line, { reply, protocol }] of app.cache) {
      const truth = await checkers[protocol].call(line);
      if (truth !== reply) stale.push(`${name} ${line}: ${reply} instead of ${truth}`);
    }
  }
  return stale;
}
