import { setTimeout as sleep } from 'node:timers/promises';
import { ProxyError } from '../errors.ts';
import { Control } from './control.ts';
import type { Endpoint } from './endpoint.ts';

/** How often it is looked whether lanes were opened, in milliseconds. Source: our choice. */
const CHECK_INTERVAL_MS = 1_000;

/** What a check needs to know. */
export interface NodeCheckOptions {
  readonly endpoint: Endpoint;
  /** How many lanes have been opened so far. */
  readonly lanesOpened: () => number;
}

/**
 * Sees to it that new lanes lead to the node whose changes the source hears. An address may lead to
 * another node while old connections stay with the first: then a client would read from a node that
 * nobody listens to. So where lanes were opened, one connection more is, and asked who is there.
 */
export class NodeCheck {
  readonly #options: NodeCheckOptions;
  // How many lanes there were at the last check, and at the one before. A lane may take longer to
  // be connected than the check behind it: the next one counts for it too.
  #opened: number;
  #openedBefore: number;

  /** To be made before the source connects: lanes that were opened since then are checked. */
  constructor(options: NodeCheckOptions) {
    this.#options = options;
    this.#opened = options.lanesOpened();
    this.#openedBefore = this.#opened;
  }

  /**
   * Checks now and then until `signal` aborts.
   *
   * @param runId of the source's node; undefined: not known, and nothing can be checked
   * @throws ProxyError UPSTREAM_MOVED
   */
  async run(runId: string | undefined, signal: AbortSignal): Promise<void> {
    while (runId !== undefined && !signal.aborted) {
      await sleep(CHECK_INTERVAL_MS, undefined, { signal }).catch(() => {});
      const opened = this.#options.lanesOpened();
      if (signal.aborted || opened === this.#openedBefore) continue;
      const found = await this.#ask(signal);
      if (found === 'unreachable') continue; // whether it leads elsewhere is not known yet
      expectSame(runId, found);
      this.#openedBefore = this.#opened;
      this.#opened = opened;
    }
  }

  /** @returns the run_id of the node that answers now; undefined where it does not say */
  async #ask(signal: AbortSignal): Promise<string | 'unreachable' | undefined> {
    const control = new Control(this.#options.endpoint);
    const close = () => control.close();
    signal.addEventListener('abort', close);
    try {
      await control.open();
      return runIdOf(await control.ask('INFO', 'server'));
    } catch (cause) {
      const isRefused = cause instanceof ProxyError && cause.code === 'UPSTREAM_REFUSED';
      return isRefused ? undefined : 'unreachable';
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  }
}

/** @param answer to INFO server @returns undefined where it does not say who it is */
export function runIdOf(answer: unknown): string | undefined {
  return typeof answer === 'string' ? /^run_id:(\S+)/m.exec(answer)?.[1] : undefined;
}

/**
 * Each may be undefined where the server does not say who it is.
 *
 * @throws ProxyError UPSTREAM_MOVED if they are known and differ
 */
export function expectSame(source: string | undefined, other: string | undefined): void {
  if (source === undefined || other === undefined || source === other) return;
  throw new ProxyError(
    'UPSTREAM_MOVED',
    `two connections to the upstream have reached different nodes (run_id ${source} and ${other})`,
  );
}
