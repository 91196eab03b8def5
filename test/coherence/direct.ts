import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from '../helpers/raw-client.ts';
import { Connection, type Words } from './connection.ts';
import type { Frame } from './frames.ts';

/** How long a Redis may be away before that is a failure, in milliseconds. */
const AWAY_MAX_MS = 20_000;
const RETRY_MS = 10;

/** A connection past the proxy, opened again whenever it is lost. */
export class Direct {
  readonly #target: Target;
  #connection: Connection | undefined;

  constructor(target: Target) {
    this.#target = target;
  }

  /**
   * Asks in one go, and again if the connection is lost on the way.
   *
   * @returns the replies
   * @throws Error when there is no answer for long
   */
  async ask(requests: readonly Words[]): Promise<readonly Frame[]> {
    const untilMs = performance.now() + AWAY_MAX_MS;
    for (;;) {
      const replies = await Promise.all(requests.map((words) => this.#askOnce(words)));
      const isWhole = replies.every((reply) => reply !== undefined && !isLoading(reply));
      if (isWhole) return replies as Frame[];
      if (performance.now() > untilMs) throw new Error('the Redis behind the proxy is gone');
      await sleep(RETRY_MS);
    }
  }

  /** Asks once. @returns the reply; undefined: the connection was lost instead */
  async tell(words: Words): Promise<Frame | undefined> {
    return await this.#askOnce(words);
  }

  close(): void {
    this.#connection?.close();
  }

  async #askOnce(words: Words): Promise<Frame | undefined> {
    if (!this.#connection?.isOpen) {
      this.#connection = new Connection(this.#target, {
        pushed: () => {},
        closed: () => {},
        wronged: (wrong, detail) => {
          throw new Error(`${wrong} from Redis itself: ${detail}`);
        },
      });
    }
    const connection = this.#connection;
    return await new Promise((resolve) => connection.send(words, resolve));
  }
}

function isLoading(reply: Frame): boolean {
  return reply.type === '-' && reply.text.startsWith('LOADING');
}
