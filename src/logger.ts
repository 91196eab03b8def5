import type { Logger } from 'pino';
import pino from 'pino';
import pretty from 'pino-pretty';
import type { LogFormat, LogLevel } from './config.ts';

/** What the parts of the proxy log to. */
export type { Logger };

/**
 * A logger that writes to stderr, so that stdout holds nothing but what was asked for (the lines
 * that say where the proxy listens, the demo's picture) and `2>` separates the two. It writes at
 * once: a proxy logs little, and its last line before a crash matters most.
 *
 * Fields named `password` are hidden wherever they stand; nobody should log one anyway.
 */
export function createLogger(options: {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Whether colours may be used. */
  readonly colour: boolean;
}): Logger {
  const settings = {
    level: options.level,
    base: null,
    redact: ['password', '*.password', '*.*.password'],
  };
  if (options.format === 'json') {
    const time = pino.stdTimeFunctions.isoTime;
    return pino({ ...settings, timestamp: time }, pino.destination({ fd: 2, sync: true }));
  }
  const stream = pretty({
    destination: 2,
    sync: true,
    colorize: options.colour,
    translateTime: 'SYS:HH:MM:ss.l',
  });
  return pino(settings, stream);
}
