import { setTimeout as sleep } from 'node:timers/promises';
import { ProxyError } from '../errors.ts';
import { Control } from '../upstream/control.ts';
import { expectSame, NodeCheck, runIdOf } from '../upstream/node-check.ts';
import { Watch } from '../upstream/watch.ts';
import type { KeyspaceOptions } from './keyspace.ts';
import type { InvalidationSource, SourceListener } from './source.ts';
import { Subscriber } from './subscriber.ts';

/** How long an answer may take while the source is being set up, in milliseconds. */
const SET_UP_DEADLINE_MS = 5_000;
/** How often upstream is asked whether it is still there, in milliseconds. */
const PING_INTERVAL_MS = 1_000;
/** How long that answer may take before upstream counts as lost, in milliseconds. */
const PING_DEADLINE_MS = 2_000;
/** Pauses between tries, in milliseconds: the first, and the longest that doubling leads to. */
const RETRY_FIRST_MS = 50;
const RETRY_LONGEST_MS = 2_000;

/** What the source needs to know. */
type QuietOptions = Pick<
  KeyspaceOptions,
  | 'endpoint'
  | 'watchIntervalMs'
  | 'silentLog'
  | 'silentChange'
  | 'sightless'
  | 'learnt'
  | 'replaced'
  | 'lanesOpened'
>;

/**
 * Hears of no change: they are told where they pass (`--source=writes`). It only knows upstream, sees
 * whether it is still there and the same, and looks for changes of everything. It subscribes to
 * nothing, and sets nothing.
 *
 * It is blind while upstream can't be reached. What is asked on a lane then may be executed without an
 * answer, and what answers afterwards may have other data.
 */
export class QuietSource implements InvalidationSource {
  readonly #options: QuietOptions;
  readonly #stopped = new AbortController();
  #runId: string | undefined; // of the upstream that was learnt last
  #roundTripMs = 1;
  #pulse: Subscriber | undefined; // while upstream is known to be there
  #waiting: (() => void)[] = []; // for an answer to the next question

  constructor(options: QuietOptions) {
    this.#options = options;
  }

  get roundTripMs(): number {
    return this.#roundTripMs;
  }

  /** A write is told with its reply, in the turn in which its fence is raised: that turn has to end. */
  sync(done: (heard: boolean) => void): void {
    queueMicrotask(() => done(this.#pulse !== undefined));
  }

  /**
   * Calls back when upstream has dealt with all that was sent to it so far. It answers when it has
   * read what had arrived on other connections, too. If it is lost before, that is never.
   */
  whenAnswered(run: () => void): void {
    this.#waiting.push(run);
    if (this.#waiting.length === 1) queueMicrotask(() => this.#ask());
  }

  start(listener: SourceListener): void {
    void this.#run(listener, this.#stopped.signal);
  }

  stop(): void {
    this.#stopped.abort();
  }

  #ask(): void {
    const runs = this.#waiting;
    this.#waiting = [];
    if (this.#pulse === undefined) return;
    const answered = () => {
      for (const run of runs) run();
    };
    this.#ping(this.#pulse, PING_DEADLINE_MS).then(answered, () => {});
  }

  async #run(listener: SourceListener, signal: AbortSignal): Promise<void> {
    let pauseMs = RETRY_FIRST_MS;
    while (!signal.aborted) {
      const sighted = () => {
        pauseMs = RETRY_FIRST_MS;
        listener.sighted();
      };
      const cause = await this.#attend(sighted, signal);
      if (signal.aborted) return;
      if (cause.code === 'UPSTREAM_NOT_REDIS') listener.notRedis(cause.message);
      listener.blind(cause);
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, RETRY_LONGEST_MS);
    }
  }

  /** @returns why it is over */
  async #attend(sighted: () => void, signal: AbortSignal): Promise<ProxyError> {
    const { endpoint } = this.#options;
    const nodeCheck = new NodeCheck(this.#options);
    const control = new Control(endpoint);
    let pulse: Subscriber | undefined;
    const close = () => {
      pulse?.close();
      control.close();
    };
    try {
      await endpoint.resolve();
      pulse = new Subscriber(endpoint, NOTHING_HEARD);
      signal.addEventListener('abort', close);
      const runId = await this.#introduce(pulse);
      const watch = await this.#prepare(control, runId);
      await this.#ping(pulse, SET_UP_DEADLINE_MS);
      this.#pulse = pulse;
      sighted();
      return await this.#keepLooking(pulse, (over) => [
        watch.run(over),
        nodeCheck.run(runId, over),
      ]);
    } catch (cause) {
      if (cause instanceof ProxyError) return cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      return new ProxyError('UPSTREAM_UNREACHABLE', reason, { cause });
    } finally {
      this.#pulse = undefined;
      signal.removeEventListener('abort', close);
      close();
    }
  }

  /** @returns the run_id of the node that answers; undefined where it does not say */
  async #introduce(pulse: Subscriber): Promise<string | undefined> {
    const { user, password } = this.#options.endpoint.address;
    if (password !== undefined) {
      const words = user === undefined ? [password] : [user, password];
      const credentials = words.map((word) => Buffer.from(word, 'utf8').toString('latin1'));
      const answer = await pulse.ask(SET_UP_DEADLINE_MS, 'AUTH', ...credentials);
      if (answer instanceof Error) throw new ProxyError('UPSTREAM_REFUSED', answer.message);
    }
    return runIdOf(await pulse.ask(SET_UP_DEADLINE_MS, 'INFO', 'server'));
  }

  /**
   * @param runId of the node that answers
   * @returns the watch, which has seen how things are
   */
  async #prepare(control: Control, runId: string | undefined): Promise<Watch> {
    const { learnt, replaced, watchIntervalMs, silentLog, silentChange, sightless } = this.#options;
    await control.open();
    const facts = await control.facts();
    expectSame(runId, facts.runId);
    const before = this.#runId;
    learnt(facts);
    if (before !== undefined && facts.runId !== undefined && facts.runId !== before) replaced();
    this.#runId = facts.runId ?? before;
    const watch = new Watch(control, {
      intervalMs: watchIntervalMs,
      checksFlags: false,
      version: facts.version,
      log: silentLog,
      silentChange,
      sightless,
    });
    await watch.look();
    return watch;
  }

  /** Asks and looks on until something is wrong. @param begin what else may find that */
  async #keepLooking(
    pulse: Subscriber,
    begin: (over: AbortSignal) => readonly Promise<void>[],
  ): Promise<never> {
    const over = new AbortController();
    pulse.lost.catch(() => over.abort());
    try {
      await Promise.all([this.#keepAsking(pulse, over.signal), ...begin(over.signal)]);
    } finally {
      over.abort();
    }
    return pulse.lost;
  }

  async #keepAsking(pulse: Subscriber, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(PING_INTERVAL_MS, undefined, { signal }).catch(() => {});
      if (!signal.aborted) await this.#ping(pulse, PING_DEADLINE_MS);
    }
  }

  async #ping(pulse: Subscriber, deadlineMs: number): Promise<void> {
    const sentAt = performance.now();
    await pulse.ask(deadlineMs, 'PING');
    const tookMs = performance.now() - sentAt;
    this.#roundTripMs = this.#roundTripMs * 0.75 + tookMs * 0.25;
  }
}

const NOTHING_HEARD = { changed: () => {}, said: () => {}, endOfBatch: () => {} } as const;
