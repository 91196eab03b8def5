import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry } from './cache.ts';
import { type CachingClient, type Scene, short, showEntry } from './caching-client.ts';
import type { Direct } from './direct.ts';
import { idOf, meaningOf, type Read } from './reads.ts';

/** How often an entry that differs is looked at again, in milliseconds. */
const LOOK_AGAIN_MS = 5;
/** How many stale entries are told of. */
const TOLD_MAX_COUNT = 4;
/** How much of what came before an entry is told, in milliseconds. */
const BEFORE_MS = 1_500;

/** An entry that is not what the Redis says. */
interface Suspect {
  readonly client: CachingClient;
  readonly entry: Entry;
  readonly truth: string;
}

/** Holds the caches of all clients against the truth. */
export class Judge {
  readonly #scene: Scene;
  readonly #truth: Direct;

  constructor(scene: Scene, truth: Direct) {
    this.#scene = scene;
    this.#truth = truth;
  }

  /**
   * Compares every entry with what the Redis says now. One that differs is stale if it is still kept
   * when the bound is over: its key has changed since the entry was read, and nobody has said so.
   *
   * @param boundMs how long an invalidation may take
   * @param fenced  whether clients can be asked if they have read everything
   * @returns what was stale, told
   */
  async judge(
    clients: readonly CachingClient[],
    boundMs: number,
    fenced: boolean,
  ): Promise<readonly string[]> {
    const { tally } = this.#scene;
    const seenMs = performance.now();
    let suspects = await this.#suspects(clients);
    tally.late += suspects.length;
    while (suspects.length > 0 && performance.now() < seenMs + boundMs) {
      await sleep(LOOK_AGAIN_MS);
      suspects = stillHeld(suspects);
      if (suspects.length === 0) tally.latestMs = Math.max(tally.latestMs, since(seenMs));
    }
    if (suspects.length === 0) return [];
    if (fenced) {
      await Promise.race([Promise.all(clients.map((client) => client.fence())), sleep(boundMs)]);
      suspects = stillHeld(suspects);
    }
    tally.stale += suspects.length;
    if (suspects.length === 0) return [];
    const told = suspects.slice(0, TOLD_MAX_COUNT).flatMap((one) => this.#tell(one, seenMs));
    return [`${suspects.length} stale entries`, ...told];
  }

  async #suspects(clients: readonly CachingClient[]): Promise<Suspect[]> {
    const held = clients.flatMap((client) =>
      client.cache.entries.map((entry) => ({ client, entry })),
    );
    const reads = new Map<string, Read>(held.map(({ entry }) => [idOf(entry.read), entry.read]));
    const truths = await this.#read([...reads.values()]);
    for (const { mode, cache } of clients) this.#scene.tally.countChecked(mode.name, cache.size);
    return held.flatMap(({ client, entry }) => {
      const truth = truths.get(idOf(entry.read));
      const differs = truth !== entry.value && client.cache.holds(entry);
      return differs ? [{ client, entry, truth: truth ?? 'an error' }] : [];
    });
  }

  async #read(reads: readonly Read[]): Promise<ReadonlyMap<string, string | undefined>> {
    const replies = await this.#truth.ask(reads.map(({ words }) => words));
    return new Map(
      reads.map((read, index) => {
        const reply = replies[index];
        return [idOf(read), reply && meaningOf(reply, read.order)];
      }),
    );
  }

  #tell({ client, entry, truth }: Suspect, seenMs: number): readonly string[] {
    const keptMs = Math.round(since(entry.storedMs));
    const staleMs = Math.round(since(seenMs));
    const isTold = (who: string) => who === client.name || !CLIENT_NAME.test(who);
    return [
      '',
      `${client.name} keeps  ${showEntry(entry)}`,
      `Redis says  ${short(truth)}`,
      `kept for ${keptMs} ms, seen to differ for ${staleMs} ms; what happened before that:`,
      ...this.#scene.chronicle.tell(entry.read.keys, isTold, entry.storedMs - BEFORE_MS, seenMs),
    ];
  }
}

/** Names of caching clients begin with their number. */
const CLIENT_NAME = /^client /;

function stillHeld(suspects: readonly Suspect[]): Suspect[] {
  return suspects.filter(({ client, entry }) => client.cache.holds(entry));
}

function since(ms: number): number {
  return performance.now() - ms;
}
