import { Redis, type RedisOptions } from 'ioredis';
import type { Identity } from '../address.ts';
import { CommandTable } from '../commands/table.ts';
import { ProxyError } from '../errors.ts';
import { CONNECT_TIMEOUT_MS, type Endpoint } from './endpoint.ts';
import { whyLost } from './tls.ts';

/** How long an answer on the control connection may take, in milliseconds. Source: our choice. */
const ANSWER_TIMEOUT_MS = 5_000;

/** What is known of the server behind us. */
export interface ServerFacts {
  /** Major * 100 + minor, as 704; undefined where INFO is refused. */
  readonly version: number | undefined;
  /** As it calls itself, as 7.4.1; undefined where INFO is refused. */
  readonly versionText: string | undefined;
  /** Changes when the server is started anew; undefined where INFO is refused. */
  readonly runId: string | undefined;
  /** It knows HELLO and lets it be used. */
  readonly speaksResp3: boolean;
  readonly mode: 'standalone' | 'cluster';
  readonly role: 'master' | 'replica';
  readonly server: 'redis' | 'valkey';
  /** It knows CLIENT TRACKING (6.2 and later) and lets it be used. */
  readonly tracks: boolean;
  /** Its own COMMAND table, or the built-in one where COMMAND is refused. */
  readonly commands: CommandTable;
}

/** @returns what a HELLO is answered where upstream can't; before anything is known, a guess */
export function helloFacts(facts: ServerFacts | undefined): {
  readonly server: 'redis' | 'valkey';
  readonly version: string;
  readonly mode: 'standalone' | 'cluster';
  readonly role: 'master' | 'replica';
} {
  const { server = 'redis', versionText, mode = 'standalone', role = 'master' } = facts ?? {};
  return { server, version: versionText ?? '0.0.0', mode, role };
}

/** The connection on which the proxy asks for its own ends. Opened anew for each try. */
export class Control {
  readonly #redis: Redis;
  #broken: Error | undefined;

