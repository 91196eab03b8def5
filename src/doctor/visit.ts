import { randomBytes } from 'node:crypto';
import type { UpstreamAddress } from '../address.ts';
import { ProxyError } from '../errors.ts';
import { Subscriber } from '../invalidation/subscriber.ts';
import type { Key } from '../key.ts';
import { type Control, openControl } from '../upstream/control.ts';
import { asControl, Endpoint } from '../upstream/endpoint.ts';
import { Ear, type Heard, type ProbeSite } from '../upstream/probe.ts';

/**
 * The connections that a proxy has to its upstream, for the doctor: one on which it asks and one on
 * which it listens.
 */
export class Visit implements ProbeSite {
  /** With the user and password of a proxy's own connections, which all of these are. */
  readonly address: UpstreamAddress;
  /** Whether `--control-user` and `--control-password-file` say so, and not `--upstream`. */
  readonly isControl: boolean;
  /** Nobody else knows it. */
  readonly word = randomBytes(12).toString('hex');
  readonly #deadlineMs: number;
  readonly #ear: Ear;
  #endpoint: Endpoint | undefined;
  #control: Control | undefined;
  #subscriber: Subscriber | undefined;

  /**
   * @param deadlineMs how long an answer may take
   * @param prefix     of the keys whose changes are listened for
   */
  constructor(address: UpstreamAddress, deadlineMs: number, prefix: string) {
    this.address = asControl(address);
    this.isControl = address.control !== undefined;
    this.#ear = new Ear(prefix);
    this.#deadlineMs = deadlineMs;
  }

  /** As whom it asks. */
  get user(): string {
    return this.address.user ?? 'default';
  }

  /** Where it connects, once it has begun. */
  get target(): Endpoint['target'] {
    if (this.#endpoint === undefined) throw new Error('the visit has not begun');
    return this.#endpoint.target;
  }

  /** @throws ProxyError UPSTREAM_UNREACHABLE, UPSTREAM_REFUSED, UPSTREAM_NOT_REDIS, CONFIG_INVALID */
  async open(): Promise<void> {
    const endpoint = new Endpoint(this.address);
    this.#endpoint = endpoint;
    await endpoint.resolve().catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ProxyError('UPSTREAM_UNREACHABLE', reason, { cause });
    });
    // It comes first, for it says so at once where what answers is no Redis.
    this.#subscriber = new Subscriber(endpoint, {
      changed: (key, removed) => this.#ear.hear(key, removed),
      said: () => {},
      endOfBatch: () => {},
    });
    await this.#logIn();
    accept(await this.listen('PING'));
    this.#control = await this.another();
  }

  /** @returns one more control connection, to the node that was found when the visit began */
  another(): Promise<Control> {
    if (this.#endpoint === undefined) throw new Error('the visit has not begun');
    return openControl(this.#endpoint);
  }

  /** @returns the decoded reply; an Error where it is refused. @throws UPSTREAM_UNREACHABLE */
  ask(command: string, ...words: readonly string[]): Promise<unknown> {
    if (this.#control === undefined) throw new Error('the visit has not begun');
    return this.#control.ask(command, ...words);
  }

  /** The same on the connection that listens. What was announced before is heard by then. */
  listen(...words: readonly string[]): Promise<unknown> {
    if (this.#subscriber === undefined) throw new Error('the visit has not begun');
    return this.#subscriber.ask(this.#deadlineMs, ...words);
  }

  async catchUp(): Promise<void> {
    await this.listen('PING');
  }

  heard(key: Key): Heard {
    return this.#ear.heard(key);
  }

  close(): void {
    this.#control?.close();
    this.#subscriber?.close();
  }

  async #logIn(): Promise<void> {
    const { user, password } = this.address;
    if (password === undefined) return;
    const login = user === undefined ? [password] : [user, password];
    // Requests are written as latin1; what an operator has typed goes out as UTF-8.
    const words = login.map((word) => Buffer.from(word, 'utf8').toString('latin1'));
    accept(await this.listen('AUTH', ...words));
  }
}

function accept(answer: unknown): void {
  if (answer instanceof Error) throw new ProxyError('UPSTREAM_REFUSED', answer.message);
}
