import { describe, expect } from 'vitest';
import { FENCE_PREFIX, Fence } from './fence.ts';
import { test as base, targetOf } from './fixtures.ts';
import { encode, RawClient, type Target } from './raw-client.ts';
import { quoted, unescaped } from './reply-text.ts';

/** Which RESP a scenario's clients speak. */
type Protocol = 2 | 3;

/** One behaviour that a client can see, the same on Redis's own tracking and on the proxy. */
export interface Row {
  /** A sentence. */
  readonly name: string;
  /** RESP3 alone, if not given. */
  readonly protocols?: readonly Protocol[];
  /**
   * What is said, line by line. Clients `a` to `z` are connected when first named and speak the
   * row's protocol; `w` speaks to the Redis that holds the data, past the proxy.
   *
   * - `a> GET k` sends a request (words as in `wordsOf`). Such lines in a row for one client leave
   *   in one piece; there is no waiting for answers.
   * - `a>> PING\r\n` sends bytes.
   * - `a< "v"` is a frame that a must have received by now, see `textOf`; also `a< closed`. For short,
   *   and the same in both protocols: `OK`, `nil`, `invalidate k l` (quoted words where necessary)
   *   and `flush`, which in RESP2 are no line at all, for there is no way to tell. `any` is any frame.
   *
   * In the end each client must have received just these frames, in this order.
   */
  readonly play: string;
  /** The proxy does otherwise, on purpose: why, and what is said then. */
  readonly differs?: { readonly reason: string; readonly play: string };
}

/** How long a line that must come may take, in milliseconds. */
const LINE_DEADLINE_MS = 3_000;

/** A server that rows are played on. */
interface Stage {
  readonly via: Target;
  readonly upstream: Target;
  readonly fence: Fence;
  /** Empties the data behind. */
  readonly keeper: RawClient;
}

const test = base.extend<{ $file: { redisStage: Stage; proxyStage: Stage } }>({
  redisStage: [
    ({ native }, use) => onStage(targetOf(native), targetOf(native), use),
    { scope: 'file' },
  ],
  proxyStage: [
    ({ redis, proxy }, use) => onStage(proxy.target, targetOf(redis), use),
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
export function conformance(theme: string, rows: readonly Row[]): void {
  describe(`${theme} on redis`, () => {
    for (const { row, protocol, title } of playsOf(rows)) {
      test(title, ({ redisStage }) => play(redisStage, row.play, protocol));
    }
  });
  describe(`${theme} on the proxy`, () => {
    for (const { row, protocol, title } of playsOf(rows)) {
      const said = row.differs?.play ?? row.play;
      test(title, ({ proxyStage }) => play(proxyStage, said, protocol));
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

type Step =
  | { readonly kind: 'send'; readonly client: string; readonly bytes: Buffer }
  | { readonly kind: 'see'; readonly client: string; readonly text: string };

/** A line is a client, what it does, and what is said. */
const LINE = /^([a-z])(>>|>|<) ?(.*)$/;

function parse(text: string, protocol: Protocol): readonly Step[] {
  const steps: Step[] = [];
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    if (line === '') continue;
    const [, client = '', does = '', said = ''] = LINE.exec(line) ?? [];
    if (client === '') throw new Error(`not a line of a scenario: ${line}`);
    if (does === '<') {
      const wanted = frameOf(said, protocol);
      if (wanted !== undefined) steps.push({ kind: 'see', client, text: wanted });
      continue;
    }
    const bytes = does === '>' ? encode(said) : Buffer.from(unescaped(said), 'latin1');
    const last = steps.at(-1);
    if (last?.kind === 'send' && last.client === client) {
      steps[steps.length - 1] = { ...last, bytes: Buffer.concat([last.bytes, bytes]) };
    } else {
      steps.push({ kind: 'send', client, bytes });
    }
  }
  return steps;
}

/** @returns the frame that a line stands for; undefined where the protocol has none for it */
function frameOf(said: string, protocol: Protocol): string | undefined {
  const [word, ...keys] = said.split(' ');
  if (said === 'OK') return '+OK';
  if (said === 'nil') return protocol === 3 ? '_' : '$-1';
  if (said === 'flush') return protocol === 3 ? '>["invalidate" _]' : undefined;
  if (word !== 'invalidate') return said;
  const names = keys.map((key) => (key.startsWith('"') ? key : quoted(key)));
  return protocol === 3 ? `>["invalidate" *[${names.join(' ')}]]` : undefined;
}

async function play(stage: Stage, text: string, protocol: Protocol): Promise<void> {
  await stage.keeper.call('FLUSHALL');
  await stage.fence.pass();
  const cast = new Cast(stage, protocol);
  const wanted: Record<string, string[]> = {};
  let speaker = '';
  try {
    for (const step of parse(text, protocol)) {
      const client = await cast.find(step.client);
      wanted[step.client] ??= [];
      if (step.kind === 'send') {
        // What another client has changed before is known by now, on the proxy as on Redis.
        if (speaker !== '' && speaker !== step.client) await stage.fence.pass();
        speaker = step.client;
        client.send(step.bytes);
      } else {
        wanted[step.client]?.push(step.text);
        const count = wanted[step.client]?.length ?? 0;
        const seen = () => cast.seenBy(step.client).length >= count;
        await client.until(seen, step.text, LINE_DEADLINE_MS).catch(() => {});
        if (!seen()) break; // the comparison tells more than the deadline
      }
    }
    const actual = await cast.takeBow();
    for (const [client, frames] of Object.entries(wanted)) {
      wanted[client] = frames.map((frame, at) =>
        frame === 'any' ? (actual[client]?.[at] ?? frame) : frame,
      );
    }
    expect(actual).toEqual(wanted);
  } finally {
    cast.close();
  }
}

/** The clients of one scenario. */
class Cast {
  readonly #stage: Stage;
  readonly #protocol: Protocol;
  readonly #clients = new Map<string, { readonly client: RawClient; readonly from: number }>();

  constructor(stage: Stage, protocol: Protocol) {
    this.#stage = stage;
    this.#protocol = protocol;
  }

  async find(name: string): Promise<RawClient> {
    const known = this.#clients.get(name);
    if (known !== undefined) return known.client;
    const { via, upstream } = this.#stage;
    const client = await RawClient.connect(name === 'w' ? upstream : via);
    if (this.#protocol === 3) await client.call('HELLO 3');
    this.#clients.set(name, { client, from: client.frames.length });
    return client;
  }

  /** @returns what the client has received since it was introduced, less what fences caused */
  seenBy(name: string, until?: number): readonly string[] {
    const entry = this.#clients.get(name);
    if (entry === undefined) return [];
    const { client, from } = entry;
    const frames = client.frames.slice(from, until);
    const meant = frames.filter(
      ({ kind, text }) => kind !== 'push' || !text.includes(FENCE_PREFIX),
    );
    const seen = meant.map(({ text }) => text.trimEnd());
    return client.ended ? [...seen, 'closed'] : seen;
  }

  /** @returns what each client has received when nothing more can come */
  async takeBow(): Promise<Record<string, readonly string[]>> {
    const names = [...this.#clients.keys()];
    const clients = [...this.#clients.values()].map(({ client }) => client);
    const ends = await this.#stage.fence.pass(...clients);
    return Object.fromEntries(names.map((name, index) => [name, this.seenBy(name, ends[index])]));
  }

  close(): void {
    for (const { client } of this.#clients.values()) client.close();
  }
}
