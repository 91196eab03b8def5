import { setTimeout as sleep } from 'node:timers/promises';
import { ProxyError } from '../errors.ts';
import { missingFlags } from '../invalidation/flags.ts';
import type { Control } from './control.ts';
import { readSigns, SignReader } from './signs.ts';
import type { SilentLog } from './silent.ts';

/** What a watch needs to know, and whom it tells. */
export interface WatchOptions {
  /** How often upstream is looked at, in milliseconds; 0: never. */
  readonly intervalMs: number;
  /** Whether notifications that somebody switches off are noticed. */
  readonly checksFlags: boolean;
  /** Upstream's version as major * 100 + minor; undefined: not known. */
  readonly version: number | undefined;
  readonly log: SilentLog;
  /** Data may have changed unannounced. */
  readonly silentChange: (reason: string) => void;
}

/**
 * Looks now and then for what notifications never say: flushes and other silent commands that did
 * not pass through this proxy, a data set that was replaced, notifications that were switched off.
 */
export class Watch {
  readonly #control: Control;
  readonly #options: WatchOptions;
  readonly #reader: SignReader;

  constructor(control: Control, options: WatchOptions) {
    this.#control = control;
    this.#options = options;
    this.#reader = new SignReader(options.log);
  }

  /**
   * One look. The first only notes how things are.
   *
   * @throws ProxyError UPSTREAM_UNREACHABLE, NOTIFICATIONS_UNAVAILABLE
   */
  async look(): Promise<void> {
    const { intervalMs, checksFlags, version, silentChange } = this.#options;
    if (intervalMs === 0) return;
    const { info, flags } = await this.#control.look(checksFlags);
    const reason = info === undefined ? undefined : this.#reader.look(readSigns(info));
    if (reason !== undefined) silentChange(reason);
    if (flags === undefined || missingFlags(flags, version) === '') return;
    const what = `notify-keyspace-events was set to '${flags}' by somebody else`;
    throw new ProxyError('NOTIFICATIONS_UNAVAILABLE', what);
  }

  /** Goes on looking until `signal` aborts. @throws as `look` */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#options.intervalMs === 0) return;
    while (!signal.aborted) {
      await sleep(this.#options.intervalMs, undefined, { signal }).catch(() => {});
      if (!signal.aborted) await this.look();
    }
  }
}
