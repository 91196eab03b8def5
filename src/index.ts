import { EventEmitter } from 'node:events';
import { readConfig } from './config.ts';
import { ProxyError } from './errors.ts';
import { createLogger } from './logger.ts';
import { nearest } from './nearest.ts';
import { type Flag, OPTIONS } from './options.ts';
import type { ProxyWatcher } from './proxy-parts.ts';
import { type Service, startService } from './service.ts';
import type { Reason } from './tracking/tracker.ts';

export { type ErrorCode, ProxyError } from './errors.ts';

/** A flag as an option is named: `log-level` is `logLevel`. */
type CamelCase<Name extends string> = Name extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Name;

/** A flag that is an option too: all but the file of settings. */
type OptionFlag = Exclude<Flag, 'config'>;

/**
 * The flags of the program in camel case, with the values that they take there; `docs/configuration.md`
 * has them all. For on and off there are true and false, and places to listen may be a list. Neither
 * environment variables nor files are read, and some defaults are others: `listen` is
 * `127.0.0.1:0` (a free port), `admin` is `off`, `logLevel` is `silent`.
 */
export type ProxyOptions = {
  readonly [F in OptionFlag as CamelCase<F>]?:
    | (string | number | boolean | (F extends 'listen' | 'tls-listen' ? readonly string[] : never))
    | undefined;
};

/** Why an invalidation was sent, as the metrics name it. */
export type InvalidationReason = Reason;

/** What a proxy tells, and with which arguments. */
export interface ProxyEvents {
  /** Invalidations were sent; one that names everything counts once. */
  readonly invalidation: [count: number, reason: InvalidationReason];
  /** Changes may be missed: caches are told to drop everything. */
  readonly blind: [reason: string];
  /** Every change of the upstream is heard from now on: the proxy is ready. */
  readonly sighted: [];
  /** It runs and never will be of use: what answers at the upstream's address is no Redis. */
  readonly failed: [error: ProxyError];
}

/** A proxy inside this process. */
export interface EmbeddedProxy extends EventEmitter<EventMap> {
  /**
   * Resolves when it listens. Whether it has reached the upstream by then is told by `ready`, and
   * after that by the event `sighted`.
   *
   * @throws ProxyError LISTEN_FAILED, EMBEDDED_REDIS_FAILED
   */
  start(): Promise<void>;
  /** Finishes the replies that are owed, for `drainTimeout` seconds at most, then ends everything. */
  stop(): Promise<void>;
  /** Where it listens: `127.0.0.1:53412`, or the path of a socket. Empty until it does. */
  readonly address: string;
  /** The same for each place that `listen` names. */
  readonly addresses: readonly string[];
  /** Whether the upstream is reached and every change of it is heard. */
  readonly ready: boolean;
}

type EventMap = { -readonly [Name in keyof ProxyEvents]: ProxyEvents[Name] };

/** What is otherwise than on the command line: a program of somebody else's is around us. */
const DEFAULTS = { listen: '127.0.0.1:0', admin: 'off', 'log-level': 'silent' } as const;

/**
 * Makes a proxy that does nothing until it is started. Once stopped it is not started again.
 *
 * @throws ProxyError CONFIG_INVALID with one line that says what is accepted
 */
export function createProxy(options: ProxyOptions = {}): EmbeddedProxy {
  return new StartableProxy(options);
}

class StartableProxy extends EventEmitter<EventMap> implements EmbeddedProxy {
  readonly #config: ReturnType<typeof readConfig>;
  #starting: Promise<Service> | undefined;
  #service: Service | undefined;

  constructor(options: ProxyOptions) {
    super();
    const flags = { ...DEFAULTS, ...flagsOf(options) };
    this.#config = readConfig({ flags, environment: {}, terminal: false });
  }

  get address(): string {
    return this.addresses[0] ?? '';
  }

  get addresses(): readonly string[] {
    return this.#service?.proxy.addresses ?? [];
  }

  get ready(): boolean {
    return this.#service?.proxy.ready.ok ?? false;
  }

  async start(): Promise<void> {
    this.#starting ??= this.#start();
    this.#service = await this.#starting;
  }

  async stop(): Promise<void> {
    const service = await this.#starting?.catch(() => undefined);
    await service?.stop();
  }

  #start(): Promise<Service> {
    const { logLevel: level, logFormat: format } = this.#config;
    return startService(this.#config, {
      logger: createLogger({ level, format, colour: false }),
      failed: (error) => this.#tell(() => this.emit('failed', error)),
      watcher: this.#watcher(),
    });
  }

  #watcher(): ProxyWatcher {
    return {
      invalidated: (count, reason) => {
        if (this.listenerCount('invalidation') === 0) return;
        this.#tell(() => this.emit('invalidation', count, reason));
      },
      blinded: (reason) => this.#tell(() => this.emit('blind', reason)),
      sighted: () => this.#tell(() => this.emit('sighted')),
    };
  }

  /** What listeners do, and throw, is not to happen between two steps of the proxy. */
  #tell(run: () => void): void {
    process.nextTick(run);
  }
}

/** @returns the options as flags and their texts */
function flagsOf(options: ProxyOptions): { [flag in Flag]?: string } {
  const flags: { [flag in Flag]?: string } = {};
  const known = OPTIONS.map(({ flag }) => [camelCase(flag), flag] as const);
  for (const [name, value] of Object.entries(options)) {
    const flag = known.find(([option]) => option === name)?.[1];
    if (flag === undefined || flag === 'config') throw unknownOption(name, known);
    if (value !== undefined) flags[flag] = textOf(value);
  }
  return flags;
}

function textOf(value: string | number | boolean | readonly string[]): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return typeof value === 'object' ? value.join(',') : String(value);
}

function camelCase(flag: string): string {
  return flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function unknownOption(name: string, known: readonly (readonly [string, Flag])[]): ProxyError {
  const meant = nearest(
    name,
    known.map(([option]) => option),
  );
  const hint = meant === undefined ? 'see docs/configuration.md' : `did you mean ${meant}?`;
  return new ProxyError('CONFIG_INVALID', `'${name}' is no option; ${hint}`);
}
