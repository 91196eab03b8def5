import { setTimeout as sleep } from 'node:timers/promises';
import type { NotifyConfig } from '../config.ts';
import { ProxyError } from '../errors.ts';
import type { Key } from '../key.ts';
import { Control, openControl, type ServerFacts } from '../upstream/control.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { expectSame, NodeCheck, runIdOf } from '../upstream/node-check.ts';
import { ensureNotifications } from '../upstream/notify.ts';
import { Ear, type ProbeSite } from '../upstream/probe.ts';
import type { SilentLog } from '../upstream/silent.ts';
import { Watch } from '../upstream/watch.ts';
import type { Attribution } from './attribution.ts';
import { PATTERN } from './notifications.ts';
import type { InvalidationSource, SourceListener } from './source.ts';
import { Subscriber } from './subscriber.ts';

/** How long an answer may take while the source is being set up, in milliseconds. */
const SET_UP_DEADLINE_MS = 5_000;
/** How often the connection is asked whether it still works, in milliseconds. */
const PING_INTERVAL_MS = 1_000;
/** How long that answer may take before the source counts as lost, in milliseconds. */
const PING_DEADLINE_MS = 2_000;
/** Pauses between tries, in milliseconds: the first, and the longest that doubling leads to. */
const RETRY_FIRST_MS = 50;
const RETRY_LONGEST_MS = 2_000;

/** What the source needs to know. */
export interface KeyspaceOptions {
  readonly endpoint: Endpoint;
  /** What may be done about `notify-keyspace-events`. */
  readonly notifyConfig: NotifyConfig;
  /** With what the keys begin that are changed to see whether that is announced. */
  readonly probeKeyPrefix: string;
  /** Told whether its channel is heard. */
  readonly attribution: Attribution;
  /** How often upstream is looked at for silent changes, in milliseconds; 0: never. */
  readonly watchIntervalMs: number;
  /** What passed through this proxy of what notifications do not tell. */
  readonly silentLog: SilentLog;
  /** Data may have changed unannounced. */
  readonly silentChange: (reason: string) => void;
  /** Looks do not find all that they should; told at each set-up. @param unseen what they miss */
  readonly sightless: (reason: string, unseen: string) => void;
  /** The operator's word is taken for it that notifications are on. @param reason why it must be */
  readonly unproven: (reason: string) => void;
  /** Told what upstream is, at each set-up, before it is sighted. */
  readonly learnt: (facts: ServerFacts) => void;
  /** Upstream is not the process that it was: older lanes may lead to another node. */
  readonly replaced: () => void;
  /** How many lanes have been opened so far. */
  readonly lanesOpened: () => number;
}

/**
 * Hears of changes through keyspace notifications. It sees to it that they are switched on, proves
 * that they arrive, and asks every second whether they still can. Whatever goes wrong is one thing,
 * a spell of blindness, and the answer to it is to begin anew.
 */
export class KeyspaceSource implements InvalidationSource {
  readonly #options: KeyspaceOptions;
  #stopped = new AbortController();
  #ear: Ear | undefined; // while a key of ours is changed
  #runId: string | undefined; // of the upstream that was learnt last
  #roundTripMs = 1;
  #subscriber: Subscriber | undefined; // while it is proven

  constructor(options: KeyspaceOptions) {
    this.#options = options;
  }

  get roundTripMs(): number {
    return this.#roundTripMs;
  }

  sync(done: (heard: boolean) => void): void {
    const subscriber = this.#subscriber;
    if (subscriber === undefined) done(false);
    else {
      // What was published before the answer has arrived, and been told, before it.
      const pong = this.#ping(subscriber, PING_DEADLINE_MS);
      pong.then(() => done(true)).catch(() => done(false));
    }
  }

