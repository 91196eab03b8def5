import { expect } from 'vitest';
import type { Fence } from '../helpers/fence.ts';
import { FENCE_PREFIX } from '../helpers/fence.ts';
import { encode, RawClient, type Target } from '../helpers/raw-client.ts';
import { quoted, unescaped, wordsOf } from '../helpers/reply-text.ts';

/** Which RESP a scenario's clients speak. */
export type Protocol = 2 | 3;

/** A server that rows are played on. */
export interface Stage {
  /** The server under test, proxy or Redis. */
  readonly via: Target;
  /** The Redis that holds the data. */
  readonly upstream: Target;
  /** What that Redis speaks to `w`, where it can't do as it is asked. */
  readonly upstreamSpeaks?: Protocol;
  readonly fence: Fence;
  /** Empties the data behind, and puts back the settings that rows change. */
  readonly keeper: RawClient;
}

/** How long a line that must come may take, in milliseconds. */
const LINE_DEADLINE_MS = 3_000;

/** What rows change and must not leave behind. */
const TIDY_UP = [
  'FLUSHALL',
  'CONFIG SET requirepass ""',
  'CONFIG SET tracking-table-max-keys 1000000',
] as const;

type Step =
  | { readonly kind: 'send'; readonly client: string; readonly said: string }
  | { readonly kind: 'bytes'; readonly client: string; readonly said: string }
  | { readonly kind: 'see'; readonly client: string; readonly said: string };

/** A line is a client, what it does, and what is said. */
const LINE = /^([a-z])(>>|>|<) ?(.*)$/;

const KINDS = { '>': 'send', '>>': 'bytes', '<': 'see' } as const;

function parse(text: string): readonly Step[] {
  const lines = text.split('\n').map((raw) => raw.trim());
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const [, client, does, said = ''] = LINE.exec(line) ?? [];
      if (client === undefined) throw new Error(`not a line of a scenario: ${line}`);
      return { kind: KINDS[does as keyof typeof KINDS], client, said };
    });
}

/** @returns the frame that a line stands for; undefined where the protocol has none for it */
function frameOf(said: string, protocol: Protocol): string | undefined {
  const [word, ...keys] = said.split(' ');
  if (said === 'OK') return '+OK';
  if (said === 'nil') return protocol === 3 ? '_' : '$-1';
  if (said === 'flush') return protocol === 3 ? '>["invalidate" _]' : undefined;
  if (said === 'redirected flush') {
    return protocol === 3 ? '>["invalidate" _]' : '*["message" "__redis__:invalidate" $-1]';
  }
  const names = keys.map((key) => (key.startsWith('"') ? key : quoted(key))).join(' ');
  if (word === 'invalidate') return protocol === 3 ? `>["invalidate" *[${names}]]` : undefined;
  if (word !== 'redirected') return said;
  return protocol === 3
    ? `>["invalidate" *[${names}]]`
    : `*["message" "__redis__:invalidate" *[${names}]]`;
}

/** How `textOf` shows the end of a line. */
const LINE_END = '\\x0d\\x0a';

/** @returns whether a frame is what a line asks for, where a line asks for less than the whole */
function isMeant(wanted: string, frame: string): boolean {
  if (wanted === 'any') return true;
  if (!wanted.startsWith('has ')) return false;
  return wordsOf(wanted.slice(4)).every((part) =>
    frame.includes(part.replaceAll('\r\n', LINE_END)),
  );
}

/**
 * Plays a scenario and compares what each client has received with what the lines say, all of it
 * and in order.
 *
 * Clients `a` to `z` are connected when first named and speak `protocol`; `w` speaks to the Redis
 * that holds the data, past the proxy. `$b` in any line stands for the id of client b. When another
 * client begins to speak, all that was changed before is known to the server under test.
 *
 * - `a> GET k` sends a request (words as in `wordsOf`). Such lines in a row for one client leave
 *   in one piece; there is no waiting for answers.
 * - `a>> PING\r\n` sends bytes.
 * - `a< "v"` is a frame that a must have received by now, see `textOf`; also `a< closed`. For short,
 *   and the same in both protocols: `OK`, `nil`, `invalidate k l` (quoted words where necessary)
 *   and `flush`, which in RESP2 are no line at all, for there is no way to tell; `redirected k` and
 *   `redirected flush` are the same for the target of a redirection, in RESP2 a message. `any` is
 *   any frame, `has x "y z"` one that has these parts.
 */
