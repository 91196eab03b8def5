import { setTimeout as sleep } from 'node:timers/promises';
import { ProxyError } from '../errors.ts';
import { missingFlags } from '../invalidation/flags.ts';
import type { Control } from './control.ts';
import { readSigns, SignReader, type Signs } from './signs.ts';
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
  /** Looks do not find all that they should. @param unseen what therefore goes unnoticed */
  readonly sightless: (reason: string, unseen: string) => void;
}

/** Where a watch looks. */
type Looked = Pick<Control, 'look'>;

/** What looks have to find, and what of it they may not see. */
interface View {
  /** Why INFO says nothing; undefined: it does. */
  readonly info: string | undefined;
  /** The same of CONFIG. */
  readonly config: string | undefined;
}

const INFO_REFUSED = 'INFO is refused to the proxy';
const NO_COUNTERS = 'INFO commandstats is empty';
const CONFIG_REFUSED = 'CONFIG GET is refused to the proxy';

/** What is not noticed then, for the operator. */
const UNSEEN = {
  info:
    'changes that notifications never tell (FLUSHALL, SWAPDB ...), if made elsewhere, are not ' +
    'noticed: see docs/consistency.md',
  config:
    'if somebody switches notifications off while the proxy runs, that is not noticed: see ' +
    'docs/consistency.md',
} as const satisfies { readonly [part in keyof View]: string };

/**
 * Looks now and then for what notifications never say: flushes and other silent commands that did
 * not pass through this proxy, a data set that was replaced, notifications that were switched off.
 */
export class Watch {
  readonly #control: Looked;
  readonly #options: WatchOptions;
  readonly #reader: SignReader;
  #view: View | undefined;

  constructor(control: Looked, options: WatchOptions) {
    this.#control = control;
    this.#options = options;
    this.#reader = new SignReader(options.log);
  }

  /**
   * One look. The first only notes how things are.
   *
   * @throws ProxyError UPSTREAM_UNREACHABLE, NOTIFICATIONS_UNAVAILABLE; UPSTREAM_REFUSED if a look may
   *         see less than the first, or more: what happened when it could not be seen is not known
   */
  async look(): Promise<void> {
    const { intervalMs, checksFlags, version, silentChange } = this.#options;
    if (intervalMs === 0) return;
    this.#reader.asking();
    const { info, flags } = await this.#control.look(checksFlags);
    const signs = info === undefined ? undefined : readSigns(info);
    this.#compare({
      info: blindnessOf(signs),
      config: checksFlags && flags === undefined ? CONFIG_REFUSED : undefined,
    });
    if (flags !== undefined && missingFlags(flags, version) !== '') {
      const what = `notify-keyspace-events was set to '${flags}' by somebody else`;
      throw new ProxyError('NOTIFICATIONS_UNAVAILABLE', what);
    }
    const reason = signs === undefined ? undefined : this.#reader.look(signs);
    if (reason !== undefined) silentChange(reason);
  }

  /** Goes on looking until `signal` aborts. @throws as `look` */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#options.intervalMs === 0) return;
    while (!signal.aborted) {
      await sleep(this.#options.intervalMs, undefined, { signal }).catch(() => {});
      if (!signal.aborted) await this.look();
    }
  }

  #compare(view: View): void {
    const first = this.#view;
    this.#view ??= view;
    for (const part of ['info', 'config'] as const) {
      const why = view[part];
      if (first === undefined) {
        if (why !== undefined) this.#options.sightless(why, UNSEEN[part]);
      } else if (why !== first[part]) {
        throw new ProxyError('UPSTREAM_REFUSED', why ?? `no longer so: ${first[part]}`);
      }
    }
  }
}

/** Every server has counted at least the PING with which the proxy began. */
function blindnessOf(signs: Signs | undefined): string | undefined {
  if (signs === undefined) return INFO_REFUSED;
  return signs.calls.size === 0 ? NO_COUNTERS : undefined;
}
