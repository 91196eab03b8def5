import type { Logger } from './logger.ts';

/** @returns a signal that aborts at the first SIGINT or SIGTERM; the second ends the process */
export function stopSignal(logger: Logger): AbortSignal {
  const stop = new AbortController();
  const numbers = { SIGINT: 2, SIGTERM: 15 } as const;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(128 + numbers[name]);
      logger.debug({ signal: name }, 'asked to stop');
      stop.abort();
    });
  }
  return stop.signal;
}

/** @returns when the signal has aborted */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** What is done at SIGHUP, by whoever has something to read again. */
export class Reload {
  readonly #logger: Logger;
  readonly #runs: (() => void)[] = [];

  /** From now on SIGHUP no longer ends the process. */
  constructor(logger: Logger) {
    this.#logger = logger;
    process.on('SIGHUP', () => this.#reload());
  }

  /** @param run reads something again; what it throws is logged, and things stay as they were */
  onReload(run: () => void): void {
    this.#runs.push(run);
  }

  #reload(): void {
    for (const run of this.#runs) {
      try {
        run();
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        this.#logger.error({ reason }, 'reading again has failed: all stays as it was');
      }
    }
  }
}

/** A defect of ours: say so and end. Half a proxy would leave caches stale. */
export function dieOnSurprise(logger: Logger, exitCode: number): void {
  const die = (what: string) => (error: unknown) => {
    logger.fatal({ err: error }, what);
    process.exit(exitCode);
  };
  process.on('uncaughtException', die('uncaught exception'));
  process.on('unhandledRejection', die('unhandled rejection'));
  // Whoever read our banner may be gone (`sidetrack | head -3`), which is no reason to end.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
}
