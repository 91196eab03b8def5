import type { NotifyConfig } from '../config.ts';
import type { Key } from '../key.ts';
import { type Control, openControl, type ServerFacts } from '../upstream/control.ts';
import { ensureNotifications } from '../upstream/notify.ts';
import { Ear, type ProbeSite } from '../upstream/probe.ts';
import type { Attribution } from './attribution.ts';
import type { Hearing } from './messages.ts';
import { PATTERN } from './notifications.ts';
import type { InvalidationSource, SourceListener } from './source.ts';
import type { Subscriber } from './subscriber.ts';
import { accepted, type Duty, SET_UP_DEADLINE_MS, Vigil, type VigilOptions } from './vigil.ts';

/** What the source needs to know. */
export interface KeyspaceOptions extends VigilOptions {
  /** What may be done about `notify-keyspace-events`. */
  readonly notifyConfig: NotifyConfig;
  /** With what the keys begin that are changed to see whether that is announced. */
  readonly probeKeyPrefix: string;
  /** Told whether its channel is heard. */
  readonly attribution: Attribution;
  /** The operator's word is taken for it that notifications are on. @param reason why it must be */
  readonly unproven: (reason: string) => void;
}

/**
 * Hears of changes through keyspace notifications. It sees to it that they are switched on, proves
 * that they arrive, and keeps vigil over that.
 */
export class KeyspaceSource implements InvalidationSource, Duty {
  readonly checksFlags: boolean;
  readonly #options: KeyspaceOptions;
  readonly #vigil: Vigil;
  #ear: Ear | undefined; // while a key of ours is changed

  constructor(options: KeyspaceOptions) {
    this.#options = options;
    this.checksFlags = options.notifyConfig !== 'skip';
    this.#vigil = new Vigil(options, this);
  }

  get roundTripMs(): number {
    return this.#vigil.roundTripMs;
  }

  sync(done: (heard: boolean) => void): void {
    const answer = this.#vigil.answer();
    if (answer === undefined) done(false);
    else answer.then(() => done(true)).catch(() => done(false));
  }

  start(listener: SourceListener): void {
    this.#vigil.start(listener);
  }

  stop(): void {
    this.#vigil.stop();
  }

  hearing(listener: SourceListener): Hearing {
    return {
      concerns: (chunk, from, to) => listener.concerns(chunk, from, to) || this.#ear !== undefined,
      changed: (key, removed) => this.#heard(key, removed, listener),
      said: listener.heardWord,
      endOfBatch: listener.endOfBatch,
    };
  }

  #heard(key: Key, removed: boolean, listener: SourceListener): void {
    this.#ear?.hear(key, removed);
    listener.changed(key, removed);
  }

  async subscribe(subscriber: Subscriber): Promise<void> {
    accepted(await subscriber.ask(SET_UP_DEADLINE_MS, 'PSUBSCRIBE', PATTERN));
    const { attribution } = this.#options;
    const answer = await subscriber.ask(SET_UP_DEADLINE_MS, 'SUBSCRIBE', attribution.channel);
    // Refused, it costs NOLOOP clients their accuracy and nothing else.
    attribution.isHeard = !(answer instanceof Error);
  }

  async switchOn(control: Control, subscriber: Subscriber, facts: ServerFacts): Promise<void> {
    const { endpoint, probeKeyPrefix } = this.#options;
    const ear = new Ear(probeKeyPrefix);
    const site: ProbeSite = {
      ask: (...words) => control.ask(...words),
      another: () => openControl(endpoint),
      catchUp: () => this.#vigil.ping(subscriber, SET_UP_DEADLINE_MS),
      heard: (key) => ear.heard(key),
    };
    this.#ear = ear;
    try {
      await ensureNotifications({ ...this.#options, control, site, version: facts.version });
    } finally {
      this.#ear = undefined;
    }
  }
}