export async function play(stage: Stage, text: string, protocol: Protocol): Promise<void> {
  await stage.keeper.pipeline(TIDY_UP);
  await stage.fence.pass();
  const cast = new Cast(stage, protocol, text);
  const wanted: Record<string, string[]> = {};
  try {
    await perform(stage, cast, parse(text), wanted, protocol);
    const actual = await cast.takeBow();
    for (const [client, frames] of Object.entries(wanted)) {
      wanted[client] = frames.map((frame, at) => {
        const got = actual[client]?.[at];
        return got !== undefined && isMeant(frame, got) ? got : frame;
      });
    }
    expect(actual).toEqual(wanted);
  } finally {
    cast.close();
  }
}

async function perform(
  stage: Stage,
  cast: Cast,
  steps: readonly Step[],
  wanted: Record<string, string[]>,
  protocol: Protocol,
): Promise<void> {
  let speaker = '';
  for (let index = 0; index < steps.length; index++) {
    const { kind, client: name, said } = steps[index] as Step;
    const client = await cast.find(name);
    wanted[name] ??= [];
    const frames = wanted[name];
    if (kind === 'see') {
      const spoken = name === 'w' ? (stage.upstreamSpeaks ?? protocol) : protocol;
      const frame = frameOf(await cast.withIds(said), spoken);
      if (frame === undefined) continue;
      frames.push(frame);
      const seen = () => cast.seenBy(name).length >= frames.length;
      await client.until(seen, frame, LINE_DEADLINE_MS).catch(() => {});
      if (!seen()) return; // the comparison tells more than the deadline
      continue;
    }
    if (speaker !== '' && speaker !== name) await stage.fence.pass();
    speaker = name;
    const pieces: Buffer[] = [];
    let step: Step | undefined = steps[index];
    while (step !== undefined && step.kind !== 'see' && step.client === name) {
      const words = await cast.withIds(step.said);
      pieces.push(step.kind === 'send' ? encode(words) : Buffer.from(unescaped(words), 'latin1'));
      step = steps[++index];
    }
    index -= 1;
    client.send(Buffer.concat(pieces));
  }
}

interface Player {
  readonly client: RawClient;
  /** How many frames it had received when it was introduced. */
  readonly from: number;
  readonly id: string;
}

/** The clients of one scenario. */
class Cast {
  readonly #stage: Stage;
  readonly #protocol: Protocol;
  readonly #text: string;
  readonly #players = new Map<string, Player>();

  constructor(stage: Stage, protocol: Protocol, text: string) {
    this.#stage = stage;
    this.#protocol = protocol;
    this.#text = text;
  }

  async find(name: string): Promise<RawClient> {
    return (await this.#player(name)).client;
  }

  /** @returns `said` with the clients' ids in it */
  async withIds(said: string): Promise<string> {
    let text = said;
    for (const [mark, name = ''] of said.matchAll(/\$([a-z])\b/g)) {
      text = text.replace(mark, (await this.#player(name)).id);
    }
    return text;
  }

  async #player(name: string): Promise<Player> {
    const known = this.#players.get(name);
    if (known !== undefined) return known;
    const { via, upstream } = this.#stage;
    const client = await RawClient.connect(name === 'w' ? upstream : via);
    if (this.#protocol === 3) await client.call('HELLO 3');
    // Only where it is asked for: a connection that has said nothing is a case of its own.
    const id = this.#text.includes(`$${name}`) ? await client.call('CLIENT ID') : ':0';
    const player = { client, from: client.frames.length, id: id.slice(1) };
    this.#players.set(name, player);
    return player;
  }

  /** @returns what the client has received since it was introduced, less what fences caused */
  seenBy(name: string, until?: number): readonly string[] {
    const player = this.#players.get(name);
    if (player === undefined) return [];
    const { client, from } = player;
    const frames = client.frames.slice(from, until);
    const seen = frames
      .map(({ kind, text }) => (kind === 'push' ? withoutFences(text) : text))
      .filter((text) => text !== undefined)
      .map((text) => text.trimEnd());
    return client.ended ? [...seen, 'closed'] : seen;
  }

  /** @returns what each client has received when nothing more can come */
  async takeBow(): Promise<Record<string, readonly string[]>> {
    const names = [...this.#players.keys()];
    const clients = [...this.#players.values()].map(({ client }) => client);
    const ends = await this.#stage.fence.pass(...clients);
    return Object.fromEntries(names.map((name, index) => [name, this.seenBy(name, ends[index])]));
  }

  close(): void {
    for (const { client } of this.#players.values()) client.close();
  }
}

const FENCE_KEY = new RegExp(` ?"${FENCE_PREFIX}\\d+"`, 'g');

/** A batch may name a fence's key beside others. @returns undefined where it names nothing else */
function withoutFences(push: string): string | undefined {
  if (!push.includes(FENCE_PREFIX)) return push;
  const rest = push.replace(FENCE_KEY, '').replace('*[ ', '*[');
  return rest.includes('*[]') ? undefined : rest;
}
