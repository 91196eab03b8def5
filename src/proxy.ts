import { randomBytes } from 'node:crypto';
import net from 'node:net';
import type { Metrics } from './admin/metrics.ts';
import { Connection, type ConnectionParts } from './client/connection.ts';
import { advertiser } from './client/hello.ts';
import { DEFAULT_USER } from './client/parts.ts';
import { CommandTable } from './commands/table.ts';
import type { ProxyConfig } from './config.ts';
import { ProxyError } from './errors.ts';
import { Attribution } from './invalidation/attribution.ts';
import { KeyspaceSource } from './invalidation/keyspace.ts';
import type { InvalidationSource, SourceListener } from './invalidation/source.ts';
import { listen } from './listen.ts';
import type { Logger } from './logger.ts';
import { type Reason, Tracker } from './tracking/tracker.ts';
import { AccessRules } from './upstream/access.ts';
import { Control, type ServerFacts } from './upstream/control.ts';
import { Endpoint } from './upstream/endpoint.ts';
import { SilentLog } from './upstream/silent.ts';

/** How often invalidations that wait for a late reply are looked at, in milliseconds. */
const TICK_MS = 2;

/** From this version on (6.0) there are users with rights of their own. */
const ACL_VERSION = 600;

/** How many random bytes a word of attribution has. */
const WORD_BYTES = 12;

/** A proxy, to start and to stop. */
export interface Proxy {
  /** Resolves when it listens; upstream need not be reachable. @throws ProxyError LISTEN_FAILED */
  start(): Promise<void>;
  /** Ends all connections. May be called more than once. */
  stop(): Promise<void>;
  /** Where it listens, as an operator reads it. */
  readonly address: string;
  /** Whether upstream is reachable and the source of changes proven; else why not. */
  readonly ready: { readonly ok: boolean; readonly reason: string };
}

/** What a proxy is given beside its configuration. */
export interface ProxyParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Told when going on makes no sense: what answers at upstream's address is no Redis. */
  readonly failed?: (error: ProxyError) => void;
}

/** @returns a proxy that does nothing until it is started */
export function createProxy(config: ProxyConfig, parts: ProxyParts): Proxy {
  return new RedisProxy(config, parts);
}