  start(listener: SourceListener): void {
    void this.#run(listener, this.#stopped.signal);
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #run(listener: SourceListener, signal: AbortSignal): Promise<void> {
    let pauseMs = RETRY_FIRST_MS;
    while (!signal.aborted) {
      const sighted = () => {
        pauseMs = RETRY_FIRST_MS;
        listener.sighted();
      };
      const cause = await this.#watch(listener, sighted, signal);
      if (signal.aborted) return;
      if (cause.code === 'UPSTREAM_NOT_REDIS') listener.notRedis(cause.message);
      listener.blind(cause);
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, RETRY_LONGEST_MS);
    }
  }

  /** @returns why it is over */
  async #watch(
    listener: SourceListener,
    sighted: () => void,
    signal: AbortSignal,
  ): Promise<ProxyError> {
    let subscriber: Subscriber | undefined;
    const control = new Control(this.#options.endpoint);
    const nodeCheck = new NodeCheck(this.#options);
    const close = () => {
      subscriber?.close();
      control.close();
    };
    try {
      await this.#options.endpoint.resolve();
      subscriber = new Subscriber(this.#options.endpoint, {
        concerns: (chunk, from, to) =>
          listener.concerns(chunk, from, to) || this.#ear !== undefined,
        changed: (key, removed) => this.#heard(key, removed, listener),
        said: listener.heardWord,
        endOfBatch: listener.endOfBatch,
      });
      signal.addEventListener('abort', close);
      const runId = await this.#subscribe(subscriber);
      const watch = await this.#prepare(subscriber, control, runId);
      this.#subscriber = subscriber;
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
      this.#subscriber = undefined;
      signal.removeEventListener('abort', close);
      close();
    }
  }

  #heard(key: Key, removed: boolean, listener: SourceListener): void {
    this.#ear?.hear(key, removed);
    listener.changed(key, removed);
  }

  /** @returns the run_id of the node that is listened to; undefined where it does not say */
  async #subscribe(subscriber: Subscriber): Promise<string | undefined> {
    const { user, password } = this.#options.endpoint.address;
    if (password !== undefined) {
      const credentials = (user === undefined ? [password] : [user, password]).map(asUtf8);
      accepted(await subscriber.ask(SET_UP_DEADLINE_MS, 'AUTH', ...credentials));
    }
    const runId = runIdOf(await subscriber.ask(SET_UP_DEADLINE_MS, 'INFO', 'server'));
    accepted(await subscriber.ask(SET_UP_DEADLINE_MS, 'PSUBSCRIBE', PATTERN));
    const { attribution } = this.#options;
    const answer = await subscriber.ask(SET_UP_DEADLINE_MS, 'SUBSCRIBE', attribution.channel);
    // Refused, it costs NOLOOP clients their accuracy and nothing else.
    attribution.isHeard = !(answer instanceof Error);
    return runId;
  }

  /**
   * @param runId of the node that is listened to
   * @returns the watch, which has seen how things are
   */
  async #prepare(
    subscriber: Subscriber,
    control: Control,
    runId: string | undefined,
  ): Promise<Watch> {
    const { notifyConfig, silentLog, silentChange, watchIntervalMs, sightless } = this.#options;
    await control.open();
    const facts = await control.facts();
    expectSame(runId, facts.runId);
    this.#learn(facts);
    await this.#switchOn(control, subscriber, facts);
    const watch = new Watch(control, {
      intervalMs: watchIntervalMs,
      checksFlags: notifyConfig !== 'skip',
      version: facts.version,
      log: silentLog,
      silentChange,
      sightless,
    });
    await watch.look();
    await this.#ping(subscriber, SET_UP_DEADLINE_MS);
    return watch;
  }

  #learn(facts: ServerFacts): void {
    const { learnt, replaced } = this.#options;
    const before = this.#runId;
    learnt(facts);
    if (before !== undefined && facts.runId !== undefined && facts.runId !== before) replaced();
    this.#runId = facts.runId ?? before;
  }

  async #switchOn(control: Control, subscriber: Subscriber, facts: ServerFacts): Promise<void> {
    const { endpoint, probeKeyPrefix } = this.#options;
    const ear = new Ear(probeKeyPrefix);
    const site: ProbeSite = {
      ask: (...words) => control.ask(...words),
      another: () => openControl(endpoint),
      catchUp: () => this.#ping(subscriber, SET_UP_DEADLINE_MS),
      heard: (key) => ear.heard(key),
    };
    this.#ear = ear;
    try {
      await ensureNotifications({ ...this.#options, control, site, version: facts.version });
    } finally {
      this.#ear = undefined;
    }
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
      if (!signal.aborted) await this.#ping(subscriber, PING_DEADLINE_MS);
    }
  }

  async #ping(subscriber: Subscriber, deadlineMs: number): Promise<void> {
    const sentAt = performance.now();
    await subscriber.ask(deadlineMs, 'PING');
    const tookMs = performance.now() - sentAt;
    this.#roundTripMs = this.#roundTripMs * 0.75 + tookMs * 0.25;
  }
}

/** Requests are written as latin1; what an operator has typed goes out as UTF-8. */
function asUtf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** @throws ProxyError UPSTREAM_REFUSED where the answer is an error */
function accepted(answer: unknown): void {
  if (answer instanceof Error) throw new ProxyError('UPSTREAM_REFUSED', answer.message);
}
