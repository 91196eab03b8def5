import { encode, type Frame, RawClient, type Target } from './raw-client.ts';

let fences = 0;

/** What all keys and words of fences begin with. No test may use it otherwise. */
export const FENCE_PREFIX = 'fence:';

/**
 * Proves silence without sleeping: a later change is seen to have arrived, so everything that
 * changes before it had to bring about has arrived too.
 *
 * It has a tracking client of its own on the same server, whose notifications go the same way as
 * everybody's. When that client has been told of the fence's key, each of the others asks something:
 * what was meant for them stands before the answer.
 */
export class Fence {
  readonly #watcher: RawClient;
  readonly #writer: RawClient;

  private constructor(watcher: RawClient, writer: RawClient) {
    this.#watcher = watcher;
    this.#writer = writer;
  }

  /**
   * @param via      the server under test, proxy or Redis
   * @param upstream the Redis that holds the data
   */
  static async open(via: Target, upstream: Target): Promise<Fence> {
    const [watcher, writer] = [await RawClient.connect(via), await RawClient.connect(upstream)];
    await watcher.pipeline(['HELLO 3', 'CLIENT TRACKING ON']);
    return new Fence(watcher, writer);
  }

  /**
   * Returns when all that was to be said to `clients` because of changes made so far has been
   * received, up to what waits for a reply that they are still owed.
   *
   * @returns for each client, how many frames it had received before the fence
   */
  async pass(...clients: readonly RawClient[]): Promise<readonly number[]> {
    let name = '';
    do name = `${FENCE_PREFIX}${++fences}`;
    while (!(await this.#hears(name)));
    return await Promise.all(clients.map((client) => flush(client, name)));
  }

  /** @returns false where everything was invalidated in its place: nobody will name the key */
  async #hears(name: string): Promise<boolean> {
    const watcher = this.#watcher;
    await watcher.call(['GET', name]);
    const reply = watcher.frames.findLastIndex(({ kind }) => kind === 'reply');
    await this.#writer.call(['SET', name, '1', 'PX', '60000']);
    const wanted = `>["invalidate" *["${name}"]]`;
    const hasCome = (push: string) => watcher.frames.slice(reply).some(({ text }) => text === push);
    await watcher.until(() => hasCome(wanted) || hasCome('>["invalidate" _]'), wanted);
    return hasCome(wanted);
  }

  close(): void {
    this.#watcher.close();
    this.#writer.close();
  }
}

/**
 * REPLY ON first, for a client that has switched its replies off. Then a command that does not
 * exist: it alone is answered in every state, subscribed, in MULTI, and before AUTH.
 */
async function flush(client: RawClient, name: string): Promise<number> {
  if (client.ended) return client.frames.length;
  client.send(Buffer.concat([encode('CLIENT REPLY ON'), encode(name)]));
  const answers = ({ text }: Frame) => text.startsWith(`-ERR unknown command '${name}'`);
  await client.until(() => client.frames.some(answers), `the answer to ${name}`);
  const end = client.frames.findIndex(answers);
  return client.frames.slice(0, end).findLastIndex(({ kind }) => kind === 'reply');
}
