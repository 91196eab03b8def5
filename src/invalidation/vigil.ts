import { setTimeout as sleep } from 'node:timers/promises';
import { ProxyError } from '../errors.ts';
import { Control, type ServerFacts } from '../upstream/control.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { expectSame, NodeCheck, runIdOf } from '../upstream/node-check.ts';
import type { SilentLog } from '../upstream/silent.ts';
import { Watch } from '../upstream/watch.ts';
import type { Hearing } from './messages.ts';
import type { SourceListener } from './source.ts';
import { Subscriber } from './subscriber.ts';

/** How long an answer may take while a source is being set up, in milliseconds. */
export const SET_UP_DEADLINE_MS = 5_000;
/** How often the connection is asked whether it still works, in milliseconds. */
const PING_INTERVAL_MS = 1_000;
/** How long that answer may take before the source counts as lost, in milliseconds. */
const PING_DEADLINE_MS = 2_000;
/** Pauses between tries, in milliseconds: the first, and the longest that doubling leads to. */
const RETRY_FIRST_MS = 50;
const RETRY_LONGEST_MS = 2_000;

/** Clients may be let in all the same, as somebody else: which login it is has to be said. */
const CONTROL_HINT = ' (the login of --control-user and --control-password-file)';

/** What a vigil needs to know, and whom it tells. */
export interface VigilOptions {
  readonly endpoint: Endpoint;
  /** How often upstream is looked at for silent changes, in milliseconds; 0: never. */
  readonly watchIntervalMs: number;
  /** What passed through this proxy of what notifications do not tell. */
  readonly silentLog: SilentLog;
  /** Data may have changed unannounced. */
  readonly silentChange: (reason: string) => void;
  /** Looks do not find all that they should; told at each set-up. @param unseen what they miss */
  readonly sightless: (reason: string, unseen: string) => void;
  /** Told what upstream is, at each set-up, before it is sighted. */
  readonly learnt: (facts: ServerFacts) => void;
  /** Upstream is not the process that it was: older lanes may lead to another node. */
  readonly replaced: () => void;
  /** How many lanes have been opened so far. */
  readonly lanesOpened: () => number;
}

/** What one kind of source does beside keeping vigil. */
export interface Duty {
  /** Whether notifications that somebody switches off are noticed. */
  readonly checksFlags: boolean;
  /** @returns who listens on the connection */
  hearing(listener: SourceListener): Hearing;
  /** Subscribes to what is to be heard. @throws ProxyError */
  subscribe(subscriber: Subscriber): Promise<void>;
  /** Sees to it that upstream tells what is to be heard. @throws ProxyError */
  switchOn(control: Control, subscriber: Subscriber, facts: ServerFacts): Promise<void>;
}

/**
 * Sets a source up, asks every second whether it still works, looks for what it is never told, and sees
 * whether upstream is still the same node. Whatever goes wrong is one thing, a spell of blindness, and
 * the answer to it is to begin anew.
 */
export class Vigil {
  readonly #options: VigilOptions;
  readonly #duty: Duty;
  readonly #stopped = new AbortController();
  #runId: string | undefined; // of the upstream that was learnt last
  #roundTripMs = 1;
  #proven: Subscriber | undefined;

  constructor(options: VigilOptions, duty: Duty) {
    this.#options = options;
    this.#duty = duty;
  }

  /** How long upstream lately took to answer, in milliseconds. */
  get roundTripMs(): number {
    return this.#roundTripMs;
  }

  /** Whether the source is set up, as far as is known. */
  get isProven(): boolean {
    return this.#proven !== undefined;
  }

  start(listener: SourceListener): void {
    void this.#run(listener, this.#stopped.signal);
  }

  stop(): void {
    this.#stopped.abort();
  }

  /**
   * What had been sent to the proven connection before the answer has arrived, and been told, before it.
   *
   * @returns undefined where no connection is proven; a promise that rejects if it is lost
   */
  answer(): Promise<void> | undefined {
    return this.#proven && this.ping(this.#proven, PING_DEADLINE_MS);
  }

  /** @param deadlineMs how long the answer may take; later the connection is given up */
  async ping(subscriber: Subscriber, deadlineMs: number): Promise<void> {
    const sentAt = performance.now();
    await subscriber.ask(deadlineMs, 'PING');
    const tookMs = performance.now() - sentAt;
    this.#roundTripMs = this.#roundTripMs * 0.75 + tookMs * 0.25;
  }

