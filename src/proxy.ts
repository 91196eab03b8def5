import { getRandomValues, randomBytes } from 'node:crypto';
import type net from 'node:net';
import { Acceptor } from './acceptor.ts';
import { INVALIDATION_COUNTERS } from './admin/catalog.ts';
import { observe } from './admin/observe.ts';
import { Connection } from './client/connection.ts';
import type { ConnectionParts } from './client/connection-parts.ts';
import { Fences } from './client/fences.ts';
import { advertiser } from './client/hello.ts';
import { DEFAULT_USER } from './client/parts.ts';
import { CommandTable } from './commands/table.ts';
import type { ProxyConfig } from './config.ts';
import { ProxyError } from './errors.ts';
import { IdleSweep } from './idle.ts';
import { Attribution } from './invalidation/attribution.ts';
import { type ChosenSource, chooseSource } from './invalidation/choose.ts';
import type { InvalidationSource, SourceListener } from './invalidation/source.ts';
import type { ProxyParts, TrackingProxy } from './proxy-parts.ts';
import { Sight } from './sight.ts';
import { Spool } from './spool.ts';
import { Ticker } from './ticker.ts';
import { reloadAll } from './tls.ts';
import { COEFFICIENT_COUNT } from './tracking/key-index.ts';
import { type Reason, Tracker } from './tracking/tracker.ts';
import { AccessRules } from './upstream/access.ts';
import { askOnce, helloFacts, type ServerFacts } from './upstream/control.ts';
import { Endpoint } from './upstream/endpoint.ts';
import { IdleTimeout } from './upstream/idle-timeout.ts';
import { SilentLog } from './upstream/silent.ts';

export type { TrackingProxy as Proxy } from './proxy-parts.ts';

/**
 * How long the replies to fenced writes wait for one client to be told, in milliseconds; then that
 * client is disconnected. Source: our choice; nothing but a lane that stands still takes so long.
 */
const FENCE_MAX_MS = 2_000;

/** From this version on (6.0) there are users with rights of their own. */
const ACL_VERSION = 600;

/** How many random bytes a word of attribution has. */
const WORD_BYTES = 12;

/** @returns a proxy that does nothing until it is started */
export function createProxy(config: ProxyConfig, parts: ProxyParts): TrackingProxy {
  return new RedisProxy(config, parts);
}

/** Wires the parts: who listens, whom a new client gets, what a change or a blind spell does. */
class RedisProxy implements TrackingProxy {
  readonly #config: ProxyConfig;
  readonly #parts: ProxyParts;
  readonly #endpoint: Endpoint;
  readonly #tracker: Tracker;
  readonly #attribution = new Attribution(() => randomBytes(WORD_BYTES).toString('hex'));
  readonly #source: InvalidationSource;
  readonly #acceptor: Acceptor;
  readonly #idleSweep: IdleSweep;
  readonly #connections = new Set<Connection>();
  readonly #waiting = new Ticker<Connection>();
  readonly #withheld = new Set<Connection>(); // some of them no more
  readonly #connectionParts: ConnectionParts;
  readonly #silentLog = new SilentLog();
  readonly #access = new AccessRules(
    (user) => askOnce(this.#endpoint, (control) => control.user(user)),
    () => performance.now(),
  );
  readonly #idleTimeout = new IdleTimeout(
    async () => (this.#asksConfig ? askOnce(this.#endpoint, (to) => to.idleTimeout()) : undefined),
    () => performance.now(),
  );
  #commands = CommandTable.builtin();
  #facts: ServerFacts | undefined;
  #nextClientId = 1;
  readonly #sight: Sight;
  readonly #fences: Fences;
  #toldNotRedis = false;
  #isDraining = false;