/** Wires the parts: who listens, whom a new client gets, what a change or a blind spell does. */
class RedisProxy implements Proxy {
  readonly #config: ProxyConfig;
  readonly #parts: ProxyParts;
  readonly #endpoint: Endpoint;
  readonly #tracker: Tracker;
  readonly #attribution = new Attribution(() => randomBytes(WORD_BYTES).toString('hex'));
  readonly #source: InvalidationSource;
  readonly #server: net.Server;
  readonly #connections = new Set<Connection>();
  readonly #waiting = new Set<Connection>();
  readonly #connectionParts: ConnectionParts;
  readonly #silentLog = new SilentLog();
  readonly #access = new AccessRules(
    (user) => this.#askUser(user),
    () => performance.now(),
  );
  #commands = CommandTable.builtin();
  #facts: ServerFacts | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #blindSince = performance.now();
  #lastReason: string | undefined = 'connecting to the upstream';
  #address = '';
  #toldNotRedis = false;

  constructor(config: ProxyConfig, parts: ProxyParts) {
    this.#config = config;
    this.#parts = parts;
    this.#endpoint = new Endpoint(config.upstream);
    this.#tracker = new Tracker(config.trackingTableMaxKeys, (reason, messages) => {
      parts.metrics.counts[COUNTER_OF[reason]] += messages;
    });
    this.#source = new KeyspaceSource({
      endpoint: this.#endpoint,
      notifyConfig: config.notifyConfig,
      attribution: this.#attribution,
      watchIntervalMs: config.watchIntervalMs,
      silentLog: this.#silentLog,
      silentChange: (reason) => this.#silentChange(reason),
      unproven: (reason) => {
        parts.logger.warn({ reason }, '--notify-config=skip: notifications are taken on trust');
      },
      learnt: (facts) => this.#learn(facts),
    });
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#accept(socket),
    );
    this.#connectionParts = this.#partsForConnections();
    this.#observe();
  }

  get address(): string {
    return this.#address;
  }

  get ready(): { readonly ok: boolean; readonly reason: string } {
    const reason = this.#lastReason;
    return reason === undefined ? { ok: true, reason: '' } : { ok: false, reason };
  }

  async start(): Promise<void> {
    this.#address = await listen(this.#server, this.#config.listen, '--listen');
    this.#source.start(this.#sourceListener());
  }

  async stop(): Promise<void> {
    this.#source.stop();
    clearTimeout(this.#ticker);
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  #accept(socket: net.Socket): void {
    this.#parts.metrics.counts.connections += 1;
    this.#connections.add(new Connection(socket, this.#connectionParts));
  }

  #sourceListener(): SourceListener {
    const { counts } = this.#parts.metrics;
    return {
      changed: (key, removed) => {
        counts.notifications += 1;
        this.#tracker.changed(key, 'write', removed ? undefined : this.#attribution.writer);
      },
      endOfBatch: () => this.#tracker.endOfBatch(),
      heardWord: (word) => this.#attribution.heard(word),
      blind: (reason) => this.#loseSight(reason),
      sighted: () => this.#regainSight(),
      notRedis: (reason) => {
        // It was one before: whatever this is will pass.
        if (this.#facts !== undefined || this.#toldNotRedis) return;
        this.#toldNotRedis = true;
        const what = `what listens at the upstream's address is no Redis: ${reason}`;
        this.#parts.failed?.(new ProxyError('UPSTREAM_NOT_REDIS', what));
      },
    };
  }

  #loseSight(reason: string): void {
    const { logger, metrics } = this.#parts;
    const news = reason !== this.#lastReason;
    this.#lastReason = reason;
    if (!this.#tracker.blind) {
      this.#blindSince = performance.now();
      metrics.counts.blindSpells += 1;
      logger.warn(
        { reason },
        'changes may be missed: tracking clients are told to drop everything',
      );
    } else if (news) {
      logger.warn({ reason }, 'the source of changes is not up yet; trying again');
    }
    this.#attribution.reset();
    this.#tracker.loseSight();
  }

  #regainSight(): void {
    const { logger, metrics } = this.#parts;
    const blindMs = performance.now() - this.#blindSince;
    metrics.counts.blindSeconds += blindMs / 1_000;
    this.#lastReason = undefined;
    logger.info(
      { upstream: this.#facts?.versionText, blindMs: Math.round(blindMs) },
      'every change of the upstream is heard',
    );
    this.#tracker.regainSight();
  }

  #silentChange(reason: string): void {
    this.#parts.logger.info({ reason }, 'data may have changed unannounced: all is invalidated');
    this.#tracker.changedAll('silent');
  }

  #learn(facts: ServerFacts): void {
    this.#silentLog.learn(facts.version);
    this.#facts = facts;
    this.#commands = facts.commands;
    this.#access.forget();
    if (this.#filters) void this.#access.load(DEFAULT_USER);
  }

  #partsForConnections(): ConnectionParts {
    const { logger, metrics } = this.#parts;
    const { counts } = metrics;
    return {
      endpoint: this.#endpoint,
      tracker: this.#tracker,
      attribution: this.#attribution,
      silentLog: this.#silentLog,
      access: (user) => (this.#filters ? this.#access.of(user) : 'all'),
      loadAccess: (user) => this.#access.load(user),
      forgetAccess: () => this.#access.forget(),
      tellOrphans: this.#config.redirectCleanup,
      logger,
      counts,
      commands: () => this.#commands,
      advertise: advertiser(this.#config.advertiseVersion),
      upstreamVersion: () => this.#facts?.version,
      nativeTracking: () => this.#facts?.tracks ?? false,
      db: this.#config.upstream.db,
      now: () => performance.now(),
      roundTrip: () => this.#source.roundTripMs,
      wake: (connection) => this.#wake(connection),
      closed: (connection) => {
        this.#connections.delete(connection);
        this.#waiting.delete(connection);
      },
    };
  }

  /** Whether there may be users who must not hear of some keys. */
  get #filters(): boolean {
    return (
      this.#config.bcastAcl === 'filter' && (this.#facts?.version ?? ACL_VERSION) >= ACL_VERSION
    );
  }

  async #askUser(user: string): Promise<unknown> {
    const control = new Control(this.#endpoint);
    try {
      await control.open();
      return await control.user(user);
    } finally {
      control.close();
    }
  }

  /** Sees to it that `connection` is asked now and then whether an invalidation is due. */
  #wake(connection: Connection): void {
    this.#waiting.add(connection);
    this.#ticker ??= setTimeout(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    this.#ticker = undefined;
    for (const connection of this.#waiting) {
      if (!connection.tick()) this.#waiting.delete(connection);
    }
    if (this.#waiting.size > 0) this.#ticker = setTimeout(() => this.#tick(), TICK_MS);
  }

  #observe(): void {
    this.#parts.metrics.observe({
      clients: () => this.#connections.size,
      trackingClients: () => this.#tracker.readerCount,
      tableKeys: () => this.#tracker.keyCount,
      sourceUp: () => !this.#tracker.blind,
      upstreamUp: () => this.#facts !== undefined && this.#lastReason === undefined,
    });
  }
}

const COUNTER_OF = {
  write: 'invalidationsWrite',
  flush: 'invalidationsFlush',
  silent: 'invalidationsSilent',
  blind: 'invalidationsBlind',
  table_full: 'invalidationsTableFull',
} as const satisfies Record<Reason, string>;