  async #run(listener: SourceListener, signal: AbortSignal): Promise<void> {
    let pauseMs = RETRY_FIRST_MS;
    while (!signal.aborted) {
      const sighted = () => {
        pauseMs = RETRY_FIRST_MS;
        listener.sighted();
      };
      const cause = await this.#attend(listener, sighted, signal);
      if (signal.aborted) return;
      if (cause.code === 'UPSTREAM_NOT_REDIS') listener.notRedis(cause.message);
      listener.blind(cause);
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, RETRY_LONGEST_MS);
    }
  }

  /** @returns why it is over */
  async #attend(
    listener: SourceListener,
    sighted: () => void,
    signal: AbortSignal,
  ): Promise<ProxyError> {
    const { endpoint } = this.#options;
    let subscriber: Subscriber | undefined;
    const control = new Control(endpoint);
    const nodeCheck = new NodeCheck(this.#options);
    const close = () => {
      subscriber?.close();
      control.close();
    };
    try {
      await endpoint.resolve();
      subscriber = new Subscriber(endpoint, this.#duty.hearing(listener));
      signal.addEventListener('abort', close);
      const runId = await this.#introduce(subscriber);
      await this.#duty.subscribe(subscriber);
      const watch = await this.#prepare(subscriber, control, runId);
      this.#proven = subscriber;
      sighted();
      return await this.#keepLooking(subscriber, (over) => [
        watch.run(over),
        nodeCheck.run(runId, over),
      ]);
    } catch (cause) {
      if (cause instanceof ProxyError) return cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      return new ProxyError('UPSTREAM_UNREACHABLE', reason, { cause });
    } finally {
      this.#proven = undefined;
      signal.removeEventListener('abort', close);
      close();
    }
  }

  /** @returns the run_id of the node that answers; undefined where it does not say */
  async #introduce(subscriber: Subscriber): Promise<string | undefined> {
    const { address, ownLogin } = this.#options.endpoint;
    const { user, password } = ownLogin;
    if (password !== undefined) {
      const credentials = (user === undefined ? [password] : [user, password]).map(asUtf8);
      const answer = await subscriber.ask(SET_UP_DEADLINE_MS, 'AUTH', ...credentials);
      accepted(answer, address.control === undefined ? '' : CONTROL_HINT);
    }
    return runIdOf(await subscriber.ask(SET_UP_DEADLINE_MS, 'INFO', 'server'));
  }

  /**
   * @param runId of the node that answers
   * @returns the watch, which has seen how things are
   */
  async #prepare(
    subscriber: Subscriber,
    control: Control,
    runId: string | undefined,
  ): Promise<Watch> {
    const { silentLog, silentChange, watchIntervalMs, sightless } = this.#options;
    await control.open();
    const facts = await control.facts();
    expectSame(runId, facts.runId);
    this.#learn(facts);
    await this.#duty.switchOn(control, subscriber, facts);
    const watch = new Watch(control, {
      intervalMs: watchIntervalMs,
      checksFlags: this.#duty.checksFlags,
      version: facts.version,
      log: silentLog,
      silentChange,
      sightless,
    });
    await watch.look();
    await this.ping(subscriber, SET_UP_DEADLINE_MS);
    return watch;
  }

  #learn(facts: ServerFacts): void {
    const { learnt, replaced } = this.#options;
    const before = this.#runId;
    learnt(facts);
    if (before !== undefined && facts.runId !== undefined && facts.runId !== before) replaced();
    this.#runId = facts.runId ?? before;
  }

  /** Asks and looks on until something is wrong. @param begin what else may find that */
  async #keepLooking(
    subscriber: Subscriber,
    begin: (over: AbortSignal) => readonly Promise<void>[],
  ): Promise<never> {
    const over = new AbortController();
    subscriber.lost.catch(() => over.abort());
    try {
      await Promise.all([this.#keepAsking(subscriber, over.signal), ...begin(over.signal)]);
    } finally {
      over.abort();
    }
    return subscriber.lost;
  }

  async #keepAsking(subscriber: Subscriber, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(PING_INTERVAL_MS, undefined, { signal }).catch(() => {});
      if (!signal.aborted) await this.ping(subscriber, PING_DEADLINE_MS);
    }
  }
}

/** Requests are written as latin1; what an operator has typed goes out as UTF-8. */
function asUtf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/**
 * @param hint put behind what upstream says
 * @throws ProxyError UPSTREAM_REFUSED where the answer is an error
 */
export function accepted(answer: unknown, hint = ''): void {
  if (answer instanceof Error) throw new ProxyError('UPSTREAM_REFUSED', answer.message + hint);
}