  constructor(endpoint: Endpoint) {
    this.#redis = new Redis(optionsFor(endpoint));
    // Whoever asks is only told that the connection is closed; without a listener the process ends.
    this.#redis.on('error', (error: Error) => {
      this.#broken = error;
    });
  }

  /** @throws ProxyError UPSTREAM_UNREACHABLE, UPSTREAM_REFUSED */
  async open(): Promise<void> {
    try {
      await this.#redis.connect();
      await this.#redis.ping();
    } catch (cause) {
      throw failure(this.#broken ?? cause);
    }
  }

  async facts(): Promise<ServerFacts> {
    const info = await this.#redis.info('server').catch(() => '');
    const text = /^redis_version:(\S+)/m.exec(info)?.[1];
    const [major, minor] = (text ?? '').split('.').map(Number);
    const table = await this.#redis
      .call('COMMAND')
      .then((reply) => CommandTable.fromUpstream(reply))
      .catch(() => CommandTable.builtin());
    const tracks = await this.#redis
      .call('CLIENT', 'TRACKINGINFO')
      .then(() => this.#redis.call('CLIENT', 'TRACKING', 'OFF'))
      .then(() => true)
      .catch(() => false);
    const speaksResp3 = await this.#redis
      .call('HELLO')
      .then(() => true)
      .catch(() => false);
    const replication = await this.#redis.info('replication').catch(() => '');
    return {
      speaksResp3,
      mode: /^redis_mode:cluster/m.test(info) ? 'cluster' : 'standalone',
      role: /^role:slave/m.test(replication) ? 'replica' : 'master',
      server: /^server_name:valkey/m.test(info) ? 'valkey' : 'redis',
      tracks,
      version: major === undefined || minor === undefined ? undefined : major * 100 + minor,
      versionText: text,
      runId: /^run_id:(\S+)/m.exec(info)?.[1],
      commands: table,
    };
  }

  /**
   * One look for the watch: what INFO says of commands and replication, and what CONFIG says of
   * notifications; each undefined where it is refused.
   *
   * @param asksFlags false: CONFIG is not used, and says nothing
   * @throws ProxyError UPSTREAM_UNREACHABLE
   */
  async look(
    asksFlags: boolean,
  ): Promise<{ readonly info: string | undefined; readonly flags: string | undefined }> {
    const [calls, replication, flags] = await Promise.all([
      this.#text('commandstats'),
      this.#text('replication'),
      asksFlags ? this.notifyFlags() : undefined,
    ]);
    const info = calls === undefined || replication === undefined ? undefined : calls + replication;
    return { info, flags };
  }

  async #text(section: string): Promise<string | undefined> {
    try {
      return await this.#redis.info(section);
    } catch (cause) {
      if (isReplyError(cause)) return undefined;
      throw failure(cause);
    }
  }

  /**
   * @param name a user's, as latin1
   * @returns what ACL GETUSER says, decoded (text as latin1); undefined where there is no ACL or it
   *          is refused
   */
  async user(name: string): Promise<unknown> {
    try {
      return asLatin1(await this.#redis.callBuffer('ACL', 'GETUSER', Buffer.from(name, 'latin1')));
    } catch (cause) {
      if (isReplyError(cause)) return undefined;
      throw failure(cause);
    }
  }

  /**
   * Asks anything.
   *
   * @returns the decoded reply; an Error where it is refused
   * @throws ProxyError UPSTREAM_UNREACHABLE
   */
  async ask(command: string, ...words: readonly string[]): Promise<unknown> {
    try {
      return await this.#redis.call(command, ...words);
    } catch (cause) {
      if (isReplyError(cause)) return cause;
      throw failure(cause);
    }
  }

  /** @returns the value of `notify-keyspace-events`; undefined where CONFIG is refused */
  async notifyFlags(): Promise<string | undefined> {
    try {
      const reply = (await this.#redis.call('CONFIG', 'GET', NOTIFY)) as unknown[];
      return String(reply[1] ?? '');
    } catch (cause) {
      if (isReplyError(cause)) return undefined;
      throw failure(cause);
    }
  }

  /**
   * @returns after how many seconds upstream ends an idle connection, 0: never; undefined where CONFIG
   *          is refused
   * @throws ProxyError UPSTREAM_UNREACHABLE
   */
  async idleTimeout(): Promise<number | undefined> {
    const reply = await this.ask('CONFIG', 'GET', 'timeout');
    const seconds = Array.isArray(reply) ? Number(reply[1] ?? Number.NaN) : Number.NaN;
    return Number.isInteger(seconds) ? seconds : undefined;
  }

  /** @throws ProxyError UPSTREAM_REFUSED */
  async setNotifyFlags(flags: string): Promise<void> {
    try {
      await this.#redis.call('CONFIG', 'SET', NOTIFY, flags);
    } catch (cause) {
      throw failure(cause);
    }
  }

  close(): void {
    this.#redis.disconnect();
  }
}

/** @returns one that is connected. @throws ProxyError UPSTREAM_UNREACHABLE, UPSTREAM_REFUSED */
export async function openControl(endpoint: Endpoint): Promise<Control> {
  const control = new Control(endpoint);
  try {
    await control.open();
    return control;
  } catch (cause) {
    control.close();
    throw cause;
  }
}

/**
 * Opens a connection to ask one thing.
 *
 * @throws ProxyError UPSTREAM_UNREACHABLE, UPSTREAM_REFUSED
 */
export async function askOnce<T>(
  endpoint: Endpoint,
  ask: (control: Control) => Promise<T>,
): Promise<T> {
  const control = await openControl(endpoint);
  try {
    return await ask(control);
  } finally {
    control.close();
  }
}

const NOTIFY = 'notify-keyspace-events';

function optionsFor(endpoint: Endpoint): RedisOptions & { replyMapping: 'legacy' } {
  return {
    ...endpoint.target,
    ...(endpoint.tls === undefined ? {} : { tls: endpoint.tls }),
    ...login(endpoint.ownLogin),
    lazyConnect: true,
    protocol: 2, // there are servers without HELLO
    replyMapping: 'legacy',
    disableClientInfo: true,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: ANSWER_TIMEOUT_MS,
    retryStrategy: () => null, // whoever opened us tries again
  };
}

function login({ user, password }: Identity): RedisOptions {
  if (password === undefined) return {};
  return user === undefined ? { password } : { username: user, password };
}

function asLatin1(reply: unknown): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  return Array.isArray(reply) ? reply.map(asLatin1) : reply;
}

function isReplyError(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'ReplyError';
}

function failure(cause: unknown): ProxyError {
  const reason = cause instanceof Error ? whyLost(cause).message : String(cause);
  const isLate = reason === 'Command timed out';
  const lost = isLate ? 'UPSTREAM_TIMEOUT' : 'UPSTREAM_UNREACHABLE';
  const code = isReplyError(cause) ? 'UPSTREAM_REFUSED' : lost;
  return new ProxyError(code, reason, { cause });
}
