import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NotifyConfig } from '../config.ts';
import { ProxyError } from '../errors.ts';
import { type Key, keyOf } from '../key.ts';
import { Control, type ServerFacts } from '../upstream/control.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { SilentLog } from '../upstream/silent.ts';
import { Watch } from '../upstream/watch.ts';
import type { Attribution } from './attribution.ts';
import { missingFlags } from './flags.ts';
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
  /** Told whether its channel is heard. */
  readonly attribution: Attribution;
  /** How often upstream is looked at for silent changes, in milliseconds; 0: never. */
  readonly watchIntervalMs: number;
  /** What passed through this proxy of what notifications do not tell. */
  readonly silentLog: SilentLog;
  /** Data may have changed unannounced. */
  readonly silentChange: (reason: string) => void;
  /** With `--notify-config=skip` the operator's word is taken; told if the facts speak against it. */
  readonly unproven: (reason: string) => void;
  /** Told what upstream is, at each set-up, before it is sighted. */
  readonly learnt: (facts: ServerFacts) => void;
}

/**
 * Hears of changes through keyspace notifications. It sees to it that they are switched on, proves
 * that they arrive, and asks every second whether they still can. Whatever goes wrong is one thing,
 * a spell of blindness, and the answer to it is to begin anew.
 */
export class KeyspaceSource implements InvalidationSource {
  readonly #options: KeyspaceOptions;
  #stopped = new AbortController();
  #probe: { readonly key: Key; readonly seen: () => void } | undefined;
  #roundTripMs = 1;

  constructor(options: KeyspaceOptions) {
    this.#options = options;
  }

  get roundTripMs(): number {
    return this.#roundTripMs;
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
      listener.blind(cause.message);
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
    const close = () => {
      subscriber?.close();
      control.close();
    };
    try {
      await this.#options.endpoint.resolve();
      subscriber = new Subscriber(this.#options.endpoint, {
        changed: (key, removed) => this.#heard(key, removed, listener),
        said: listener.heardWord,
        endOfBatch: listener.endOfBatch,
      });
      signal.addEventListener('abort', close);
      await this.#subscribe(subscriber);
      const watch = await this.#prepare(subscriber, control);
      sighted();
      return await this.#keepLooking(subscriber, watch);
    } catch (cause) {
      if (cause instanceof ProxyError) return cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      return new ProxyError('UPSTREAM_UNREACHABLE', reason, { cause });
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  }

  #heard(key: Key, removed: boolean, listener: SourceListener): void {
    if (this.#probe?.key === key) this.#probe.seen();
    listener.changed(key, removed);
  }

  async #subscribe(subscriber: Subscriber): Promise<void> {
    const { user, password } = this.#options.endpoint.address;
    if (password !== undefined) {
      const credentials = (user === undefined ? [password] : [user, password]).map(asUtf8);
      accepted(await subscriber.ask(SET_UP_DEADLINE_MS, 'AUTH', ...credentials));
    }
    accepted(await subscriber.ask(SET_UP_DEADLINE_MS, 'PSUBSCRIBE', PATTERN));
    const { attribution } = this.#options;
    const answer = await subscriber.ask(SET_UP_DEADLINE_MS, 'SUBSCRIBE', attribution.channel);
    // Refused, it costs NOLOOP clients their accuracy and nothing else.
    attribution.isHeard = !(answer instanceof Error);
  }

  /** @returns the watch, which has seen how things are */
  async #prepare(subscriber: Subscriber, control: Control): Promise<Watch> {
    const { notifyConfig, learnt, silentLog, silentChange, watchIntervalMs, unproven } =
      this.#options;
    await control.open();
    const facts = await control.facts();
    learnt(facts);
    if (notifyConfig !== 'skip') await this.#switchOn(control, subscriber, facts);
    else await this.#prove(control, subscriber).catch((cause: Error) => unproven(cause.message));
    const watch = new Watch(control, {
      intervalMs: watchIntervalMs,
      checksFlags: notifyConfig !== 'skip',
      version: facts.version,
      log: silentLog,
      silentChange,
    });
    await watch.look();
    await this.#ping(subscriber, SET_UP_DEADLINE_MS);
    return watch;
  }

  async #switchOn(control: Control, subscriber: Subscriber, facts: ServerFacts): Promise<void> {
    const set = await control.notifyFlags();
    if (set === undefined) {
      await this.#prove(control, subscriber);
      return;
    }
    const missing = missingFlags(set, facts.version);
    if (missing === '') return;
    if (this.#options.notifyConfig === 'check') throw unavailable(`it is set to '${set}'`);
    await control.setNotifyFlags(set + missing).catch((cause: unknown) => {
      throw unavailable(`setting it is refused (${String(cause)})`);
    });
    const now = (await control.notifyFlags()) ?? '';
    if (missingFlags(now, facts.version) !== '') throw unavailable(`it stays at '${now}'`);
  }

  /** Without CONFIG: changes a key of our own and waits for the news. */
  async #prove(control: Control, subscriber: Subscriber): Promise<void> {
    const key = `sidetrack:probe:${randomBytes(8).toString('hex')}`;
    let seen = false;
    this.#probe = {
      key: keyOf(key),
      seen: () => {
        seen = true;
      },
    };
    try {
      await control.touchProbe(key);
      // What was published before this answer has arrived with it.
      await this.#ping(subscriber, SET_UP_DEADLINE_MS);
    } catch (cause) {
      throw unavailable(`no probe key can be written (${String(cause)})`);
    } finally {
      this.#probe = undefined;
    }
    if (!seen) throw unavailable('a key that was changed was not announced');
  }

  /** Asks and looks on until something is wrong. */
  async #keepLooking(subscriber: Subscriber, watch: Watch): Promise<never> {
    const over = new AbortController();
    subscriber.lost.catch(() => over.abort());
    try {
      await Promise.all([this.#keepAsking(subscriber, over.signal), watch.run(over.signal)]);
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

function unavailable(why: string): ProxyError {
  return new ProxyError(
    'NOTIFICATIONS_UNAVAILABLE',
    `keyspace notifications are off: notify-keyspace-events must hold KA, and ${why}. ` +
      'Set it in redis.conf or with CONFIG SET notify-keyspace-events KA (on managed services: ' +
      'in the parameter group), or give the proxy a user that may',
  );
}