  constructor(config: ProxyConfig, parts: ProxyParts) {
    this.#config = config;
    this.#parts = parts;
    this.#endpoint = new Endpoint(config.upstream, config.connectTimeoutMs);
    const count = (reason: Reason, messages: number) => {
      parts.metrics.counts[INVALIDATION_COUNTERS[reason]] += messages;
      parts.watcher?.invalidated?.(messages, reason);
    };
    const coefficients = getRandomValues(new Int32Array(COEFFICIENT_COUNT));
    this.#tracker = new Tracker(config.trackingTableMaxKeys, count, coefficients);
    const { source, passing } = chooseSource(config.source, parts.logger, {
      endpoint: this.#endpoint,
      notifyConfig: config.notifyConfig,
      probeKeyPrefix: config.probeKeyPrefix,
      attribution: this.#attribution,
      watchIntervalMs: config.watchIntervalMs,
      silentLog: this.#silentLog,
      silentChange: (reason) => this.#silentChange(reason),
      learnt: (facts) => this.#learn(facts),
      replaced: () => this.#disconnectAll(),
      lanesOpened: () => parts.metrics.counts.connections,
    });
    this.#source = source;
    this.#sight = new Sight(parts.metrics.counts, parts.logger, parts.watcher);
    this.#fences = new Fences({
      sync: (done) => this.#source.sync(done),
      isBlind: () => this.#tracker.blind,
      listeners: () => this.#takeListeners(),
      flush: Spool.flushAll,
      limit: (run) => {
        const timer = setTimeout(run, FENCE_MAX_MS);
        return () => clearTimeout(timer);
      },
    });
    this.#acceptor = new Acceptor(config, {
      logger: parts.logger,
      counts: parts.metrics.counts,
      clientCount: () => this.#connections.size,
      accepted: (socket) => this.#accept(socket),
    });
    this.#idleSweep = new IdleSweep(config.timeoutSeconds, this.#connections);
    this.#connectionParts = this.#partsForConnections(passing);
    observe(parts.metrics, {
      clientCount: () => this.#connections.size,
      laneCount: () => this.#endpoint.laneCount,
      tracker: this.#tracker,
      sight: this.#sight,
    });
  }

  get addresses(): readonly string[] {
    return this.#acceptor.addresses;
  }

  get clientCount(): number {
    return this.#connections.size;
  }

  get ready(): { readonly ok: boolean; readonly reason: string } {
    const reason = this.#isDraining ? 'the proxy is being stopped' : this.#sight.trouble;
    return reason === undefined ? { ok: true, reason: '' } : { ok: false, reason };
  }

  async start(): Promise<void> {
    await this.#acceptor.open();
    this.#idleSweep.start();
    this.#source.start(this.#sourceListener());
  }

  reload(): void {
    reloadAll([this.#endpoint, this.#acceptor], this.#parts.logger);
  }

  async drain(): Promise<void> {
    this.#isDraining = true;
    const closed = this.#acceptor.close();
    for (const connection of this.#connections) connection.drain();
    await closed;
  }

  async stop(): Promise<void> {
    this.#source.stop();
    this.#waiting.stop();
    this.#idleSweep.stop();
    const closed = this.#acceptor.close();
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  #accept(socket: net.Socket): void {
    this.#parts.metrics.counts.connections += 1;
    this.#connections.add(new Connection(socket, this.#connectionParts));
  }

  #sourceListener(): SourceListener {
    const { counts, meter } = this.#parts.metrics;
    return {
      concerns: (chunk, from, to) => {
        counts.notifications += 1;
        meter.heard();
        return this.#tracker.concerns(chunk, from, to);
      },
      changed: (key, removed) => {
        const { writer } = this.#attribution;
        const own = removed ? undefined : writer;
        this.#tracker.changed(key, 'write', own, this.#attribution.declares(key));
      },
      endOfBatch: () => {
        this.#tracker.endOfBatch();
        meter.endOfChunk();
      },
      heardWord: (word) => this.#attribution.heard(word),
      blind: (cause) => this.#loseSight(cause),
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

  #loseSight(cause: ProxyError): void {
    this.#sight.lost(cause);
    this.#attribution.reset();
    this.#tracker.loseSight();
    this.#fences.blinded();
    if (this.#config.blind !== 'refuse') return;
    for (const connection of this.#connections) connection.refuseTracking();
  }

  #regainSight(): void {
    this.#sight.regained(this.#facts?.versionText, this.#config.source === 'writes');
    this.#tracker.regainSight();
  }

  /** Another node answers now, or the same after a restart: whoever is left may be at the old one. */
  #disconnectAll(): void {
    const clients = this.#connections.size;
    const what = 'upstream was restarted, or is another node: all clients are disconnected';
    this.#parts.logger.warn({ clients }, what);
    for (const connection of this.#connections) connection.destroy();
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

  #partsForConnections(passing: ChosenSource['passing']): ConnectionParts {
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
      meter: metrics.meter,
      commands: () => this.#commands,
      advertise: advertiser(this.#config.advertiseVersion),
      upstreamVersion: () => this.#facts?.version,
      nativeTracking: () => this.#facts?.tracks ?? false,
      ...this.#endpoint.opening(this.#config.injectAuth !== 'off'),
      now: () => performance.now(),
      roundTrip: () => this.#source.roundTripMs,
      wake: (connection) => this.#waiting.wake(connection),
      withheld: (connection) => this.#withheld.add(connection),
      fence: (...told) => this.#fences.raise(...told),
      fenceWrites: this.#config.fenceWrites,
      passing,
      outputLimit: this.#config.outputLimit,
      newClientId: () => this.#nextClientId++,
      speaksResp3: () => this.#facts?.speaksResp3 ?? true,
      serverFacts: () => helloFacts(this.#facts),
      beatMs: () => this.#idleTimeout.beatMs,
      refusesTracking: () => this.#config.blind === 'refuse' && this.#tracker.blind,
      closed: (connection) => {
        this.#connections.delete(connection);
        this.#waiting.delete(connection);
        this.#withheld.delete(connection);
      },
    };
  }

  /** Whether there may be users who must not hear of some keys. */
  get #filters(): boolean {
    return (
      this.#config.bcastAcl === 'filter' && (this.#facts?.version ?? ACL_VERSION) >= ACL_VERSION
    );
  }

  /** Whether CONFIG may be used. */
  get #asksConfig(): boolean {
    return this.#config.notifyConfig !== 'skip' && this.#config.source !== 'writes';
  }

  /** @returns the connections that may have something left to be told */
  #takeListeners(): Set<Connection> {
    for (const connection of this.#withheld) {
      if (!connection.isWithholding) this.#withheld.delete(connection);
    }
    return new Set([...this.#waiting.waiting, ...this.#withheld]);
  }
}
