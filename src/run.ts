import { printUpstream } from './address.ts';
import { banner } from './banner.ts';
import { type Config, readConfig } from './config.ts';
import { examine } from './doctor/examine.ts';
import { logFindings } from './doctor/log.ts';
import type { Logger } from './logger.ts';
import { OPTIONS } from './options.ts';
import { decide, type Given } from './origin.ts';
import { type Service, startService } from './service.ts';
import { aborted, Reload, stopSignal } from './signals.ts';

/**
 * Runs the proxy until it is told to stop.
 *
 * @param given what `config` was read from: at SIGHUP it is read again
 * @throws ProxyError what keeps it from running, or makes running on pointless
 */
export async function runProxy(config: Config, given: Given, logger: Logger): Promise<void> {
  const stopAsked = stopSignal(logger);
  const end = new AbortController();
  const settled = () => void lookAround(config, logger);
  const service = await startService(config, {
    logger,
    failed: (error) => end.abort(error),
    watcher: { settled },
  });
  const reload = new Reload(logger);
  const texts = textsOf(given);
  reload.onReload(() => takeOver(texts, given, logger));
  reload.onReload(() => service.proxy.reload());
  announce(service, config, logger);
  await aborted(AbortSignal.any([stopAsked, end.signal]));
  logger.info('stopping');
  await service.stop();
  end.signal.throwIfAborted();
}

/** Says where it listens: to the log, and on stdout to whoever has started it. */
function announce({ proxy, upstream, admin, embedded }: Service, config: Config, logger: Logger) {
  const facts = { listen: proxy.addresses.join(', '), upstream: printUpstream(upstream) };
  logger.info({ ...facts, admin: admin?.address ?? 'off' }, 'listening');
  process.stdout.write(banner({ ...facts, config, admin, embedded }));
}

/** Logs what the upstream lacks, once. Our own lacks nothing, and `writes` asks for nothing. */
async function lookAround(config: Config, logger: Logger): Promise<void> {
  const { upstream, source, notifyConfig, probeKeyPrefix } = config;
  if (upstream.kind === 'embedded' || source === 'writes') return;
  logFindings(await examine({ upstream, notifyConfig, probeKeyPrefix }), logger);
}

/** @returns what each setting is, by its flag */
function textsOf(given: Given): ReadonlyMap<string, string> {
  const setting = decide(given);
  return new Map(OPTIONS.map(({ flag }) => [flag, setting(flag).text]));
}

/**
 * Reads the file of settings again. Only the level of the log is taken over; what else has changed
 * is named.
 *
 * @param before what each setting was at the start
 * @throws ProxyError CONFIG_INVALID
 */
function takeOver(before: ReadonlyMap<string, string>, given: Given, logger: Logger): void {
  const { logLevel } = readConfig(given);
  const now = textsOf(given);
  const changed = [...before.keys()].filter((flag) => before.get(flag) !== now.get(flag));
  const afterRestart = changed.filter((flag) => flag !== 'log-level');
  const weights: Readonly<Record<string, number>> = logger.levels.values;
  const weightOf = (level: string) => weights[level] ?? Number.POSITIVE_INFINITY; // silent
  // The line is to be seen if the old level allows it, or the new one.
  if (weightOf(logLevel) < weightOf(logger.level)) logger.level = logLevel;
  logger.info({ logLevel, afterRestart }, 'settings were read again');
  logger.level = logLevel;
}
